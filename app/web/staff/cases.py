"""Pages of citizens' cases: a list, and one with what was written, to be dealt with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Right
from app.cases import handling, shown
from app.cases.handling import LONGEST, LONGEST_DONE, Act, Change
from app.cases.lists import causes
from app.cases.models import Case, CaseMessage, CaseNote, CaseState
from app.cases.reach import Reach
from app.cases.shown import CaseShown, Filters, Shown, reading
from app.clock import local_today
from app.dependencies import DATABASE, SETTINGS, DatabaseDependency, SettingsDependency
from app.figures.cases import figures
from app.figures.periods import latest_quarters
from app.figures.release import ReleaseRule
from app.messages.words import Words
from app.problems import FieldError, InvalidFields
from app.registry.queries import UnknownUnit
from app.reports import case_sentences
from app.web.pages import (
    EMPTY,
    MOST_SHOWN,
    Form,
    LongText,
    Number,
    QueryText,
    Text,
    go_to,
    language_of,
    refused,
    render,
)
from app.web.staff import case_words

router = APIRouter(prefix="/cases", include_in_schema=False)

READERS = PageDoor(Right.READ_CASES)
HANDLERS = PageDoor(Right.HANDLE_CASES)
_DONE: Mapping[Act, str] = {
    Act.TAKE: "case_take", Act.SET: "case_set", Act.NOTE: "case_note", Act.REPLY: "case_reply",
    Act.HAND_ON: "case_hand-on", Act.CLOSE: "case_close",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A case in the list, in words."""

    id: int
    unit: str
    origin: str
    month: str
    due: str
    state: str
    owner: str
    cause: str
    overdue: bool
    confidential: bool


@dataclass(frozen=True)
class CasesPage:
    """Cases, what is due first, and what may be chosen of them."""

    rows: Sequence[Row]
    #: What became of the cases of this year's quarters that are over.
    summary: Sequence[str]
    total: int
    filters: Filters
    shown: Sequence[tuple[str, str]]
    causes: Sequence[tuple[str, str]]
    least: int
    may_edit_lists: bool
    #: Why nothing is listed: the unit that was asked for is none.
    trouble: str = ""


@dataclass(frozen=True)
class CasePage:
    """One case: what it is about, what was written, and what the caller may do."""

    row: Row
    case: Case
    facts: Sequence[tuple[str, str]]
    #: What is to be known first: that it is overdue, that it is confidential.
    warnings: Sequence[str]
    low: Sequence[str]
    words: Sequence[tuple[str, Sequence[str]]]
    withheld: bool
    messages: Sequence[CaseMessage]
    notes: Sequence[CaseNote]
    replies: bool
    mine: bool
    may_handle: bool
    causes: Sequence[tuple[str, str]]
    least: int
    #: The form that was refused, and of which act.
    form: Form = EMPTY
    act: str = ""
    longest: int = LONGEST
    longest_done: int = LONGEST_DONE

    @property
    def closed(self) -> bool:
        """Whether nothing more is done about it."""
        return self.case.state == CaseState.CLOSED

    def form_of(self, act: str) -> Form:
        """The form of an act: as it was refused, if it was this one."""
        return self.form if act == self.act else EMPTY


@router.get("")
def list_cases(
    request: Request,
    caller: Annotated[Person, Depends(READERS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    show: QueryText = Shown.WAITING,
    unit: QueryText = "",
    cause: QueryText = "",
) -> Response:
    """List cases by what waits, unit and cause. Who: ``cases:read``, as ``app.cases.reach`` has
    it: of one's units, but for what is kept from these.
    """
    words, today = Words(language_of(request, caller)), local_today(settings.zone)
    which = Shown(show) if show in tuple(Shown) else Shown.WAITING
    filters = Filters(which, unit.strip() or None, cause or None, limit=MOST_SHOWN)
    with database.reading() as session:
        reach = Reach.of_caller(session, caller, today)
        rows: Sequence[Row] = ()
        summary: Sequence[str] = ()
        total, trouble = 0, ""
        try:
            found, total = shown.listed(session, reach, filters, today)
            period = latest_quarters(today)
            about = figures(session, caller, period, filters.unit, ReleaseRule.of(settings))
        except UnknownUnit as problem:
            trouble = problem.detail(words.language)
        else:
            rows = [_row(words, each) for each in found]
            if about.cases.n or about.cases.few:
                # That quarters which are over had none would read as if none were listed below.
                summary = case_sentences.summary(words, about, settings.least_respondents)
        page = CasesPage(
            rows,
            summary,
            total,
            filters,
            [(each.value, words(f"case.shown.{each}")) for each in Shown],
            [
                ("", words("case.any_cause")),
                *((each.code, words.name(each)) for each in causes(session)),
            ],
            settings.least_respondents,
            caller.has_everywhere(Right.HANDLE_CASES),
            trouble,
        )
    return render(request, caller, "staff/cases.html", page, 404 if trouble else 200)


@router.get("/{id}")
def show_case(
    request: Request, caller: Annotated[Person, Depends(READERS)], id: Number
) -> Response:
    """Show a case; that it was read is logged. Who: ``cases:read``, as of the list."""
    return _show(request, caller, id)


@router.post("/{id}/{act}")
def act(
    request: Request,
    caller: Annotated[Person, Depends(HANDLERS)],
    id: Number,
    act: Act,
    due_day: Text = "",
    cause: Text = "",
    text: LongText = "",
) -> Response:
    """Deal with a case. Who: ``cases:handle`` on the unit that it is handed to."""
    settings = SETTINGS.of(request)
    try:
        change = Change(_day(due_day), cause or None, text)
        with DATABASE.of(request).writing(caller.name) as session:
            handling.handle(session, caller, id, act, change, local_today(settings.zone))
    except InvalidFields as problem:
        values = {"due_day": due_day, "cause": cause, "text": text}
        form = refused(problem, language_of(request, caller), values)
        return _show(request, caller, id, form, act, 422)
    except handling.CaseClosed as problem:
        # Its citizen may have withdrawn it while this was written: nothing of it is lost.
        form = refused(problem, language_of(request, caller), {"text": text})
        return _show(request, caller, id, form, act, problem.status)
    # What is handed on may be out of sight.
    return go_to("/cases" if act is Act.HAND_ON else f"/cases/{id}", _DONE[act])


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given.strip()) if given.strip() else None
    except ValueError:
        error = FieldError("due_day", "import.bad_date", {"value": given})
        raise InvalidFields(errors=[error], count=1) from None


def _show(
    request: Request, caller: Person, id: int, form: Form = EMPTY, act: str = "", status: int = 200
) -> Response:
    words, settings = Words(language_of(request, caller)), SETTINGS.of(request)
    today = local_today(settings.zone)
    with DATABASE.of(request).writing(caller.name) as session:
        reach = Reach.of_caller(session, caller, today)
        one = reading(session, settings, reach, id, today)
        page = CasePage(
            _row(words, one.row),
            one.row.case,
            case_words.facts(words, one),
            _warnings(words, one),
            [case_words.low(words, each, settings.least_respondents) for each in one.low],
            [(words.name(question), said) for question, said in one.words],
            one.withheld,
            one.messages,
            one.notes,
            one.replies and not one.row.case.withdrawn,
            one.row.mine,
            one.row.may_handle and caller.account_id is not None,
            [
                ("", words("case.no_cause")),
                *((each.code, words.name(each)) for each in causes(session)),
            ],
            settings.least_respondents,
            form,
            act,
        )
        return render(request, caller, "staff/case.html", page, status)


def _warnings(words: Words, one: CaseShown) -> list[str]:
    case, found = one.row.case, []
    if case.withdrawn:
        found.append(words("case.withdrawn"))
    if case.confidential:
        found.append(words("case.confidential"))
    if case.escalated_day is not None and case.state != CaseState.CLOSED:
        unit = case_words.named(words, one.row.handed_to)
        found.append(words("case.escalated", unit=unit, day=words.day(case.escalated_day)))
    elif one.row.overdue:
        found.append(words("case.overdue"))
    return found


def _row(words: Words, row: shown.CaseRow) -> Row:
    case = row.case
    return Row(
        case.id,
        case_words.named(words, row.unit),
        words(f"case.origin.{case.origin}"),
        words.period(f"{case.month:%Y-%m}"),
        words.day(case.due_day),
        case_words.state(words, case),
        row.owner or words("case.nobody"),
        words.name(row.cause, words("case.no_cause")),
        row.overdue,
        case.confidential,
    )
