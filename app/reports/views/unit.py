"""One unit: its rate by factor and item, course, channels, drivers, and what it still must ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TypeVar

import numpy as np

from app.figures import planning
from app.figures.aside import find_aside
from app.figures.comparison_days import With, other_days
from app.figures.context import Context
from app.figures.doubts import Doubt, find_doubtful, suspected
from app.figures.drivers import OutcomeNeeded, find_drivers, find_lowest
from app.figures.families import of_everybody
from app.figures.lattice import CalendarPeriodsOnly
from app.figures.microdata import NotANumber, ResponsesDeleted
from app.figures.nonresponse import find_nonresponse
from app.figures.nonresponse_results import NonResponseRow
from app.figures.people import TooFewRespondents
from app.figures.query import Key
from app.figures.rate_arrays import Rates
from app.figures.results import Names
from app.figures.statistic_results import Drivers, Lowest
from app.reports.views.channel_mix import moved_channels
from app.reports.views.context import ViewContext, differences, figure
from app.reports.views.headline import index
from app.reports.views.index_results import Difference
from app.reports.views.overview import set_aside, volume
from app.reports.views.results import (
    ChannelRow,
    Collecting,
    Driving,
    FactorRow,
    Headline,
    ItemRow,
    UnitView,
    WhyNot,
)
from app.reports.views.trend import trend
from surveys.model import Text

Found = TypeVar("Found", Drivers, Lowest)


def unit(context: ViewContext) -> UnitView:
    """All that is known of one unit in a period."""
    driving = find_driving(context)
    over_time = trend(context)
    return UnitView(
        **dict(context.head()),
        index=index(context),
        doubts=doubts(context),
        factors=factors(context),
        items=items(context),
        trend=over_time,
        channels=channels(context),
        channel_mix=moved_channels(context, over_time),
        drivers=driving.drivers,
        no_drivers=driving.no_drivers,
        lowest=driving.lowest,
        collecting=collecting(context),
        non_response=_non_response(context),
        volume=volume(context),
        set_aside=set_aside(context),
        aside=find_aside(context.figures) if context.unit else [],
        method="clustered rates (Wilson where a respondent gives one answer); changes by the "
        "score interval",
    )


def doubts(context: ViewContext) -> list[Doubt]:
    """Why the unit's answers are to be looked at first, as the pages of all units say."""
    if context.unit is None:
        return []
    if not context.span.calendar:
        return [Doubt.SUSPECTED] if context.unit.id in suspected(context.figures) else []
    whole = of_everybody(context.figures, context.unit.kind)
    return find_doubtful(whole).get(context.unit.code, [])


def headline(context: ViewContext) -> Headline:
    """The unit's index alone, beside the periods before and the whole."""
    return Headline(
        **dict(context.head()),
        index=index(context),
        aside=find_aside(context.figures) if context.unit else [],
        method="clustered rates; changes by the score interval",
    )


def factors(context: ViewContext) -> list[FactorRow]:
    """The rate of each factor, with its change since the period before."""
    names = {factor.code: factor.title for factor in context.form.form.index_factors}
    now, changes = _measured(context, Key.FACTOR)
    return [
        FactorRow(
            **dict(figure(now, i)),
            **dict(placed),
            factor=measure.factor or "",
            name=_name(names, measure.factor),
            change=change,
        )
        for i, (measure, change, placed) in enumerate(
            zip(now.measure, changes, context.judged(now), strict=True)
        )
    ]


def items(context: ViewContext) -> list[ItemRow]:
    """The rate of each item, with its change since the period before, in the form's order."""
    form = context.form.form
    names = {item.code: item.text for f in form.index_factors for item in form.index_items(f)}
    now, changes = _measured(context, Key.ITEM)
    return [
        ItemRow(
            **dict(figure(now, i)),
            **dict(placed),
            item=measure.item or "",
            factor=measure.factor or "",
            name=_name(names, measure.item),
            change=change,
        )
        for i, (measure, change, placed) in enumerate(
            zip(now.measure, changes, context.judged(now), strict=True)
        )
    ]


def _measured(context: ViewContext, by: Key) -> tuple[Rates, list[Difference]]:
    now, _ = context.figures.rates(by)
    first, last = other_days(context.span.first, context.span.last, With.PREVIOUS)
    other, _ = context.figures.rates(by, first=first, last=last)
    return now, differences(now, other)


def _name(names: Mapping[str, Text], code: str | None) -> Names | None:
    name = names.get(code or "")
    return Names(vi=name.vi, en=name.en) if name else None


def channels(context: ViewContext) -> list[ChannelRow]:
    """The rate by the way in which answers came in."""
    rates, _ = context.figures.rates(Key.CHANNEL)
    return [
        ChannelRow(channel=str(channel), **dict(figure(rates, i)))
        for i, channel in enumerate(rates.channel)
        if rates.hidden[i] or np.nan_to_num(rates.sums["n"][i]) > 0
    ]


@dataclass(frozen=True)
class FoundDriving:
    """What drives overall satisfaction, or why that is not known; which factors lie below."""

    drivers: Driving | None
    no_drivers: WhyNot | None
    lowest: Lowest | None


def find_driving(context: ViewContext) -> FoundDriving:
    """What drives overall satisfaction, and which factors lie below the others.

    In the period, or in the year up to its end where the period has too few respondents;
    ``no_drivers`` is the code of the problem where nothing is said of drivers.
    """
    found, why = _in_period_or_year(context, partial(find_drivers, outcome=None))
    if found is None:
        lowest, _ = _in_period_or_year(context, find_lowest)
        return FoundDriving(None, why, lowest)
    # Of the same days, so that what is told of a factor follows from what stands beside it.
    lowest = find_lowest(context.over(first=found.first)).model_copy(
        update={"first": found.first, "last": found.last}
    )
    wanted = sorted(
        (row for row in found.rows if row.improve_first), key=lambda row: -(row.share or 0)
    )
    driving = Driving(
        first=found.first,
        last=found.last,
        outcome=found.outcome,
        r_squared=found.r_squared,
        respondents=found.respondents,
        method=found.method,
        improve_first=[row.factor for row in wanted],
        rows=found.rows,
    )
    return FoundDriving(driving, why, lowest)


def _in_period_or_year(
    context: ViewContext, find: Callable[[Context], Found]
) -> tuple[Found | None, WhyNot | None]:
    """What is found; or the code of the problem why it is not.

    Whoever is shown calendar periods alone has the year so far in place of the year up to its end.
    """
    last, begin = context.span.last, context.span.first
    in_a_year = date(last.year - (last.month < 12), last.month % 12 + 1, 1)  # of whole months
    for first in dict.fromkeys((begin, min(begin, in_a_year), min(begin, date(last.year, 1, 1)))):
        try:
            found = find(context.over(first=first))
            return found.model_copy(update={"first": first, "last": last}), None
        except (TooFewRespondents, NotANumber, CalendarPeriodsOnly):
            continue
        except ResponsesDeleted:
            # Of a longer period still more are gone; the shorter one had too few, or is gone, too.
            return None, "responses-deleted" if first == begin else "too-few-respondents"
        except OutcomeNeeded:
            return None, "outcome-needed"
    return None, "too-few-respondents"


def _non_response(context: ViewContext) -> NonResponseRow:
    """How far the rate would move for those who did not answer, up to today."""
    last = max(context.span.first, min(context.span.last, context.today))
    (row,) = find_nonresponse(context.over(last=last), together=True).rows
    return row


def collecting(context: ViewContext) -> Collecting:
    """How many more must be asked in the running month, of the unit and of each unit below."""
    month = context.today.replace(day=1)
    figures = context.figures if context.unit else context.compared
    found = planning.plan(figures, month=month, margin=0.05, drop=0.1, total=None, neyman=False)
    # Nobody collects answers to a questionnaire that a unit does not use.
    using = {context.figures.units.nodes[id].code for id in context.reached}
    return Collecting(
        month=found.month,
        margin=found.margin,
        drop=found.drop,
        least_respondents=found.least_respondents,
        rows=[row for row in found.rows if row.unit.code in using or row.respondents],
        method=found.method,
    )
