"""Items: what matters and how it is done, so that what to improve first is plain."""

from __future__ import annotations

from typing import Any

from app.reports.views.context import ViewContext, index
from app.reports.views.unit import driving, factors, items


def importance(context: ViewContext) -> dict[str, Any]:
    """Importance and rate of each factor, the rate of each item, and the order to improve them.

    Importance is a factor's share of R² of overall satisfaction, where the form asks for that.
    Items to improve first are the lowest ones of the factors to improve first; where nothing can
    be said of importance, of those that lie below the others. Where no factor is told apart from
    the others there are none.
    """
    found = driving(context)
    drivers, lagging = found["drivers"], found["lowest"]
    rated = items(context)
    wanted = set(drivers["improve_first"]) if drivers else set()
    if drivers is None and lagging is not None:
        wanted = {row["factor"] for row in lagging["rows"] if row["below"]}
    told = [row for row in rated if row["rate"] is not None and row["factor"] in wanted]
    about = drivers or lagging
    return context.head() | {
        "index": index(context),
        **found,
        "factors": factors(context),
        "items": rated,
        "improve_first": [row["item"] for row in sorted(told, key=lambda row: row["rate"])[:5]],
        "method": about["method"] if about else "rates alone: too few respondents",
    }
