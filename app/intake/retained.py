"""Which days' responses and texts are still kept, and which responses were erased.

What is erased leaves a **mark**: 64 bits of a hash of its id. An id has 74 bits of chance, so that
nobody finds it from its mark; and that an id which was never erased has the mark of one of ten
million that were, happens in one of 10¹² responses. A device may send a response again years later,
whatever its clock claims by then: by its mark it is known to be no new one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import blake2b
from typing import cast
from uuid import UUID
from weakref import WeakSet

from sqlalchemy import Connection, Engine, Table, select
from sqlalchemy.orm import Session

from app.db import bulk
from app.db.later import Later, Row, ask_later
from app.db.locks import Lock, hold
from app.intake.models import ErasedResponse, RetentionNote

_ERASED = cast(Table, ErasedResponse.__table__)
_NOTE = 1
_NOTED = (
    f"SELECT (SELECT responses_from FROM retention_note WHERE id = {_NOTE}), "
    f"(SELECT texts_from FROM retention_note WHERE id = {_NOTE}), "
    "EXISTS (SELECT 1 FROM erased_response)"
)
_NOTED_AND_GONE = (
    f"SELECT NULL AS mark, responses_from, texts_from FROM retention_note WHERE id = {_NOTE} "
    "UNION ALL SELECT mark, NULL, NULL FROM erased_response "
    f"WHERE why <> '{{texts}}' AND {{among}}"
)

#: The databases in which something is known to have been erased; marks are there for good.
_WITH_MARKS: WeakSet[Engine] = WeakSet()


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
    return _mark(UUID(id).hex, of)


def _mark(digits: str, of: bytes = b"response") -> int:
    """The mark of an id in its 32 hexadecimal digits."""
    digest = blake2b(bytes.fromhex(digits), digest_size=8, person=of).digest()
    return int.from_bytes(digest, "big", signed=True)


def look_up(session: Session, ids: Sequence[str]) -> tuple[Retained, frozenset[str]]:
    """What is kept, and which of some responses were erased; one statement for a group.

    ids are in their usual form, or in hexadecimal digits alone.
    """
    return look_up_later(session, ids).result()


def look_up_later(session: Session, ids: Sequence[str]) -> Later[tuple[Retained, frozenset[str]]]:
    """The same, as of when the session's next statement is done.

    Marks cost a quarter of what storing a response does, so they are made where there are any.
    """
    connection = session.connection()
    if connection.engine in _WITH_MARKS:
        return _look_for_marks(connection, ids)
    noted = ask_later(connection, _NOTED, (), lambda rows: rows[0])

    def result() -> tuple[Retained, frozenset[str]]:
        responses_from, texts_from, some = noted.result()
        if not some:
            return _retained(_as_day(responses_from), _as_day(texts_from)), frozenset()
        _WITH_MARKS.add(connection.engine)
        return _look_for_marks(connection, ids).result()

    return Later(result)


def _look_for_marks(
    connection: Connection, ids: Sequence[str]
) -> Later[tuple[Retained, frozenset[str]]]:
    marks = {_mark(id.replace("-", "")): id for id in ids}
    among, given = bulk.among(connection, _ERASED, "mark", sorted(marks))

    def read(rows: Sequence[Row]) -> tuple[Retained, frozenset[str]]:
        kept = Retained()
        found: set[str] = set()
        for mark, responses_from, texts_from in rows:
            if mark is None:
                kept = _retained(_as_day(responses_from), _as_day(texts_from))
            else:
                found.add(marks[mark])
        return kept, frozenset(found)

    statement = _NOTED_AND_GONE.format(texts=Erased.TEXTS.value, among=among)
    return ask_later(connection, statement, (given,), read)


def erased(session: Session, ids: Collection[str]) -> frozenset[str]:
    """Those of some ids whose responses were erased; what is no id was not."""
    return look_up(session, [id for id in ids if is_id(id)])[1]


def put_marks(session: Session, ids: Collection[str], why: Erased) -> None:
    """Leave the marks of responses that are erased in this transaction.

    A withdrawn one stays marked as withdrawn, so that a restore withdraws it again.
    """
    put_known(session, {mark_of(id, why) for id in ids}, why)


def put_known(session: Session, marks: Collection[int], why: Erased) -> None:
    """Leave marks themselves, as another state of this database had them."""
    rows = sorted((mark, why.value) for mark in marks)
    bulk.insert_missing(session.connection(), _ERASED, ("mark", "why"), rows)


def without_words(session: Session, ids: Collection[str]) -> frozenset[str]:
    """Those of some ids of which their citizens withdrew what they had written."""
    marks = {mark_of(id, Erased.TEXTS): id for id in ids}
    if not marks:
        return frozenset()
    connection = session.connection()
    among, given = bulk.among(connection, _ERASED, "mark", sorted(marks))
    rows = connection.exec_driver_sql(
        f"SELECT mark FROM erased_response WHERE why = '{Erased.TEXTS.value}' AND {among}", (given,)
    )
    return frozenset(marks[mark] for (mark,) in rows)


def marks(session: Session, why: Erased) -> frozenset[int]:
    """All marks of one sort."""
    return frozenset(
        session.scalars(select(ErasedResponse.mark).where(ErasedResponse.why == why.value))
    )


def _retained(responses_from: date | None, texts_from: date | None) -> Retained:
    return Retained(responses_from or date.min, texts_from or date.min)


def _as_day(found: date | str | None) -> date | None:
    """A day as the driver gives it: SQLite's as the text that it keeps."""
    return date.fromisoformat(found) if isinstance(found, str) else found


def is_id(text: str) -> bool:
    """Whether a text is an id; devices send others, too."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
