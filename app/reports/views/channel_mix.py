"""Whether the channels by which people answer moved, and what the rate is without that."""

from __future__ import annotations

from app.figures.channel_mix import channel_mix, fixed_channels
from app.figures.comparison_days import With, other_days
from app.figures.periods import Step
from app.figures.query import Key
from app.reports.views.context import ViewContext
from app.reports.views.results import ChannelMixView, ChannelPoint, TrendView

#: Periods that a page shows.
_PERIODS = 8


def moved_channels(context: ViewContext, trend: TrendView | None) -> ChannelMixView:
    """The channels' shares since the period before; where one moved much, the rate without that."""
    first, last = other_days(context.span.first, context.span.last, With.PREVIOUS)
    before, _ = context.figures.rates(Key.CHANNEL, first=first, last=last)
    now, _ = context.figures.rates(Key.CHANNEL)
    found = channel_mix(before, now)
    points: list[ChannelPoint] = []
    if found.moved and trend is not None and trend.points:
        shown = trend.points[-_PERIODS:]
        whole = context.over(first=context.known[0], last=context.span.last)
        by_period = fixed_channels(whole, Step(trend.step), together=True).get(None, {})
        points = [
            ChannelPoint(**dict(by_period[point.period]), period=point.period, pooled=point.rate)
            for point in shown
            if point.period in by_period
        ]
    return ChannelMixView(**dict(found), points=points)
