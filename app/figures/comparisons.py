"""Units against one another, against a target, and against themselves before."""

from __future__ import annotations

from calendar import isleap
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import comparison, funnels, ranks, shrinkage
from analysis.mixtures import Spread
from app.figures import periods
from app.figures.context import (
    Context,
    TooFewUnits,
    TooManyUnits,
    columns,
    effective,
    number,
    standard_error,
    unit_out,
)
from app.figures.intervals import intervals
from app.figures.query import Expand, Key
from app.figures.rate_arrays import Floats, Rates
from app.figures.results import Provenance

#: The same seed, and so the same simulated critical values, for everybody who asks.
SEED = 2020
#: All communes that the country ever had, with room: some seconds, and rows of some megabytes.
MOST_RANKED = 12_000


class With(StrEnum):
    """What a unit's rate is compared with."""

    PREVIOUS = "previous"
    YEAR_BEFORE = "year-before"
    PARENT = "parent"
    PEERS = "peers"


def ranking(context: Context, *, best: int, least: int = 1) -> dict[str, Any]:
    """Units by rate, with the ranks that each may truly have.

    Units with fewer than ``least`` respondents are not ranked.
    """
    rates, answer, fit = _comparable(context, least)
    if fit.sum() > MOST_RANKED:
        raise TooManyUnits(units=int(fit.sum()), limit=MOST_RANKED, field="unit")
    value = np.where(fit, rates.ratio.estimate, np.nan)
    n = np.where(fit, effective(rates)[0], 0.0)
    shrunk = shrinkage.beta_binomial(
        np.nan_to_num(value) * n, n, confidence=context.query.confidence
    )
    se = np.where(fit, standard_error(rates, shrunk.estimate, n, context.query.confidence), np.nan)
    single, together = (
        ranks.confidence_sets(
            value, se, confidence=context.query.confidence, simultaneous=simultaneous, seed=SEED
        )
        for simultaneous in (False, True)
    )
    units_differ = comparison.heterogeneity_of_estimates(value, se)
    rows = _rows(
        rates,
        {
            "rank": single.rank,
            "rank_low": single.low,
            "rank_high": single.high,
            "rank_low_simultaneous": together.low,
            "rank_high_simultaneous": together.high,
            "may_be_best": together.may_be_best(best),
            "shrunk_rate": np.where(fit, shrunk.estimate, np.nan),
            "shrunk_low": np.where(fit, shrunk.low, np.nan),
            "shrunk_high": np.where(fit, shrunk.high, np.nan),
        },
    )
    for row in rows:
        if row["rank"] == 0:
            row.update(dict.fromkeys([key for key in row if key.startswith("rank")]))
    return dict(answer) | {
        "method": "ranks by clustered rate; confidence sets of Mogstad, Romano, Shaikh, Wilhelm "
        f"(2024), seed {SEED}; beta-binomial shrinkage",
        "units": int(fit.sum()),
        "respondents": _people(rates, fit),
        "best": best,
        "heterogeneity": {
            "statistic": number(units_differ.statistic),
            "degrees_of_freedom": units_differ.degrees_of_freedom,
            "p": number(units_differ.p),
            "i_squared": number(units_differ.i_squared),
        },
        "rows": sorted(rows, key=lambda row: (row["rank"] is None, row["rank"] or 0)),
    }


def funnel(
    context: Context, *, target: float | None, overdispersion: bool, q: float
) -> dict[str, Any]:
    """Units against control limits that are wider the fewer answered."""
    rates, answer, fit = _comparable(context)
    n = np.where(fit, effective(rates)[0], 0.0)
    k = np.where(fit, np.nan_to_num(rates.ratio.estimate) * n, 0.0)
    found = funnels.funnel(k, n, target=target, overdispersion=overdispersion)
    adjusted = comparison.discoveries(found.p, q)
    sizes = np.unique(np.geomspace(max(1.0, n[fit].min()), n.max(), 40).round()).astype(float)
    middle = "middle of the units" if overdispersion else "pooled rate"
    return dict(answer) | {
        "method": f"funnel plot (Spiegelhalter 2005), {found.model}, each unit against "
        f"{'the others' if target is None else 'the target'}, effective answers",
        "units": int(fit.sum()),
        "respondents": _people(rates, fit),
        "target": found.target,
        "target_is": "given" if target is not None else middle,
        "model": found.model,
        "tau": found.tau,
        "tau_low": found.tau_low,
        "tau_high": found.tau_high,
        "false_discovery_rate": q,
        "curve": columns({"effective_answers": sizes} | _limits(sizes, found.newcomer)),
        "rows": _rows(
            rates,
            {
                "effective_answers": np.where(fit, n, np.nan),
                "z": found.z,
                "p": found.p,
                "adjusted_p": adjusted.adjusted_p,
                "discovery": adjusted.rejected,
                "position": found.position,
                **_limits(n, found.expected),
            },
        ),
    }


def _limits(sizes: Floats, expected: Spread) -> dict[str, Floats]:
    found = vars(funnels.limits(sizes, expected))
    return {name: found[name] for name in ("low_95", "high_95", "low_998", "high_998")}


def compare(context: Context, *, with_: With, q: float) -> dict[str, Any]:
    """Each unit's rate beside another one, with the difference and how sure it is."""
    rates, answer = context.rates(Key.UNIT)
    second = rates
    if with_ in (With.PREVIOUS, With.YEAR_BEFORE):
        if answer.first is None or answer.last is None:
            raise TooFewUnits(units=0, needed=1)
        # What nobody named is all that is known, which need not end with a month.
        begin = context.query.first or answer.first.replace(day=1)
        end = context.query.last or periods.end_of_month(answer.last)
        first_day, last_day = other_days(begin, end, with_)
        first, _ = context.rates(Key.UNIT, first=first_day, last=last_day)
        compared: dict[str, Any] = {"first": first_day, "last": last_day}
    else:
        first = _others(context, rates, with_)
        compared = {"first": answer.first, "last": answer.last}
    hidden = first.hidden | second.hidden
    with np.errstate(invalid="ignore"):
        fit = (first.sums["n"] > 0) & (second.sums["n"] > 0) & ~hidden
    found = difference(first, second, context.query.confidence)
    p = np.where(fit, found.p, np.nan)
    adjusted = comparison.discoveries(p, q)

    def shown(values: Floats) -> Floats:
        return np.where(fit, values, np.nan)

    rows = []
    for unit, suppressed, before, now, change in zip(
        rates.unit,
        hidden,
        columns(_side(first, fit)),
        columns(_side(second, fit)),
        columns(
            {
                "estimate": shown(found.estimate),
                "low": shown(found.low),
                "high": shown(found.high),
                "p": p,
                "adjusted_p": adjusted.adjusted_p,
                "discovery": adjusted.rejected,
            }
        ),
        strict=True,
    ):
        rows.append(
            {
                "unit": unit_out(unit),
                "suppressed": bool(suppressed),
                "other": before,
                "rate": now,
                "change": change,
            }
        )
    return dict(answer) | {
        "method": "difference of clustered rates, score interval (Mee 1984), Benjamini–Hochberg "
        "over the units",
        "with": with_.value,
        "other_period": compared,
        "false_discovery_rate": q,
        "units": int(fit.sum()),
        "respondents": _people(second, fit),
        "rows": rows,
    }


def difference(first: Rates, second: Rates, confidence: float = 0.95) -> comparison.Difference:
    """Of each row the second rate minus the first, with interval and p-value that agree.

    Both rest on as many answers and people as the sides' own intervals.
    """
    return comparison.change(
        first.ratio.estimate,
        first.ratio.interval_n,
        second.ratio.estimate,
        second.ratio.interval_n,
        people=(first.ratio.people, second.ratio.people),
        confidence=confidence,
    )


def other_days(first: date, last: date, with_: With) -> tuple[date, date]:
    """The period of the same length just before, or the same a year before.

    Raises
    ------
    PeriodInvalid
        Where the last day lies before the first, or the calendar has no such period.
    """
    periods.check(first, last)
    try:
        return _other_days(first, last, with_)
    except (ValueError, OverflowError):
        raise periods.none_before(first) from None


def _other_days(first: date, last: date, with_: With) -> tuple[date, date]:
    # Whole months are compared with as many months.
    whole = first.day == 1 and last == periods.end_of_month(last)
    if with_ is With.YEAR_BEFORE:
        leap = timedelta(int(whole and last.month == 2 and isleap(last.year - 1)))
        return _year_before(first), _year_before(last) + leap
    if whole:
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        ordinal = first.year * 12 + first.month - 1 - months
        return date(ordinal // 12, ordinal % 12 + 1, 1), first - timedelta(days=1)
    return first - (last - first) - timedelta(days=1), first - timedelta(days=1)


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)


def _others(context: Context, rates: Rates, with_: With) -> Rates:
    """For each unit the answers of the others under its parent, or of all others of its kind.

    The unit itself is left out of them: it would be compared with itself. So are those that the
    caller may not see: less the ones that are shown, they would follow from the sum.
    """
    groups = [
        (unit.parent_id if with_ is With.PARENT else unit.kind) if unit else None
        for unit in rates.unit
    ]
    everybody, _ = context.rates(Key.UNIT, units=(), kinds=(), expand=Expand.GIVEN)
    totals: dict[Any, dict[str, float]] = {}
    for i, unit in enumerate(everybody.unit):
        assert unit is not None
        key = unit.parent_id if with_ is With.PARENT else unit.kind
        into = totals.setdefault(key, dict.fromkeys(everybody.sums, 0.0))
        for name, values in everybody.sums.items():
            into[name] += float(np.nan_to_num(values[i]))
    rest = {
        name: np.array([totals[group][name] for group in groups]) - np.nan_to_num(values)
        for name, values in rates.sums.items()
    }
    rest = {name: np.maximum(values, 0.0) for name, values in rest.items()}
    # Their answers are of the same days, and as alike.
    ratio = intervals(rest, rates.correlation, context.query)
    return replace(
        rates, sums=rest, ratio=ratio, low=ratio.low, high=ratio.high, method=ratio.method
    )


def _side(rates: Rates, fit: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    return {
        "rate": np.where(fit, rates.ratio.estimate, np.nan),
        "low": np.where(fit, rates.low, np.nan),
        "high": np.where(fit, rates.high, np.nan),
        "respondents": np.where(fit, rates.sums["n"], np.nan),
    }


def _comparable(context: Context, least: int = 1) -> tuple[Rates, Provenance, NDArray[np.bool_]]:
    """The rates of units that may be compared, and which of them have a figure to show."""
    rates, answer = context.rates(Key.UNIT)
    kept = np.flatnonzero(context.lowest(rates.unit))
    rates = take(rates, kept)
    fit = (np.nan_to_num(rates.sums["n"]) >= least) & ~rates.hidden
    if fit.sum() < 2:
        raise TooFewUnits(units=int(fit.sum()), needed=2)
    return rates, answer, fit


def take(rates: Rates, kept: NDArray[np.intp]) -> Rates:
    """Some of the rows."""

    def part(thing: Any) -> Any:
        return replace(
            thing,
            **{
                name: value[kept]
                for name, value in vars(thing).items()
                if isinstance(value, np.ndarray)
            },
        )

    rows: Rates = part(rates)
    return replace(
        rows,
        unit=[rates.unit[i] for i in kept],
        measure=[rates.measure[i] for i in kept],
        channel=[rates.channel[i] for i in kept],
        period=[rates.period[i] for i in kept],
        sums={name: values[kept] for name, values in rates.sums.items()},
        ratio=part(rates.ratio),
        mean=part(rates.mean),
        wholly=part(rates.wholly),
    )


def _rows(rates: Rates, figures: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
    base: dict[str, NDArray[Any]] = {
        "rate": rates.ratio.estimate,
        "low": rates.low,
        "high": rates.high,
        "respondents": rates.sums["n"],
        "design_effect": rates.ratio.design_effect,
        "suppressed": rates.hidden,
    }
    rows = columns(base | figures)
    return [{"unit": unit_out(unit), **row} for unit, row in zip(rates.unit, rows, strict=True)]


def _people(rates: Rates, fit: NDArray[np.bool_]) -> int:
    return int(rates.sums["n"][fit].sum())
