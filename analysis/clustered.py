"""Rates over many items a respondent: a respondent's answers resemble one another.

The usual published interval treats every answer as if another person had given it, and is too
narrow by the square root of the design effect. Here respondents are the clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.arrays import Floats, at_most, counts, tail
from analysis.proportions import exact_limits

#: Names of the interval methods, as reported per entry in ``RatioEstimate.method``.
LOGIT_T = "clustered ratio, logit, t"
FEW = "clustered ratio, logit, t, few on one side"
EXACT = "exact on respondents"
CENSUS = "census"
NONE = "none"

#: What ``interval`` may ask for: the default; R's own; days or desks as clusters.
SCORE = "score on effective answers"
R_XLOGIT = "r-xlogit"
CLUSTER_T = "cluster-t"
INTERVALS = (SCORE, R_XLOGIT, CLUSTER_T)

#: Respondents' worth of answers on the smaller side, and its share, under which there are few.
_FEW, _RARE = 5.0, 0.2


@dataclass(frozen=True)
class RatioEstimate:
    """A ratio of answers with respondents as clusters; arrays of one shape.

    ``estimate``, ``low`` and ``high`` lie in [0, 1]; ``standard_error`` is on the same scale;
    ``n`` counts respondents; ``design_effect`` says how many times larger the variance is than
    if all answers were independent, ``effective_n`` how many independent answers would carry as
    much, ``interval_n`` how many the interval rests on; ``method`` names each entry's interval.
    """

    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    n: Floats
    design_effect: Floats
    effective_n: Floats
    interval_n: Floats
    method: NDArray[np.str_]


def ratio(
    sum_a: ArrayLike,
    sum_m: ArrayLike,
    sum_aa: ArrayLike,
    sum_am: ArrayLike,
    sum_mm: ArrayLike,
    n: ArrayLike,
    *,
    confidence: float = 0.95,
    population: ArrayLike | None = None,
    correlation: ArrayLike | None = None,
    interval: str = SCORE,
) -> RatioEstimate:
    r"""Ratio Σa/Σm with respondents as clusters, from additive sums.

    Respondent i gave m_i answers, a_i of them satisfied. The linearised variance is
    V = (1 − n/N)·n/(n−1)·Σ(a_i − R·m_i)²/(Σm)², the interval logit(R) ± t_{n−1}·√V/(R(1−R))
    transformed back.

    Parameters
    ----------
    sum_a, sum_m, sum_aa, sum_am, sum_mm
        Σa, Σm, Σa², Σam, Σm² over the respondents of each unit who gave at least one answer.
    n
        How many respondents those are.
    confidence
        Coverage, 0.95 for 95 %.
    population
        Everybody who could have answered, N, for the finite-population correction; without it
        the population is taken as unbounded.

    Returns
    -------
    RatioEstimate
        NaN where n is 0. With one respondent, or where no variance can be seen (everybody gave
        the same share, the rate is 0 or 1), the standard error is not what the interval rests
        on: it is then the exact binomial interval on n respondents, so that 30 unanimous
        answers do not get an interval of no width; ``method`` says so. With n = N the interval
        is the estimate itself.

        Where fewer than five respondents' worth of answers, and under a fifth, lie on one side
        (30 respondents, 95 % satisfied), the t quantile has fewer degrees of freedom, and
        ``method`` says so: the variance is then itself uncertain, and with n − 1 the 95 % interval
        holds in 90 % of cases only.

    Raises
    ------
    ValueError
        Naming the argument: negative or non-finite sums, Σa > Σm, n > Σm, n > N.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., section 6.3; equals R survey 4.1.1
    ``svyratio`` and ``svyciprop(method="xlogit", df=n-1)`` with ``ids=~respondent``. Fewer degrees
    of freedom in the manner of Satterthwaite (1946), Biometrics Bulletin 2:110-114, from the
    kurtosis of a beta distribution with the respondents' mean and variance; the third of its
    excess is what keeps the promise in simulation (tests/analysis/test_coverage.py).

    Examples
    --------
    Five respondents, 9 of 10, 9 of 10, 3 of 8, 5 of 8 and 4 of 9 answers satisfied:

    >>> found = ratio(30, 45, 212, 280, 409, 5)
    >>> float(found.estimate.round(4)), float(found.low.round(4)), float(found.high.round(4))
    (0.6667, 0.3295, 0.8906)
    """
    a, m, aa, am, mm, n_ = counts(
        sum_a=sum_a, sum_m=sum_m, sum_aa=sum_aa, sum_am=sum_am, sum_mm=sum_mm, n=n
    )
    at_most("sum_a", a, "sum_m", m)
    at_most("n", n_, "sum_m", m)
    if interval not in INTERVALS:
        raise ValueError(f"interval must be one of {', '.join(INTERVALS)}, not {interval!r}")
    alpha = tail(confidence)
    unseen = np.ones_like(n_)
    if population is not None:
        (total,) = counts(population=population)
        total = np.broadcast_to(total, n_.shape)
        at_most("n", n_, "population", total)
        unseen = np.where(n_ > 0, 1.0 - n_ / np.maximum(total, 1.0), 1.0)

    with np.errstate(divide="ignore", invalid="ignore"):
        r = a / m
        squares = aa - 2 * r * am + r**2 * mm
        # A difference of large sums: what is left of it below rounding is no variance.
        squares = np.where(squares <= 1e-12 * (aa + mm), 0.0, squares)
        variance = np.where(n_ > 1, unseen * n_ / (n_ - 1) * squares / m**2, np.nan)
        se = np.sqrt(variance)
        independent = r * (1 - r) / m
        deff = np.where(independent > 0, variance / independent, np.nan)
        effective = m / deff

        side = np.minimum(r, 1 - r)
        few = (n_ * side < _FEW) & (side < _RARE)
        freedom = np.where(few, _fewer(r, squares / (n_ - 1) * (n_ / m) ** 2, n_), n_ - 1)
        half = _t_quantile(np.maximum(freedom, 1), 1 - alpha) * se / (r * (1 - r))
        centre = special.logit(r)
        low, high = special.expit(centre - half), special.expit(centre + half)

    census = (n_ > 0) & (unseen == 0.0)
    smooth = (squares > 0) & (n_ > 1) & ~census
    empty = n_ == 0
    low = np.select([empty, smooth], [np.full_like(r, np.nan), low], r)
    high = np.select([empty, smooth], [np.full_like(r, np.nan), high], r)
    # Quantiles of the beta distribution are dear, and few units need them.
    exact = ~(empty | smooth | census)
    if exact.any():
        low[exact], high[exact] = exact_limits((r * n_)[exact], n_[exact], alpha)
    method = np.select([empty, smooth & few, smooth, census], [NONE, FEW, LOGIT_T, CENSUS], EXACT)
    return RatioEstimate(r, se, low, high, n_, deff, effective, effective, method)


def _t_quantile(freedom: Floats, probability: float) -> Floats:
    """Quantiles of the t distribution, each number of degrees of freedom looked up once."""
    each, place = np.unique(freedom, return_inverse=True)
    quantile: Floats = special.stdtrit(each, probability)[place].reshape(freedom.shape)
    return quantile


def _fewer(r: Floats, variance: Floats, n: Floats) -> Floats:
    """Degrees of freedom of a variance of skewed shares: mean r, of this variance, beta."""
    precision = np.maximum(r * (1 - r) / variance - 1, 0.02)
    a, b = r * precision, (1 - r) * precision
    both = a + b
    excess = 6 * ((a - b) ** 2 * (both + 1) - a * b * (both + 2))
    excess = excess / (a * b * (both + 2) * (both + 3))
    return np.clip((n - 1) / (1 + excess / 6), 1.0, np.maximum(n - 1, 1.0))


@dataclass(frozen=True)
class MeanEstimate:
    """A mean score on the scale of the levels, with respondents as clusters; arrays."""

    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    n: Floats


def mean_score(
    sum_s: ArrayLike,
    sum_m: ArrayLike,
    sum_ss: ArrayLike,
    sum_sm: ArrayLike,
    sum_mm: ArrayLike,
    n: ArrayLike,
    *,
    bounds: tuple[float, float] = (1.0, 5.0),
    confidence: float = 0.95,
) -> MeanEstimate:
    """Mean level Σs/Σm with respondents as clusters, from additive sums.

    Parameters
    ----------
    sum_s, sum_m, sum_ss, sum_sm, sum_mm
        Σs, Σm, Σs², Σsm, Σm², where respondent i gave m_i answers whose levels add up to s_i.
    n
        Respondents with an answer.
    bounds
        The lowest and the highest level, at which limits are cut.

    Returns
    -------
    MeanEstimate
        Interval estimate ± t_{n−1}·SE. NaN where n is 0; no interval (NaN) with one respondent.

    Raises
    ------
    ValueError
        Naming the argument, for negative or non-finite sums.

    References
    ----------
    As ``ratio``; the Ministry of Health's figure 2 (decision 3869/QĐ-BYT of 2019) with what it
    lacks, an interval. Equals R survey 4.1.1 ``svyratio``, statsmodels 0.15 ``OLS`` with
    ``cov_type="cluster"``.

    Examples
    --------
    Three respondents, two answers each: 4 4, 5 5, 3 4.

    >>> found = mean_score(25, 6, 213, 50, 12, 3)
    >>> float(found.estimate.round(3)), float(found.low.round(2)), float(found.high)
    (4.167, 2.27, 5.0)
    """
    s, m, ss, sm, mm, n_ = counts(
        sum_s=sum_s, sum_m=sum_m, sum_ss=sum_ss, sum_sm=sum_sm, sum_mm=sum_mm, n=n
    )
    alpha = tail(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = s / m
        squares = ss - 2 * mean * sm + mean**2 * mm
        squares = np.where(squares <= 1e-12 * (ss + mm), 0.0, squares)
        se = np.where(n_ > 1, np.sqrt(n_ / (n_ - 1) * squares) / m, np.nan)
        half = _t_quantile(np.maximum(n_ - 1, 1), 1 - alpha) * se
    low, high = np.maximum(mean - half, bounds[0]), np.minimum(mean + half, bounds[1])
    return MeanEstimate(mean, se, low, high, n_)


def shared_correlation(
    sum_a: ArrayLike,
    sum_m: ArrayLike,
    sum_aa: ArrayLike,
    sum_am: ArrayLike,
    sum_mm: ArrayLike,
    n: ArrayLike,
    *,
    axis: int | tuple[int, ...] | None = None,
) -> Floats:
    """The correlation of one respondent's answers that units share.

    Parameters
    ----------
    sum_a, sum_m, sum_aa, sum_am, sum_mm, n
        As in ``ratio``, any one shape.
    axis
        Along which units lie; all by default.

    Returns
    -------
    array
        In [0, 1]; a scalar without ``axis``, else with that axis kept at length one, so that it
        broadcasts against the units.
    """
    a, m, aa, am, mm, n_ = counts(
        sum_a=sum_a, sum_m=sum_m, sum_aa=sum_aa, sum_am=sum_am, sum_mm=sum_mm, n=n
    )
    at_most("sum_a", a, "sum_m", m)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = a / m
        size = np.where(m > 0, mm / m, 1.0)
        squares = np.maximum(aa - 2 * r * am + r**2 * mm, 0.0)
        known = (n_ > 1) & (r > 0) & (r < 1)
        weight = np.where(known, n_ - 1, 0.0)
        excess = np.where(known, squares / (m * r * (1 - r)) - 1, 0.0)
        kept = axis is not None
        room = (weight * (size - 1)).sum(axis=axis, keepdims=kept)
        rho = (weight * excess).sum(axis=axis, keepdims=kept) / room
    found: Floats = np.round(np.clip(np.where(room > 0, rho, 1.0), 0.0, 1.0), 2)
    return found


def common_effective_n(
    sum_a: ArrayLike,
    sum_m: ArrayLike,
    sum_aa: ArrayLike,
    sum_am: ArrayLike,
    sum_mm: ArrayLike,
    n: ArrayLike,
    *,
    correlation: ArrayLike | None = None,
) -> Floats:
    """How many independent answers carry as much, from one intra-respondent correlation for all.

    For comparing many units: a unit's own design effect is uncertain, least of all where few are
    dissatisfied, and the units whose variance came out too small by chance would be those that
    stand out. (At 97 % satisfied and 40 respondents p-values from the units' own variances fall
    under 0.001 forty times too often; with a common correlation they do not:
    tests/analysis/test_coverage.py.)

    Parameters
    ----------
    sum_a, sum_m, sum_aa, sum_am, sum_mm, n
        As in ``ratio``, any one shape.

    Returns
    -------
    array
        Σm / (1 + (b − 1)ρ) with b = Σm²/Σm, the size of respondents as answers see it, and ρ the
        mean, weighted by n − 1, of what design effects imply; 0 where there are no answers.

    References
    ----------
    Kish (1965), Survey Sampling, section 5.4: deff = 1 + (b̄ − 1)·ρ.

    Examples
    --------
    Two units of five respondents with nine answers each, who all agree with themselves:

    >>> common_effective_n([27, 36], [45, 45], [243, 324], [243, 324], [405, 405], [5, 5]).round(1)
    array([5., 5.])
    """
    if correlation is None:
        correlation = shared_correlation(sum_a, sum_m, sum_aa, sum_am, sum_mm, n)
    m, mm = counts(sum_m=sum_m, sum_mm=sum_mm)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(m > 0, mm / m, 1.0)
    effective: Floats = np.where(m > 0, m / (1 + (size - 1) * np.asarray(correlation)), 0.0)
    return effective
