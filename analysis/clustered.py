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
EXACT = "exact on respondents"
CENSUS = "census"
NONE = "none"


@dataclass(frozen=True)
class RatioEstimate:
    """A ratio of answers with respondents as clusters; arrays of one shape.

    ``estimate``, ``low`` and ``high`` lie in [0, 1]; ``standard_error`` is on the same scale;
    ``n`` counts respondents; ``design_effect`` says how many times larger the variance is than
    if all answers were independent, ``effective_n`` how many independent answers would carry as
    much; ``method`` names the interval of each entry.
    """

    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    n: Floats
    design_effect: Floats
    effective_n: Floats
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

    Raises
    ------
    ValueError
        Naming the argument: negative or non-finite sums, Σa > Σm, n > Σm, n > N.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., section 6.3; equals R survey 4.1.1
    ``svyratio`` and ``svyciprop(method="xlogit", df=n-1)`` with ``ids=~respondent``.

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

        half = special.stdtrit(np.maximum(n_ - 1, 1), 1 - alpha) * se / (r * (1 - r))
        centre = special.logit(r)
        low, high = special.expit(centre - half), special.expit(centre + half)

        exact_low, exact_high = exact_limits(r * n_, n_, alpha)
    census = (n_ > 0) & (unseen == 0.0)
    smooth = (squares > 0) & (n_ > 1) & ~census
    empty = n_ == 0
    low = np.select([empty, smooth, census], [np.full_like(r, np.nan), low, r], exact_low)
    high = np.select([empty, smooth, census], [np.full_like(r, np.nan), high, r], exact_high)
    method = np.select([empty, smooth, census], [NONE, LOGIT_T, CENSUS], EXACT)
    return RatioEstimate(r, se, low, high, n_, deff, effective, method)
