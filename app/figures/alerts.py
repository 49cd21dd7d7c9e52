"""Alerts: units that changed, with false alarms held down over units, rules and looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from analysis import alerts as scanning
from analysis import clustered, comparison
from app.figures import periods
from app.figures.change_results import FixedMix
from app.figures.context import Context, number
from app.figures.fixed_mix import fixed_mix
from app.figures.periods import Step
from app.figures.query import Expand, Key
from app.figures.rate_arrays import PARTS
from app.figures.regrouping import whole_number
from app.figures.reorganised import begins_anew, days_anew, reorganised
from app.figures.results import unit_result
from app.figures.statistic_results import Limits
from app.figures.trend_results import (
    AlertRow,
    AlertRule,
    AlertRuleName,
    Alerts,
    CommonMovement,
    PeriodNoise,
)
from app.figures.trends import A_YEAR, Grid, read_grid

#: With fewer respondents a single period is not judged by itself.
LEAST_JUDGED = 10
_METHOD = (
    "working responses of effective answers against what all units share, a yearly wave of each "
    "unit and AR(1) noise learnt from all; level shift (Worsley 1982) and last period, "
    "Benjamini–Hochberg over units and both rules, Bonferroni over a year's looks"
)


def alerts(
    context: Context,
    *,
    step: Step,
    q: float,
    looks: int | None = None,
    shown_to: Context | None = None,
) -> Alerts:
    """Units whose level shifted, or whose last period stands out, with false alarms held down.

    ``looks`` is how often one looks in a year; once a period if left out.
    Where not all units that are looked at are shown, ``shown_to`` is the question about those
    that are, by whoever asks; what all moved together is then not given.
    """
    # Periods that the caller may not see have nobody: no p-value rests on what they hide.
    grid, provenance = read_grid(context, step, gated=True)
    kept = context.lowest(grid.units)
    units = [unit for unit, each in zip(grid.units, kept, strict=True) if each and unit]
    own = set(shown_to.query.units) if shown_to is not None else {unit.code for unit in units}
    open_ = context.gate.everywhere or all(unit.id in context.gate.exempt for unit in units)
    least = 1 if open_ else context.least
    # Of a unit that changed itself only what came after is looked at: no shift is a merger.
    marks = reorganised(context, units, grid.periods, step)
    begins = [begins_anew(days_anew(marks.get(unit.id, [])), grid.periods, step) for unit in units]
    since_then = np.arange(len(grid.periods)) >= np.array(begins, dtype=int)[:, None]
    sums = {name: np.where(since_then, values[kept], 0.0) for name, values in grid.sums.items()}
    a_year = A_YEAR[step]
    found = scanning.scan(
        np.where(since_then, grid.estimate[kept], np.nan),
        np.where(since_then, np.nan_to_num(grid.effective[kept]), 0.0),
        a_year=a_year,
        looks=looks,
        q=q,
        respondents=sums["n"],
        least_respondents=LEAST_JUDGED,
    )
    rows = []
    for name, rule in found.rules.items():
        for i in np.flatnonzero(rule.fired).tolist():
            since = max(int(rule.since[i]), 1)
            before = {key: values[i, :since].sum() for key, values in sums.items()}
            after = {key: values[i, since:].sum() for key, values in sums.items()}
            if units[i].code not in own or min(before["n"], after["n"]) < least:
                continue
            first, second = (_ratio(side, grid, context) for side in (before, after))
            change = _change(first, second, context.query.confidence)
            rows.append(
                AlertRow(
                    unit=unit_result(units[i]),
                    rule=AlertRuleName(name),
                    since=grid.periods[since],
                    before=number(float(first.estimate)),
                    after=number(float(second.estimate)),
                    respondents_before=whole_number(float(before["n"])),
                    respondents_after=whole_number(float(after["n"])),
                    change=change,
                    p=number(rule.p[i]),
                    adjusted_p=number(rule.adjusted_p[i]),
                    against_others=_against_others(change, float(rule.change[i])),
                )
            )
    anew = {unit.code: days_anew(marks[unit.id])[-1:] for unit in units if unit.id in marks}
    rows = _with_mix(shown_to or context, step, rows, anew)
    rows.sort(key=lambda row: (row.adjusted_p is None, row.adjusted_p or 0.0, row.rule))
    return Alerts(
        **dict(provenance),
        method=_METHOD,
        step=step.value,
        units=int((sums["n"].sum(axis=1) > 0).sum()),
        respondents=whole_number(float(sums["n"].sum())),
        false_discovery_rate=q,
        looks_a_year=looks or a_year,
        common_movement_removed=found.together is not None,
        together=_together(found, grid.periods) if shown_to is None else None,
        noise=_noise(found, given=open_ or found.noise_learnt),
        # Together they have q, and share it about evenly.
        rules=[
            AlertRule(rule=AlertRuleName(name), expected_false_a_year=q / len(found.rules))
            for name in found.rules
        ],
        rows=rows,
    )


def _with_mix(
    context: Context, step: Step, rows: list[AlertRow], anew: Mapping[str, tuple[date, ...]]
) -> list[AlertRow]:
    """Alerts with the change that is no mix: of units below, or of channels.

    ``anew`` has the day from which on a unit is looked at, by its code, where it changed itself.

    Without it for who may not see small figures: the sides of an alert are no calendar periods.
    """
    if not context.gate.everywhere:
        return rows
    found: dict[tuple[str, str], FixedMix | None] = {}
    for since, begins in sorted({(row.since, anew.get(row.unit.code, ())) for row in rows}):
        first_day = periods.first_day(since, step)
        day_before = first_day - timedelta(days=1)
        codes = {
            row.unit.code
            for row in rows
            if (row.since, anew.get(row.unit.code, ())) == (since, begins)
        }
        query = replace(context.query, units=sorted(codes), kinds=(), expand=Expand.GIVEN)
        if begins:
            query = replace(query, first=max(begins[0], query.first or begins[0]))
        now_context = replace(context, query=replace(query, first=first_day))
        now, _ = now_context.rates(Key.UNIT)
        other, _ = replace(context, query=query).rates(Key.UNIT, last=day_before)
        held = fixed_mix(now_context, now, other, query.first, day_before)
        for unit, each in zip(now.unit, held, strict=True):
            if unit is not None:
                found[since, unit.code] = each
    return [
        row.model_copy(update={"fixed_mix": found.get((row.since, row.unit.code))}) for row in rows
    ]


def _together(found: scanning.Scan, labels: list[str]) -> CommonMovement | None:
    """What all units did together, said of the one in the middle; None of few units."""
    moved = found.together
    if moved is None:
        return None
    # A unit without answers has no level: it would stand at one half.
    known = np.isfinite(found.courses.variance).any(axis=1)
    level = float(np.median(found.courses.level[known]))
    begin = level + float(found.courses.common[: max(moved.since, 1)].mean())
    reach = comparison.normal_quantile(0.975) * moved.error
    return CommonMovement(
        moved=found.together_fired,
        since=labels[moved.since] if moved.since >= 0 else None,
        change=number(moved.change),
        before=_rate(begin),
        after=_rate(begin + moved.change),
        after_low=_rate(begin + moved.change - reach),
        after_high=_rate(begin + moved.change + reach),
        p=number(moved.p),
        season_allowed=found.season_allowed,
    )


def _rate(logit: float) -> float | None:
    return number(float(1 / (1 + np.exp(-logit))))


def _noise(found: scanning.Scan, *, given: bool) -> PeriodNoise:
    """How much a unit's periods vary besides chance, as it was learnt, where it is ``given``."""
    deviation, correlation = (
        values if given else (np.nan,) * 3
        for values in (found.noise.deviation, found.noise.correlation)
    )
    return PeriodNoise(
        learnt=found.noise_learnt,
        season_allowed=found.season_allowed,
        deviation=number(deviation[0]),
        deviation_low=number(deviation[1]),
        deviation_high=number(deviation[2]),
        correlation=number(correlation[0]),
        correlation_low=number(correlation[1]),
        correlation_high=number(correlation[2]),
    )


def _against_others(own: Limits, change: float) -> bool:
    """Whether a unit's own rate does not surely move to the side that its alert saw."""
    limit = own.low if change > 0 else own.high
    return limit is None or bool(limit * np.sign(change) <= 0)


def _ratio(side: dict[str, float], grid: Grid, context: Context) -> clustered.RatioEstimate:
    return clustered.ratio(
        *(side[name] for name in PARTS),
        correlation=grid.correlation,
        confidence=context.query.confidence,
    )


def _change(
    first: clustered.RatioEstimate, second: clustered.RatioEstimate, confidence: float
) -> Limits:
    # Only the interval is used: that the rule fired is what stands in ``p``.
    found = comparison.change(
        first.estimate,
        first.interval_n,
        second.estimate,
        second.interval_n,
        people=(first.people, second.people),
        confidence=confidence,
    )
    return Limits(
        estimate=number(float(found.estimate)),
        low=number(float(found.low)),
        high=number(float(found.high)),
    )
