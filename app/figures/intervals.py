"""From sums to figures: rates with their intervals, with respondents or days as clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analysis import clustered, proportions
from app.figures import day_effects
from app.figures.query import Cluster, Interval, Query
from app.figures.rate_arrays import PARTS, Floats, Rates
from app.figures.summing import Sums

#: Name of the interval where every respondent gave one answer.
WILSON = "wilson"
_INTERVALS = {Interval.SCORE: clustered.SCORE, Interval.R_XLOGIT: clustered.R_XLOGIT}


def estimated(query: Query, summed: Sums, alike: Floats | None) -> Rates:
    """Rates of rows; ``alike`` is the shared correlation by split and measure, 1 if not given."""
    rows, sums = summed.rows, summed.rows.sums
    correlation = np.ones(len(rows.unit))
    if alike is not None and alike.size:
        correlation = np.tile(alike.ravel(), len(rows.unit) // alike.size)
    ratio = intervals(sums, correlation, query)
    mean = clustered.mean_score(
        *(sums[name] for name in ("s", "m", "ss", "sm", "mm", "n")),
        bounds=(-np.inf, np.inf),
        confidence=query.confidence,
    )
    # A limit stays on the scale, and beside its estimate where no opinion counts as an answer.
    mean = replace(
        mean,
        low=np.minimum(np.maximum(mean.low, summed.scale[:, 0]), mean.estimate),
        high=np.maximum(np.minimum(mean.high, summed.scale[:, 1]), mean.estimate),
    )
    return Rates(
        **vars(rows),
        ratio=ratio,
        low=ratio.low,
        high=ratio.high,
        method=ratio.method,
        mean=mean,
        wholly=proportions.interval(sums["whole"], sums["n"], confidence=query.confidence),
        correlation=correlation,
        day_effect=np.full(len(rows.unit), np.nan),
        hidden=np.zeros(len(rows.unit), dtype=bool),
    )


def intervals(
    sums: Mapping[str, Floats], correlation: Floats, query: Query
) -> clustered.RatioEstimate:
    """Rates with the interval that is asked for, from sums and the shared correlation."""
    ratio = clustered.ratio(
        *(sums[name] for name in PARTS),
        confidence=query.confidence,
        correlation=correlation,
        interval=_INTERVALS[query.interval],
    )
    if query.interval is not Interval.SCORE:
        # Where R sees no variance, differences still rest on the shared correlation.
        own = ratio.interval_n
        shared = clustered.common_effective_n(
            *(sums[name] for name in PARTS), correlation=correlation
        )
        return replace(ratio, interval_n=np.where(np.isfinite(own), own, shared))
    # Where everybody gave one answer there are no clusters, and this is Wilson's.
    single = (sums["mm"] == sums["m"]) & (ratio.method == clustered.SCORE)
    return replace(ratio, method=np.where(single, WILSON, ratio.method))


def with_days(
    query: Query,
    summed: Sums,
    rates: Rates,
    exempt: NDArray[np.bool_],
    least: int,
    month: date,
) -> Rates:
    """The rates again, with what days have in common, or with days as clusters."""
    assert summed.days is not None
    as_r = query.interval is Interval.R_XLOGIT
    by_day = clustered.ratio(
        *(summed.days[name] for name in PARTS),
        confidence=query.confidence,
        interval=clustered.R_XLOGIT if as_r else clustered.CLUSTER_T,
    )
    released = exempt | day_effects.may_be_shown(by_day.n, least, query.last, month)
    rates = replace(
        rates, day_effect=np.where(released, day_effects.effect(by_day, rates.ratio), np.nan)
    )
    if query.cluster is not Cluster.DAY:
        return rates
    few = (by_day.n > 0) & ~(released & (by_day.n > 1))

    def but(values: Floats) -> Floats:
        return np.where(few, np.nan, values)

    ratio = by_day if as_r else clustered.wider(rates.ratio, by_day)
    ratio = replace(
        ratio,
        standard_error=but(ratio.standard_error),
        low=but(ratio.low),
        high=but(ratio.high),
        n=rates.ratio.n,
        design_effect=but(ratio.design_effect),
        effective_n=but(ratio.effective_n),
        interval_n=but(ratio.interval_n),
        people=but(ratio.people),
        method=np.where(
            few, day_effects.TOO_FEW,
            np.where(
                by_day.n > 0, np.char.add(ratio.method, day_effects.AS_CLUSTERS), ratio.method
            ),
        ),
    )  # fmt: skip
    return replace(rates, ratio=ratio, low=ratio.low, high=ratio.high, method=ratio.method)
