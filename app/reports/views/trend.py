"""A view over time, in months where these hold enough respondents, in quarters otherwise."""

from __future__ import annotations

from datetime import date

import numpy as np

from app.figures import trends
from app.figures.context import TooFewUnits
from app.figures.control_limits import Judging
from app.figures.periods import Step
from app.reports.views.context import ViewContext, up_to_whole
from app.reports.views.results import TrendView

_YEARS = 3


def trend(context: ViewContext) -> TrendView | None:
    """Rates with control limits up to the end of the period, of the unit or all units together."""
    together = context.unit is None
    first = max(context.known[0], date(context.span.last.year - _YEARS, 1, 1))
    last = min(context.span.last, context.known[1])
    if last < first:
        return None
    figures = context.over(first=first, last=last)
    try:
        judging = Judging(target=context.settings.target_rate)
        found = trends.trend(figures, step=Step.MONTH, together=together, judging=judging)
        people = [point.respondents or 0 for point in found.rows[0].points]
        # Limits allow for few people, and twelve quarters before the judged one are rarely there:
        # months, as long as the middle one may be shown to everybody.
        if np.median(people) < context.figures.least:
            found = trends.trend(
                up_to_whole(figures, Step.QUARTER, context.known[1]),
                step=Step.QUARTER,
                together=together,
                judging=judging,
            )
    except TooFewUnits:
        return None
    return TrendView(step=found.step, method=found.method, **dict(found.rows[0]))
