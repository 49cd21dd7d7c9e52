"""What stands out on the first page: of which units, among which, and how many may be false."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.figures.alerts import alerts as find_alerts
from app.figures.context import Context, TooFewUnits, TooManyUnits
from app.figures.periods import Step
from app.figures.query import Expand, Key
from app.figures.visible import PUBLIC
from app.registry.queries import UnitNode
from app.reports.views.context import ViewContext, up_to_whole
from app.reports.views.results import AlertsShown

#: Alerts that the first page names.
_NAMED = 8
#: Peers that a unit is looked at among: their courses are read month by month.
_MOST_PEERS = 1_500
#: Months are looked at for alerts and then, where these say nothing (or are too thin to be shown),
#: quarters. Both together have so many false ones in a year, so each has a half of it.
_STEPS, _FALSE = (Step.MONTH, Step.QUARTER), 0.05
#: Whoever looks every month looks at quarters every month too.
_LOOKS = 12


def alerts(context: ViewContext) -> AlertsShown | None:
    """What stands out in the level's units up to the end of the period, false alarms held down.

    Of a unit with none below it, whether it is among those that stand out in its kind: alone it
    could not tell its own change from what all share, nor chance from how much people differ.
    None where there are too few, or too many, to look at.
    """
    watched = _watched(context)
    if watched is None:
        return None
    figures, own = watched
    found, together, rows = None, None, []
    for step in _STEPS:
        whole = up_to_whole(figures, step, context.known[1])
        if whole is None:
            break
        try:
            found = find_alerts(
                whole,
                step=step,
                q=_FALSE / len(_STEPS),
                looks=_LOOKS,
                shown_to=own,
            )
        except (TooFewUnits, TooManyUnits):
            return None
        if not found.units:
            return None
        rows = found.rows[:_NAMED]
        # What moved is kept, of whichever look found it first.
        if together is None or not together.moved:
            together = found.together
        if rows:
            break
    if found is None:
        return None
    return AlertsShown(
        step=found.step,
        false_discovery_rate=_FALSE,
        common_movement_removed=found.common_movement_removed,
        together=together,
        noise=found.noise,
        rows=rows,
    )


def _watched(context: ViewContext) -> tuple[Context, Context | None] | None:
    """The question about the units that are looked at, and that about the only one to tell of."""
    first = context.known[0]
    if context.span.last < first:  # nobody had answered yet
        return None
    if context.kind is not None:
        return context.compared_over(first), None
    if context.unit is None or not context.span.calendar:
        return None
    own = context.over(first=first)
    rates, _ = own.rates(Key.MONTH)
    if not np.nansum(rates.sums["n"]) > 0:  # nobody answered, or too few to tell of
        return None
    # Among others by what anybody may see of them, unless the caller may see it all.
    all_ = own.gate.everywhere and own.units.whole
    return _among_peers(own if all_ else replace(own, caller=PUBLIC), context.unit), own


def _among_peers(figures: Context, unit: UnitNode) -> Context:
    """The question about all units of one's kind below the highest unit that has not too many."""
    units, top = figures.units, unit
    for above in units.above(unit.id):
        peers = sum(units.nodes[id].kind == unit.kind for id in units.below(above.id))
        if peers > _MOST_PEERS:
            break
        top = above
    query = replace(figures.query, units=[top.code], expand=Expand.ALL, kinds=(unit.kind,))
    return replace(figures, query=query)
