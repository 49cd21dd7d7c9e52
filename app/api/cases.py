"""/api/v1/cases: what citizens want a reply to or are discontent with, and what is done of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.cases import handling, shown
from app.cases.handling import LONGEST, Act, Change
from app.cases.models import CaseState, Origin
from app.cases.reach import Reach
from app.cases.shown import CaseRow, CaseShown, Filters, HowMany, Shown, reading
from app.clock import local_today
from app.dependencies import DatabaseDependency, SettingsDependency
from app.figures.cases import CaseFigures, figures
from app.figures.release import ReleaseRule

router = APIRouter(prefix="/api/v1/cases", tags=["cases"])

READERS = Door(Right.READ_CASES)
HANDLERS = Door(Right.HANDLE_CASES)
CaseId = Annotated[int, Path(ge=1, lt=2**31)]


class CaseOut(BaseModel):
    """A case: what it is about, and how far it is."""

    id: int
    origin: Origin
    unit: str
    handed_to: str | None = Field(description="Null: with whoever answers for all.")
    confidential: bool = Field(description="Kept from the unit that it is about.")
    questionnaire: str
    month: str = Field(examples=["2026-11"])
    opened: date
    due: date
    overdue: bool
    escalated: date | None
    state: CaseState
    owner: str | None
    cause: str | None
    closed: date | None
    done: str | None
    withdrawn: bool = Field(description="Its citizen withdrew her response: it was closed by that.")
    follows: int | None = Field(
        description="The case to whose reply its citizen wrote what this one is about."
    )
    responses: int
    may_handle: bool = Field(description="Whether it is the caller's to deal with.")


class Cases(BaseModel):
    """Cases, what is due first; five hundred at most."""

    total: int
    cases: list[CaseOut]


class LowItemOut(BaseModel):
    """A rated item with a low mark."""

    item: str
    level: str | None = Field(description="Of a single response the level, in Vietnamese.")
    how_many: HowMany
    n: int | None = Field(description="Of a batch how many gave it; null where it tells of few.")


class WordsOut(BaseModel):
    """A question, and what was written to it."""

    question: str
    said: list[str]


class MessageOut(BaseModel):
    """A reply, or what the citizen wrote to it."""

    from_citizen: bool
    day: date
    text: str


class NoteOut(BaseModel):
    """A note among staff."""

    by: str
    text: str


class CaseWithWords(CaseOut):
    """A case with all that belongs to it."""

    low: list[LowItemOut]
    words: list[WordsOut]
    withheld: bool = Field(description="Words are not shown, as few answered that month.")
    messages: list[MessageOut]
    notes: list[NoteOut]


class ChangeIn(BaseModel):
    """What is done about a case; an act reads the fields that it needs."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"act": "note", "text": "Đã hỏi bộ phận."}]}
    )

    act: Act
    due: date | None = None
    cause: Annotated[str, Field(max_length=32)] | None = None
    text: Annotated[str, Field(max_length=LONGEST, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")] = ""


@router.get("", summary="Cases", response_model=Cases)
def list_cases(
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    show: Shown = Shown.WAITING,
    unit: Annotated[
        str | None, Query(description="Code of a unit; with those below it.", max_length=64)
    ] = None,
    cause: Annotated[str | None, Query(max_length=32)] = None,
    origin: Origin | None = None,
) -> JSONResponse:
    """What citizens want a reply to or are discontent with, without their words.

    Who: whoever has ``cases:read``, about the units that they have it on. What speaks of
    misconduct is told to the unit above alone, and to nobody who has a role on the unit.
    """
    today = local_today(settings.zone)
    with database.reading() as session:
        reach = Reach.of_caller(session, caller, today)
        found, total = shown.listed(session, reach, Filters(show, unit, cause, origin), today)
        cases = Cases(total=total, cases=[_out(each) for each in found])
    return _private(cases)


@router.get("/figures", summary="How complaints are dealt with", response_model=CaseFigures)
def read_figures(
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    period: Annotated[str, Query(max_length=32, examples=["2026-Q4"])],
    unit: Annotated[
        str | None, Query(description="Code of a unit; with those below it.", max_length=64)
    ] = None,
) -> JSONResponse:
    """How many cases of a period were closed in time, what they came of, and how the rate of what
    a cause is about moved after it was dealt with, with its interval.

    Who: whoever has ``cases:read``, about the units that they have it on; of confidential cases
    nobody is told here. Numbers that tell of fewer than HAILONG_LEAST_RESPONDENTS are null without
    ``figures:read-small``. How rates moved is told of one unit, to who has ``figures:read`` on it.
    """
    with database.reading() as session:
        return _private(figures(session, caller, period, unit, ReleaseRule.of(settings)))


@router.get("/{id}", summary="One case", response_model=CaseWithWords)
def read_case(
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    id: CaseId,
) -> JSONResponse:
    """A case with what its citizens wrote; the reading is logged.

    Who: as for the list.
    """
    today = local_today(settings.zone)
    with database.writing(caller.name) as session:
        reach = Reach.of_caller(session, caller, today)
        return _private(_with_words(reading(session, settings, reach, id, today)))


@router.post("/{id}", summary="Deal with a case", response_model=CaseOut)
def change_case(
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(HANDLERS)],
    id: CaseId,
    body: ChangeIn,
) -> JSONResponse:
    """Take a case, set its due day or cause, note, reply, hand it on, or close it.

    Who: a person with ``cases:handle`` on the unit that it is handed to, by a key of their own.
    """
    today = local_today(settings.zone)
    with database.writing(caller.name) as session:
        change = Change(body.due, body.cause, body.text)
        case = handling.handle(session, caller, id, body.act, change, today)
        reach = Reach.of_caller(session, caller, today)
        return _private(_out(shown.row_of(session, reach, case, today)))


def _private(found: BaseModel) -> JSONResponse:
    return JSONResponse(found.model_dump(mode="json"), headers={"Cache-Control": "no-store"})


def _out(row: CaseRow) -> CaseOut:
    case = row.case
    return CaseOut(
        id=case.id,
        origin=Origin(case.origin),
        unit=row.unit.code,
        handed_to=row.handed_to.code if row.handed_to else None,
        confidential=case.confidential,
        questionnaire=row.version.form.code,
        month=f"{case.month:%Y-%m}",
        opened=case.opened_day,
        due=case.due_day,
        overdue=row.overdue,
        escalated=case.escalated_day,
        state=CaseState(case.state),
        owner=row.owner,
        cause=case.cause,
        closed=case.closed_day,
        done=case.done,
        withdrawn=case.withdrawn,
        follows=case.follows_id,
        responses=case.responses,
        may_handle=row.may_handle,
    )


def _with_words(one: CaseShown) -> CaseWithWords:
    return CaseWithWords(
        **_out(one.row).model_dump(),
        low=[
            LowItemOut(
                item=each.item, level=each.level.vi if each.level else None,
                how_many=each.how_many, n=each.n,
            )
            for each in one.low
        ],
        words=[WordsOut(question=question.vi, said=list(said)) for question, said in one.words],
        withheld=one.withheld,
        messages=[
            MessageOut(from_citizen=each.from_citizen, day=each.day, text=each.body)
            for each in one.messages
        ],
        notes=[NoteOut(by=each.made_by, text=each.body) for each in one.notes],
    )  # fmt: skip
