"""Units beside one another: ranks with their sets, changes, trends in small, positions."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np

from app.figures import comparisons, families, periods
from app.figures.aside import find_aside
from app.figures.change_results import Change, CompareRow, FixedMixChange
from app.figures.comparison_days import With
from app.figures.context import TooFewUnits, TooManyUnits, numbers
from app.figures.doubts import Doubt, find_doubtful, suspected
from app.figures.families import of_everybody
from app.figures.query import Key
from app.figures.statistic_results import Heterogeneity, RankRow
from app.registry.queries import positions
from app.reports.views.context import ViewContext
from app.reports.views.results import Changed, Standing, UnitRow, Units
from app.reports.views.trend import limits_of_units

#: Periods in a trend drawn small.
_PERIODS = 8


#: No more than one in so many ranked units is looked for as one of the best: of six, not ten.
_ONE_IN = 3


def units(context: ViewContext, *, best: int = 10, judged: bool = True) -> Units:
    """The units of a kind with rate, ranks, change and trend; and how many of each standing.

    ``best`` is how many are looked for at most; of few units it is a third of them.
    ``judged``: whether each is held against its control limits, which takes most of the time.
    """
    ranked, heterogeneity = _ranked(context, best)
    count = sum(row.rank is not None for row in ranked)
    best = max(1, min(best, count // _ONE_IN))
    changes = {row.unit.code: row for row in _changes(context)}
    rates, _ = context.compared.rates(Key.UNIT)
    placed = {
        unit.code: each
        for unit, each in zip(rates.unit, context.judged_units(rates), strict=True)
        if unit is not None
    }
    doubtful = _doubtful(context)
    trends, labels = _trends(context)
    limits = limits_of_units(context) if judged else {}
    ids = {node.code: id for id, node in context.figures.units.nodes.items()}
    # Nobody waits for answers about a ward to a questionnaire that it does not use.
    ranked = [
        row
        for row in ranked
        if row.respondents != 0 or ids[row.unit.code] in context.reached | context.heard
    ]
    where = positions(context.figures.session, {ids[row.unit.code] for row in ranked})
    rows = []
    for row in ranked:
        code = row.unit.code
        changed = changes.get(code)
        change, held = _judged(context, changed, ids[code]) if changed else (None, None)
        latitude, longitude = where.get(ids[code], (None, None))
        doubts = doubtful.get(code, [])
        rows.append(
            UnitRow(
                **dict(row) | {"may_be_best": _may_be_best(row, best) and not doubts},
                **dict(placed[code]),
                doubts=doubts,
                waiting=row.respondents == 0 and ids[code] in context.heard,
                change=change,
                fixed_mix=held,
                before=changed.other if changed else None,
                trend=trends.get(code, []),
                latitude=latitude,
                longitude=longitude,
                variation=limits[code].variation if code in limits else None,
                assurance=limits[code].assurance if code in limits else None,
            )
        )
    standings = Counter(row.position for row in rows)
    return Units(
        **dict(context.head()),
        best=best,
        heterogeneity=heterogeneity,
        trend_periods=labels,
        units=sum(row.rate is not None for row in rows),
        respondents=sum(row.respondents or 0 for row in rows),
        above=standings["above"],
        below=standings["below"],
        not_distinguishable=standings["not_distinguishable"],
        suppressed=sum(row.suppressed for row in rows),
        silent=sum(row.respondents == 0 and not row.waiting for row in rows),
        waiting=sum(row.waiting for row in rows),
        compared=sum(row.change is not None and row.change.p is not None for row in rows),
        fell=_changed(rows, -1),
        rose=_changed(rows, 1),
        only_mix=[
            row.unit
            for row in rows
            if row.change and row.change.discovery and row.told and not row.told.discovery
        ],
        ranked=count,
        ranked_from=context.figures.least,
        method="ranks with simultaneous confidence sets (Mogstad, Romano, Shaikh, Wilhelm 2024); "
        f"against the target by {families.HOLM}; changes by the score interval, of units made of "
        "parts with their mix held fixed (Kitagawa 1955), Benjamini–Hochberg over all units of the "
        "kind",
        rows=rows,
        aside=find_aside(context.compared),
    )


def _may_be_best(row: RankRow, best: int) -> bool:
    """Whether a unit may be among the best, of all units at once."""
    return row.rank_low_simultaneous is not None and row.rank_low_simultaneous <= best


def _doubtful(context: ViewContext) -> dict[str, list[Doubt]]:
    """Units whose answers are to be looked at first, the same on every page."""
    whole = context.compared
    if context.span.calendar and context.kind is not None:
        whole = of_everybody(whole, context.kind)
    return find_doubtful(whole)


def standing(found: Units) -> Standing:
    """How many units lie where against the target."""
    return Standing(
        units=found.units,
        above=found.above,
        below=found.below,
        not_distinguishable=found.not_distinguishable,
        suppressed=found.suppressed,
        silent=found.silent,
        waiting=found.waiting,
        compared=found.compared,
    )


def _ranked(context: ViewContext, best: int) -> tuple[list[RankRow], Heterogeneity | None]:
    """The units' rows; without ranks where there are too few, or too many, to rank."""
    try:
        found = comparisons.ranking(context.compared, best=best, least=context.figures.least)
        return found.rows, found.heterogeneity
    except (TooFewUnits, TooManyUnits):
        rates, _ = context.compared.rates(Key.UNIT)
    rows = [
        RankRow(
            **dict(unit_rate),
            rank=None,
            rank_low=None,
            rank_high=None,
            rank_low_simultaneous=None,
            rank_high_simultaneous=None,
            may_be_best=False,
            shrunk_rate=None,
            shrunk_low=None,
            shrunk_high=None,
        )
        for unit_rate in comparisons.unit_rates(rates, suspected(context.compared))
    ]
    rows.sort(key=lambda row: (row.rate is None, -(row.rate or 0)))
    return rows, None


def _changes(context: ViewContext) -> list[CompareRow]:
    try:
        return comparisons.compare(context.compared, with_=With.PREVIOUS, q=0.05).rows
    except TooFewUnits:
        return []


def _judged(
    context: ViewContext, row: CompareRow, unit_id: int
) -> tuple[Change, FixedMixChange | None]:
    """A unit's change, and with its mix held fixed: what is told is judged with all of its kind.

    The pooled rate's change beside one with the mix held fixed is judged with the others' pooled.
    """
    held, kind = row.fixed_mix, row.unit.kind
    family = context.change_family(kind, crude=held is not None)
    change = families.changed(row.change, row.change.p, family, unit_id)
    if held is None:
        return change, None
    return change, families.held_fixed(held, context.change_family(kind), unit_id)


def _changed(rows: list[UnitRow], sign: int) -> list[Changed]:
    """The units whose rate fell or rose by more than chance, the largest change first."""
    found = [
        Changed(
            unit=row.unit,
            estimate=told.estimate,
            low=told.low,
            high=told.high,
            p=told.p,
            adjusted_p=told.adjusted_p,
            discovery=told.discovery,
            crude=row.change.estimate if row.change else None,
            mix=row.fixed_mix.mix if row.fixed_mix else None,
        )
        for row in rows
        if (told := row.told)
        and told.discovery
        and sign * (told.estimate or 0) > 0
        # What rose by answers that are no citizens' is nobody's success.
        and not (sign > 0 and row.suspected)
    ]
    return sorted(found, key=lambda row: -abs(row.estimate or 0))


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
    return {code: numbers(row) for code, row in zip(codes, table, strict=True)}, labels


def _back(context: ViewContext, count: int) -> date:
    """The first day of the period that is the ``count``-th from the end."""
    step = context.span.step
    last = periods.ordinals(np.array([context.span.last], dtype="datetime64[D]"), step)[0]
    first = periods.first_day(periods.label(int(last) - count + 1, step), step)
    # Before anybody answered there is that period alone.
    return max(first, min(context.known[0], context.span.first))
