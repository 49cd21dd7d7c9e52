"""A hospital by the Ministry's sections: each ward's rate by section, and which ward fell."""

from __future__ import annotations

from app.figures.query import Key
from app.reports.views.context import ViewContext, figure
from app.reports.views.headline import index
from app.reports.views.results import SectionFigure, SectionRow, Sections
from app.reports.views.unit import factors
from app.reports.views.units import units


def sections(context: ViewContext) -> Sections:
    """Rates of the compared units by factor, each unit's change, the ones that fell or rose."""
    compared = units(context, judged=False)
    rates, _ = context.compared.rates(Key.UNIT, Key.FACTOR)
    judged = context.judged_units(rates, factors=True)
    by_unit: dict[str, list[SectionFigure]] = {}
    for i, (unit, measure) in enumerate(zip(rates.unit, rates.measure, strict=True)):
        assert unit is not None
        section = SectionFigure(
            **dict(figure(rates, i)), **dict(judged[i]), factor=measure.factor or ""
        )
        by_unit.setdefault(unit.code, []).append(section)
    rows = [
        SectionRow(**dict(row), sections=by_unit.get(row.unit.code, [])) for row in compared.rows
    ]
    return Sections(
        **(dict(compared) | {"rows": rows}), index=index(context), factors=factors(context)
    )
