"""The page of plans that change the tree: a dry run, carrying out, the list, undoing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, UploadFile
from fastapi import Form as FormField
from sqlalchemy.orm import Session

from app.access.callers import Person
from app.access.doors import FORM_LIMITS, FormLimits, PageDoor
from app.access.models import Right
from app.dependencies import ClockDependency, DatabaseDependency, SettingsDependency
from app.problems import FieldError, InvalidFields, Problem
from app.reform import service
from app.reform.preview import Preview, preview
from app.registry import questionnaires
from app.registry.models import Reorganisation
from app.registry.reorganisation.plan import Plan
from app.registry.reorganisation.reading import read_plan
from app.registry.reorganisation.undoing import CannotUndo, reorganisations
from app.tables import WrongTable
from app.web.pages import (
    EMPTY,
    MOST_SHOWN,
    Form,
    Number,
    Text,
    go_to,
    language_of,
    refused,
    render,
)
from surveys import model

router = APIRouter(prefix="/reorganisations", include_in_schema=False)

#: Who runs the whole service, and has proved lately who they are: a plan changes all of it.
OPERATORS = PageDoor(Right.MANAGE_ACCESS, everywhere=True, recent=True)
#: Of a plan in a form, in bytes: as much as a request may bring unless a setting allows more.
LONGEST_PLAN = 2_000_000
#: A plan as it stands in a form.
PlanText = Annotated[str, FormField(max_length=LONGEST_PLAN)]
_WITH_FILE: FormLimits = {**FORM_LIMITS, "max_files": 1}
_WITH_PLAN: FormLimits = {**FORM_LIMITS, "max_part_size": LONGEST_PLAN}


@dataclass(frozen=True)
class ReorganisationsPage:
    """Plans that were carried out, the newest first, and the form for another one."""

    plans: Sequence[Reorganisation]
    undone: frozenset[int]
    form: Form = EMPTY
    #: What is wrong with the plan that was sent, by row.
    mistakes: Sequence[str] = ()

    def can_undo(self, plan: Reorganisation) -> bool:
        """Whether it stands."""
        return plan.undoes_id is None and plan.id not in self.undone


@dataclass(frozen=True)
class DryRunPage:
    """What a plan would change, and the form that carries it out."""

    shown: Preview
    plan: str
    #: Whether the caller may see what few respondents said: all figures are shown, or none.
    figures: bool
    titles: Mapping[str, model.Text]
    form: Form = EMPTY
    most: int = MOST_SHOWN


@router.get("")
def list_plans(
    request: Request, caller: Annotated[Person, Depends(OPERATORS)], database: DatabaseDependency
) -> Response:
    """List plans that were carried out. Who: ``access:manage`` everywhere, of late."""
    with database.reading() as session:
        return render(request, caller, "staff/reorganisations.html", _listed(session))


@router.post("/check", form_limits=_WITH_FILE)
def check(
    request: Request,
    caller: Annotated[Person, Depends(OPERATORS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    clock: ClockDependency,
    file: UploadFile,
) -> Response:
    """Show what a plan would change. Who: ``access:manage`` everywhere, of late."""
    today = clock.now().astimezone(settings.zone).date()
    suffix = ".xlsx" if (file.filename or "").lower().endswith((".xlsx", ".xlsm")) else ".csv"
    with database.reading() as session:
        try:
            plan = _read(file.file.read(), suffix)
            return _dry_run(request, caller, session, plan, today)
        except WrongTable as wrong:
            return _wrong(request, caller, session, wrong)


@router.post("", form_limits=_WITH_PLAN)
def carry_out(
    request: Request,
    caller: Annotated[Person, Depends(OPERATORS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    clock: ClockDependency,
    plan: PlanText = "",
    name: Text = "",
    decision: Text = "",
) -> Response:
    """Carry a plan out. Who: ``access:manage`` everywhere, of late."""
    today = clock.now().astimezone(settings.zone).date()
    name, decision = " ".join(name.split()), " ".join(decision.split())
    errors = []
    if not 1 <= len(name) <= 200:
        errors.append(FieldError("name", "plan.no_name"))
    if not 1 <= len(decision) <= 500:
        errors.append(FieldError("decision", "plan.no_decision"))
    try:
        lines = _read(plan.encode(), ".csv")
        if errors:
            problem = InvalidFields(errors=errors, count=len(errors))
            typed = {"name": name, "decision": decision}
            form = refused(problem, language_of(request, caller), typed)
            with database.reading() as session:
                return _dry_run(request, caller, session, lines, today, form)
        with database.writing(caller.name) as session:
            service.carry_out(session, lines, name=name, decision=decision, today=today)
    except WrongTable as wrong:
        with database.reading() as session:
            return _wrong(request, caller, session, wrong)
    return go_to("/reorganisations", "plan_carried_out")


@router.post("/{id}/undo")
def undo(
    request: Request,
    caller: Annotated[Person, Depends(OPERATORS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    clock: ClockDependency,
    id: Number,
    decision: Text = "",
) -> Response:
    """Make the tree what it was before a plan. Who: ``access:manage`` everywhere, of late."""
    today = clock.now().astimezone(settings.zone).date()
    try:
        with database.writing(caller.name) as session:
            service.undo(session, id, decision=" ".join(decision.split())[:500], today=today)
    except CannotUndo as problem:
        with database.reading() as session:
            return _again(request, caller, session, problem)
    return go_to("/reorganisations", "plan_undone")


def _listed(
    session: Session, form: Form = EMPTY, mistakes: Sequence[str] = ()
) -> ReorganisationsPage:
    plans = reorganisations(session)
    undone = frozenset(plan.undoes_id for plan in plans if plan.undoes_id is not None)
    return ReorganisationsPage(plans, undone, form, mistakes)


def _read(content: bytes, suffix: str) -> Plan:
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"plan{suffix}"
        file.write_bytes(content)
        return read_plan(file)


def _dry_run(
    request: Request, caller: Person, session: Session, plan: Plan, today: date, form: Form = EMPTY
) -> Response:
    figures = caller.has_everywhere(Right.READ_FIGURES) and caller.has_everywhere(
        Right.READ_SMALL_CELLS
    )
    found = preview(session, plan, today)
    page = DryRunPage(found, plan.as_csv(), figures, questionnaires.titles(session), form)
    status = 422 if form.errors else 200
    return render(request, caller, "staff/reorganisation_check.html", page, status)


def _wrong(request: Request, caller: Person, session: Session, wrong: WrongTable) -> Response:
    language = language_of(request, caller)
    told = [error.detail(language) for error in wrong.errors[:MOST_SHOWN]]
    page = _listed(session, refused(wrong, language), told)
    return render(request, caller, "staff/reorganisations.html", page, wrong.status)


def _again(request: Request, caller: Person, session: Session, problem: Problem) -> Response:
    page = _listed(session, refused(problem, language_of(request, caller)))
    return render(request, caller, "staff/reorganisations.html", page, problem.status)
