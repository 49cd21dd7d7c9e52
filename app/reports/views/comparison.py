"""Units against limits, in a league table, and some of them side by side."""

from __future__ import annotations

from collections.abc import Sequence

from app.figures import comparisons
from app.figures.context import TooFewUnits
from app.figures.microdata import NotANumber, ResponsesDeleted
from app.figures.people import TooFewRespondents
from app.figures.query import Expand, Key
from app.figures.respondent_statistics import CHANNEL, find_casemix
from app.figures.results import UnitOut, unit_result
from app.figures.statistic_results import Casemix, FunnelResult
from app.reports.views.context import ViewContext, figure
from app.reports.views.results import Beside, ComparisonView, FactorFigure, WhyNoCasemix
from app.reports.views.units import units

#: What patients differ in that no hospital is to be blamed for.
_OF_PATIENTS = ("age", "sex", "insurance")
#: Units that fit side by side.
MOST_BESIDE = 8


def comparison(
    context: ViewContext, *, best: int = 10, beside: Sequence[str] = (), judged: bool = True
) -> ComparisonView:
    """A funnel of the compared units, their ranks with sets, and the chosen ones by factor."""
    try:
        funnel = comparisons.funnel(context.compared, target=None, overdispersion=True, q=0.05)
    except TooFewUnits:
        funnel = None
    adjusted, why = casemix(context)
    return ComparisonView(
        **dict(context.head()),
        whole=figure(context.figures.rates()[0]),
        own=_own(context, funnel),
        funnel=funnel,
        casemix=adjusted,
        no_casemix=why,
        league=units(context, best=best, judged=judged),
        side_by_side=side_by_side(context, beside),
        method=funnel.method if funnel else "too few units to compare",
    )


def casemix(context: ViewContext) -> tuple[Casemix | None, WhyNoCasemix | None]:
    """Rates as if all units had the same patients, or the code of the problem why there are none.

    Only of forms that ask patients what they are: of these age, sex, insurance, and the channel.
    """
    items = {item.code for item in context.form.form.items}
    if not items.issuperset(_OF_PATIENTS):
        return None, None
    try:
        found = find_casemix(context.compared, adjusters=[*_OF_PATIENTS, CHANNEL], outcome="rate")
    except TooFewRespondents:
        return None, "too-few-respondents"
    except ResponsesDeleted:
        return None, "responses-deleted"
    except TooFewUnits:
        return None, "too-few-units"
    except NotANumber:
        return None, "not-a-number"
    return found, None


def _own(context: ViewContext, funnel: FunnelResult | None) -> UnitOut | None:
    """The one unit that the caller's rights name, where it is among those compared."""
    grants = context.figures.caller.grants
    named = {grant.unit_id for grant in grants if grant.unit_id is not None}
    node = context.figures.units.nodes.get(named.pop()) if len(named) == 1 else None
    if node is None or funnel is None:
        return None
    return next((row.unit for row in funnel.rows if row.unit.code == node.code), None)


def side_by_side(context: ViewContext, codes: Sequence[str]) -> list[Beside]:
    """The factors of some units; unknown codes are refused."""
    if not codes:
        return []
    chosen = list(dict.fromkeys(codes))[:MOST_BESIDE]
    figures = context.over(units=chosen, expand=Expand.GIVEN, kinds=())
    whole, _ = figures.rates(Key.UNIT)
    factors, _ = figures.rates(Key.UNIT, Key.FACTOR)
    return [
        Beside(
            unit=unit_result(unit),
            **dict(figure(whole, i)),
            factors=[
                FactorFigure(factor=measure.factor or "", **dict(figure(factors, j)))
                for j, measure in enumerate(factors.measure)
                if factors.unit[j] is unit
            ],
        )
        for i, unit in enumerate(whole.unit)
        if unit is not None
    ]
