"""How a unit deals with complaints: how many in time, how soon, about what, and whether what they
were about became better.

Counted are the cases that the caller sees in the list, but for what is confidential: no number may
tell a unit that it was accused. Of fewer than ten cases nothing is told, and no part that is less
than ten or leaves less than ten beside it, nor what would let one of these follow from another
period, from a unit below, or from another part (``app.figures.case_counts``); but to whoever may
see what few said. These also see periods that run still. Where a cause is told of and mapped to a
factor, the factor's rate of the month before the one in which its last case was closed is compared
with that of the month after it: whole months, so that the gates of all figures hold.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from pydantic import Field
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from analysis import comparison
from analysis.times_to_end import median_time
from app.access import scope
from app.access.callers import Caller
from app.access.models import Right
from app.cases.lists import Cause, causes
from app.cases.marks import month_after, month_before
from app.cases.models import Case
from app.figures import periods, visible
from app.figures.case_counts import OfCause, Part, State, find_case_counts, state
from app.figures.comparisons import difference
from app.figures.context import Context, number, numbers
from app.figures.families import FALSE_CHANGES
from app.figures.periods import Span
from app.figures.query import Key, Query
from app.figures.release import ReleaseRule
from app.figures.results import Names, Result, UnitOut, unit_result
from app.figures.session_cache import per_session
from app.figures.statistic_results import Limits
from app.figures.unit_places import Members, members
from app.registry.carrying_back import carried_back
from app.registry.queries import UnitNode
from app.registry.questionnaires import published
from app.registry.structures import UNDIVIDED, Structure


class Counted(Result):
    """A number of cases, or that it is not told."""

    n: int | None
    few: bool = Field(description="Whether it is not told: it is small, leaves few, or gives away "
                      "what is small.")  # fmt: skip


class CauseCount(Result):
    """How many of the closed cases came of a cause."""

    code: str
    name: Names
    cases: Counted


class CaseChange(Limits):
    """A factor's rate after a cause was dealt with, minus its rate before."""

    cause: str
    name: Names
    questionnaire: str
    factor: str
    factor_name: Names
    dealt_with: str = Field(description="The month in which the cause's last case was closed.")
    before: float | None = Field(description="The factor's rate in the month before.")
    after: float | None = Field(description="The factor's rate in the month after.")
    p: float | None
    adjusted_p: float | None = Field(description="Among all changes that are told beside it.")
    discovery: bool = Field(
        description="Whether it is more than chance among them (Benjamini and Hochberg 1995, 5 %)."
    )


class CaseFigures(Result):
    """A unit's cases of a period, by the day on which they were opened."""

    unit: UnitOut | None = Field(description="null: all units of the caller together.")
    period: str
    over: bool = Field(
        description="Whether the period is over. While it runs, nothing of it is told without "
        "figures:read-small."
    )
    cases: Counted
    closed_in_time: Counted = Field(description="By the first due day, wherever it was moved.")
    closed_late: Counted
    not_closed: Counted
    escalated: Counted = Field(
        description="Handed on since nobody had dealt with them in time. Told to whoever may see "
        "what few said, alone: beside the others it would tell of few."
    )
    median_days: float | None = Field(
        description="Days of the calendar within which half of the cases were closed, by Kaplan "
        "and Meier: what is not closed has taken so long at least. null: half are not closed yet, "
        "or how many are is not told."
    )
    causes: list[CauseCount] = Field(
        description="What those came of that are closed: causes that are told of, the most "
        "frequent first."
    )
    causes_few: bool = Field(description="Whether there are others, which are not told.")
    changes: list[CaseChange]


@dataclass(frozen=True)
class _About:
    """Whose cases: a unit, or all of a caller's, in the structure of a day."""

    node: UnitNode | None
    structure: Structure
    members: Sequence[Members]
    #: The units of all times whose cases they are; None for all units.
    ids: frozenset[int] | None


def figures(
    session: Session, caller: Caller, period: str, unit: str | None, release_rule: ReleaseRule
) -> CaseFigures:
    """The cases that were opened in a period about a unit and those below it, by today's tree.

    Raises
    ------
    UnknownUnit
        Where the unit is none of those whose cases the caller may see.
    PeriodUnknown, PeriodInvalid
        Where the period has no such name.
    """
    span, structure = periods.span(period), visible.structure(session, release_rule.today)
    tree = scope.units(session, caller, Right.READ_CASES)
    if unit is not None:
        node = tree.find(unit)
        last = visible.units_of_all_times(session).histories[node.id].last_day
        if last is not None and last < release_rule.today:  # as it was when it ended
            structure = visible.structure(session, last)
        return _figures(session, caller, span, _of_unit(structure, node), release_rule)
    reads = _readable(session, caller, release_rule.today)
    tops = [members(structure, structure.tree, id) for id in _tops(structure, reads)]
    about = _About(None, structure, tops, reads)
    return _figures(session, caller, span, about, release_rule)


def figures_of(
    session: Session,
    caller: Caller,
    span: Span,
    node: UnitNode,
    structure: Structure,
    release_rule: ReleaseRule,
) -> CaseFigures | None:
    """The same of a unit in the structure of a day; None where the caller may not see its cases.

    Who may see them all has ``cases:read`` on all units of all times that stand in it.
    """
    if node.kind == UNDIVIDED:
        return None
    about = _of_unit(structure, node)
    reads = _readable(session, caller, release_rule.today)
    assert about.ids is not None
    if reads is not None and not (about.ids and about.ids <= reads):
        return None
    return _figures(session, caller, span, about, release_rule)


def _readable(session: Session, caller: Caller, today: date) -> frozenset[int] | None:
    """The units of all times whose cases the caller may see, as in the list; None for all."""

    def found() -> frozenset[int] | None:
        granted = scope.unit_ids(session, caller, Right.READ_CASES)
        if granted is None:
            return None
        return frozenset(carried_back(visible.units_of_all_times(session), granted, today))

    return per_session(session, ("cases of", caller.grants, today), found)


def _of_unit(structure: Structure, node: UnitNode) -> _About:
    if node.id not in structure.tree.nodes:  # a unit that is yet to come, or never was
        whole = Members(frozenset({node.id}))
    else:
        whole = members(structure, structure.tree, node.id)
    return _About(node, structure, [whole], whole.whole)


def _tops(structure: Structure, reads: frozenset[int] | None) -> list[int]:
    """The topmost nodes of what is read."""
    nodes = structure.tree.nodes
    theirs = {
        id for id in nodes
        if reads is None
        or (structure.held[id] | structure.shared[id]
            and structure.held[id] | structure.shared[id] <= reads)
    }  # fmt: skip
    return [id for id in theirs if nodes[id].parent_id not in theirs]


def _figures(
    session: Session, caller: Caller, span: Span, about: _About, release_rule: ReleaseRule
) -> CaseFigures:
    cases = _cases(session, span, about.ids)
    over = span.last < release_rule.today
    found = Counter[Part](state(case) for case in cases)
    found[None] = len(cases)
    of_causes = Counter(case.cause for case in cases if case.closed_day is not None)
    told, everything = _telling(session, caller, span, about, release_rule)
    handed_on = sum(1 for case in cases if case.escalated_day is not None)

    def counted(part: Part) -> Counted:
        return Counted(n=found[part], few=False) if told(part) else Counted(n=None, few=True)

    shown = {code: n for code, n in of_causes.items() if code is not None and told(OfCause(code))}
    known = {each.code: each for each in causes(session)}
    by_outcome = all(told(part) for part in (None, *State))
    return CaseFigures(
        unit=unit_result(about.node) if about.node else None,
        period=span.name,
        over=over,
        cases=counted(None),
        closed_in_time=counted(State.IN_TIME),
        closed_late=counted(State.LATE),
        not_closed=counted(State.OPEN),
        escalated=Counted(n=handed_on if everything else None, few=not everything),
        median_days=_median(cases, release_rule.today) if by_outcome and cases else None,
        causes=[
            CauseCount(code=code, name=_name(known, code), cases=Counted(n=n, few=False))
            for code, n in sorted(shown.items(), key=lambda pair: (-pair[1], pair[0]))
        ],
        causes_few=not told(None) or any(not told(OfCause(code)) for code in of_causes),
        changes=_changes(session, caller, cases, known, about, release_rule, shown),
    )


def _cases(session: Session, span: Span, ids: frozenset[int] | None) -> Sequence[Case]:
    among: ColumnElement[bool] = true() if ids is None else Case.unit_id.in_(sorted(ids))
    return session.scalars(
        select(Case).where(
            among,
            Case.confidential.is_(False),
            Case.opened_day >= span.first,
            Case.opened_day <= span.last,
        )
    ).all()


def _telling(
    session: Session, caller: Caller, span: Span, about: _About, release_rule: ReleaseRule
) -> tuple[Callable[[Part], bool], bool]:
    """Which counts a caller is told, and whether all there are."""
    small = visible.small_units(session, caller)
    if small is None:
        return lambda part: True, True
    counts = find_case_counts(session, release_rule, small)
    return lambda part: counts.tells(about.members, span, part), counts.theirs(about.members)


def _median(cases: Sequence[Case], today: date) -> float | None:
    """Days within which half were closed; None where half are not."""
    days = [((case.closed_day or today) - case.opened_day).days for case in cases]
    return number(median_time(days, [case.closed_day is not None for case in cases]))


def _name(known: Mapping[str, Cause], code: str) -> Names:
    cause = known.get(code)
    return Names(vi=cause.vi, en=cause.en) if cause else Names(vi=code, en=code)


def _changes(
    session: Session,
    caller: Caller,
    cases: Sequence[Case],
    known: Mapping[str, Cause],
    about: _About,
    release_rule: ReleaseRule,
    shown: Collection[str],
) -> list[CaseChange]:
    """Of each cause that is told of, was dealt with, and is mapped to a factor, how its rate moved.

    They are told together, so that what is more than chance is so among all of them.
    """
    node, day = about.node, about.structure.day
    if node is None or node.id not in visible.units(session, caller, day, release_rule.today).nodes:
        return []
    forms = {version.id: version.form for version in published(session)}
    months: dict[tuple[str, str], list[date]] = defaultdict(list)
    for case in cases:
        if case.closed_day is not None and case.cause in shown:
            key = case.cause or "", forms[case.version_id].code
            months[key].append(case.closed_day.replace(day=1))
    newest = {form.code: form for form in forms.values()}
    found = []
    for (code, questionnaire), closings in sorted(months.items()):
        cause, month = known.get(code), max(closings)
        factor = cause.factors.get(questionnaire) if cause else None
        after = month_after(month)
        if factor is None or month_after(after) > release_rule.today:  # the month after runs still
            continue
        query = Query(
            units=[node.code], questionnaire=questionnaire, factor=factor, structure=day
        )  # fmt: skip
        context = Context(session, caller, query, release_rule)
        first, second = (
            context.rates(Key.UNIT, first=each, last=periods.end_of_month(each))[0]
            for each in (month_before(month), after)
        )
        if not len(first.unit) or len(first.unit) != len(second.unit):
            continue
        moved = difference(first, second, query.confidence)
        titles = {each.code: each.title for each in newest[questionnaire].index_factors}
        title = titles.get(factor)
        found.append(
            CaseChange(
                cause=code, name=_name(known, code), questionnaire=questionnaire, factor=factor,
                factor_name=Names(vi=title.vi, en=title.en) if title
                else Names(vi=factor, en=factor),
                dealt_with=f"{month:%Y-%m}",
                before=numbers(first.ratio.estimate)[0], after=numbers(second.ratio.estimate)[0],
                estimate=numbers(moved.estimate)[0], low=numbers(moved.low)[0],
                high=numbers(moved.high)[0], p=numbers(moved.p)[0],
                adjusted_p=None, discovery=False,
            )
        )  # fmt: skip
    p = np.array([np.nan if each.p is None else each.p for each in found], dtype=np.float64)
    together = comparison.discoveries(p, FALSE_CHANGES)
    return [
        each.model_copy(update={"adjusted_p": adjusted, "discovery": rejected})
        for each, adjusted, rejected in zip(
            found, numbers(together.adjusted_p), together.rejected.tolist(), strict=True
        )
    ]
