"""How a unit deals with complaints: how many in time, about what, and whether what they were about
became better.

Counted are the cases that the caller sees in the list, but for what is confidential: no number may
tell a unit that it was accused. Of fewer than ten cases nothing is told, and no part that is less
than ten or leaves less than ten beside it, but to whoever may see what few said. Where a cause is
mapped to a factor, the factor's rate of the month before the one in which its last case was closed
is compared with that of the month after it: whole months, so that the gates of all figures hold.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import scope
from app.access.callers import Caller
from app.access.models import Right
from app.cases.lists import Cause, causes
from app.cases.marks import month_after, month_before
from app.cases.models import Case
from app.cases.reach import Reach
from app.figures import periods
from app.figures.comparisons import difference
from app.figures.context import Context, numbers
from app.figures.periods import Span
from app.figures.query import Key, Query
from app.figures.release import ReleaseRule
from app.figures.results import Names, Result, UnitOut, unit_result
from app.figures.statistic_results import Limits
from app.registry.kinship import below
from app.registry.queries import UnitNode
from app.registry.questionnaires import published


class Counted(Result):
    """A number of cases, or that it is not told."""

    n: int | None
    few: bool = Field(description="Whether it is not told, since it is small or leaves few.")


class CauseCount(Result):
    """How many of the cases came of a cause."""

    code: str
    name: Names
    cases: Counted


class CauseChange(Limits):
    """A factor's rate after a cause was dealt with, minus its rate before."""

    cause: str
    name: Names
    questionnaire: str
    factor: str
    dealt_with: str = Field(description="The month in which the cause's last case was closed.")
    before: float | None = Field(description="The factor's rate in the month before.")
    after: float | None = Field(description="The factor's rate in the month after.")
    p: float | None


class CaseFigures(Result):
    """A unit's cases of a period, by the day on which they were opened."""

    unit: UnitOut | None = Field(description="null: all units of the caller together.")
    period: str
    cases: Counted
    closed_in_time: Counted = Field(description="By the first due day, wherever it was moved.")
    closed_late: Counted
    escalated: Counted
    causes: list[CauseCount]
    changes: list[CauseChange]


def figures(
    session: Session, caller: Caller, period: str, unit: str | None, release_rule: ReleaseRule
) -> CaseFigures:
    """The cases that were opened in a period about a unit and those below it.

    Raises
    ------
    UnknownUnit
        Where the unit is none of those whose cases the caller may see.
    PeriodUnknown, PeriodInvalid
        Where the period has no such name.
    """
    span, today = periods.span(period), release_rule.today
    reach = Reach.of_caller(session, caller, today)
    node = None if unit is None else scope.units(session, caller, Right.READ_CASES).find(unit)
    cases = _cases(session, reach, span, node, today)
    fine = scope.covers(session, caller, Right.READ_SMALL_CELLS, node.id if node else None)
    least, total = 1 if fine else release_rule.least, len(cases)

    def counted(n: int) -> Counted:
        told = n == 0 == total or (total >= least and _tells_of_no_few(n, total, least))
        return Counted(n=n if told else None, few=not told)

    closed = [case for case in cases if case.closed_day is not None]
    in_time = sum(1 for case in closed if _in_time(case))
    by_cause = Counter(case.cause for case in cases if case.cause is not None)
    known = {each.code: each for each in causes(session)}
    return CaseFigures(
        unit=unit_result(node) if node else None,
        period=span.name,
        cases=counted(total),
        closed_in_time=counted(in_time),
        closed_late=counted(len(closed) - in_time),
        escalated=counted(sum(1 for case in cases if case.escalated_day is not None)),
        causes=[
            CauseCount(code=code, name=_name(known, code), cases=counted(n))
            for code, n in sorted(by_cause.items(), key=lambda pair: (-pair[1], pair[0]))
        ],
        changes=_changes(session, caller, closed, known, node, release_rule),
    )


def _cases(
    session: Session, reach: Reach, span: Span, node: UnitNode | None, today: date
) -> Sequence[Case]:
    found = session.scalars(
        select(Case).where(
            reach.condition(),
            Case.confidential.is_(False),
            Case.opened_day >= span.first,
            Case.opened_day <= span.last,
        )
    ).all()
    if node is None:
        return found
    among = below(reach.units, node.id, today)
    return [case for case in found if case.unit_id in among]


def _in_time(case: Case) -> bool:
    return case.closed_day is not None and case.closed_day <= case.first_due_day


def _tells_of_no_few(n: int, total: int, least: int) -> bool:
    """Whether a part, and what it leaves, is nothing or as many as a figure must have."""
    return all(part == 0 or part >= least for part in (n, total - n))


def _name(known: Mapping[str, Cause], code: str) -> Names:
    cause = known.get(code)
    return Names(vi=cause.vi, en=cause.en) if cause else Names(vi=code, en=code)


def _changes(
    session: Session,
    caller: Caller,
    closed: Sequence[Case],
    known: Mapping[str, Cause],
    node: UnitNode | None,
    release_rule: ReleaseRule,
) -> list[CauseChange]:
    """Of each cause that was dealt with, and is mapped to a factor, how its rate moved."""
    if node is None or not scope.covers(session, caller, Right.READ_FIGURES, node.id):
        return []
    codes = {version.id: version.form.code for version in published(session)}
    months: dict[tuple[str, str], list[date]] = defaultdict(list)
    for case in closed:
        if case.cause is not None and case.closed_day is not None:
            months[case.cause, codes[case.version_id]].append(case.closed_day.replace(day=1))
    found = []
    for (code, questionnaire), closings in sorted(months.items()):
        cause, month = known.get(code), max(closings)
        factor = cause.factors.get(questionnaire) if cause else None
        after = month_after(month)
        if factor is None or month_after(after) > release_rule.today:  # the month after runs still
            continue
        query = Query(units=[node.code], questionnaire=questionnaire, factor=factor)
        context = Context(session, caller, query, release_rule)
        first, second = (
            context.rates(Key.UNIT, first=each, last=periods.end_of_month(each))[0]
            for each in (month_before(month), after)
        )
        if not len(first.unit) or len(first.unit) != len(second.unit):
            continue
        moved = difference(first, second, query.confidence)
        found.append(
            CauseChange(
                cause=code, name=_name(known, code), questionnaire=questionnaire, factor=factor,
                dealt_with=f"{month:%Y-%m}",
                before=numbers(first.ratio.estimate)[0], after=numbers(second.ratio.estimate)[0],
                estimate=numbers(moved.estimate)[0], low=numbers(moved.low)[0],
                high=numbers(moved.high)[0], p=numbers(moved.p)[0],
            )
        )  # fmt: skip
    return found
