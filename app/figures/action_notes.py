"""Dated notes of what a unit did, as "opened a third desk": drawn on its trend, beside its figures.

They move no figure. Withdrawn they are shown no more; none is ever overwritten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pydantic import BaseModel
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, joinedload

from app.access import scope
from app.access.callers import Caller, Person
from app.access.models import Right
from app.audit.log import record
from app.figures.models import ActionNote
from app.figures.query import Query
from app.figures.trend_results import NotedAction
from app.problems import FieldError, InvalidFields, Problem
from app.registry.questionnaires import versions_of

#: Signs of a note: it is a line under a chart.
LONGEST = 200
#: Years that a note may lie back.
_YEARS = 10


class ActionNoteOut(BaseModel):
    """A note, with who recorded it when, and who withdrew it."""

    id: int
    unit: str
    questionnaire: str | None
    day: date
    text: str
    recorded_by: str
    recorded_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None


class UnknownActionNote(Problem):
    """The caller has no such note to withdraw."""

    code, status = "unknown-action-note", 404


@dataclass(frozen=True)
class NewNote:
    """What somebody wants noted; without a questionnaire it is about all of the unit's."""

    unit: str
    day: date
    text: str
    questionnaire: str | None = None


def add(session: Session, caller: Caller, new: NewNote, today: date) -> ActionNote:
    """Keep a note.

    Raises
    ------
    UnknownUnit, UnknownQuestionnaire
        For what is not there, or not the caller's to note anything of.
    InvalidFields
        Naming a day that is yet to come or more than ten years ago, and a text that is empty or
        too long.
    """
    node = scope.units(session, caller, Right.NOTE_ACTIONS).find(new.unit)
    if new.questionnaire is not None:
        versions_of(session, new.questionnaire)
    text = " ".join(new.text.split())
    errors = []
    if new.day > today or today.year - new.day.year > _YEARS:
        errors.append(FieldError("day", "field.day_not_past", {"years": _YEARS}))
    if not text:
        errors.append(FieldError("text", "field.missing"))
    elif len(text) > LONGEST:
        errors.append(
            FieldError("text", "answer.too_long", {"length": len(text), "maximum": LONGEST})
        )
    if errors:
        raise InvalidFields(errors=errors, count=len(errors))
    note = ActionNote(
        unit_id=node.id,
        questionnaire=new.questionnaire,
        day=new.day,
        text=text,
        recorded_by=_name(caller),
        recorded_at=datetime.now(UTC),
    )
    session.add(note)
    session.flush()
    record(
        session, "action_note.add", note.id, unit=new.unit, questionnaire=new.questionnaire,
        day=new.day.isoformat(), text=text,
    )  # fmt: skip
    return note


def withdraw(session: Session, caller: Caller, id: int) -> ActionNote:
    """Show a note no more.

    Raises
    ------
    UnknownActionNote
        Where there is none that is shown, or the caller may note nothing of its unit.
    """
    note = session.scalar(
        select(ActionNote).where(
            ActionNote.id == id,
            ActionNote.withdrawn_at.is_(None),
            scope.within(ActionNote.unit_id, caller, Right.NOTE_ACTIONS),
        )
    )
    if note is None:
        raise UnknownActionNote(id=id)
    note.withdrawn_at, note.withdrawn_by = datetime.now(UTC), _name(caller)
    record(session, "action_note.withdraw", id)
    return note


def notes(
    session: Session,
    caller: Caller,
    *,
    unit: str | None = None,
    questionnaire: str | None = None,
    withdrawn: bool = True,
) -> Sequence[ActionNote]:
    """Notes about units whose figures the caller may read, the newest day first.

    Raises
    ------
    UnknownUnit
        Where the unit named is not one of them.
    """
    found = (
        select(ActionNote)
        .where(scope.within(ActionNote.unit_id, caller, Right.READ_FIGURES))
        .options(joinedload(ActionNote.unit))
        .order_by(ActionNote.day.desc(), ActionNote.id.desc())
        .limit(1000)
    )
    if unit is not None:
        node = scope.units(session, caller, Right.READ_FIGURES).find(unit)
        found = found.where(ActionNote.unit_id == node.id)
    if questionnaire is not None:
        found = found.where(_about(questionnaire))
    if not withdrawn:
        found = found.where(ActionNote.withdrawn_at.is_(None))
    return session.scalars(found).all()


def noted(
    session: Session, caller: Caller, units: Collection[int], query: Query, first: date, last: date
) -> Mapping[int, Sequence[NotedAction]]:
    """By unit id what was noted of the days of a trend, in order of time."""
    found = session.scalars(
        select(ActionNote)
        .where(
            scope.within(ActionNote.unit_id, caller, Right.READ_FIGURES),
            _about(str(query.questionnaire)),
            ActionNote.day.between(first, last),
            ActionNote.withdrawn_at.is_(None),
        )
        .order_by(ActionNote.day, ActionNote.id)
    )
    kept: dict[int, list[NotedAction]] = {}
    for each in found:
        if each.unit_id in units:
            kept.setdefault(each.unit_id, []).append(
                NotedAction(
                    id=each.id,
                    day=each.day,
                    text=each.text,
                    recorded_by=each.recorded_by,
                    recorded_at=each.recorded_at,
                )
            )
    return kept


def _about(questionnaire: str) -> ColumnElement[bool]:
    return or_(ActionNote.questionnaire.is_(None), ActionNote.questionnaire == questionnaire)


def _name(caller: Caller) -> str:
    return (caller.full_name if isinstance(caller, Person) else caller.name)[:200]


def as_result(each: ActionNote) -> ActionNoteOut:
    """A note on the wire."""
    return ActionNoteOut(
        id=each.id,
        unit=each.unit.code,
        questionnaire=each.questionnaire,
        day=each.day,
        text=each.text,
        recorded_by=each.recorded_by,
        recorded_at=each.recorded_at,
        withdrawn_by=each.withdrawn_by,
        withdrawn_at=each.withdrawn_at,
    )
