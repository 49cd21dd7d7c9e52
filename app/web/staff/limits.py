"""The page of decisions about a unit's control limits: who decided what, why, and a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.access import scope
from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Right
from app.dependencies import DATABASE, SETTINGS, DatabaseDependency
from app.figures import limit_decisions
from app.figures.limit_decisions import LimitDecisionOut, Wish, as_result
from app.figures.periods import Length, Step, choices, end_of_month
from app.messages.words import Words
from app.problems import Problem
from app.web.pages import EMPTY, Form, Number, QueryText, Text, language_of, refused, render
from app.web.staff.unit_entries import back_to, unit_shown
from surveys import model

router = APIRouter(prefix="/limits", include_in_schema=False)

READERS = PageDoor(Right.READ_FIGURES)
DECIDERS = PageDoor(Right.DECIDE_LIMITS)
#: Lengths of a period that the form offers; by others the API decides.
STEPS = {Step.MONTH: Length.MONTH, Step.QUARTER: Length.QUARTER}
#: So many years back limits may begin here: the service has existed for no longer.
_YEARS_OFFERED = 5


@dataclass(frozen=True)
class LimitsPage:
    """A unit's decisions, the newest first; with the form where the caller may decide."""

    unit: str
    name: str
    decisions: Sequence[LimitDecisionOut]
    questionnaires: Sequence[tuple[str, str]]
    may_decide: bool
    words: Words
    forms: Mapping[str, model.Questionnaire]
    today: date
    form: Form = EMPTY

    @property
    def periods(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """The months and the quarters to choose from, the latest first."""
        first = self.today.replace(year=self.today.year - _YEARS_OFFERED, month=1, day=1)
        names = choices(first, end_of_month(end_of_month(self.today) + timedelta(days=1)))
        return [
            (
                self.words(f"page.step_{step.value}"),
                [(name, self.words.period(name)) for name in names[length]],
            )
            for step, length in STEPS.items()
        ]

    def about(self, decision: LimitDecisionOut) -> str:
        """What the decided limits are of, in words: a form, or a factor or an item of it."""
        form = self.forms.get(decision.questionnaire)
        part = decision.item or decision.factor
        if form is None:
            return " · ".join(each for each in (decision.questionnaire, part) if each)
        named = {factor.code: factor.title for factor in form.factors}
        named |= {item.code: item.text for item in form.items}
        parts = [self._named(form.title)]
        if part:
            parts.append(f"{part}. {self._named(named[part])}" if part in named else part)
        return " · ".join(parts)

    def _named(self, text: model.Text) -> str:
        return self.words.name(text)


@router.get("")
def list_decisions(
    request: Request, caller: Annotated[Person, Depends(READERS)], unit: QueryText = ""
) -> Response:
    """Show what was decided about a unit's control limits. Who: ``figures:read`` on the unit."""
    return _show(request, caller, unit)


@router.post("")
def decide(
    request: Request,
    caller: Annotated[Person, Depends(DECIDERS)],
    database: DatabaseDependency,
    unit: Text = "",
    questionnaire: Text = "",
    start: Text = "",
    first: Text = "",
    last: Text = "",
    reason: Text = "",
) -> Response:
    """Decide from when on limits begin anew, or what they rest on. Who: ``limits:decide``."""
    # The first period chosen says of which length all are.
    length = Step.QUARTER if "-Q" in start else Step.MONTH
    code = unit.strip()
    wish = Wish(
        code, questionnaire, length, start.strip(), reason,
        first.strip() or None, last.strip() or None,
    )  # fmt: skip
    try:
        with database.writing(caller.name) as session:
            limit_decisions.decide(session, caller, wish)
    except Problem as problem:
        if problem.status == 404:
            raise
        values = {
            "questionnaire": questionnaire, "start": start, "first": first, "last": last,
            "reason": reason,
        }  # fmt: skip
        form = refused(problem, language_of(request, caller), values)
        return _show(request, caller, code, form, 422)
    return back_to("/limits", code, "limits_decided")


@router.post("/{id}/revoke")
def revoke(
    caller: Annotated[Person, Depends(DECIDERS)], database: DatabaseDependency, id: Number
) -> Response:
    """End a decision. Who: ``limits:decide`` on its unit."""
    with database.writing(caller.name) as session:
        unit = limit_decisions.revoke(session, caller, id).unit.code
    return back_to("/limits", unit, "limits_revoked")


def _show(
    request: Request, caller: Person, code: str, form: Form = EMPTY, status: int = 200
) -> Response:
    words = Words(language_of(request, caller))
    with DATABASE.of(request).reading() as session:
        unit = unit_shown(session, caller, code, words)
        titles = unit.titles(words)
        decisions = limit_decisions.decisions(session, caller, unit=unit.code)
        page = LimitsPage(
            unit.code,
            unit.name,
            [as_result(each) for each in decisions],
            [(each, titles[each]) for each in unit.asking],
            bool(unit.asking) and scope.covers(session, caller, Right.DECIDE_LIMITS, unit.id),
            words,
            unit.forms,
            datetime.now(SETTINGS.of(request).zone).date(),
            form,
        )
        return render(request, caller, "staff/limits.html", page, status)
