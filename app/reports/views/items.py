"""Items: what matters and how it is done, so that what to improve first is plain."""

from __future__ import annotations

from app.reports.views.context import ViewContext
from app.reports.views.headline import index
from app.reports.views.results import Importance
from app.reports.views.unit import factors, find_driving, items


def importance(context: ViewContext) -> Importance:
    """Importance and rate of each factor, the rate of each item, and the order to improve them.

    Importance is a factor's share of R² of overall satisfaction, where the form asks for that.
    Items to improve first are the lowest ones of the factors to improve first; where nothing can
    be said of importance, of those that lie below the others. Where no factor is told apart from
    the others there are none.
    """
    found = find_driving(context)
    rated = items(context)
    wanted = set(found.drivers.improve_first) if found.drivers else set()
    if found.drivers is None and found.lowest is not None:
        wanted = {row.factor for row in found.lowest.rows if row.below}
    shown = [row for row in rated if row.rate is not None and row.factor in wanted]
    about = found.drivers or found.lowest
    return Importance(
        **dict(context.head()),
        index=index(context),
        drivers=found.drivers,
        no_drivers=found.no_drivers,
        lowest=found.lowest,
        factors=factors(context),
        items=rated,
        improve_first=[row.item for row in sorted(shown, key=lambda row: row.rate or 0)[:5]],
        method=about.method if about else "rates alone: too few respondents",
    )
