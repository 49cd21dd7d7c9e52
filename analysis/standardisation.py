"""The change of a rate that is made of parts: how much is the parts' own, how much is their mix.

A province is its units, and a unit is the channels by which people answered. Where one part
answers more than before and another less, the pooled rate moves although no part did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis import comparison
from analysis._validation import Floats, counts, tail
from analysis.effective_sizes import limits

#: How many answers a stratum without any is taken to have, so that nothing is divided by 0.
_NONE = 1.0


@dataclass(frozen=True)
class Strata:
    """Strata: arrays with one entry a stratum, 0 answers where nobody answered.

    ``satisfied`` and ``answers`` are Σa and Σm; ``effective_n`` how many independent answers would
    carry as much as these, ``people`` of how many people they are
    (``clustered.RatioEstimate.interval_n`` and ``people``).
    """

    satisfied: ArrayLike
    answers: ArrayLike
    effective_n: ArrayLike
    people: ArrayLike


@dataclass(frozen=True)
class StandardisedChange:
    """Second period minus first; arrays with one entry a whole (a province, a unit).

    ``crude`` is the change of the pooled rate, and ``crude = estimate + mix + elsewhere``:
    ``estimate`` with the mix of strata held fixed, ``mix`` from shares that moved between strata
    which answered in both periods, ``elsewhere`` from strata that answered in one alone.
    ``low``, ``high`` and ``p`` belong to ``estimate`` and agree with one another. ``first`` and
    ``second`` are both periods' rates with the fixed mix. ``strata`` is how many answered in both
    periods, ``covered_first`` and ``covered_second`` which share of a period's answers is theirs.
    """

    crude: Floats
    estimate: Floats
    low: Floats
    high: Floats
    p: Floats
    mix: Floats
    elsewhere: Floats
    first: Floats
    second: Floats
    strata: NDArray[np.int64]
    covered_first: Floats
    covered_second: Floats


def standardised_change(
    first: Strata,
    second: Strata,
    whole: ArrayLike,
    wholes: int,
    *,
    confidence: float = 0.95,
) -> StandardisedChange:
    r"""The change with the mix of strata held fixed, and what the mix moved besides.

    With q_ht the share of stratum h in the answers of period t, among strata that have answers in
    both, and r_ht its rate: the standardised rate is R_t = Σ w_h r_ht with w_h = (q_h1 + q_h2)/2,
    the estimate R_2 − R_1, and the mix Σ (q_h2 − q_h1)·(r_h1 + r_h2)/2.

    Parameters
    ----------
    first, second
        Both periods, the same strata in the same order, shape (strata,).
    whole
        Shape (strata,): of which whole each stratum is a part, 0 … wholes − 1. Who is part of
        several (of a district and of the province) is named once for each.
    wholes
        How many there are.
    confidence
        Coverage, 0.95 for 95 %.

    Returns
    -------
    StandardisedChange
        NaN for a whole none of whose strata answered in both periods. The interval is the score
        interval of ``comparison.change`` on the effective answers of the standardised rates,
        R(1 − R)/V with V = Σ w_h² p_h(1 − p_h)·n_h/(n_h − 1)/n_ht. There p_h is the stratum's rate
        in both periods together, of n_h effective answers: in a stratum of few people its own
        variance of one period is too often none.

    Raises
    ------
    ValueError
        For negative or non-finite counts, more satisfied answers than answers, strata of no whole,
        shapes that do not fit.

    References
    ----------
    Kitagawa (1955), Journal of the American Statistical Association 50:1168-1194, components of a
    difference between two rates: equals the explained and the unexplained part of statsmodels 0.15
    ``OaxacaBlinder(…).two_fold(two_fold_type="self_submitted", submitted_weight=0.5)`` with the
    strata as dummies. Direct standardisation: R_1 and R_2 equal R 4.2.2, survey 4.1.1
    ``svystandardize``. The test, where people give one answer each, is that of Mantel and Haenszel
    with these weights in place of theirs; the width against R's clustered standard error in the
    tests.

    Examples
    --------
    A desk at 90 % and one at 60 %, and neither changes; the second comes to ask more people:

    >>> before = Strata([180, 60], [200, 100], [200, 100], [200, 100])
    >>> now = Strata([90, 120], [100, 200], [100, 200], [100, 200])
    >>> found = standardised_change(before, now, [0, 0], 1)
    >>> float(found.crude[0].round(2)), float(found.mix[0].round(2)), float(found.p[0].round(2))
    (-0.1, -0.1, 1.0)
    """
    sides = [_checked(side) for side in (first, second)]
    if sides[0].shape != sides[1].shape or sides[0].ndim != 2:
        raise ValueError("first and second have different strata")
    place = np.asarray(whole, dtype=np.intp)
    if place.shape != sides[0].shape[1:]:
        raise ValueError("whole does not have one entry a stratum")
    if place.size and (place.min() < 0 or place.max() >= wholes):
        raise ValueError(f"whole must lie in 0 … {wholes - 1}")

    def added(values: Floats) -> Floats:
        """The sum over each whole's strata."""
        return np.bincount(place, weights=values, minlength=wholes).astype(np.float64)

    both = (sides[0][1] > 0) & (sides[1][1] > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = [added(a) / added(m) for a, m, _, _ in sides]
        shared = [np.where(both, m, 0.0) for _, m, _, _ in sides]
        share = [np.where(both, m / added(m)[place], 0.0) for m in shared]
        covered = [added(part) / added(m) for part, (_, m, _, _) in zip(shared, sides, strict=True)]
        rate = [np.where(both, a / np.where(both, m, _NONE), 0.0) for a, m, _, _ in sides]
        known = added(both.astype(np.float64))
        weight = (share[0] + share[1]) / 2
        standard = [np.where(known > 0, added(weight * r), np.nan) for r in rate]
        mix = np.where(known > 0, added((share[1] - share[0]) * (rate[0] + rate[1]) / 2), np.nan)
        crude = pooled[1] - pooled[0]
        sizes = _effective(weight, rate, [side[2] for side in sides], added)
        people = [
            1 / added(np.where(both, weight**2 / np.where(both, each, _NONE), 0.0))
            for _, _, _, each in sides
        ]
    # Sums of shares may pass 1 by a rounding.
    standard = [np.clip(each, 0.0, 1.0) for each in standard]
    sizes, people = ([np.where(known > 0, x, np.nan) for x in each] for each in (sizes, people))
    found = comparison.change(
        standard[0], sizes[0], standard[1], sizes[1],
        people=(people[0], people[1]), confidence=confidence,
    )  # fmt: skip
    return StandardisedChange(
        crude=crude,
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        p=found.p,
        mix=mix,
        elsewhere=crude - found.estimate - mix,
        first=standard[0],
        second=standard[1],
        strata=known.astype(np.int64),
        covered_first=covered[0],
        covered_second=covered[1],
    )


@dataclass(frozen=True)
class StandardisedRate:
    """Rates with a fixed mix; arrays with one entry a row (a period, a unit).

    ``covered`` is the share of the mix that lies in strata with answers: below 1 the rate speaks
    for those only.
    """

    rate: Floats
    low: Floats
    high: Floats
    covered: Floats


def standardised_rate(
    rows: Strata, weight: ArrayLike, *, confidence: float = 0.95
) -> StandardisedRate:
    """Σ w_h r_h over the strata with answers, the same mix in every row.

    Parameters
    ----------
    rows
        Arrays of shape (rows, strata).
    weight
        Shape (strata,) or (rows, strata): the mix, on any scale.
    confidence
        Coverage, 0.95 for 95 %.

    Returns
    -------
    StandardisedRate
        NaN for a row without answers in any stratum of the mix. The interval is that of a rate on
        effective answers (``effective_sizes.score_limits``), here R(1 − R)/V with
        V = Σ w_h² p_h(1 − p_h)/n_h, p_h being the stratum's rate over all rows: one row's few
        people show too little of how much they differ.

    Raises
    ------
    ValueError
        For negative or non-finite counts and weights, more satisfied answers than answers, shapes
        that do not fit.

    References
    ----------
    Direct standardisation as in R 4.2.2, survey 4.1.1 ``svystandardize``.

    Examples
    --------
    Two periods, by QR code and at the kiosk; what moves is how many use which:

    >>> both = Strata([[90, 5], [9, 50]], *[[[100, 10], [10, 100]]] * 3)
    >>> standardised_rate(both, [1, 1]).rate
    array([0.7, 0.7])
    """
    a, m, n, people = _checked(rows)
    if a.ndim != 2:
        raise ValueError("rows need the shape (rows, strata)")
    (mix,) = counts(weight=weight)
    try:
        mix = np.broadcast_to(mix, a.shape)
    except ValueError:
        raise ValueError("weight does not have one entry a stratum") from None
    known = m > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(known, mix, 0.0)
        covered = kept.sum(axis=1) / mix.sum(axis=1)
        share = kept / kept.sum(axis=1, keepdims=True)
        rate = np.where(known, share * a / np.where(known, m, _NONE), 0.0).sum(axis=1)
        overall = a.sum(axis=0) / m.sum(axis=0)
        spread = np.where(known, overall * (1 - overall), 0.0)
        size = np.where(known, n, _NONE)
        variance = (share**2 * spread / size).sum(axis=1)
        alone = 1 / np.where(known, share**2 / size, 0.0).sum(axis=1)
        middle = np.where(known, share * overall, 0.0).sum(axis=1)
        effective = np.where(variance > 0, middle * (1 - middle) / variance, alone)
        persons = 1 / np.where(known, share**2 / np.where(known, people, _NONE), 0.0).sum(axis=1)
    rate = np.where(np.isfinite(effective), np.clip(rate, 0.0, 1.0), np.nan)
    there = np.isfinite(rate)
    low, high = np.full_like(rate, np.nan), np.full_like(rate, np.nan)
    low[there], high[there], _ = limits(
        rate[there], effective[there], np.minimum(persons, effective)[there], tail(confidence)
    )
    return StandardisedRate(rate, low, high, covered)


def _checked(side: Strata) -> Floats:
    """Satisfied answers, answers, effective answers and people, shape (4, strata)."""
    a, m, n, people = counts(
        satisfied=side.satisfied,
        answers=side.answers,
        effective_n=np.nan_to_num(np.asarray(side.effective_n, dtype=np.float64)),
        people=np.nan_to_num(np.asarray(side.people, dtype=np.float64)),
    )
    if (a > m).any():
        raise ValueError("satisfied has entries above answers")
    if ((m > 0) & ((n <= 0) | (people <= 0))).any():
        raise ValueError("strata with answers need effective answers and people")
    return np.stack([a, m, n, people])


def _effective(
    weight: Floats,
    rate: Sequence[Floats],
    sizes: Sequence[Floats],
    added: Callable[[Floats], Floats],
) -> list[Floats]:
    """How many independent answers carry as much as each period's standardised rate."""
    counted = weight > 0
    n = [np.where(counted, each, _NONE) for each in sizes]
    total = n[0] + n[1]
    together = (n[0] * rate[0] + n[1] * rate[1]) / total
    spread = together * (1 - together) * total / np.maximum(total - 1, 1.0)
    middle = added(weight * together)
    found = []
    for each in n:
        variance = added(weight**2 * spread / each)
        # Where nobody, or everybody, was satisfied no stratum shows a variance.
        alone = 1 / added(weight**2 / each)
        found.append(np.where(variance > 0, middle * (1 - middle) / variance, alone))
    return found
