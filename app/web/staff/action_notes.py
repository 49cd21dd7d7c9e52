"""The page of what a unit did: dated notes, who recorded them, and a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.access import scope
from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Right
from app.dependencies import DATABASE, DatabaseDependency, SettingsDependency
from app.figures import action_notes
from app.figures.action_notes import LONGEST, ActionNoteOut, NewNote, as_result
from app.messages.words import Words
from app.problems import FieldError, InvalidFields, Problem
from app.web.pages import EMPTY, Form, Number, QueryText, Text, language_of, refused, render
from app.web.staff.unit_entries import back_to, unit_shown

router = APIRouter(prefix="/action-notes", include_in_schema=False)

READERS = PageDoor(Right.READ_FIGURES)
NOTERS = PageDoor(Right.NOTE_ACTIONS)


@dataclass(frozen=True)
class ActionNotesPage:
    """A unit's notes, the newest day first; with the form where the caller may add one."""

    unit: str
    name: str
    notes: Sequence[ActionNoteOut]
    questionnaires: Sequence[tuple[str, str]]
    may_note: bool
    words: Words
    titles: Mapping[str, str]
    form: Form = EMPTY
    longest: int = LONGEST

    def about(self, note: ActionNoteOut) -> str:
        """Whose trend a note belongs to, in words."""
        if note.questionnaire is None:
            return self.words("page.notes_all_forms")
        return self.titles.get(note.questionnaire, note.questionnaire)


@router.get("")
def list_notes(
    request: Request, caller: Annotated[Person, Depends(READERS)], unit: QueryText = ""
) -> Response:
    """Show what a unit did. Who: ``figures:read`` on the unit."""
    return _show(request, caller, unit)


@router.post("")
def add(
    request: Request,
    caller: Annotated[Person, Depends(NOTERS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    unit: Text = "",
    questionnaire: Text = "",
    day: Text = "",
    text: Text = "",
) -> Response:
    """Note what a unit did on a day. Who: ``actions:note`` on the unit."""
    code = unit.strip()
    today = datetime.now(settings.zone).date()
    try:
        new = NewNote(code, _day(day), text, questionnaire.strip() or None)
        with database.writing(caller.name) as session:
            action_notes.add(session, caller, new, today)
    except Problem as problem:
        if problem.status == 404:
            raise
        values = {"questionnaire": questionnaire, "day": day, "text": text}
        form = refused(problem, language_of(request, caller), values)
        return _show(request, caller, code, form, 422)
    return back_to("/action-notes", code, "note_added")


@router.post("/{id}/withdraw")
def withdraw(
    caller: Annotated[Person, Depends(NOTERS)], database: DatabaseDependency, id: Number
) -> Response:
    """Show a note no more. Who: ``actions:note`` on its unit."""
    with database.writing(caller.name) as session:
        unit = action_notes.withdraw(session, caller, id).unit.code
    return back_to("/action-notes", unit, "note_withdrawn")


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given.strip())
    except ValueError:
        error = FieldError("day", "import.bad_date", {"value": given})
        raise InvalidFields(errors=[error], count=1) from None


def _show(
    request: Request, caller: Person, code: str, form: Form = EMPTY, status: int = 200
) -> Response:
    words = Words(language_of(request, caller))
    with DATABASE.of(request).reading() as session:
        unit = unit_shown(session, caller, code, words)
        titles = unit.titles(words)
        page = ActionNotesPage(
            unit.code,
            unit.name,
            [as_result(each) for each in action_notes.notes(session, caller, unit=unit.code)],
            [("", words("page.notes_all_forms")), *((each, titles[each]) for each in unit.asking)],
            scope.covers(session, caller, Right.NOTE_ACTIONS, unit.id),
            words,
            titles,
            form,
        )
        return render(request, caller, "staff/action_notes.html", page, status)
