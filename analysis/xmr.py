"""Charts by moving ranges: XmR with the rules of the NHS's "Making Data Count", and Laney's p′."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from analysis._validation import Floats, at_most, counts
from analysis.control_charts import LEAST_BASELINE, signals

Bools = NDArray[np.bool_]
#: Mean range of two standard normal values, and how many mean ranges a single one hardly ever
#: exceeds (Nelson 1982; the factors d2 and D4 of tables of control charts).
_D2, _LARGEST = 2 / np.sqrt(np.pi), 3.267
#: What is nearer to its centre differs from it by rounding.
_NOTHING = 1e-12
#: Three standard deviations in mean ranges, as rounded in all guidance.
_WIDTH = 2.66

OUTSIDE, SHIFT, NHS_TREND, NEAR = (
    "outside the limits", "7 in a row on one side", "7 in a row rising or falling",
    "2 of 3 near a limit",
)  # fmt: skip
#: The NHS's rules, in the order in which one of several that hold is named.
NHS_RULES = (OUTSIDE, NHS_TREND, NEAR, SHIFT)
COMMON_CAUSE, IMPROVEMENT, CONCERN = "common cause", "improvement", "concern"
#: What the last point of a course is, by the NHS's icons.
VARIATIONS = (COMMON_CAUSE, IMPROVEMENT, CONCERN)
PASSING, FAILING, HIT_AND_MISS = "consistently passing", "consistently failing", "hit and miss"
#: What the limits say of a target, by the NHS's icons.
ASSURANCES = (PASSING, FAILING, HIT_AND_MISS)


def mean_range(values: ArrayLike, *, screen: bool = True) -> tuple[Floats, NDArray[np.int64]]:
    """Mean moving range of series, and how many ranges were left out as too large.

    Parameters
    ----------
    values
        Shape (…, periods); a period without a value (NaN) is passed over.
    screen
        Leave out ranges of 3.267 times their mean or more, once: a single bad period makes two
        large ranges, and limits so wide that the next one hides between them.

    Returns
    -------
    tuple
        Both of shape (…); NaN with fewer than two values.

    References
    ----------
    Nelson (1982), Journal of Quality Technology 14:172-173.

    Examples
    --------
    >>> found, left_out = mean_range([1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1])
    >>> float(found), int(left_out)
    (1.0, 2)
    """
    given = np.asarray(values, dtype=np.float64)
    order = np.argsort(~np.isfinite(given), axis=-1, kind="stable")
    ranges = np.abs(np.diff(np.take_along_axis(given, order, axis=-1), axis=-1))
    mean, there = _mean(ranges)
    if not screen:
        return mean, np.zeros(mean.shape, dtype=np.int64)
    kept, still = _mean(np.where(ranges < _LARGEST * mean[..., None], ranges, np.nan))
    # Ranges that are all 0 are none too large.
    return np.where(mean > 0, kept, mean), np.where(mean > 0, there - still, 0)


def _mean(ranges: Floats) -> tuple[Floats, NDArray[np.int64]]:
    there = np.isfinite(ranges).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nansum(ranges, axis=-1) / np.where(there > 0, there, np.nan), there


@dataclass(frozen=True)
class Xmr:
    """An XmR chart, shape (…, periods); ``screened`` counts the ranges left out, by segment.

    ``rests_on`` says how many periods the limits rest on (0: too few, no limits). ``side`` of a
    point is +1 or −1 where it is special cause, ``signals`` which points each rule marks.
    """

    values: Floats
    centre: Floats
    low: Floats
    high: Floats
    rests_on: NDArray[np.int64]
    screened: NDArray[np.int64]
    side: NDArray[np.int64]
    signals: dict[str, Bools]
    method: str


def xmr(
    values: ArrayLike,
    *,
    starts: Sequence[int] = (),
    baselines: Sequence[tuple[int, int]] = (),
    screen: bool = True,
    least: int = LEAST_BASELINE,
) -> Xmr:
    """Values against their mean ± 2.66 mean moving ranges, with the NHS's rules.

    As "Making Data Count" has it, limits rest on all periods of a segment, the judged ones among
    them, unless a baseline is given; every point of a run or trend is marked, not its last alone.

    Parameters
    ----------
    values
        Shape (…, periods), a rate a month; NaN for a period without one, which breaks no run.
    starts
        Periods at which the limits begin anew ("rebase"), ascending; a segment begins at 0 anyway.
    baselines
        First and last period that the limits of each segment rest on, one for each segment (one
        more than ``starts``); the whole segments if left out.
    screen
        As in ``mean_range``. The NHS's own Excel files do not, its R package does.
    least
        Segments that rest on fewer periods have no limits and no marks.

    Raises
    ------
    ValueError
        For ``starts`` that do not ascend, and baselines that are not one a segment.

    References
    ----------
    NHS England, Making Data Count: Strengthening your decisions (2019); its rules as in the R
    package NHSRplotthedots 0.2.2, which marks a shift and a trend from seven points on.

    Examples
    --------
    >>> found = xmr([1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1])
    >>> found.high[0].round(2), found.centre[0].round(2), found.low[0].round(2)
    (np.float64(4.6), np.float64(1.94), np.float64(-0.72))
    """
    x = np.asarray(values, dtype=np.float64)
    periods = x.shape[-1]
    bounds = [0, *starts, periods]
    if any(a >= b for a, b in pairwise(bounds[:-1])) or (starts and starts[-1] >= periods):
        raise ValueError("starts must ascend from 1 on, and lie among the periods")
    if baselines and len(baselines) != len(bounds) - 1:
        raise ValueError("baselines must be one for each segment")
    centre, low, high = (np.full(x.shape, np.nan) for _ in range(3))
    rests_on, side = (np.zeros(x.shape, dtype=np.int64) for _ in range(2))
    screened = np.zeros(x.shape, dtype=np.int64)
    marked = {rule: np.zeros(x.shape, dtype=bool) for rule in NHS_RULES}
    for place, (begin, end) in enumerate(pairwise(bounds)):
        here = slice(begin, min(end, periods))
        first, last = baselines[place] if baselines else (begin, end - 1)
        base = x[..., first : last + 1]
        known = np.isfinite(base).sum(axis=-1)
        width, left_out = mean_range(base, screen=screen)
        enough = known >= least
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.nansum(base, axis=-1) / known
        mean, width = (np.where(enough, each, np.nan)[..., None] for each in (mean, width))
        centre[..., here], low[..., here], high[..., here] = (
            np.broadcast_to(mean + reach * width, x[..., here].shape)
            for reach in (0, -_WIDTH, _WIDTH)
        )
        rests_on[..., here] = np.where(enough, known, 0)[..., None]
        screened[..., here] = np.where(enough, left_out, 0)[..., None]
        with np.errstate(invalid="ignore", divide="ignore"):
            found, side[..., here] = _nhs(x[..., here] - mean, _WIDTH * width)
        for rule in NHS_RULES:
            marked[rule][..., here] = found[rule]
    method = "XmR, mean ± 2.66 mean moving ranges, " + ("screened" if screen else "not screened")
    return Xmr(x, centre, low, high, rests_on, screened, side, marked, method)


def _nhs(apart: Floats, reach: Floats) -> tuple[dict[str, Bools], NDArray[np.int64]]:
    """Which points each rule marks, by distances from the centre and of the limits from it."""
    order = np.argsort(~np.isfinite(apart), axis=-1, kind="stable")
    d = np.take_along_axis(apart, order, axis=-1)
    d = np.where(np.abs(d) < _NOTHING, 0.0, d)
    sign = np.nan_to_num(np.sign(d))
    outside = np.abs(d) > reach
    near = ~outside & (np.abs(d) > reach * 2 / 3)
    step = np.sign(np.diff(d, axis=-1))
    # Of seven points six steps; each step of a trend marks the points at both of its ends.
    steps = {way: _of_windows(step == way, 6, 6) for way in (1, -1)}
    none = [(0, 0)] * (d.ndim - 1)
    after, before = (
        {way: np.pad(there, [*none, place]) for way, there in steps.items()}
        for place in ((0, 1), (1, 0))
    )
    rising = after[1] | (before[1] & ~after[-1])
    falling = after[-1] | (before[-1] & ~after[1])
    same = [sign == way for way in (1, -1)]
    ranked = {
        OUTSIDE: outside,
        NHS_TREND: rising | falling,
        # All three on one side, two of them near the limit: those two.
        NEAR: np.logical_or.reduce(
            [near & _of_windows(near & on, 2, 3, _of_windows(on, 3, 3, each=True)) for on in same]
        ),
        SHIFT: np.logical_or.reduce([on & _of_windows(on, 7, 7) for on in same]),
    }
    side = np.zeros(d.shape, dtype=np.int64)
    special = np.logical_or.reduce(list(ranked.values()))
    trending = ranked[NHS_TREND] & ~outside
    side[special] = sign[special].astype(np.int64)
    side[trending] = np.where(rising, 1, -1)[trending]
    found = {}
    for rule, there in ranked.items():
        found[rule] = np.zeros_like(there)
        np.put_along_axis(found[rule], order, there, axis=-1)
    sides = np.zeros_like(side)
    np.put_along_axis(sides, order, side, axis=-1)
    return found, sides


def _of_windows(
    there: Bools, needed: int, size: int, only: Bools | None = None, *, each: bool = False
) -> Bools:
    """Points that are in a window of ``size`` of which at least ``needed`` are there.

    ``each`` gives the windows themselves, by their first point; ``only`` those that count.
    """
    if there.shape[-1] < size:
        return np.zeros((*there.shape[:-1], 0 if each else there.shape[-1]), dtype=bool)
    full: Bools = sliding_window_view(there, size, axis=-1).sum(axis=-1) >= needed
    if only is not None:
        full = full & only
    if each:
        return full
    inside = np.zeros(there.shape, dtype=bool)
    for shift in range(size):
        inside[..., shift : shift + full.shape[-1]] |= full
    return inside


@lru_cache(maxsize=256)
def nhs_false_marks(periods: int) -> float:
    """How likely the NHS's rules mark something in so many ordinary periods of one segment.

    By 20,000 simulated courses of independent normal values, always the same ones.

    Examples
    --------
    >>> round(nhs_false_marks(24), 2), round(nhs_false_marks(36), 2)
    (0.18, 0.3)
    """
    z = np.random.default_rng(20_261_128).standard_normal((20_000, periods))
    return float((xmr(z).side != 0).any(axis=1).mean()) if periods > 0 else 0.0


def variation(side: int) -> str:
    """One of ``VARIATIONS`` of a point: whether it, or the run that it is in, is special."""
    return {1: IMPROVEMENT, -1: CONCERN}.get(int(side), COMMON_CAUSE)


def assurance(low: float, high: float, target: float) -> str | None:
    """One of ``ASSURANCES``: whether ordinary periods will reach a target of at least so much.

    By the limits of the current segment; None where there are none.

    Examples
    --------
    >>> assurance(0.82, 0.88, 0.80), assurance(0.82, 0.88, 0.85)
    ('consistently passing', 'hit and miss')
    """
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    if target < low:
        return PASSING
    return FAILING if target > high else HIT_AND_MISS


@dataclass(frozen=True)
class PChart:
    """Laney's p′: arrays of shape (…, periods), save ``centre``, ``sigma_z``, ``screened`` (…)."""

    estimate: Floats
    centre: Floats
    low: Floats
    high: Floats
    z: Floats
    sigma_z: Floats
    screened: NDArray[np.int64]
    signals: dict[str, Bools]
    method: str


def p_chart(
    successes: ArrayLike,
    trials: ArrayLike,
    *,
    baseline: int | None = None,
    overdispersion: bool = False,
    screen: bool = True,
) -> PChart:
    """Rates of periods against p̄ ± 3√(p̄(1 − p̄)/n_t); Laney's p′ with ``overdispersion``.

    The chart of textbooks, for large n and rates that are not near 0 or 1: elsewhere
    ``control_charts.chart`` holds what this one promises.

    Parameters
    ----------
    successes, trials
        Shape (…, periods); effective numbers where a respondent gives several answers.
    baseline
        How many of the first periods the centre (and Laney's factor) is taken from; all of them
        if left out.
    overdispersion
        Multiply the limits by σ_z from the moving range of z, for what differs from month to
        month besides quality: with large n a p-chart signals all the time.
    screen
        As in ``mean_range``.

    Raises
    ------
    ValueError
        For impossible counts, a baseline of fewer than twelve periods.

    References
    ----------
    Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section 7.3; Laney
    (2002), Quality Engineering 14:531-537.

    Examples
    --------
    >>> found = p_chart([90, 91, 89] * 4 + [70], 13 * [100], baseline=12)
    >>> np.flatnonzero(found.signals["beyond 3 sigma"])
    array([12])
    """
    k, n = counts(successes=successes, trials=trials)
    at_most("successes", k, "trials", n)
    periods = k.shape[-1]
    first = periods if baseline is None else baseline
    if baseline is not None and not LEAST_BASELINE <= first <= periods:
        raise ValueError(f"baseline must lie between {LEAST_BASELINE} and {periods}, not {first}")
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = k / n
        centre = k[..., :first].sum(axis=-1) / n[..., :first].sum(axis=-1)
        middle = centre[..., None]
        deviation = np.sqrt(middle * (1 - middle) / n)
        z = (rate - middle) / deviation
        sigma, screened = np.ones(centre.shape), np.zeros(centre.shape, dtype=np.int64)
        if overdispersion:
            ranges, screened = mean_range(z[..., :first], screen=screen)
            sigma = ranges / _D2
        z = z / sigma[..., None]
        reach = 3 * sigma[..., None] * deviation
        low, high = np.maximum(middle - reach, 0.0), np.minimum(middle + reach, 1.0)
    return PChart(
        rate, centre, low, high, z, sigma, screened, signals(z),
        "laney p'" if overdispersion else "p",
    )  # fmt: skip
