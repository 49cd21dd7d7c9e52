"""What the machine says of a failed delivery, in words: for the page of dead letters."""

from __future__ import annotations

import re
from enum import StrEnum


class Cause(StrEnum):
    """Why something could not be delivered, as far as the machine's words tell."""

    NOT_LET_IN = "not_let_in"
    NOT_TAKEN = "not_taken"
    BROKEN = "broken"
    NOT_REACHED = "not_reached"
    NO_ANSWER = "no_answer"
    BAD_ADDRESS = "bad_address"
    NO_ROOM = "no_room"


#: The first that fits counts: "No space left" stands after the name of an exception.
_SIGNS = (
    (Cause.NO_ROOM, r"\bNo space left on device\b"),
    (Cause.NOT_LET_IN, r"HTTP 40[13]\b"),
    (Cause.NOT_TAKEN, r"HTTP 4\d\d\b"),
    (Cause.BROKEN, r"HTTP 5\d\d\b"),
    (Cause.NOT_REACHED, r"Connect(Error|Timeout)\b|ConnectionRefusedError\b|gaierror\b"),
    (Cause.NO_ANSWER, r"(Read|Write|Pool)?Time[Oo]ut(Error)?\b|ReadError\b|RemoteProtocolError\b"),
    (Cause.BAD_ADDRESS, r"UnsupportedProtocol\b|InvalidURL\b"),
)


def cause_of(reason: str) -> Cause | None:
    """The cause that a reason tells of; none where it stands for itself."""
    for cause, sign in _SIGNS:
        if (cause is Cause.NO_ROOM and re.search(sign, reason)) or re.match(sign, reason):
            return cause
    return None
