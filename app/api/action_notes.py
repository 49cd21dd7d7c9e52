"""/api/v1/satisfaction/action-notes: what units did, and when."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.dependencies import DatabaseDependency, SettingsDependency
from app.figures import action_notes
from app.figures.action_notes import LONGEST, ActionNoteOut, NewNote, as_result
from app.registry.codes import Code

router = APIRouter(prefix="/api/v1/satisfaction/action-notes", tags=["statistics"])

READERS = Door(Right.READ_FIGURES)
NOTERS = Door(Right.NOTE_ACTIONS)
#: One line.
Line = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST, pattern=r"^[^\x00-\x1f\x7f]*$")
]


class ActionNoteIn(BaseModel):
    """What was done, and on which day."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "unit": "26506",
                    "questionnaire": "sipas-desk",
                    "day": "2026-04-01",
                    "text": "Mở thêm quầy 3",
                }
            ]
        },
    )

    unit: Code
    questionnaire: Code | None = Field(
        None, description="Whose trend it belongs to; left out: those of all questionnaires."
    )
    day: date = Field(description="Local day, today at the latest.")
    text: Line


class ActionNotes(BaseModel):
    """Notes, the newest day first; a thousand at most."""

    notes: list[ActionNoteOut]


@router.get("", summary="What was done", response_model=ActionNotes)
def list_notes(
    database: DatabaseDependency,
    caller: Annotated[Caller, Depends(READERS)],
    unit: Annotated[str | None, Query(description="Code of a unit.", max_length=64)] = None,
    questionnaire: Annotated[
        str | None, Query(max_length=64, description="With notes about all questionnaires.")
    ] = None,
    withdrawn: Annotated[bool, Query(description="Those that are shown no more, too.")] = True,
) -> ActionNotes:
    """Notes with day and name, also those that were withdrawn.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    with database.reading() as session:
        found = action_notes.notes(
            session, caller, unit=unit, questionnaire=questionnaire, withdrawn=withdrawn
        )
        return ActionNotes(notes=[as_result(each) for each in found])


@router.post("", summary="Note what was done", response_model=ActionNoteOut, status_code=201)
def add(
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(NOTERS)],
    body: ActionNoteIn,
) -> ActionNoteOut:
    """Note what a unit did on a day; it is drawn on the unit's trend and moves no figure.

    Who: whoever has ``actions:note`` on the unit.
    """
    new = NewNote(body.unit, body.day, body.text, body.questionnaire)
    today = datetime.now(settings.zone).date()
    with database.writing(caller.name) as session:
        return as_result(action_notes.add(session, caller, new, today))


@router.delete("/{id}", summary="Withdraw a note", status_code=204)
def withdraw(
    database: DatabaseDependency,
    caller: Annotated[Caller, Depends(NOTERS)],
    id: Annotated[int, Path(ge=1, lt=2**31)],
) -> Response:
    """Show a note no more; it stays in the list.

    Who: whoever has ``actions:note`` on its unit.
    """
    with database.writing(caller.name) as session:
        action_notes.withdraw(session, caller, id)
    return Response(status_code=204)
