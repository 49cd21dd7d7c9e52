"""Dated notes of what a unit did, as "opened a third desk": drawn on its trend, beside its figures.

They move no figure. Withdrawn they are shown no more; none is ever overwritten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel
from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.access.models import Right
from app.audit.log import record
from app.figures import visible
from app.figures.context import Context
from app.figures.models import ActionNote
from app.figures.results import Names
from app.figures.trend_results import NotedAction
from app.figures.unit_entries import Book
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


NOTES = Book(ActionNote, Right.NOTE_ACTIONS, UnknownActionNote)


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
    unit_id = NOTES.unit_id(session, caller, new.unit)
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
    note = ActionNote(unit_id=unit_id, questionnaire=new.questionnaire, day=new.day, text=text)
    NOTES.keep(session, caller, note)
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
    note = NOTES.end(session, caller, id)
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
    about = [] if questionnaire is None else [_about(questionnaire)]
    order = (ActionNote.day.desc(), ActionNote.id.desc())
    return NOTES.listed(session, caller, *about, unit=unit, ended=withdrawn, order=order)


def noted(
    context: Context, nodes: Collection[int], first: date, last: date
) -> Mapping[int, Sequence[NotedAction]]:
    """By node what was noted of the days of a trend, in order of time.

    What stands whole in a node is its past, and so is what was noted of it, with its name.
    """
    held = context.regrouping.structure.held
    node_of = {unit: node for node in nodes for unit in held[node]}
    found = NOTES.counting(
        context.session, context.caller, node_of,
        _about(str(context.query.questionnaire)),
        ActionNote.day.between(first, last),
        order=(ActionNote.day, ActionNote.id),
        today=context.release_rule.today,
    )  # fmt: skip
    histories = visible.units_of_all_times(context.session).histories
    kept: dict[int, list[tuple[date, int, NotedAction]]] = {}
    for unit, notes_of in found.items():
        for each in notes_of:
            state = histories[unit].on(each.day)
            of = None if unit in nodes else Names(vi=state.name_vi, en=state.name_en)
            told = NotedAction(
                id=each.id,
                day=each.day,
                text=each.text,
                recorded_by=each.made_by,
                recorded_at=each.made_at,
                of=of,
            )
            kept.setdefault(node_of[unit], []).append((each.day, each.id, told))
    return {
        node: [told for *_, told in sorted(rows, key=lambda row: row[:2])]
        for node, rows in kept.items()
    }


def _about(questionnaire: str) -> ColumnElement[bool]:
    return or_(ActionNote.questionnaire.is_(None), ActionNote.questionnaire == questionnaire)


def as_result(each: ActionNote) -> ActionNoteOut:
    """A note on the wire."""
    return ActionNoteOut(
        id=each.id,
        unit=each.unit.code,
        questionnaire=each.questionnaire,
        day=each.day,
        text=each.text,
        recorded_by=each.made_by,
        recorded_at=each.made_at,
        withdrawn_by=each.ended_by,
        withdrawn_at=each.ended_at,
    )
