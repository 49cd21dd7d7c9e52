"""A view over time, in months where these hold enough respondents, in quarters otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from app.figures import trends
from app.figures.context import TooFewUnits, TooManyUnits
from app.figures.control_limits import Judging
from app.figures.periods import Step
from app.figures.trend_results import ControlLimits, TrendRow
from app.reports.views.context import ViewContext, up_to_whole
from app.reports.views.results import TrendView

_YEARS = 3


def trend(context: ViewContext) -> TrendView | None:
    """Rates with control limits up to the end of the period, of the unit or all units together."""
    together = context.unit is None
    days = _days(context)
    if days is None:
        return None
    figures = context.over(first=days[0], last=days[1])
    judging = Judging(targets=context.settings.target_rate)
    try:
        found = trends.trend(figures, step=Step.MONTH, together=together, judging=judging)
        whole = up_to_whole(figures, Step.QUARTER, context.known[1])
        if whole is not None and not _by_month(found.rows[0], context.figures.least):
            found = trends.trend(whole, step=Step.QUARTER, together=together, judging=judging)
    except TooFewUnits:
        return None
    return TrendView(step=found.step, method=found.method, **dict(found.rows[0]))


def limits_of_units(context: ViewContext) -> dict[str, ControlLimits]:
    """What limits say of each compared unit, by its code, as on its own page.

    Of none where there are more than a trend gives at once: it would take too long.
    """
    days = _days(context)
    if days is None or context.kinds.get(context.kind or "", 0) > trends.MOST_UNITS:
        return {}
    query = replace(context.compared.query, first=days[0], last=days[1])
    figures = replace(context.compared, query=query)
    judging = Judging(targets=context.settings.target_rate)
    try:
        months = trends.trend(figures, step=Step.MONTH, judging=judging).rows
        rows = {row.unit.code: row for row in months if row.unit is not None}
        rare = {code for code, row in rows.items() if not _by_month(row, context.figures.least)}
        if rare:
            quarters = trends.trend(figures, step=Step.QUARTER, judging=judging).rows
            rows |= {row.unit.code: row for row in quarters if row.unit and row.unit.code in rare}
    except (TooFewUnits, TooManyUnits):
        return {}
    return {code: row.limits for code, row in rows.items()}


def _days(context: ViewContext) -> tuple[date, date] | None:
    first = max(context.known[0], date(context.span.last.year - _YEARS, 1, 1))
    last = min(context.span.last, context.known[1])
    return None if last < first else (first, last)


def _by_month(row: TrendRow, least: int) -> bool:
    """Whether a unit is looked at by month: where the middle one may be shown to everybody.

    Limits allow for few people, and twelve quarters before the judged one are rarely there.
    """
    return bool(np.median([point.respondents or 0 for point in row.points]) >= least)
