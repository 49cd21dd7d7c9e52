"""Units over time: trends with control limits, and alerts where something changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import alerts as scanning
from analysis import clustered, comparison, trends
from app.figures import control_limits as limits
from app.figures import periods
from app.figures.context import (
    Context,
    TooFewUnits,
    TooManyUnits,
    columns,
    number,
    unit_out,
)
from app.figures.control_limits import Judging
from app.figures.limit_decisions import in_force
from app.figures.periods import Step
from app.figures.query import Key
from app.figures.rate_arrays import PARTS, Floats
from app.figures.release import MonthsOnly
from app.figures.results import Provenance
from app.figures.summing import TooManyRows
from app.registry.queries import UnitNode

#: Units whose course one answer gives.
MOST_COURSES = 200
#: Periods of one course: five years of weeks. What is compared grows by their square.
MOST_PERIODS = 260
#: With fewer respondents a single period is not judged by itself.
LEAST_JUDGED = 10
#: How courses are judged where nothing is said.
_USUAL = Judging()
#: Years from which on a trend is tested by season.
_YEARS_BY_SEASON = 3
_A_YEAR = {Step.WEEK: 52, Step.MONTH: 12, Step.QUARTER: 4}


@dataclass(frozen=True)
class Grid:
    """Sums of units by period: arrays of shape (units, periods)."""

    units: list[UnitNode | None]
    periods: list[str]
    sums: dict[str, Floats]
    estimate: Floats
    low: Floats
    high: Floats
    effective: Floats
    hidden: NDArray[np.bool_]
    #: What a respondent's answers have in common, as learnt from all units over the whole course.
    correlation: float


def _grid(
    context: Context, step: Step, *, gated: bool, together: bool = False
) -> tuple[Grid, Provenance]:
    keys = (Key(step.value),) if together else (Key.UNIT, Key(step.value))
    try:
        rates, answer = context.rates(*keys, gated=gated)
    except MonthsOnly as refused:
        raise MonthsOnly(field="step" if refused.field == "by" else refused.field) from None
    units = list(dict.fromkeys(rates.unit))
    labels = [str(label) for label in dict.fromkeys(rates.period)]
    shape = (len(units), len(labels))
    if 0 in shape:
        raise TooFewUnits(units=0, needed=1)
    if len(labels) > MOST_PERIODS:
        raise TooManyRows(count=len(labels), limit=MOST_PERIODS, field="from")
    sums = {name: np.nan_to_num(values).reshape(shape) for name, values in rates.sums.items()}
    n = sums["n"]
    correlation = context.correlation()
    effective = clustered.common_effective_n(
        *(sums[name] for name in PARTS), correlation=correlation
    )
    return (
        Grid(
            units,
            labels,
            sums,
            rates.ratio.estimate.reshape(shape),
            np.where(n > 0, rates.low.reshape(shape), np.nan),
            np.where(n > 0, rates.high.reshape(shape), np.nan),
            effective,
            rates.hidden.reshape(shape),
            correlation,
        ),
        answer,
    )


def trend(
    context: Context, *, step: Step, together: bool = False, judging: Judging = _USUAL
) -> dict[str, Any]:
    """The course of each unit: rates with intervals, control limits, rules that fired, slopes.

    ``together`` gives one row for all that is asked about. All of it is computed from the periods
    that are shown, as if there had been no others; limits that somebody decided to rest on earlier
    ones from these, too, as they are shown to who asks.
    """
    grid, answer = _grid(context, step, gated=True, together=together)
    if len(grid.units) > MOST_COURSES:
        raise TooManyUnits(units=len(grid.units), limit=MOST_COURSES, field="unit")
    n_eff = grid.effective
    judged = _judged(context, grid, step, together, judging)
    season = _season(grid.periods, step)
    monotone = trends.mann_kendall(grid.estimate, season=season)
    slope = trends.theil_sen(grid.estimate, confidence=context.query.confidence)
    linear = trends.cochran_armitage(
        np.nan_to_num(grid.estimate) * n_eff, n_eff, between_periods=True
    )
    rows = []
    for i, (unit, found) in enumerate(zip(grid.units, judged, strict=True)):
        people = np.where(grid.hidden[i], np.nan, grid.sums["n"][i])
        points = columns(
            {
                "period": np.array(grid.periods),
                "rate": grid.estimate[i],
                "low": grid.low[i],
                "high": grid.high[i],
                "respondents": people,
                "suppressed": grid.hidden[i],
                "centre": found.centre,
                "limit_low": found.low,
                "limit_high": found.high,
                "z": found.z,
                "ewma": found.ewma,
                "ewma_limit": found.ewma_limit,
            }
        )
        for t, point in enumerate(points):
            point["signals"] = [name for name, at in found.signals.items() if at[t]]
        about = limits.told(found, grid.periods, judging)
        current = about["segments"][-1] if about["segments"] else {}
        rows.append(
            {
                "unit": unit_out(unit),
                "centre": current.get("centre"),
                "trend": _tests(monotone, i),
                "linear": _tests(linear, i),
                "slope": {
                    "a_period": number(slope.slope[i]),
                    "low": number(slope.low[i]),
                    "high": number(slope.high[i]),
                },
                "limits": about,
                "points": points,
            }
        )
    return dict(answer) | {
        "method": f"clustered rates; {judged[0].method} on effective answers; "
        f"{monotone.method}, Theil–Sen, {linear.method}",
        "step": step.value,
        "units": len(grid.units),
        "respondents": int(grid.sums["n"].sum()),
        "rows": rows,
    }


def _judged(
    context: Context, grid: Grid, step: Step, together: bool, judging: Judging
) -> list[limits.Judged]:
    """Each row against its limits; periods before the grid's are read where a decision wants them.

    Of the periods in the grid nothing is taken but what it shows.
    """
    ids = {unit.id for unit in grid.units if unit is not None}
    decided = (
        {} if together else in_force(context.session, context.caller, ids, context.query, step)
    )
    decisions = [decided.get(unit.id, ()) if unit else () for unit in grid.units]
    rate, n_eff, labels = grid.estimate, grid.effective, grid.periods
    first = min((each.first for row in decisions for each in row), default=None)
    before = 0
    if first is not None and first < periods.first_day(labels[0], step):
        query = replace(context.query, first=first)
        earlier, _ = _grid(replace(context, query=query), step, gated=True)
        before = earlier.periods.index(labels[0])
        place = [earlier.units.index(unit) for unit in grid.units]
        rate = np.hstack([earlier.estimate[place, :before], rate])
        n_eff = np.hstack([earlier.effective[place, :before], n_eff])
        labels = [*earlier.periods[:before], *labels]
    return limits.judge(rate, n_eff, decisions, labels, step, judging, before)


def _tests(found: trends.Trend, i: int) -> dict[str, Any]:
    return {
        "statistic": number(found.statistic[i]),
        "p": number(found.p[i]),
        "method": found.method,
    }


def _season(labels: list[str], step: Step) -> NDArray[np.str_] | None:
    """The month or quarter of each period, once there are three years of them.

    By two years each season has a single pair: at 24 months the test of seasons sees a trend in 52
    of 100 where the plain one sees it in 81.
    """
    if step not in (Step.MONTH, Step.QUARTER) or len(labels) < _YEARS_BY_SEASON * _A_YEAR[step]:
        return None
    return np.array([label[5:] for label in labels])


def alerts(
    context: Context,
    *,
    step: Step,
    q: float,
    looks: int | None = None,
    telling: Context | None = None,
) -> dict[str, Any]:
    """Units whose level shifted, or whose last period stands out, with false alarms held down.

    ``looks`` is how often one looks in a year; once a period if left out.
    Where not all units that are looked at are told of, ``telling`` is the question about those
    that are, by whoever is told; what all moved together is then not told.
    """
    # The scan looks at every period; what a row then tells of its two sides is asked for anew.
    grid, answer = _grid(context, step, gated=False)
    kept = context.lowest(grid.units)
    units = [unit for unit, each in zip(grid.units, kept, strict=True) if each and unit]
    open_ = context.gate.everywhere or all(unit.id in context.gate.exempt for unit in units)
    n_eff, rate = grid.effective[kept], grid.estimate[kept]
    if not open_:
        # Units whose figures are not shown teach nothing: what all share would tell of them.
        # A unit that is told of itself is judged, though others' sake hides it from them.
        own = telling.query.units if telling is not None else ()
        hidden = context.rates(Key.UNIT)[0].hidden[kept] & [unit.code not in own for unit in units]
        n_eff = np.where(hidden[:, None], 0.0, n_eff)
    sums = {name: values[kept] for name, values in grid.sums.items()}
    a_year = _A_YEAR[step]
    found = scanning.scan(
        rate,
        n_eff,
        a_year=a_year,
        looks=looks,
        q=q,
        respondents=sums["n"],
        least_respondents=LEAST_JUDGED,
    )
    sides = _Sides(telling or context, step, grid.periods)
    rows = []
    for name, rule in found.rules.items():
        for i in np.flatnonzero(rule.fired):
            since = max(int(rule.since[i]), 1)
            before, after = (
                {key: values[i, part].sum() for key, values in sums.items()}
                for part in (slice(0, since), slice(since, None))
            )
            if telling is not None and units[i].code not in telling.query.units:
                continue
            if not sides.are_shown(units[i], since):
                continue
            change = _change(before, after, grid.correlation, context.query.confidence)
            rows.append(
                {
                    "unit": unit_out(units[i]),
                    "rule": name,
                    "since": grid.periods[since],
                    **change,
                    "against_others": _against_others(change["change"], float(rule.change[i])),
                    "p": _p(rule.p[i], open_),
                    "adjusted_p": _p(rule.adjusted_p[i], open_),
                }
            )
    rows.sort(key=lambda row: (row["adjusted_p"] is None, row["adjusted_p"], row["rule"]))
    return dict(answer) | {
        "method": "working responses of effective answers against what all units share, a yearly "
        "wave of each unit and AR(1) noise learnt from all; level shift (Worsley 1982) and last "
        "period, Benjamini–Hochberg over units and both rules, Bonferroni over a year's looks",
        "step": step.value,
        "units": int((sums["n"].sum(axis=1) > 0).sum()),
        "respondents": int(sums["n"].sum()),
        "false_discovery_rate": q,
        "looks_a_year": looks or a_year,
        "common_movement_removed": found.together is not None,
        "together": _together(found, grid.periods, open_) if telling is None else None,
        "noise": _noise(found, open_),
        "rules": [
            # Together they have q, and share it about evenly.
            {"rule": name, "expected_false_a_year": q / len(found.rules)}
            for name in found.rules
        ],
        "rows": rows,
    }


def _p(value: float, open_: bool) -> float | None:
    """A p-value; to two digits for who may not see small figures.

    It rests on every month of a unit, also on those that are hidden for their few respondents: by
    all its digits one could try what these had said.
    """
    return number(value if open_ else float(f"{value:.1e}"))


def _together(found: scanning.Scan, labels: list[str], open_: bool) -> dict[str, Any] | None:
    """What all units did together, told of the one in the middle; None of few units."""
    moved = found.together
    if moved is None:
        return None
    told: dict[str, Any] = {
        "moved": found.together_fired,
        "since": labels[moved.since] if moved.since >= 0 else None,
        "change": number(moved.change),
        "p": _p(moved.p, open_),
        "season_allowed": found.season_allowed,
    }
    # A unit without answers has no level: it would stand at one half.
    known = np.isfinite(found.courses.variance).any(axis=1)
    begin = (
        np.median(found.courses.level[known]) + found.courses.common[: max(moved.since, 1)].mean()
    )
    reach = comparison.normal_quantile(0.975) * moved.error
    for name, logit in (
        ("before", begin),
        ("after", begin + moved.change),
        ("after_low", begin + moved.change - reach),
        ("after_high", begin + moved.change + reach),
    ):
        told[name] = number(float(1 / (1 + np.exp(-logit))))
    return told


def _noise(found: scanning.Scan, open_: bool) -> dict[str, Any]:
    """How much a unit's periods vary besides chance, as it was learnt.

    Who may not see what few respondents said is told it of many units only, and rounded: one
    unit's months of few respondents would follow from it.
    """
    told = open_ or found.noise_learnt
    return {
        "learnt": found.noise_learnt,
        "season_allowed": found.season_allowed,
        **{
            name + limit: number(value if open_ else round(value, 2)) if told else None
            for name in ("deviation", "correlation")
            for limit, value in zip(("", "_low", "_high"), getattr(found.noise, name), strict=True)
        },
    }


def _against_others(own: dict[str, Any], visible: float) -> bool:
    """Whether a unit's own rate does not surely move to the side that its alert saw."""
    limit = own["low"] if visible > 0 else own["high"]
    return limit is None or limit * np.sign(visible) <= 0


class _Sides:
    """Which units' answers before and since a period may be shown to who asks."""

    def __init__(self, context: Context, step: Step, labels: list[str]) -> None:
        self._asked, self._step, self._labels = context, step, labels
        self._shown: dict[int, set[int]] = {}

    def are_shown(self, unit: UnitNode, since: int) -> bool:
        """Whether both sides of a unit are, each being asked for as a period of its own."""
        if self._asked.gate.everywhere:
            return True
        if since not in self._shown:
            first_day = periods.first_day(self._labels[since], self._step)
            day_before = first_day - timedelta(days=1)
            sides = [
                self._asked.rates(Key.UNIT, last=day_before)[0],
                self._asked.rates(Key.UNIT, first=first_day)[0],
            ]
            self._shown[since] = {
                node.id
                for node, *hidden in zip(sides[0].unit, *(s.hidden for s in sides), strict=True)
                if node is not None and not any(hidden)
            }
        return unit.id in self._shown[since]


def _change(
    before: dict[str, Any], after: dict[str, Any], correlation: float, confidence: float
) -> dict[str, Any]:
    sides = [
        clustered.ratio(
            *(side[name] for name in PARTS), correlation=correlation, confidence=confidence
        )
        for side in (before, after)
    ]
    # Only the interval is used: that the rule fired is what stands in ``p``.
    found = comparison.change(
        sides[0].estimate,
        sides[0].interval_n,
        sides[1].estimate,
        sides[1].interval_n,
        people=(sides[0].people, sides[1].people),
        confidence=confidence,
    )
    return {
        "before": number(float(sides[0].estimate)),
        "after": number(float(sides[1].estimate)),
        "respondents_before": int(before["n"]),
        "respondents_after": int(after["n"]),
        "change": {
            "estimate": number(float(found.estimate)),
            "low": number(float(found.low)),
            "high": number(float(found.high)),
        },
    }
