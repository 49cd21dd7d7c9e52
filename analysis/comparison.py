"""Comparing units: heterogeneity, each against a reference, false discoveries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.arrays import Floats, at_most, counts
from analysis.proportions import interval


@dataclass(frozen=True)
class Heterogeneity:
    """Whether units differ at all: a statistic with its degrees of freedom and p.

    ``i_squared`` is the share of the variation between units that is not chance (Higgins 2002).
    """

    statistic: float
    degrees_of_freedom: int
    p: float
    i_squared: float


def heterogeneity(successes: ArrayLike, trials: ArrayLike) -> Heterogeneity:
    """Pearson's chi-square of units × (satisfied, not), without continuity correction.

    Units without answers are left out; NaN with fewer than two, or where all answers are alike.
    Equals R's ``prop.test`` and SciPy's ``chi2_contingency``, which computes it.

    Raises
    ------
    ValueError
        For impossible counts.
    """
    k, n = counts(successes=successes, trials=trials)
    at_most("successes", k, "trials", n)
    k, n = k[n > 0], n[n > 0]
    if len(n) < 2 or k.sum() in (0, n.sum()):
        return Heterogeneity(np.nan, max(len(n) - 1, 0), np.nan, np.nan)
    found = scipy.stats.chi2_contingency(np.stack([k, n - k]), correction=False)
    return _heterogeneity(float(found.statistic), int(found.dof))


def heterogeneity_of_estimates(estimate: ArrayLike, standard_error: ArrayLike) -> Heterogeneity:
    """Cochran's Q of estimates with (respondent-clustered) standard errors, shape (units,).

    Units whose standard error is unknown or 0 are left out.
    """
    value = np.asarray(estimate, dtype=np.float64)
    se = np.asarray(standard_error, dtype=np.float64)
    fine = np.isfinite(value) & np.isfinite(se) & (se > 0)
    value, weight = value[fine], se[fine] ** -2.0
    if len(value) < 2:
        return Heterogeneity(np.nan, max(len(value) - 1, 0), np.nan, np.nan)
    mean = weight @ value / weight.sum()
    return _heterogeneity(float(weight @ (value - mean) ** 2), len(value) - 1)


def _heterogeneity(statistic: float, dof: int) -> Heterogeneity:
    share = max(0.0, 1 - dof / statistic) if statistic > 0 else 0.0
    return Heterogeneity(statistic, dof, float(scipy.stats.chi2.sf(statistic, dof)), share)


@dataclass(frozen=True)
class Difference:
    """``estimate`` is the second minus the first, on the scale of rates; ``p`` is two-sided."""

    estimate: Floats
    low: Floats
    high: Floats
    p: Floats
    method: str


def newcombe(
    successes_1: ArrayLike,
    trials_1: ArrayLike,
    successes_2: ArrayLike,
    trials_2: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Difference:
    """Difference of two independent proportions (second minus first), hybrid score interval.

    ``p`` is that of the pooled score test. NaN where a side has no trials.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17:873-890, method 10; statsmodels
    ``confint_proportions_2indep(method="newcomb")`` and ``test_proportions_2indep(method="score",
    correction=False)``.
    """
    k1, n1, k2, n2 = counts(
        successes_1=successes_1, trials_1=trials_1, successes_2=successes_2, trials_2=trials_2
    )
    first = interval(k1, n1, confidence=confidence)
    second = interval(k2, n2, confidence=confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (k1 + k2) / (n1 + n2)
        se = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
        z = (second.estimate - first.estimate) / se
    p = np.where(se > 0, 2 * special.ndtr(-np.abs(z)), np.where(se == 0, 1.0, np.nan))
    low, high = mover(
        first.estimate, first.low, first.high, second.estimate, second.low, second.high
    )
    return Difference(second.estimate - first.estimate, low, high, p, "newcombe")


def change(
    estimate_1: ArrayLike,
    effective_n_1: ArrayLike,
    limits_1: tuple[ArrayLike, ArrayLike],
    estimate_2: ArrayLike,
    effective_n_2: ArrayLike,
    limits_2: tuple[ArrayLike, ArrayLike],
) -> Difference:
    """Difference of two independent rates (second minus first) from their own intervals.

    Parameters
    ----------
    estimate_1, effective_n_1, limits_1, estimate_2, effective_n_2, limits_2
        Of each side the rate, how many independent answers would carry as much (for many units
        ``clustered.common_effective_n`` over both sides), and its interval (low, high), of one
        confidence.

    Returns
    -------
    Difference
        Limits by recovering the variances from the sides' limits (MOVER), which is Newcombe's
        method if those are Wilson's; ``p`` by the score test on effective numbers.

    References
    ----------
    Zou and Donner (2008), Statistics in Medicine 27:1693-1702.
    """
    r1, r2 = (np.asarray(r, dtype=np.float64) for r in (estimate_1, estimate_2))
    n1, n2 = (np.asarray(n, dtype=np.float64) for n in (effective_n_1, effective_n_2))
    low1, high1 = map(_floats, limits_1)
    low2, high2 = map(_floats, limits_2)
    low, high = mover(r1, low1, high1, r2, low2, high2)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (r1 * n1 + r2 * n2) / (n1 + n2)
        se = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
        z = (r2 - r1) / se
    p = np.where(se > 0, 2 * special.ndtr(-np.abs(z)), np.where(se == 0, 1.0, np.nan))
    return Difference(r2 - r1, low, high, p, "mover of clustered intervals")


def mover(
    r1: Floats, low1: Floats, high1: Floats, r2: Floats, low2: Floats, high2: Floats
) -> tuple[Floats, Floats]:
    """Limits of r2 − r1 from the limits of both (Zou and Donner 2008, equation 4)."""
    low = r2 - r1 - np.sqrt((r2 - low2) ** 2 + (high1 - r1) ** 2)
    high = r2 - r1 + np.sqrt((high2 - r2) ** 2 + (r1 - low1) ** 2)
    return low, high


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


@dataclass(frozen=True)
class Discoveries:
    """Adjusted p-values, and which of them are discoveries; NaN stays NaN and is none."""

    adjusted_p: Floats
    rejected: NDArray[np.bool_]


def discoveries(p: ArrayLike, q: float = 0.05) -> Discoveries:
    """Benjamini–Hochberg: among those rejected at most a share q is expected to be false.

    Raises
    ------
    ValueError
        For p outside [0, 1] or q outside (0, 1).

    References
    ----------
    Benjamini and Hochberg (1995), JRSS B 57:289-300; SciPy's ``false_discovery_control``.

    Examples
    --------
    >>> discoveries([0.001, 0.02, float("nan"), 0.6]).rejected
    array([ True,  True, False, False])
    """
    values = np.asarray(p, dtype=np.float64)
    if not 0 < q < 1:
        raise ValueError(f"q must lie between 0 and 1, not {q}")
    known = np.isfinite(values)
    if ((values[known] < 0) | (values[known] > 1)).any():
        raise ValueError("p has entries outside [0, 1]")
    adjusted = np.full_like(values, np.nan)
    if known.any():
        adjusted[known] = scipy.stats.false_discovery_control(values[known])
    return Discoveries(adjusted, np.where(known, adjusted, 2.0) <= q)


def normal_quantile(probability: float) -> float:
    """The standard normal quantile, for limits at sizes other than the units' own."""
    return float(special.ndtri(probability))
