"""Comparing units: heterogeneity, each against a reference, false discoveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray
from scipy import special
from scipy.optimize import elementwise

from analysis._validation import Floats, at_most, counts, tail
from analysis.effective_sizes import PEOPLE_HEARD
from analysis.proportions import interval

#: Name of the interval of a difference that agrees with its p-value.
SCORE = "score interval of the difference"


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

    ``p`` is that of the pooled score test, and near its threshold may say another thing than the
    interval; where both are shown, use ``change``. NaN where a side has no trials.

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
    estimate_2: ArrayLike,
    effective_n_2: ArrayLike,
    *,
    people: tuple[ArrayLike, ArrayLike] | None = None,
    confidence: float = 0.95,
) -> Difference:
    """Difference of two independent rates (second minus first), score interval and test.

    Parameters
    ----------
    estimate_1, effective_n_1, estimate_2, effective_n_2
        Of each side the rate in [0, 1] and how many independent answers would carry as much
        (``clustered.RatioEstimate.interval_n``); any shapes that broadcast. NaN, or nobody, on a
        side gives NaN.
    people
        Of how many people each side's answers are (``RatioEstimate.people``): where few of them
        can have been dissatisfied, effective answers count for less, as in
        ``effective_sizes.score_limits``. Without it each answer is another person's.
    confidence
        Coverage, 0.95 for 95 %.

    Returns
    -------
    Difference
        Limits in [-1, 1] that hold the estimate, and ``p`` of the test that there is no difference.
        They are one statement: ``p`` lies under 1 − confidence exactly where the interval leaves
        out 0, since both come from the difference less what is supposed, over its standard error
        where that is so.

    Raises
    ------
    ValueError
        For a confidence outside (0, 1), rates outside [0, 1], negative numbers of answers, shapes
        that do not fit.

    References
    ----------
    Mee (1984), Biometrics 40:1175-1176; the rates under a supposed difference in the closed form of
    Miettinen and Nurminen (1985), Statistics in Medicine 4:213-226, appendix I. Without ``people``
    limits equal method 5 of Newcombe (1998), Statistics in Medicine 17:873-890, table II, and those
    that R 4.2.2 ``optimize`` and ``uniroot`` find; ``p`` statsmodels 0.15
    ``test_proportions_2indep`` with ``method="score", correction=False`` (whose interval, and test
    of other differences than 0, rest on other rates than the likeliest: its issue 10269). The
    allowance for people is ours, from simulation.

    Examples
    --------
    48 of 80 before, 56 of 70 now:

    >>> found = change(48 / 80, 80, 56 / 70, 70)
    >>> float(found.low.round(4)), float(found.high.round(4)), float(found.p.round(4))
    (0.0533, 0.3377, 0.008)
    """
    alpha = tail(confidence)
    persons = (effective_n_1, effective_n_2) if people is None else people
    sides = _sides((estimate_1, effective_n_1, persons[0]), (estimate_2, effective_n_2, persons[1]))
    r1, r2 = sides[0], sides[3]
    estimate = r2 - r1
    z = _score(np.zeros_like(r1), *sides)
    p = 2 * special.ndtr(-np.abs(z))
    # As supposed differences rise the score falls: from far too much at -1 through 0 at the
    # estimate. Both limits at once.
    end = np.stack([np.full_like(r1, -1.0), np.full_like(r1, 1.0)])
    reach = special.ndtri(1 - alpha) * np.stack([np.ones_like(r1), -np.ones_like(r1)])
    with np.errstate(invalid="ignore", over="ignore"):
        found = elementwise.find_root(
            _beyond, (end, np.stack([estimate, estimate])), args=(reach, *sides)
        )
    # Without a change of sign even the largest difference there is cannot be ruled out.
    limits = np.where(found.success, found.x, np.where(np.isnan(z), np.nan, end))
    low, high = np.minimum(limits[0], estimate), np.maximum(limits[1], estimate)
    # Rounding shall not part the two where a limit is 0 to the last digits.
    apart, least = p < 1 - confidence, np.finfo(np.float64).tiny
    low = np.where(estimate > 0, np.where(apart, np.maximum(low, least), np.minimum(low, 0.0)), low)
    high = np.where(
        estimate < 0, np.where(apart, np.minimum(high, -least), np.maximum(high, 0.0)), high
    )
    return Difference(estimate, low, high, p, SCORE)


def _sides(*sides: tuple[ArrayLike, ArrayLike, ArrayLike]) -> list[Floats]:
    """Rates, effective answers and people of both sides, of one shape; NaN where one is silent."""
    try:
        arrays: Sequence[Floats] = np.broadcast_arrays(
            *(np.asarray(each, dtype=np.float64) for side in sides for each in side)
        )
    except ValueError:
        raise ValueError("estimates and effective numbers have shapes that do not fit") from None
    for side, (rate, n, people) in (("1", arrays[:3]), ("2", arrays[3:])):
        if ((rate < 0) | (rate > 1)).any():
            raise ValueError(f"estimate_{side} has entries outside [0, 1]")
        if (n < 0).any() or np.isinf(n).any():
            raise ValueError(f"effective_n_{side} has entries that are negative or infinite")
        if (people < 0).any() or np.isinf(people).any():
            raise ValueError("people has entries that are negative or infinite")
    silent = np.isnan(arrays).any(axis=0) | (arrays[1] == 0) | (arrays[4] == 0)
    r1, n1, m1, r2, n2, m2 = (np.where(silent, np.nan, each) for each in arrays)
    return [r1, n1, np.minimum(m1, n1), r2, n2, np.minimum(m2, n2)]


def _beyond(supposed: Floats, reach: Floats, *sides: Floats) -> Floats:
    return _score(supposed, *sides) - reach


def _score(
    supposed: Floats, r1: Floats, n1: Floats, m1: Floats, r2: Floats, n2: Floats, m2: Floats
) -> Floats:
    """How many standard errors r2 − r1 lies above a supposed difference, these as under it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = n1 / n2
        a = 1 + ratio
        b = -(a + r2 + ratio * r1 + supposed * (ratio + 2))
        c = supposed**2 + supposed * (2 * r2 + a) + r2 + ratio * r1
        d = -r2 * supposed * (1 + supposed)
        v = (b / (3 * a)) ** 3 - b * c / (6 * a**2) + d / (2 * a)
        u = np.where(v < 0, -1.0, 1.0) * np.sqrt(np.maximum((b / (3 * a)) ** 2 - c / (3 * a), 0.0))
        turn = np.where(u == 0, 0.0, np.clip(v / u**3, -1.0, 1.0))
        second = 2 * u * np.cos((np.pi + np.arccos(turn)) / 3) - b / (3 * a)
        # At no difference the equation has the pooled rate as its root, here without rounding.
        pooled = (r1 * n1 + r2 * n2) / (n1 + n2)
        second = np.where(supposed == 0, pooled, second)
        second = np.clip(second, np.maximum(supposed, 0.0), np.minimum(1 + supposed, 1.0))
        first = np.clip(second - supposed, 0.0, 1.0)
        # Below the estimate the second rate is supposed to be lower than seen, the first higher.
        below = supposed < r2 - r1
        error = np.sqrt(
            first * (1 - first) * _each(np.where(below, first, 1 - first), n1, m1)
            + second * (1 - second) * _each(np.where(below, 1 - second, second), n2, m2)
        )
        # Without an error any distance is too far, and no number to compute with.
        score: Floats = np.clip((r2 - r1 - supposed) / np.maximum(error, 1e-300), -1e9, 1e9)
        return score


def _each(unmet: Floats, effective_n: Floats, people: Floats) -> Floats:
    """One over how many answers count, a share of people being supposed of whom few were met."""
    doubt = np.exp(-unmet * people / PEOPLE_HEARD)
    share: Floats = (1 - doubt) / effective_n + doubt / people
    return share


def mover(
    r1: Floats, low1: Floats, high1: Floats, r2: Floats, low2: Floats, high2: Floats
) -> tuple[Floats, Floats]:
    """Limits of r2 − r1 from the limits of both (Zou and Donner 2008, equation 4)."""
    low = r2 - r1 - np.sqrt((r2 - low2) ** 2 + (high1 - r1) ** 2)
    high = r2 - r1 + np.sqrt((high2 - r2) ** 2 + (r1 - low1) ** 2)
    return low, high


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
