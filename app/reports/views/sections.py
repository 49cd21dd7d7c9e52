"""A hospital by the Ministry's sections: each ward's rate by section, and which ward fell."""

from __future__ import annotations

from typing import Any

from app.figures.query import Key
from app.reports.views.context import ViewContext, figure, index, position
from app.reports.views.unit import factors
from app.reports.views.units import units


def sections(context: ViewContext) -> dict[str, Any]:
    """Rates of the level's units by factor, each unit's change, the ones that fell or rose."""
    compared = units(context)
    rates, _ = context.compared.rates(Key.UNIT, Key.FACTOR)
    by_unit: dict[str, list[dict[str, Any]]] = {}
    for i, (unit, measure) in enumerate(zip(rates.unit, rates.measure, strict=True)):
        assert unit is not None
        shown = figure(rates, i)
        by_unit.setdefault(unit.code, []).append(
            {
                "factor": measure.factor,
                **shown,
                "position": position(shown, context.settings.target_rate),
            }
        )
    for row in compared["rows"]:
        row["sections"] = by_unit.get(row["unit"]["code"], [])
    return compared | {"index": index(context), "factors": factors(context)}
