"""Units against limits, in a league table, and some of them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.reports import comparisons
from app.reports.asked import TooFewUnits, unit_out
from app.reports.query import Expand, Key
from app.reports.views.scene import Scene, figure
from app.reports.views.units import units

#: Units that fit side by side.
MOST_BESIDE = 8


def comparison(scene: Scene, *, best: int = 10, beside: Sequence[str] = ()) -> dict[str, Any]:
    """A funnel of the level's units, their ranks with sets, and the chosen ones by factor."""
    try:
        funnel = comparisons.funnel(scene.compared, target=None, overdispersion=True, q=0.05)
    except TooFewUnits:
        funnel = None
    return scene.head() | {
        "funnel": funnel,
        "league": units(scene, best=best),
        "side_by_side": side_by_side(scene, beside),
        "method": funnel["method"] if funnel else "too few units to compare",
    }


def side_by_side(scene: Scene, codes: Sequence[str]) -> list[dict[str, Any]]:
    """The factors of some units; unknown codes are refused."""
    if not codes:
        return []
    chosen = list(dict.fromkeys(codes))[:MOST_BESIDE]
    asked = scene.over(units=chosen, expand=Expand.GIVEN, kinds=())
    whole, _ = asked.rates(Key.UNIT)
    factors, _ = asked.rates(Key.UNIT, Key.FACTOR)
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
