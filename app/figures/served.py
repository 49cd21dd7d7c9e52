"""How many the nodes of a structure served: volumes of units of all times, regrouped."""

from __future__ import annotations

from datetime import date

from app.figures import visible
from app.figures.context import Context
from app.figures.periods import Length, Span, end_of_month, months_of
from app.registry.points import units_asking
from app.registry.volumes import months_known, volumes_between


def cases(context: Context, first: date | None, last: date | None) -> dict[int, float]:
    """Cases by node over the months from that of ``first`` to that of ``last``."""
    return context.regrouping.regrouped(volumes_between(context.session, first, last))


def without_cases(context: Context, first: date, last: date) -> frozenset[int]:
    """The nodes with a unit that asks of which the cases of some month of its own are missing."""
    known = months_known(context.session, first, last)
    histories = visible.units_of_all_times(context.session).histories
    months = months_of(Span("", Length.DAYS, first, last))
    missing = set()
    for id in units_asking(context.session, str(context.query.questionnaire)):
        begins, ends = histories[id].first_day, histories[id].last_day
        if any(
            month not in known.get(id, ())
            for month in months
            if begins <= end_of_month(month) and (ends is None or month <= ends)
        ):
            missing.add(id)
    placements = context.regrouping.structure.placements
    return frozenset(node for id in missing for node, _ in placements[id].parts)
