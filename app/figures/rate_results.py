"""Rates as they are handed on: one row a unit, factor, item, channel and period asked for."""

from __future__ import annotations

from typing import TypedDict

from app import RELEASE
from app.figures.context import numbers
from app.figures.query import Query
from app.figures.rate_arrays import Found, Rates
from app.figures.regrouping import whole_number
from app.figures.results import Figures, Names, Row, UnitOut, WhollySatisfied, unit_result
from app.messages import say


class Keys(TypedDict, total=False):
    """What rows may be grouped by."""

    unit: UnitOut
    factor: str
    item: str
    channel: str
    period: str


def rate_table(found: Found, query: Query) -> Figures:
    """All rows of what was found; keys that were not grouped by are left unset."""
    notice = None
    if found.synthetic:
        notice = Names(vi=say("synthetic.notice", "vi"), en=say("synthetic.notice", "en"))
    return Figures(
        synthetic=found.synthetic,
        notice=notice,
        version=RELEASE,
        first=found.first,
        last=found.last,
        confidence=query.confidence,
        structure=found.structure,
        change_days=found.change_days,
        sensitivity=query.sensitivity,
        rows=[row for rates in found.rates for row in _rows(rates, query)],
    )


def _rows(rates: Rates, query: Query) -> list[Row]:
    figures = zip(
        numbers(rates.ratio.estimate),
        numbers(rates.low),
        numbers(rates.high),
        numbers(rates.ratio.standard_error),
        rates.sums["n"].tolist(),
        rates.sums["m"].tolist(),
        numbers(rates.ratio.design_effect),
        numbers(rates.day_effect),
        numbers(rates.mean.estimate),
        numbers(rates.mean.low),
        numbers(rates.mean.high),
        _wholly(rates),
        rates.method.tolist(),
        rates.hidden.tolist(),
        strict=True,
    )
    return [
        Row(
            **_keys(rates, i),
            scope="with_descendants" if query.descendants else "own",
            questionnaire=rates.questionnaire,
            rate=rate,
            low=low,
            high=high,
            standard_error=error,
            respondents=None if hidden else whole_number(n),
            answers=None if hidden else whole_number(m),
            suppressed=hidden,
            design_effect=design_effect,
            day_effect=day_effect,
            mean_score=mean,
            mean_score_low=mean_low,
            mean_score_high=mean_high,
            wholly_satisfied=wholly,
            method=method,
        )
        for i, (
            rate, low, high, error, n, m, design_effect, day_effect, mean, mean_low, mean_high,
            wholly, method, hidden,
        ) in enumerate(figures)
    ]  # fmt: skip


def _keys(rates: Rates, i: int) -> Keys:
    """What a row was grouped by."""
    keys: Keys = {}
    unit, measure = rates.unit[i], rates.measure[i]
    channel, period = rates.channel[i], rates.period[i]
    if unit is not None:
        keys["unit"] = unit_result(unit)
    if measure.factor is not None:
        keys["factor"] = measure.factor
    if measure.item is not None:
        keys["item"] = measure.item
    if channel is not None:
        keys["channel"] = channel
    if period is not None:
        keys["period"] = period
    return keys


def _wholly(rates: Rates) -> list[WhollySatisfied | None]:
    """Who was satisfied with everything; of one item that is the rate itself."""
    figures = zip(
        rates.measure,
        numbers(rates.wholly.estimate),
        numbers(rates.wholly.low),
        numbers(rates.wholly.high),
        strict=True,
    )
    return [
        None if measure.item is not None else WhollySatisfied(rate=rate, low=low, high=high)
        for measure, rate, low, high in figures
    ]
