"""Rates over many items a respondent: a respondent's answers resemble one another.

The usual published interval treats every answer as if another person had given it, and is too
narrow by the square root of the design effect. Here respondents are the clusters, or days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis._validation import Floats, at_most, counts, tail
from analysis.effective_sizes import Answers, limits, within_exact
from analysis.effective_sizes import common_effective_n as common_effective_n
from analysis.effective_sizes import shared_correlation as shared_correlation
from analysis.proportions import wilson

#: What ``interval`` may ask for: the default; R's own; few clusters, as days or desks.
SCORE = "score on effective answers"
R_XLOGIT = "r-xlogit"
CLUSTER_T = "cluster-t"
INTERVALS = (SCORE, R_XLOGIT, CLUSTER_T)

#: Names of the interval methods, as reported per entry in ``RatioEstimate.method``, beside
#: ``SCORE``.
CUT = "score on effective answers, cut to exact on respondents"
LOGIT_T = "clustered ratio, logit, t"
WIDER_T = "score with t on clusters"
CENSUS = "census"
NONE = "none"


@dataclass(frozen=True)
class RatioEstimate:
    """A ratio of answers with respondents as clusters; arrays of one shape.

    ``estimate``, ``low`` and ``high`` lie in [0, 1]; ``standard_error`` is on the same scale;
    ``n`` counts respondents; ``design_effect`` says how many times larger the variance is than
    if all answers were independent, ``effective_n`` how many independent answers would carry as
    much, both as the unit's own answers have it. ``interval_n`` is how many the limits rest on,
    ``people`` how many respondents if all had answered equally much, n* = (Σm)²/Σm²; ``method``
    names each entry's interval.
    """

    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    n: Floats
    design_effect: Floats
    effective_n: Floats
    interval_n: Floats
    people: Floats
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
    V = (1 − n/N)·n/(n−1)·Σ(a_i − R·m_i)²/(Σm)². The interval is Wilson's on effective answers
    Σm/(1 + (b − 1)ρ), b = Σm²/Σm, with the ρ that units share, or the unit's own where that is
    larger (where it is smaller, drawn to it by how much the unit tells), and an allowance for
    people of whom none happened to be asked (``effective_sizes.score_limits``).

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
    correlation
        The correlation of one respondent's answers that units share (``shared_correlation`` over
        all units of a questionnaire), which broadcasts against the units; NaN where it is not
        known, and the unit has but itself. Learnt from the units given, if left out.
    interval
        ``SCORE``, the default. ``R_XLOGIT`` gives logit(R) ± t_{n−1}·√V/(R(1−R)) transformed
        back, as R does: NaN at rates of 0 and 1, no width where all gave the same share.
        ``CLUSTER_T`` is for clusters which are not people (days, desks), few and unequal, with
        many answers each: Wilson's equation with t_{n*−1} and the clusters' own variance; NaN
        where that cannot be seen, so use it with ``wider``.

    Returns
    -------
    RatioEstimate
        NaN where n is 0. With n = N the interval is the estimate itself; nearer to that, the
        limits' distances shrink by √(1 − n/N). One answer each gives Wilson's interval. No
        interval of the default is wider than the exact one on n* = (Σm)²/Σm² people of whom
        R·n* are satisfied; ``method`` says where it was cut to that.

    Raises
    ------
    ValueError
        Naming the argument: negative or non-finite sums, Σa > Σm, n > Σm, n > N, a correlation
        outside [0, 1], an unknown interval.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., section 6.3; ``R_XLOGIT`` equals R survey 4.1.1
    ``svyratio`` and ``svyciprop(method="xlogit", df=n-1)`` with ``ids=~respondent``. The default
    as in ``effective_sizes.score_limits``; t with as many degrees of freedom as there are
    clusters less one: Korn and Graubard (1999), Analysis of Health Surveys, section 2.3.

    Examples
    --------
    Five respondents, 9 of 10, 9 of 10, 3 of 8, 5 of 8 and 4 of 9 answers satisfied:

    >>> found = ratio(30, 45, 212, 280, 409, 5)
    >>> float(found.estimate.round(4)), float(found.low.round(4)), float(found.high.round(4))
    (0.6667, 0.3315, 0.8837)
    """
    seen = Answers.of(sum_a, sum_m, sum_aa, sum_am, sum_mm, n)
    if interval not in INTERVALS:
        raise ValueError(f"interval must be one of {', '.join(INTERVALS)}, not {interval!r}")
    alpha = tail(confidence)
    r, m, n_ = seen.rate, seen.m, seen.n
    unseen = np.ones_like(n_)
    if population is not None:
        (total,) = counts(population=population)
        total = np.broadcast_to(total, n_.shape)
        at_most("n", n_, "population", total)
        unseen = np.where(n_ > 0, 1.0 - n_ / np.maximum(total, 1.0), 1.0)

    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(n_ > 1, unseen * n_ / (n_ - 1) * seen.squares / m**2, np.nan)
        se = np.sqrt(variance)
        independent = r * (1 - r) / m
        deff = np.where(independent > 0, variance / independent, np.nan)
        effective = m / deff
        if interval == R_XLOGIT:
            size = effective
            half = t_quantile(np.maximum(n_ - 1, 1), 1 - alpha) * se / (r * (1 - r))
            centre = special.logit(r)
            low, high = special.expit(centre - half), special.expit(centre + half)
            name = np.full(r.shape, LOGIT_T)
        else:
            if interval == SCORE:
                rho = seen.weighed(seen.given(correlation))
                size = m / (1 + (seen.size - 1) * rho)
                low, high, cut = limits(r, size, seen.people, alpha)
                name = np.where(cut, CUT, SCORE)
            else:
                size = np.minimum(m * seen.alone / seen.together, m)
                t = t_quantile(np.maximum(seen.people - 1, 0.25), 1 - alpha)
                low, high, _ = within_exact(*wilson(r, size, t), r, seen.people, alpha)
                blind = (seen.squares == 0) | (n_ < 2)
                size, low, high = (np.where(blind, np.nan, x) for x in (size, low, high))
                name = np.full(r.shape, WIDER_T)
            # Distances shrink, and not the effective size: 30 of 31 who agree leave one unseen.
            low, high = r - np.sqrt(unseen) * (r - low), r + np.sqrt(unseen) * (high - r)
    census = (n_ > 0) & (unseen == 0.0)
    low, high = np.where(census, r, low), np.where(census, r, high)
    method = np.select([n_ == 0, census], [NONE, CENSUS], name)
    return RatioEstimate(
        r, se, low, high, n_, deff, effective, size, np.where(m > 0, seen.people, 0.0), method
    )


def wider(people: RatioEstimate, clusters: RatioEstimate) -> RatioEstimate:
    """The interval with people as clusters, widened to that with days or desks as clusters.

    Answers of one day resemble one another too. With day effects of a standard deviation of
    0.3 to 0.5 on the logit scale, ten or twenty days and 20 people a day, intervals with people
    as clusters, as the build before had them, hold the truth in 73 to 92 of 100 samples; these in
    94 to 97 (docs/methods.md, "Promises").
    It matters where many people answer on few days; with as many days as people it does not.

    Parameters
    ----------
    people
        ``ratio`` of sums over respondents.
    clusters
        ``ratio(…, interval=CLUSTER_T)`` of the same answers, m and a being those of a day.

    Returns
    -------
    RatioEstimate
        Of ``people``, with the farther limit on either side, and where that is the clusters' on
        either side their standard error, design effect and sizes, and ``method`` ``WIDER_T``.

    Raises
    ------
    ValueError
        If the two are not estimates of the same.

    Examples
    --------
    Six people on two days, who gave 9, 10, 8 and 5, 4, 6 of ten answers:

    >>> persons = ratio(42, 60, 322, 420, 600, 6)
    >>> found = wider(persons, ratio(42, 60, 954, 1260, 1800, 2, interval=CLUSTER_T))
    >>> float(persons.low.round(2)), float(found.low.round(2)), str(found.method)
    (0.39, 0.05, 'score with t on clusters')
    """
    if people.estimate.shape != clusters.estimate.shape or not np.allclose(
        people.estimate, clusters.estimate, equal_nan=True
    ):
        raise ValueError("people and clusters are estimates of different answers")
    low, high = np.fmin(people.low, clusters.low), np.fmax(people.high, clusters.high)
    farther = (low < people.low) | (high > people.high)
    return replace(
        people,
        standard_error=np.where(farther, clusters.standard_error, people.standard_error),
        low=low,
        high=high,
        design_effect=np.where(farther, clusters.design_effect, people.design_effect),
        effective_n=np.where(farther, clusters.effective_n, people.effective_n),
        interval_n=np.where(farther, clusters.interval_n, people.interval_n),
        people=np.where(farther, clusters.people, people.people),
        method=np.where(farther, WIDER_T, people.method),
    )


def t_quantile(freedom: Floats, probability: float) -> Floats:
    """Quantiles of the t distribution, each number of degrees of freedom looked up once."""
    each, place = np.unique(freedom, return_inverse=True)
    quantile: Floats = special.stdtrit(each, probability)[place].reshape(freedom.shape)
    return quantile


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
        half = t_quantile(np.maximum(n_ - 1, 1), 1 - alpha) * se
    low, high = np.maximum(mean - half, bounds[0]), np.minimum(mean + half, bounds[1])
    return MeanEstimate(mean, se, low, high, n_)
