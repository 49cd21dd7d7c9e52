"""Units beside one another: ranks with their sets, changes, courses in small, positions."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from app.figures import comparisons, periods
from app.figures.comparisons import With
from app.figures.context import TooFewUnits, TooManyUnits, number, unit_out
from app.figures.query import Key
from app.registry.queries import positions
from app.reports.views.context import ViewContext, figure, position

#: Periods in a course drawn small.
_PERIODS = 8


def units(context: ViewContext, *, best: int = 10) -> dict[str, Any]:
    """The units of a level with rate, ranks, change and course; and how many of each standing."""
    rows, heterogeneity = _ranked(context, best)
    changes = {row["unit"]["code"]: row for row in _changes(context)}
    trends, labels = _trends(context)
    ids = {node.code: id for id, node in context.figures.units.nodes.items()}
    # Nobody waits for answers about a ward to a questionnaire that it does not use.
    rows = [
        row
        for row in rows
        if row["respondents"] != 0 or ids[row["unit"]["code"]] in context.reached
    ]
    where = positions(context.figures.session, {ids[row["unit"]["code"]] for row in rows})
    for row in rows:
        code = row["unit"]["code"]
        changed = changes.get(code)
        row["position"] = position(row, context.settings.target_rate)
        row["change"] = changed["change"] if changed else None
        row["before"] = changed["other"] if changed else None
        row["trend"] = trends.get(code, [])
        row["latitude"], row["longitude"] = where.get(ids[code], (None, None))
    standings = [row["position"] for row in rows]
    return context.head() | {
        "best": best,
        "heterogeneity": heterogeneity,
        "trend_periods": labels,
        "units": sum(row["rate"] is not None for row in rows),
        "respondents": sum(row["respondents"] or 0 for row in rows),
        "above": standings.count("above"),
        "below": standings.count("below"),
        "not_distinguishable": standings.count("not_distinguishable"),
        "suppressed": sum(row["suppressed"] for row in rows),
        "silent": sum(row["respondents"] == 0 for row in rows),
        "fell": _told(rows, "fell"),
        "rose": _told(rows, "rose"),
        "ranked": sum(row["rank"] is not None for row in rows),
        "ranked_from": context.figures.least,
        "method": "ranks with confidence sets (Mogstad, Romano, Shaikh, Wilhelm 2024); changes "
        "by the score interval, Benjamini–Hochberg over the units",
        "rows": rows,
    }


def _ranked(context: ViewContext, best: int) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The units' rows; without ranks where there are too few, or too many, to rank."""
    try:
        answer = comparisons.ranking(context.compared, best=best, least=context.figures.least)
        ranking = answer.model_dump()
        return ranking["rows"], ranking["heterogeneity"]
    except (TooFewUnits, TooManyUnits):
        rates, _ = context.compared.rates(Key.UNIT)
    without = dict.fromkeys(
        ("rank", "rank_low", "rank_high", "rank_low_simultaneous", "rank_high_simultaneous",
         "shrunk_rate", "shrunk_low", "shrunk_high")
    )  # fmt: skip
    rows = [
        {"unit": unit_out(unit), **figure(rates, i), **without, "may_be_best": False}
        for i, unit in enumerate(rates.unit)
    ]
    rows.sort(key=lambda row: (row["rate"] is None, -(row["rate"] or 0)))
    return rows, None


def _changes(context: ViewContext) -> list[dict[str, Any]]:
    try:
        found = comparisons.compare(context.compared, with_=With.PREVIOUS, q=0.05)
    except TooFewUnits:
        return []
    rows: list[dict[str, Any]] = found.model_dump()["rows"]
    return rows


def _told(rows: list[dict[str, Any]], which: str) -> list[dict[str, Any]]:
    """The units whose rate fell or rose by more than chance, the largest change first."""
    sign = -1 if which == "fell" else 1
    found = [
        row
        for row in rows
        if row["change"] and row["change"]["discovery"] and sign * row["change"]["estimate"] > 0
    ]
    found.sort(key=lambda row: -abs(row["change"]["estimate"]))
    return [{"unit": row["unit"], **row["change"]} for row in found]


def _trends(context: ViewContext) -> tuple[dict[str, list[float | None]], list[str]]:
    """Each unit's rate in the last periods, and the names of these."""
    step = context.span.step
    rates, _ = context.compared.rates(
        Key.UNIT, Key(step.value), first=_back(context, _PERIODS), last=context.span.last
    )
    labels = [str(label) for label in dict.fromkeys(rates.period)]
    if not labels:
        return {}, []
    codes = [unit.code for unit in dict.fromkeys(rates.unit) if unit is not None]
    table = rates.ratio.estimate.reshape(len(codes), len(labels))
    return {
        code: [number(rate) for rate in row] for code, row in zip(codes, table, strict=True)
    }, labels


def _back(context: ViewContext, count: int) -> date:
    """The first day of the period that is the ``count``-th from the end."""
    step = context.span.step
    last = periods.ordinals(np.array([context.span.last], dtype="datetime64[D]"), step)[0]
    first = periods.first_day(periods.label(int(last) - count + 1, step), step)
    return max(first, context.known[0])
