"""What a response says, whole: by it one that is sent again is told from another with its id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from app.intake.models import Response
from app.text_keys import is_same


class ResponseRow(NamedTuple):
    """A response as its table has it: a field for each column."""

    id: str
    point_id: int
    unit_id: int
    version_id: int
    channel: str
    day: date
    answered_at: datetime
    claimed_at: datetime
    received_at: datetime
    duration_s: int | None
    language: str
    disposition: str
    partial: bool
    packed: bytes
    texts_hash: bytes | None
    credential_id: int | None


class Content(NamedTuple):
    """Everything that a respondent said and the device claims."""

    point_id: int
    version_id: int
    claimed_at: datetime
    duration_s: int | None
    language: str
    partial: bool
    packed: bytes
    #: By the present key of texts, or as it is stored.
    texts_hash: bytes | None


def content_of(row: ResponseRow | Response) -> Content:
    """What tells a response from another one with its id."""
    return Content(
        point_id=row.point_id,
        version_id=row.version_id,
        claimed_at=row.claimed_at,
        duration_s=row.duration_s,
        language=row.language,
        partial=row.partial,
        packed=bytes(row.packed),
        texts_hash=None if row.texts_hash is None else bytes(row.texts_hash),
    )


def is_repeated(there: Content, given: Content, hashes: Sequence[bytes] | None) -> bool:
    """Whether what is there is the same response as one that is sent.

    ``hashes`` are those of its texts by each key, None where it has none. Where the hash of what
    is there is known no more, the texts are not compared.
    """
    return there[:-1] == given[:-1] and is_same(there.texts_hash, hashes)
