"""Units over time: rates by period with control limits, and tests of trend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analysis import clustered, trends
from app.figures import control_limits, periods
from app.figures.action_notes import noted
from app.figures.context import Context, TooFewUnits, TooManyUnits, named, number, numbers
from app.figures.control_limits import Judging
from app.figures.lattice import CalendarPeriodsOnly
from app.figures.limit_decisions import InForce, earlier_decisions, in_force
from app.figures.periods import Step
from app.figures.query import Key
from app.figures.rate_arrays import PARTS, Floats
from app.figures.regrouping import whole_number
from app.figures.reorganised import begins_anew, days_anew, reorganised
from app.figures.results import Provenance, unit_result
from app.figures.summing import TooManyRows
from app.figures.trend_results import (
    NotedAction,
    Trend,
    TrendPoint,
    TrendRow,
    TrendSlope,
    TrendTest,
)
from app.registry.queries import UnitNode

#: Units whose trend one result gives.
MOST_UNITS = 200
#: Periods of one trend: five years of weeks. What is compared grows by their square.
MOST_PERIODS = 260
#: How trends are judged where nothing is said.
_USUAL = Judging()
#: Years from which on a trend is tested by season.
_YEARS_BY_SEASON = 3
A_YEAR = {Step.WEEK: 52, Step.MONTH: 12, Step.QUARTER: 4}


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
    #: What a respondent's answers have in common, as learnt from all units over all periods.
    correlation: float


def read_grid(
    context: Context, step: Step, *, gated: bool, together: bool = False
) -> tuple[Grid, Provenance]:
    """The sums and rates of units by period, and where they come from.

    Raises
    ------
    CalendarPeriodsOnly, TooFewUnits, TooManyRows
        Where parts of months are asked for by who may not see them, of nothing, or of too much.
    """
    keys = (Key(step.value),) if together else (Key.UNIT, Key(step.value))
    try:
        rates, provenance = context.rates(*keys, gated=gated)
    except CalendarPeriodsOnly as refused:
        raise CalendarPeriodsOnly(
            field="step" if refused.field == "by" else refused.field
        ) from None
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
        provenance,
    )


def trend(
    context: Context, *, step: Step, together: bool = False, judging: Judging = _USUAL
) -> Trend:
    """Each unit over time: rates with intervals, control limits, rules that fired, slopes.

    ``together`` gives one row for all that is asked about. All of it is computed from the periods
    that are shown, as if there had been no others; limits that somebody decided to rest on earlier
    ones from these, too, as they are shown to who asks.
    """
    grid, provenance = read_grid(context, step, gated=True, together=together)
    if len(grid.units) > MOST_UNITS:
        raise TooManyUnits(units=len(grid.units), limit=MOST_UNITS, field="unit")
    n_eff = grid.effective
    marks = {} if together else reorganised(context, grid.units, grid.periods, step)
    of_row = [marks.get(unit.id, []) if unit else [] for unit in grid.units]
    anew = [days_anew(each) for each in of_row]
    ids = {unit.id for unit in grid.units if unit is not None}
    decided = InForce({}, {}) if together else in_force(context, ids, step)
    judged = _judged(context, grid, step, decided, judging, anew)
    season = _season(grid.periods, step)
    begins = [begins_anew(days, grid.periods, step) for days in anew]
    since = np.arange(len(grid.periods)) >= np.array(begins)[:, None]
    rate, n_eff = np.where(since, grid.estimate, np.nan), np.where(since, n_eff, 0.0)
    monotone = trends.mann_kendall(rate, season=season)
    slope = trends.theil_sen(rate, confidence=context.query.confidence)
    linear = trends.cochran_armitage(np.nan_to_num(rate) * n_eff, n_eff, between_periods=True)
    actions = _noted(context, grid, step)
    targets = [judging.target(period, step) for period in grid.periods]
    rows = []
    for i, (unit, found) in enumerate(zip(grid.units, judged, strict=True)):
        limits = control_limits.described(found, grid.periods, step, judging)
        rows.append(
            TrendRow(
                unit=unit_result(unit) if unit else None,
                centre=limits.segments[-1].centre if limits.segments else None,
                trend=_test(monotone, i),
                linear=_test(linear, i),
                slope=TrendSlope(
                    a_period=number(slope.slope[i]),
                    low=number(slope.low[i]),
                    high=number(slope.high[i]),
                ),
                tested_from=grid.periods[min(begins[i], len(grid.periods) - 1)],
                reorganised=of_row[i],
                limits=limits,
                points=_points(grid, i, found, targets),
                action_notes=list(actions.get(unit.id, ())) if unit else [],
                earlier_decisions=earlier_decisions(
                    decided.earlier.get(unit.id, ()) if unit else (), step
                ),
            )
        )
    return Trend(
        **dict(provenance),
        method=named(
            f"clustered rates; {judged[0].method} on effective answers; "
            f"{monotone.method}, Theil–Sen, {linear.method}",
            context.query,
        ),
        step=step.value,
        units=len(grid.units),
        respondents=whole_number(float(grid.sums["n"].sum())),
        rows=rows,
    )


def _points(
    grid: Grid, i: int, judged: control_limits.Judged, targets: Sequence[float | None]
) -> list[TrendPoint]:
    figures = zip(
        grid.periods,
        numbers(grid.estimate[i]),
        numbers(grid.low[i]),
        numbers(grid.high[i]),
        grid.sums["n"][i].tolist(),
        grid.hidden[i].tolist(),
        numbers(judged.centre),
        numbers(judged.low),
        numbers(judged.high),
        numbers(judged.z),
        numbers(judged.ewma),
        numbers(judged.ewma_limit),
        targets,
        strict=True,
    )
    return [
        TrendPoint(
            period=period,
            rate=rate,
            low=low,
            high=high,
            respondents=None if suppressed else whole_number(n),
            suppressed=suppressed,
            centre=centre,
            limit_low=limit_low,
            limit_high=limit_high,
            z=z,
            ewma=ewma,
            ewma_limit=ewma_limit,
            target=target,
            variation=judged.variation(t) if rate is not None and centre is not None else None,
            signals=[rule for rule, at in judged.signals.items() if at[t]],
            part_of=[rule for rule, at in judged.parts.items() if at[t]],
        )
        for t, (
            period, rate, low, high, n, suppressed, centre, limit_low, limit_high, z, ewma,
            ewma_limit, target,
        ) in enumerate(figures)
    ]  # fmt: skip


def _judged(
    context: Context,
    grid: Grid,
    step: Step,
    decided: InForce,
    judging: Judging,
    anew: Sequence[tuple[date, ...]],
) -> list[control_limits.Judged]:
    """Each row against its limits; periods before the grid's are read where a decision wants them.

    Of the periods in the grid nothing is taken but what it shows.
    """
    decisions = [decided.own.get(unit.id, ()) if unit else () for unit in grid.units]
    rate, n_eff, labels = grid.estimate, grid.effective, grid.periods
    first = min((each.first for row in decisions for each in row), default=None)
    before = 0
    if first is not None and first < periods.first_day(labels[0], step):
        query = replace(context.query, first=first)
        earlier, _ = read_grid(replace(context, query=query), step, gated=True)
        before = earlier.periods.index(labels[0])
        place = [earlier.units.index(unit) for unit in grid.units]
        rate = np.hstack([earlier.estimate[place, :before], rate])
        n_eff = np.hstack([earlier.effective[place, :before], n_eff])
        labels = [*earlier.periods[:before], *labels]
    return control_limits.judge(rate, n_eff, decisions, labels, step, judging, before, anew)


def _noted(context: Context, grid: Grid, step: Step) -> Mapping[int, Sequence[NotedAction]]:
    """What was noted of the units in the periods of a grid."""
    first = periods.first_day(grid.periods[0], step)
    last = periods.last_day(grid.periods[-1], step)
    ids = {unit.id for unit in grid.units if unit is not None}
    return noted(context, ids, first, last) if ids else {}


def _test(found: trends.Trend, i: int) -> TrendTest:
    return TrendTest(
        statistic=number(found.statistic[i]), p=number(found.p[i]), method=found.method
    )


def _season(labels: list[str], step: Step) -> NDArray[np.str_] | None:
    """The month or quarter of each period, once there are three years of them.

    By two years each season has a single pair: at 24 months the test of seasons sees a trend in 52
    of 100 where the plain one sees it in 81.
    """
    if step not in (Step.MONTH, Step.QUARTER) or len(labels) < _YEARS_BY_SEASON * A_YEAR[step]:
        return None
    return np.array([label[5:] for label in labels])
