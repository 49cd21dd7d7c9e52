"""Units against limits, in a league table, and some of them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.figures import comparisons
from app.figures.context import TooFewUnits, unit_out
from app.figures.query import Expand, Key
from app.reports.views.context import ViewContext, figure
from app.reports.views.units import units

#: Units that fit side by side.
MOST_BESIDE = 8


def comparison(
    context: ViewContext, *, best: int = 10, beside: Sequence[str] = ()
) -> dict[str, Any]:
    """A funnel of the level's units, their ranks with sets, and the chosen ones by factor."""
    try:
        found = comparisons.funnel(context.compared, target=None, overdispersion=True, q=0.05)
        funnel = found.model_dump()
    except TooFewUnits:
        funnel = None
    return context.head() | {
        "funnel": funnel,
        "league": units(context, best=best),
        "side_by_side": side_by_side(context, beside),
        "method": funnel["method"] if funnel else "too few units to compare",
    }


def side_by_side(context: ViewContext, codes: Sequence[str]) -> list[dict[str, Any]]:
    """The factors of some units; unknown codes are refused."""
    if not codes:
        return []
    chosen = list(dict.fromkeys(codes))[:MOST_BESIDE]
    figures = context.over(units=chosen, expand=Expand.GIVEN, kinds=())
    whole, _ = figures.rates(Key.UNIT)
    factors, _ = figures.rates(Key.UNIT, Key.FACTOR)
    rows = []
    for i, unit in enumerate(whole.unit):
        rows.append(
            {
                "unit": unit_out(unit),
                **figure(whole, i),
                "factors": [
                    {"factor": measure.factor, **figure(factors, j)}
                    for j, measure in enumerate(factors.measure)
                    if factors.unit[j] is unit
                ],
            }
        )
    return rows
