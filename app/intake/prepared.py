"""Responses that passed every check and wait to be stored, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from itertools import starmap
from operator import itemgetter
from typing import NamedTuple

from app.access.buckets import Draw
from app.intake.contents import ResponseRow
from app.intake.texts import StoredText
from app.intake.times import ReceiptRule
from app.registry.questionnaires import Published
from app.rollups.conduct import conduct_of
from app.rollups.store import Contribution


class Outcome(Enum):
    """What became of a response that was fit to be stored."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    #: Its invitation was used up by another response, or is too old.
    UNINVITED = "uninvited"
    #: It came first after the responses of its day had been deleted by rule.
    DAY_DELETED = "day-deleted"
    #: Its code for a reply is another response's.
    CODE_TAKEN = "code-taken"


class Prepared(NamedTuple):
    """A response that passed every check and waits to be stored."""

    row: ResponseRow
    version: Published
    #: As they were received; nothing but ``masked_response`` reads them.
    texts: Mapping[str, str]
    #: By each key of texts; None where there are none.
    hashes: tuple[bytes, ...] | None = None
    #: As they are stored; None while they are not masked.
    stored_texts: tuple[StoredText, ...] | None = None
    #: What it draws from before it is stored.
    draws: tuple[Draw, ...] = ()
    #: Hash of the invitation's token that it uses up.
    invitation: str | None = None
    #: The local day on which it came, where that is a later one.
    late: date | None = None
    #: Why it is counted at receipt, if it is.
    receipt_rule: ReceiptRule | None = None
    #: Hash of the code by which its respondent finds a reply, if she wants one.
    reply_code_hash: str | None = None
    #: Whether followers are told of it as of a change, for its id is older than they look for.
    told_as_change: bool = False

    @property
    def id(self) -> str:
        """The id of the response."""
        return self.row.id


class Refused(NamedTuple):
    """What is to be kept although it was refused: its id if it had one, the rule, and the body."""

    id: str | None
    rule: str
    body: str
    #: Hash of the code of whoever wished a reply.
    code_hash: str | None = None


class Group(NamedTuple):
    """Responses field by field: of each field of ``Prepared`` those of all, in one order.

    What few responses have is looked for in a whole column, and each field of a response costs a
    look at it: with a hundred that is a tenth of the time that storing them takes.
    """

    row: tuple[ResponseRow, ...]
    version: tuple[Published, ...]
    texts: tuple[Mapping[str, str], ...]
    hashes: tuple[tuple[bytes, ...] | None, ...]
    stored_texts: tuple[tuple[StoredText, ...] | None, ...]
    draws: tuple[tuple[Draw, ...], ...]
    invitation: tuple[str | None, ...]
    late: tuple[date | None, ...]
    receipt_rule: tuple[ReceiptRule | None, ...]
    reply_code_hash: tuple[str | None, ...]
    told_as_change: tuple[bool, ...]


def by_field(responses: Sequence[Prepared]) -> Group:
    """Some responses, at least one, by their fields."""
    return Group(*zip(*responses, strict=True))


def contributions(group: Group) -> list[Contribution]:
    """What each response adds to its cell: where, its packed answers, how it was given."""
    return list(
        zip(
            map(_cell_of, group.row),
            group.version,
            map(_packed_of, group.row),
            starmap(conduct_of, map(_conduct_of, group.row)),
            strict=True,
        )
    )


_place = ResponseRow._fields.index
_cell_of = itemgetter(*map(_place, ("day", "unit_id", "version_id", "channel")))
_packed_of = itemgetter(_place("packed"))
_conduct_of = itemgetter(*map(_place, ("duration_s", "partial", "language")))
