"""One unit: its rate by factor and item, course, channels, drivers, and what it still must ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np

from app.figures import drivers as influence
from app.figures import planning
from app.figures.comparisons import With, other_days
from app.figures.context import Context
from app.figures.drivers import OutcomeNeeded
from app.figures.microdata import NotANumber
from app.figures.people import TooFewRespondents
from app.figures.query import Key
from app.figures.statistic_results import Drivers, Lowest
from app.reports.views.context import ViewContext, differences, figure, index, position
from app.reports.views.overview import set_aside, volume
from app.reports.views.trend import trend
from surveys.model import Text


def unit(context: ViewContext) -> dict[str, Any]:
    """All that is known of one unit in a period."""
    return context.head() | {
        "index": index(context),
        "factors": factors(context),
        "items": items(context),
        "trend": trend(context),
        "channels": channels(context),
        **driving(context),
        "collecting": collecting(context),
        "volume": volume(context),
        "set_aside": set_aside(context),
        "method": "clustered rates (Wilson where a respondent gives one answer); changes by the "
        "score interval",
    }


def headline(context: ViewContext) -> dict[str, Any]:
    """The unit's index alone, beside the periods before and the whole."""
    return context.head() | {
        "index": index(context),
        "method": "clustered rates; changes by the score interval",
    }


def factors(context: ViewContext) -> list[dict[str, Any]]:
    """The rate of each factor, with its change since the period before."""
    return _measured(
        context,
        Key.FACTOR,
        {factor.code: factor.title for factor in context.form.form.index_factors},
    )


def items(context: ViewContext) -> list[dict[str, Any]]:
    """The rate of each item, with its change since the period before, in the form's order."""
    form = context.form.form
    names = {item.code: item.text for f in form.index_factors for item in form.index_items(f)}
    return _measured(context, Key.ITEM, names)


def _measured(context: ViewContext, by: Key, names: Mapping[str, Text]) -> list[dict[str, Any]]:
    now, _ = context.figures.rates(by)
    first, last = other_days(context.span.first, context.span.last, With.PREVIOUS)
    other, _ = context.figures.rates(by, first=first, last=last)
    rows = []
    for i, (measure, change) in enumerate(zip(now.measure, differences(now, other), strict=True)):
        shown = figure(now, i)
        name = names.get(measure.item or measure.factor or "")
        row = {
            "factor": measure.factor,
            "name": {"vi": name.vi, "en": name.en} if name else None,
            **shown,
            "position": position(shown, context.settings.target_rate),
            "change": change,
        }
        rows.append(row if measure.item is None else {"item": measure.item, **row})
    return rows


def channels(context: ViewContext) -> list[dict[str, Any]]:
    """The rate by the way in which answers came in."""
    rates, _ = context.figures.rates(Key.CHANNEL)
    return [
        {"channel": channel, **figure(rates, i)}
        for i, channel in enumerate(rates.channel)
        if rates.hidden[i] or np.nan_to_num(rates.sums["n"][i]) > 0
    ]


def driving(context: ViewContext) -> dict[str, Any]:
    """What drives overall satisfaction, and which factors lie below the others.

    In the period, or in the year up to its end where the period has too few respondents;
    ``no_drivers`` is the code of the problem where nothing is said of drivers.
    """
    lagging, _ = _in_period_or_year(context, influence.find_lowest)
    found, why = _in_period_or_year(
        context, lambda figures: influence.find_drivers(figures, outcome=None)
    )
    if found is not None:
        wanted = [row for row in found["rows"] if row["improve_first"]]
        wanted.sort(key=lambda row: -(row["share"] or 0))
        found["improve_first"] = [row["factor"] for row in wanted]
    names = ("first", "last", "respondents", "method", "rows")
    more = ("outcome", "r_squared", "improve_first")
    return {
        "drivers": found and {name: found[name] for name in (*names, *more)},
        "no_drivers": why,
        "lowest": lagging and {name: lagging[name] for name in names},
    }


def _in_period_or_year(
    context: ViewContext, find: Callable[[Context], Drivers | Lowest]
) -> tuple[dict[str, Any] | None, str | None]:
    """What is found; or the code of the problem why it is not."""
    last = context.span.last
    in_a_year = date(last.year - (last.month < 12), last.month % 12 + 1, 1)  # of whole months
    for first in dict.fromkeys((context.span.first, min(context.span.first, in_a_year))):
        try:
            found = find(context.over(first=first)).model_dump()
            return found | {"first": first, "last": last}, None
        except (TooFewRespondents, NotANumber):
            continue
        except OutcomeNeeded as refused:
            return None, refused.code
    return None, TooFewRespondents.code


def collecting(context: ViewContext) -> dict[str, Any]:
    """How many more must be asked in the running month, of the unit and of each unit below."""
    month = context.today.replace(day=1)
    figures = context.figures if context.unit else context.compared
    found = planning.plan(
        figures, month=month, margin=0.05, drop=0.1, total=None, neyman=False
    ).model_dump()
    return {
        name: found[name] for name in ("month", "margin", "drop", "least_respondents", "rows")
    } | {"method": found["method"]}
