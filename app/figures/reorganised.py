"""Days on which a unit itself changed: what it is made of, and by which decision.

A series goes on across such a day, since the same people stand in it. But other offices serve
them then, and in a merged unit those of one part may come to answer more: what moves on that day
is no change of anybody's work. So nothing is judged across it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import select

from app.figures import visible
from app.figures.context import Context
from app.figures.periods import Step, first_day, last_day
from app.figures.results import Names
from app.figures.trend_results import Reorganised, Reorganising
from app.registry.models import Reorganisation, Succession
from app.registry.queries import UnitNode
from app.registry.structures import Units

_DAY = timedelta(days=1)


def reorganised(
    context: Context, nodes: Sequence[UnitNode | None], labels: Sequence[str], step: Step
) -> dict[int, list[Reorganised]]:
    """The days within some periods on which each node changed itself, in order; by its id.

    What changed among the units below it, or moved as a whole, does not change it.
    """
    return between(context, nodes, first_day(labels[0], step), last_day(labels[-1], step))


def between(
    context: Context, nodes: Sequence[UnitNode | None], first: date, last: date
) -> dict[int, list[Reorganised]]:
    """The days after the first of some days, up to the last, on which each node changed itself."""
    days = visible.change_days(context.session, first, last)
    if not days:
        return {}
    units = visible.units_of_all_times(context.session)
    decisions = _decisions(context, first, last)
    found: dict[int, list[Reorganised]] = {}
    for node in nodes:
        if node is None:
            continue
        members = {
            id for id in context.regrouping.units_in([node.id]) if not units.histories[id].void
        }
        marks = [_on(units, members, day, decisions) for day in days]
        if known := [mark for mark in marks if mark is not None]:
            found[node.id] = known
    return found


def _on(
    units: Units, members: set[int], day: date, decisions: Mapping[tuple[int, int], str]
) -> Reorganised | None:
    histories = units.histories
    begun = {id for id in members if histories[id].first_day == day and units.before.get(id)}
    origins = {id for id in members if histories[id].last_day == day - _DAY}
    origins |= {
        before
        for id in begun
        for before in units.before[id]
        if histories[before].last_day == day - _DAY
    }
    if not origins:
        return None
    became = {id: {step.to_id for step in units.after.get(id, ())} for id in origins}
    pairs = [(id, to) for id, each in became.items() for to in each if to in begun or not begun]
    said = list(dict.fromkeys(decisions[pair] for pair in pairs if pair in decisions))
    states = [histories[id].states[-1] for id in sorted(origins)]
    return Reorganised(
        day=day,
        how=_how(begun, became),
        units=[Names(vi=state.name_vi, en=state.name_en) for state in states],
        decisions=said,
    )


def _how(begun: Collection[int], became: Mapping[int, set[int]]) -> Reorganising:
    if not begun:
        return Reorganising.ENDED
    whole = all(each and each <= set(begun) for each in became.values())
    if len(became) == 1:
        if not whole:
            return Reorganising.PART
        return Reorganising.RENEWED if len(begun) == 1 else Reorganising.DIVIDED
    return Reorganising.MERGED if whole and len(begun) == 1 else Reorganising.REGROUPED


def _decisions(context: Context, first: date, last: date) -> dict[tuple[int, int], str]:
    """By which decision one unit became another in some days."""
    query = (
        select(Succession.from_id, Succession.to_id, Reorganisation.decision)
        .join(Reorganisation, Reorganisation.id == Succession.reorganisation_id)
        .where(Succession.day > first, Succession.day <= last)
    )
    return {
        (before, after): decision
        for before, after, decision in context.session.execute(query)
        if decision
    }


def days_anew(marks: Sequence[Reorganised]) -> tuple[date, ...]:
    """The days from which on a series is judged anew; a unit that is only renewed goes on."""
    return tuple(mark.day for mark in marks if mark.how is not Reorganising.RENEWED)


def begins_anew(days: Sequence[date], labels: Sequence[str], step: Step) -> int:
    """The place of the first period that lies wholly after the last of some days."""
    if not days:
        return 0
    return sum(first_day(label, step) < days[-1] for label in labels)
