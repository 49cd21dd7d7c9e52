"""What became of responses after they were stored, in order, so that exports can follow.

A response that was set aside, counted again or lost its words stands here by its id; one that was
erased by its id outside alone (``app.intake.export_ids``), and nothing says when. Deletions by rule
leave nothing of a response here: up to which day they went is noted once for all. The last number
alone stays, for no number is given twice: who has read up to it would miss what has it later.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from app.db.locks import Lock, hold
from app.intake.contents import ResponseRow
from app.intake.export_ids import ExportIds
from app.intake.models import ResponseChange

_AT_ONCE = 500
#: No unit and no version: a row of these is nobody's, and found by no export.
_NONE = 0


class What(StrEnum):
    """What became of a response."""

    CHANGED = "changed"
    GONE = "gone"
    #: Says nothing but its number, which was the last when its response was deleted by rule.
    NUMBER = "number"


class Touched(NamedTuple):
    """A response that something becomes of: its id, unit and questionnaire version."""

    id: str
    unit_id: int
    version_id: int


def note_changes(session: Session, what: What, touched: Sequence[Touched]) -> None:
    """Note what becomes of responses in this transaction, which must be one that writes.

    Numbers rise in the order in which transactions end: whoever read up to one misses none below.
    """
    if not touched:
        return
    hold(session.connection(), Lock.NOTING_CHANGES)
    number, ids = last_number(session), ExportIds.within(session)
    for start in range(0, len(touched), _AT_ONCE):
        some = touched[start : start + _AT_ONCE]
        # What was said of them before is out of date; of what is gone no id stays.
        session.execute(
            delete(ResponseChange).where(ResponseChange.response_id.in_([t.id for t in some])),
            execution_options={"synchronize_session": False},
        )
        rows = [
            {
                "number": number + n,
                "what": what.value,
                "response_id": each.id if what is What.CHANGED else None,
                "export_id": ids.of_response(each.id),
                "unit_id": each.unit_id,
                "version_id": each.version_id,
            }
            for n, each in enumerate(some, start=1)
        ]
        session.execute(insert(ResponseChange), rows)
        number += len(rows)


def note_stored(session: Session, rows: Sequence[ResponseRow]) -> set[str]:
    """Note of responses that are stored in this transaction, or were, that they came; their ids.

    Of those whom followers do not find by when they came: too late for that, or by too old an id.
    """
    touched = [Touched(row.id, row.unit_id, row.version_id) for row in rows]
    note_changes(session, What.CHANGED, touched)
    return {each.id for each in touched}


def forget_changes(session: Session, ids: Sequence[str]) -> None:
    """Delete what stands here of responses, in a transaction that deletes them; numbers go on.

    To be called after their own rows are deleted: whoever notes changes has those rows first, too.
    """
    hold(session.connection(), Lock.NOTING_CHANGES)
    last, unsynchronized = last_number(session), {"synchronize_session": False}
    of_these = ResponseChange.response_id.in_(ids)
    before = or_(of_these, ResponseChange.what == What.NUMBER.value)
    session.execute(
        delete(ResponseChange).where(before, ResponseChange.number < last),
        execution_options=unsynchronized,
    )
    session.execute(
        update(ResponseChange)
        .where(of_these, ResponseChange.number == last)
        .values(
            what=What.NUMBER.value, response_id=None, export_id="", unit_id=_NONE,
            version_id=_NONE,
        ),
        execution_options=unsynchronized,
    )  # fmt: skip


def last_number(session: Session) -> int:
    """The number of the last change, which never falls; 0 before the first."""
    return session.scalar(select(func.max(ResponseChange.number))) or 0
