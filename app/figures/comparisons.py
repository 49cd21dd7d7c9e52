"""Units against one another, against a target, and against themselves before."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from analysis import clustered, comparison, funnels, ranks, shrinkage, standard_errors
from analysis.mixtures import Spread
from app.figures import periods
from app.figures.change_results import (
    Change,
    CompareRow,
    Comparison,
    FixedMix,
    FixedMixChange,
    OtherPeriod,
)
from app.figures.comparison_days import With, other_days
from app.figures.context import Context, TooFewUnits, TooManyUnits, named, number, numbers
from app.figures.doubts import suspected
from app.figures.fixed_mix import fixed_mix
from app.figures.peers import others_of
from app.figures.query import Key
from app.figures.rate_arrays import PARTS, Floats, Rates
from app.figures.regrouping import whole_number
from app.figures.results import People, Provenance, unit_result
from app.figures.statistic_results import (
    FunnelPoint,
    FunnelResult,
    FunnelRow,
    Heterogeneity,
    Ranking,
    RankRow,
    Side,
    UnitRate,
)
from app.registry.queries import UnitNode

#: The same seed, and so the same simulated critical values, for everybody who asks.
SEED = 2020
#: All communes that the country ever had, with room: some seconds, and rows of some megabytes.
MOST_RANKED = 12_000


def ranking(context: Context, *, best: int, least: int = 1) -> Ranking:
    """Units by rate, with the ranks that each may truly have.

    Units with fewer than ``least`` respondents are not ranked.
    """
    rates, provenance, fit = _comparable(context, least)
    if fit.sum() > MOST_RANKED:
        raise TooManyUnits(units=int(fit.sum()), limit=MOST_RANKED, field="unit")
    confidence = context.query.confidence
    value = np.where(fit, rates.ratio.estimate, np.nan)
    n = np.where(fit, effective_n(rates), 0.0)
    shrunk = shrinkage.beta_binomial(np.nan_to_num(value) * n, n, confidence=confidence)
    error = np.where(fit, _standard_error(rates, shrunk.estimate, n, confidence), np.nan)
    single, together = (
        ranks.confidence_sets(
            value, error, confidence=confidence, simultaneous=simultaneous, seed=SEED
        )
        for simultaneous in (False, True)
    )
    units_differ = comparison.heterogeneity_of_estimates(value, error)
    figures = zip(
        unit_rates(rates, suspected(context)),
        single.rank.tolist(),
        single.low.tolist(),
        single.high.tolist(),
        together.low.tolist(),
        together.high.tolist(),
        together.may_be_best(best).tolist(),
        numbers(np.where(fit, shrunk.estimate, np.nan)),
        numbers(np.where(fit, shrunk.low, np.nan)),
        numbers(np.where(fit, shrunk.high, np.nan)),
        strict=True,
    )
    rows = [
        RankRow(
            **dict(unit_rate),
            rank=rank or None,
            rank_low=low if rank else None,
            rank_high=high if rank else None,
            rank_low_simultaneous=low_of_all if rank else None,
            rank_high_simultaneous=high_of_all if rank else None,
            may_be_best=may_be_best and not unit_rate.suspected,
            shrunk_rate=shrunk_rate,
            shrunk_low=shrunk_low,
            shrunk_high=shrunk_high,
        )
        for (
            unit_rate, rank, low, high, low_of_all, high_of_all, may_be_best,
            shrunk_rate, shrunk_low, shrunk_high,
        ) in figures
    ]  # fmt: skip
    return Ranking(
        **dict(provenance),
        method=named(
            "ranks by clustered rate; confidence sets of Mogstad, Romano, Shaikh, Wilhelm "
            f"(2024), seed {SEED}; beta-binomial shrinkage",
            context.query,
        ),
        units=int(fit.sum()),
        respondents=_people(rates, fit),
        best=best,
        heterogeneity=Heterogeneity(
            statistic=number(units_differ.statistic),
            degrees_of_freedom=units_differ.degrees_of_freedom,
            p=number(units_differ.p),
            i_squared=number(units_differ.i_squared),
        ),
        rows=sorted(rows, key=lambda row: (row.rank is None, row.rank or 0)),
    )


def funnel(
    context: Context, *, target: float | None, overdispersion: bool, q: float
) -> FunnelResult:
    """Units against control limits that are wider the fewer answered."""
    rates, provenance, fit = _comparable(context)
    n = np.where(fit, effective_n(rates), 0.0)
    k = np.where(fit, np.nan_to_num(rates.ratio.estimate) * n, 0.0)
    found = funnels.funnel(k, n, target=target, overdispersion=overdispersion)
    adjusted = comparison.discoveries(found.p, q)
    sizes = np.unique(np.geomspace(max(1.0, n[fit].min()), n.max(), 40).round()).astype(float)
    middle = "middle of the units" if overdispersion else "pooled rate"
    against = "the others" if target is None else "the target"
    figures = zip(
        unit_rates(rates, suspected(context)),
        numbers(np.where(fit, n, np.nan)),
        numbers(found.z),
        numbers(found.p),
        numbers(adjusted.adjusted_p),
        adjusted.rejected.tolist(),
        found.position.tolist(),
        *_limits(n, found.expected),
        strict=True,
    )
    return FunnelResult(
        **dict(provenance),
        method=named(
            f"funnel plot (Spiegelhalter 2005), {found.model}, each unit against {against}, "
            "effective answers",
            context.query,
        ),
        units=int(fit.sum()),
        respondents=_people(rates, fit),
        target=found.target,
        target_is="given" if target is not None else middle,
        model=found.model,
        tau=found.tau,
        tau_low=found.tau_low,
        tau_high=found.tau_high,
        false_discovery_rate=q,
        curve=[
            FunnelPoint(
                effective_answers=size,
                low_95=low_95,
                high_95=high_95,
                low_998=low_998,
                high_998=high_998,
            )
            for size, low_95, high_95, low_998, high_998 in zip(
                sizes.tolist(), *_limits(sizes, found.newcomer), strict=True
            )
        ],
        rows=[
            FunnelRow(
                **dict(unit_rate),
                effective_answers=answers,
                z=z,
                p=p,
                adjusted_p=adjusted_p,
                discovery=discovery,
                low_95=low_95,
                high_95=high_95,
                low_998=low_998,
                high_998=high_998,
                position=position,
            )
            for (
                unit_rate, answers, z, p, adjusted_p, discovery, position,
                low_95, high_95, low_998, high_998,
            ) in figures
        ],
    )  # fmt: skip


def _limits(sizes: Floats, expected: Spread) -> tuple[list[float | None], ...]:
    """Limits of 95 % and 99.8 %, each the lower one and the upper one."""
    found = funnels.limits(sizes, expected)
    return tuple(map(numbers, (found.low_95, found.high_95, found.low_998, found.high_998)))


def compare(context: Context, *, with_: With, q: float) -> Comparison:
    """Each unit's rate beside another one, with the difference and how sure it is."""
    rates, provenance = context.rates(Key.UNIT)
    days = OtherPeriod(first=provenance.first, last=provenance.last)
    if with_ in (With.PREVIOUS, With.YEAR_BEFORE):
        if provenance.first is None or provenance.last is None:
            raise TooFewUnits(units=0, needed=1)
        # What nobody named is all that is known, which need not end with a month.
        begin = context.query.first or provenance.first.replace(day=1)
        end = context.query.last or periods.end_of_month(provenance.last)
        first_day, last_day = other_days(begin, end, with_)
        days = OtherPeriod(first=first_day, last=last_day)
        other, _ = context.rates(Key.UNIT, first=first_day, last=last_day)
    else:
        other = others_of(context, rates, with_)
    hidden = other.hidden | rates.hidden
    with np.errstate(invalid="ignore"):
        fit = (other.sums["n"] > 0) & (rates.sums["n"] > 0) & ~hidden
    found = difference(other, rates, context.query.confidence)
    p = np.where(fit, found.p, np.nan)
    adjusted = comparison.discoveries(p, q)
    fixed: list[FixedMix | None] = [None] * len(fit)
    if with_ in (With.PREVIOUS, With.YEAR_BEFORE):
        fixed = fixed_mix(context, rates, other, days.first, days.last)
    figures = zip(
        _units(rates),
        hidden.tolist(),
        _sides(other, fit),
        _sides(rates, fit),
        _discovered(fixed, p, q),
        numbers(np.where(fit, found.estimate, np.nan)),
        numbers(np.where(fit, found.low, np.nan)),
        numbers(np.where(fit, found.high, np.nan)),
        numbers(p),
        numbers(adjusted.adjusted_p),
        adjusted.rejected.tolist(),
        strict=True,
    )
    return Comparison(
        **dict(provenance),
        method=named(
            "difference of clustered rates, score interval (Mee 1984), Benjamini–Hochberg "
            "over the units; with the mix of units and channels held fixed: standardised directly "
            "to the mean of both periods' shares (Kitagawa 1955)",
            context.query,
        ),
        with_=with_.value,
        other_period=days,
        false_discovery_rate=q,
        units=int(fit.sum()),
        respondents=_people(rates, fit),
        rows=[
            CompareRow(
                unit=unit_result(unit),
                suppressed=suppressed,
                other=before,
                rate=now,
                change=Change(
                    estimate=estimate, low=low, high=high,
                    p=own_p, adjusted_p=adjusted_p, discovery=discovery,
                ),
                fixed_mix=held,
            )
            for (
                unit, suppressed, before, now, held, estimate, low, high, own_p, adjusted_p,
                discovery,
            ) in figures
        ],
    )  # fmt: skip


def _discovered(fixed: list[FixedMix | None], p: Floats, q: float) -> list[FixedMixChange | None]:
    """Changes with the mix held fixed, adjusted for how many units are looked at.

    A unit that is made of one part counts with its own change.
    """
    own = [number_ if each is None else each.p for each, number_ in zip(fixed, p, strict=True)]
    adjusted = comparison.discoveries(np.array(own, dtype=np.float64), q)
    return [
        None if each is None
        else FixedMixChange(**dict(each), adjusted_p=adjusted_p, discovery=discovery)
        for each, adjusted_p, discovery in zip(
            fixed, numbers(adjusted.adjusted_p), adjusted.rejected.tolist(), strict=True
        )
    ]  # fmt: skip


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


def _sides(rates: Rates, fit: NDArray[np.bool_]) -> list[Side]:
    figures = (
        numbers(np.where(fit, values, np.nan))
        for values in (rates.ratio.estimate, rates.low, rates.high, rates.sums["n"])
    )
    return [
        Side(rate=rate, low=low, high=high, respondents=None if n is None else whole_number(n))
        for rate, low, high, n in zip(*figures, strict=True)
    ]


def _comparable(context: Context, least: int = 1) -> tuple[Rates, Provenance, NDArray[np.bool_]]:
    """The rates of units that may be compared, and which of them have a figure to show."""
    rates, provenance = context.rates(Key.UNIT)
    kept = np.flatnonzero(context.lowest(rates.unit))
    rates = rates.take(kept)
    fit = (np.nan_to_num(rates.sums["n"]) >= least) & ~rates.hidden
    if fit.sum() < 2:
        raise TooFewUnits(units=int(fit.sum()), needed=2)
    return rates, provenance, fit


def effective_n(rates: Rates) -> Floats:
    """How many independent answers carry as much as each row's, shape (rows,).

    By the correlation within respondents that all units share in a row's period: where many are
    compared, those would stand out whose own variance came out too small.
    """
    return clustered.common_effective_n(
        *(np.nan_to_num(rates.sums[name]) for name in PARTS), correlation=rates.correlation
    )


def _standard_error(rates: Rates, shrunk: Floats, n: Floats, confidence: float) -> Floats:
    return standard_errors.cautious(
        rates.ratio.standard_error, rates.low, rates.high, shrunk, n, confidence=confidence
    )


def _units(rates: Rates) -> list[UnitNode]:
    """The units of rows that are grouped by unit."""
    return [unit for unit in rates.unit if unit is not None]


def unit_rates(rates: Rates, suspects: Collection[int] = ()) -> list[UnitRate]:
    """The rows of rates that are grouped by unit; which units are under suspicion is given."""
    figures = zip(
        _units(rates),
        numbers(rates.ratio.estimate),
        numbers(rates.low),
        numbers(rates.high),
        numbers(rates.sums["n"]),
        numbers(rates.ratio.design_effect),
        rates.hidden.tolist(),
        strict=True,
    )
    return [
        UnitRate(
            unit=unit_result(unit),
            rate=rate,
            low=low,
            high=high,
            respondents=None if n is None else whole_number(n),
            design_effect=design_effect,
            suppressed=suppressed,
            suspected=unit.id in suspects,
        )
        for unit, rate, low, high, n, design_effect, suppressed in figures
    ]


def _people(rates: Rates, fit: NDArray[np.bool_]) -> People:
    return whole_number(float(rates.sums["n"][fit].sum()))
