"""What respondents wrote, on its way into the database: hashed as received, masked, encrypted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from app.masking.masker import mask
from app.text_keys import DROPPED, TextKeys

#: Of a refused body that is longer the beginning is kept.
_BODY_KEPT = 20_000
#: At the end of a text that is cut off a number may stand that is cut off, too, and unknown by it.
_CUT = 64
#: What says nothing of a person, where it looks as it should; all other strings are masked.
_PLAIN = {
    "id": re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "questionnaire": re.compile(r"[a-z]{1,16}(?:-[a-z]{1,16}){0,4}"),
    "point": re.compile(r"[0-9A-Z]{7}"),
    "answered_at": re.compile(
        r"[+\-]?[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+\-][0-9]{2}:[0-9]{2})?"
    ),
    "language": re.compile(r"[a-z]{2,3}"),
}  # fmt: skip
_NUMBERS = frozenset({"age_s", "clock_lost", "duration_s", "version", "partial"})
#: A number that is longer may be somebody's, and is none of a scale.
_LARGEST = 9_999_999
_NUMBER_MASKED = "[…]"
#: What another try of the same may send otherwise.
_OF_A_TRY = ("age_s", "clock_lost")


@dataclass
class _Room:
    """How many more signs of a body are kept, and whether it was masked before."""

    left: int
    again: bool


class StoredText(NamedTuple):
    """A text as it is stored, and the same with names of staff where there are any, encrypted."""

    item: str
    body: str
    encrypted: bytes | None


def hashes_of(keys: TextKeys, texts: Mapping[str, str]) -> tuple[bytes, ...] | None:
    """What tells a response's texts as they were received, by each key; None for no texts."""
    return keys.hashes(b"texts", texts) if texts else None


def stored_hash(hashes: tuple[bytes, ...] | None) -> bytes | None:
    """The one of these that is stored."""
    return None if hashes is None else hashes[0] if hashes else DROPPED


def about(response_id: str, item: str) -> str:
    """What an encrypted text is bound to, so that it opens in its own place alone."""
    return f"{response_id}/{item}"


def masked_texts(
    keys: TextKeys, response_id: str, texts: Mapping[str, str]
) -> tuple[StoredText, ...]:
    """A response's texts by item, as they are stored."""
    stored = []
    for item, text in sorted(texts.items()):
        masked = mask(text)
        encrypted = None
        if masked.with_staff != masked.text:
            encrypted = keys.encrypt(masked.with_staff, about(response_id, item))
        stored.append(StoredText(item, masked.text, encrypted))
    return tuple(stored)


def read_text(
    keys: TextKeys, response_id: str, item: str, body: str, encrypted: bytes | None
) -> str:
    """A stored text with the names of staff, for whoever reads comments of its unit; without them
    where their key is gone. Everybody else is shown ``body``.
    """
    if encrypted is None:
        return body
    opened = keys.decrypt(bytes(encrypted), about(response_id, item))
    return body if opened is None else opened


def body_hashes(keys: TextKeys, body: str) -> tuple[bytes, ...]:
    """What tells a refused body as it was received, by each key; its age is another in each try."""
    document = _document(body)
    if isinstance(document, dict):
        document = {name: each for name, each in document.items() if name not in _OF_A_TRY}
    return keys.hashes(b"aside", document)


def masked_body(body: str, *, again: bool = False) -> str:
    """A refused body with every string in it masked, and what is too long cut off.

    ``again`` where it was masked before.
    """
    room = _Room(_BODY_KEPT, again)
    made = _masked(_document(body), room)
    if isinstance(made, str) and not body.startswith('"'):
        return made[:_BODY_KEPT]  # it was no JSON
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))[:_BODY_KEPT]


def is_nobodys(id: str) -> bool:
    """Whether an id as it was sent tells of nobody: anything can be sent as one."""
    return _PLAIN["id"].fullmatch(id) is not None or not mask(id).spans


def _document(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # cut off, as those of former versions may be
        return body


def _masked(value: Any, room: _Room, name: str = "") -> Any:
    """A value of a document, masked, as far as there is room."""
    if room.left <= 0:
        return None
    if isinstance(value, str):
        plain = _PLAIN.get(name)
        return value if plain and plain.fullmatch(value) else _cut(value, room)
    if isinstance(value, bool | None):
        return value
    if isinstance(value, int | float):
        room.left -= 8
        is_small = name in _NUMBERS or not abs(value) > _LARGEST
        return value if is_small else _NUMBER_MASKED
    if isinstance(value, list):
        return [_masked(each, room) for each in value if room.left > 0]
    return {
        _cut(each_name, room): _masked(each, room, each_name)
        for each_name, each in value.items()
        if room.left > 0
    }


def _cut(text: str, room: _Room) -> str:
    """A text masked, of a long one its beginning."""
    beginning = text[: room.left + _CUT]
    masked = mask(beginning, again=room.again).text
    if len(beginning) < len(text):
        masked = masked[:-_CUT]
    room.left -= len(masked) + 4
    return masked
