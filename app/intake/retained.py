"""Which days' responses and texts are still kept, and which responses were erased.

What is erased leaves a **mark**: 64 bits of a hash of its id. An id has 74 bits of chance, so that
nobody finds it from its mark; and that an id which was never erased has the mark of one of ten
million that were, happens in one of 10¹² responses. A device may send a response again years later,
whatever its clock claims by then: by its mark it is known to be no new one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import blake2b
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, Date, Table, null, select, union_all
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from app.db import bulk
from app.db.locks import Lock, hold
from app.intake.models import ErasedResponse, RetentionNote

_ERASED = cast(Table, ErasedResponse.__table__)
_NOTE = 1
#: Marks in one statement.
_AT_ONCE = 500


class Erased(StrEnum):
    """Why something of a response is gone."""

    #: Its citizen withdrew it.
    WITHDRAWN = "withdrawn"
    #: Its citizen withdrew what they had written; the rest stays.
    TEXTS = "texts"
    #: Its day was deleted by rule.
    RETENTION = "retention"


@dataclass(frozen=True)
class Retained:
    """From which local days on responses and texts are kept; the first of all where all are."""

    responses_from: date = date.min
    texts_from: date = date.min


def retained(session: Session) -> Retained:
    """What the database keeps, as this session sees it."""
    row = session.execute(
        select(RetentionNote.responses_from, RetentionNote.texts_from).where(
            RetentionNote.id == _NOTE
        )
    ).one_or_none()
    return Retained() if row is None else _retained(row.responses_from, row.texts_from)


def note(session: Session) -> RetentionNote:
    """The row that says what is kept, to be changed; nobody else changes it before this ends.

    Whoever recounts, deletes by rule or withdraws takes turns with whoever holds it.
    """
    hold(session.connection(), Lock.RETAINING)
    found = session.get(RetentionNote, _NOTE, populate_existing=True)
    if found is None:
        found = RetentionNote(id=_NOTE)
        session.add(found)
        session.flush()
    return found


def mark_of(id: str, why: Erased = Erased.WITHDRAWN) -> int:
    """The mark of a response, or that of its texts: a signed number of 64 bits."""
    of = b"texts" if why is Erased.TEXTS else b"response"
    digest = blake2b(UUID(id).bytes, digest_size=8, person=of).digest()
    return int.from_bytes(digest, "big", signed=True)


def look_up(session: Session, ids: Sequence[str]) -> tuple[Retained, frozenset[str]]:
    """What is kept, and which of some responses were erased; one statement for a group."""
    marks = {mark_of(id): id for id in ids}
    kept = Retained()
    found: set[str] = set()
    for some in _parts(sorted(marks)):
        noted = select(
            sql_cast(null(), BigInteger).label("mark"),
            RetentionNote.responses_from,
            RetentionNote.texts_from,
        ).where(RetentionNote.id == _NOTE)
        none = sql_cast(null(), Date)
        gone = select(ErasedResponse.mark, none, none).where(
            ErasedResponse.mark.in_(some), ErasedResponse.why != Erased.TEXTS.value
        )
        rows: Sequence[Any] = session.execute(union_all(noted, gone)).all()
        for mark, responses_from, texts_from in rows:
            if mark is None:
                kept = _retained(responses_from, texts_from)
            else:
                found.add(marks[mark])
    return kept, frozenset(found)


def erased(session: Session, ids: Collection[str]) -> frozenset[str]:
    """Those of some ids whose responses were erased; what is no id was not."""
    return look_up(session, [id for id in ids if _is_id(id)])[1]


def put_marks(session: Session, ids: Collection[str], why: Erased) -> None:
    """Leave the marks of responses that are erased in this transaction.

    A withdrawn one stays marked as withdrawn, so that a restore withdraws it again.
    """
    rows = sorted({(mark_of(id, why), why.value) for id in ids})
    bulk.insert_missing(session.connection(), _ERASED, ("mark", "why"), rows)


def marks(session: Session, why: Erased) -> frozenset[int]:
    """All marks of one sort."""
    return frozenset(
        session.scalars(select(ErasedResponse.mark).where(ErasedResponse.why == why.value))
    )


def _retained(responses_from: date | None, texts_from: date | None) -> Retained:
    return Retained(responses_from or date.min, texts_from or date.min)


def _parts(marks: Sequence[int]) -> Iterator[Sequence[int]]:
    """Some at a time; one empty part where there are none, since the note is wanted anyway."""
    yield from (marks[at : at + _AT_ONCE] for at in range(0, max(len(marks), 1), _AT_ONCE))


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
