"""Intervals for single proportions: one answer a respondent, answers independent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analysis._validation import Floats, at_most, counts, tail


@dataclass(frozen=True)
class Interval:
    """A proportion and its confidence limits; arrays of one shape, all within [0, 1] or NaN."""

    estimate: Floats
    low: Floats
    high: Floats
    method: str


def interval(
    successes: ArrayLike,
    trials: ArrayLike,
    *,
    confidence: float = 0.95,
    method: str = "wilson",
) -> Interval:
    """Proportions with two-sided confidence intervals.

    Parameters
    ----------
    successes, trials
        Counts, any shapes that broadcast; fractions are allowed (weighted counts).
    confidence
        Coverage, 0.95 for 95 %.
    method
        ``wilson`` (score, no continuity correction; the default because its coverage is near
        nominal for small counts and rates near 1), ``clopper-pearson`` or ``exact``,
        ``agresti-coull``, ``jeffreys``.

    Returns
    -------
    Interval
        NaN where trials are 0.

    Raises
    ------
    ValueError
        For negative, infinite or NaN counts, successes over trials, an unknown method.

    References
    ----------
    Brown, Cai, DasGupta (2001), Interval estimation for a binomial proportion, Statistical
    Science 16:101-133. Checked against statsmodels' ``proportion_confint`` and R's ``prop.test``
    and ``binom.test``.

    Examples
    --------
    >>> found = interval([96, 0, 0], [100, 12, 0])
    >>> found.low.round(4), found.high.round(4)
    (array([0.9016, 0.    ,    nan]), array([0.9843, 0.2425,    nan]))
    """
    k, n = counts(successes=successes, trials=trials)
    at_most("successes", k, "trials", n)
    alpha = tail(confidence)
    try:
        limits = _LIMITS[method]
    except KeyError:
        raise ValueError(f"method must be one of {', '.join(_LIMITS)}, not {method!r}") from None
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = k / n
        low, high = limits(k, n, alpha)
    # Rounding may put a limit a hair outside [0, 1] or inside the estimate at 0 and 1.
    empty = n == 0
    low = np.where(empty, np.nan, np.clip(np.minimum(low, estimate), 0.0, 1.0))
    high = np.where(empty, np.nan, np.clip(np.maximum(high, estimate), 0.0, 1.0))
    return Interval(estimate, low, high, "clopper-pearson" if method == "exact" else method)


def exact_limits(k: Floats, n: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Clopper and Pearson's limits as quantiles of the beta distribution; k may be fractional."""
    low = np.where(k > 0, special.betaincinv(np.maximum(k, 1e-300), n - k + 1, alpha), 0.0)
    high = np.where(k < n, special.betaincinv(k + 1, np.maximum(n - k, 1e-300), 1 - alpha), 1.0)
    return low, high


def above(successes: Floats, trials: Floats, rate: Floats) -> Floats:
    """P(more than k) + P(k)/2 of a binomial: its upper tail, mid-p (Lancaster 1961).

    Arrays that broadcast; fractions of successes and trials by the beta function, whose values for
    k and k + 1 differ by P(k).
    """
    k, n = successes, trials
    log_choose = -np.log1p(n) - special.betaln(k + 1, np.maximum(n - k, 0.0) + 1)
    exactly = np.exp(log_choose + special.xlogy(k, rate) + special.xlog1py(n - k, -rate))
    at_least = np.where(k > 0, special.betainc(np.maximum(k, 1e-12), n - k + 1, rate), 1.0)
    found: Floats = np.clip(at_least - exactly / 2, 0.0, 1.0)
    return found


def wilson(rate: Floats, n: Floats, z: Floats | float) -> tuple[Floats, Floats]:
    """Wilson's limits of rates of n trials; z may be another quantile for each."""
    centre = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return np.clip(centre - half, 0.0, rate), np.clip(centre + half, rate, 1.0)


def _wilson(k: Floats, n: Floats, alpha: float) -> tuple[Floats, Floats]:
    return wilson(k / n, n, special.ndtri(1 - alpha))


def _agresti_coull(k: Floats, n: Floats, alpha: float) -> tuple[Floats, Floats]:
    z = special.ndtri(1 - alpha)
    wide = n + z**2
    p = (k + z**2 / 2) / wide
    half = z * np.sqrt(p * (1 - p) / wide)
    return p - half, p + half


def _jeffreys(k: Floats, n: Floats, alpha: float) -> tuple[Floats, Floats]:
    # With the limits 0 at k = 0 and 1 at k = n (Brown, Cai, DasGupta, section 4.1.2), so that
    # the interval holds the estimate.
    low = np.where(k > 0, special.betaincinv(k + 0.5, n - k + 0.5, alpha), 0.0)
    high = np.where(k < n, special.betaincinv(k + 0.5, n - k + 0.5, 1 - alpha), 1.0)
    return low, high


_LIMITS: dict[str, Callable[[Floats, Floats, float], tuple[Floats, Floats]]] = {
    "wilson": _wilson,
    "clopper-pearson": exact_limits,
    "exact": exact_limits,
    "agresti-coull": _agresti_coull,
    "jeffreys": _jeffreys,
}
