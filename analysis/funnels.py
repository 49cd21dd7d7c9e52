"""Funnel plots: which units lie outside what their few answers and their ordinary spread allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special
from scipy.optimize import elementwise

from analysis._validation import Floats, at_most, counts
from analysis.mixtures import Mixture, Spread, alike, mixture
from analysis.proportions import above

#: Names of what a funnel allows for.
BINOMIAL, MIXTURE = "exact binomial", "normal between units, binomial within"
#: The confidences at which limits are drawn, with their names; half of the rest on either side.
LEVELS = {0.95: "95 %", 0.998: "99.8 %"}
INSIDE, UNKNOWN = "inside", "not compared"


@dataclass(frozen=True)
class Funnel:
    """Each unit against the others or a target; arrays with one entry a unit, NaN without answers.

    ``p`` is two-sided, ``z`` the standard normal deviate that has it, negative below the target.
    ``position`` is ``inside``, or on which side of which limits p lies (``below 99.8 %`` where it
    is under 0.002). ``tau`` is the standard deviation between units on the logit scale (posterior
    median; 0 where the model has none), with its 95 % interval. ``expected`` has a row a unit, the
    spread of rates by which it is judged, ``newcomer`` one, for a unit not among these: give them
    to ``limits``.
    """

    target: float
    estimate: Floats
    trials: Floats
    z: Floats
    p: Floats
    position: NDArray[np.str_]
    tau: float
    tau_low: float
    tau_high: float
    model: str
    expected: Spread
    newcomer: Spread


@dataclass(frozen=True)
class Limits:
    """The limits of a funnel at some sizes, arrays of one shape: the rates still inside."""

    trials: Floats
    low_95: Floats
    high_95: Floats
    low_998: Floats
    high_998: Floats


def funnel(
    successes: ArrayLike,
    trials: ArrayLike,
    *,
    target: float | None = None,
    overdispersion: bool = True,
) -> Funnel:
    r"""Each unit's tail probability among the others, or against a target.

    p is twice the smaller tail of the distribution that the unit's answers would have if it were
    like the others: a binomial whose rate is spread as ``mixtures.mixture`` says, of which the
    unit itself is no part. Of the outcome itself half is counted (mid-p).

    Parameters
    ----------
    successes, trials
        Shape (units,). Where a respondent gives several answers, give effective numbers (the
        respondent-clustered effective n, and the rate times it): they may be fractions.
    target
        The rate that the unit in the middle is to have; the units' own middle if left out. τ is
        learnt around their own middle in either case, so that units which all miss the target by
        as much are not excused by their distance from it.
    overdispersion
        Whether units may differ in what nobody calls quality. ``False``: by chance only.

    Raises
    ------
    ValueError
        For impossible counts, or a target outside (0, 1).

    References
    ----------
    Spiegelhalter (2005), Statistics in Medicine 24:1185-1202; with the mixture's own tails in the
    place of its normal ones: Marshall and Spiegelhalter (2007), Bayesian Analysis 2:409-444. Tails
    equal R 4.2's ``integrate`` of ``pbinom`` and ``dnorm``; promises are kept in simulation
    (tests/promises/funnels.py).

    Examples
    --------
    Ten of ten are no sign of more than 95 %:

    >>> found = funnel([10, 60], [10, 100], target=0.95, overdispersion=False)
    >>> found.p.round(3), found.position.tolist()
    (array([0.599, 0.   ]), ['inside', 'below 99.8 %'])
    """
    k, n = counts(successes=successes, trials=trials)
    at_most("successes", k, "trials", n)
    if target is not None and not 0 < target < 1:
        raise ValueError(f"target must lie between 0 and 1, not {target}")
    asked = n > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = k / n
    found = _learnt(k[asked], n[asked], target, overdispersion)
    p, z = np.full(n.shape, np.nan), np.full(n.shape, np.nan)
    p[asked], below = two_sided(k[asked], n[asked], found.others)
    # No tail is so small that its deviate were no number: -37.7 for what is less than 1e-307.
    least = np.finfo(np.float64).tiny
    z[asked] = special.ndtri(np.maximum(p[asked] / 2, least)) * np.where(below, 1.0, -1.0)
    position = np.where(asked, INSIDE, UNKNOWN).astype("U16")
    for confidence, name in LEVELS.items():
        for side, there in (("below", z < 0), ("above", z > 0)):
            position[there & (p < 1 - confidence)] = f"{side} {name}"
    expected = np.zeros((len(n), len(found.others.logit)))
    expected[asked] = found.others.weight
    return Funnel(
        found.centre if target is None else target,
        estimate,
        n,
        z,
        p,
        position,
        found.tau,
        found.tau_low,
        found.tau_high,
        MIXTURE if overdispersion else BINOMIAL,
        Spread(found.others.logit, expected),
        found.newcomer,
    )


def two_sided(
    successes: ArrayLike, trials: ArrayLike, expected: Spread
) -> tuple[Floats, NDArray[np.bool_]]:
    """Twice the smaller mid-p tail of a binomial whose rate is spread, and whether it is the lower.

    Shape (units,) with ``expected`` of as many rows, or of one; trials above 0.

    References
    ----------
    Equals R 4.2.2's ``integrate`` of ``pbinom`` times ``dnorm``; fractions of answers by the beta
    function.

    Examples
    --------
    >>> two_sided([10], [10], Spread(special.logit([0.95]), np.ones((1, 1))))
    (array([0.59873694]), array([False]))
    """
    k, n = counts(successes=successes, trials=trials)
    at_most("successes", k, "trials", n)
    rate = special.expit(expected.logit)
    below = k < n * (expected.weight @ rate)
    tail = _above(
        np.where(below, n - k, k), n, np.where(below[:, None], 1 - rate, rate), expected.weight
    )
    # The smaller tail may be on the other side of the mean after all.
    below, tail = below ^ (tail > 0.5), np.minimum(tail, 1 - tail)
    return np.clip(2 * tail, 0.0, 1.0), below


def limits(trials: ArrayLike, expected: Spread) -> Limits:
    """The limits of a funnel at some sizes.

    A unit of the size lies on a limit where its p is 0.05, or 0.002: a picture with each unit's own
    limits says what ``Funnel.position`` says. Where even all or none satisfied would be no sign
    of anything, the limit is 1 or 0.

    Parameters
    ----------
    trials
        Shape (sizes,); fractions are taken as they are. NaN where 0.
    expected
        A ``Funnel``'s ``expected``, with its trials, or its ``newcomer``.

    Raises
    ------
    ValueError
        For negative trials, or neither one spread for all sizes nor one for each.

    Examples
    --------
    >>> found = funnel([88, 45, 180], [100, 50, 240], target=0.85, overdispersion=False)
    >>> own = limits(found.trials, found.expected)
    >>> own.low_998.round(3), own.high_998.round(3)
    (array([0.73 , 0.675, 0.775]), array([0.95 , 0.985, 0.917]))
    """
    (n,) = counts(trials=trials)
    if len(expected.weight) not in (1, len(n)):
        raise ValueError(f"expected has {len(expected.weight)} spreads for {len(n)} trials")
    rate = special.expit(expected.logit)
    found = []
    for confidence in LEVELS:
        alpha = (1 - confidence) / 2
        found.append(1 - _highest(n, 1 - rate, expected.weight, alpha))
        found.append(_highest(n, rate, expected.weight, alpha))
    return Limits(n, *found)


def _learnt(k: Floats, n: Floats, target: float | None, overdispersion: bool) -> Mixture:
    """What each unit is judged by; without spread between units in the same form."""
    if overdispersion and len(n):
        return mixture(k, n, target=target)
    if target is not None:
        fixed = np.array([special.logit(target)])
        others, newcomer = Spread(fixed, np.ones((len(n), 1))), Spread(fixed, np.ones((1, 1)))
        return Mixture(target, 0.0, 0.0, 0.0, others, newcomer)
    # A unit without answers is judged by all others, which are all.
    found = alike(np.append(k, 0.0), np.append(n, 0.0))
    newcomer = Spread(found.logit, found.weight[-1:])
    centre = float(k.sum() / n.sum()) if len(n) else np.nan
    return Mixture(centre, 0.0, 0.0, 0.0, Spread(found.logit, found.weight[:-1]), newcomer)


def _above(k: Floats, n: Floats, rate: Floats, weight: Floats) -> Floats:
    """The upper tail over rates with weights; both are (units, nodes) or broadcast to it."""
    tail: Floats = (weight * above(k[:, None], n[:, None], rate)).sum(axis=1)
    return np.clip(tail, 0.0, 1.0)


def _highest(n: Floats, rate: Floats, weight: Floats, alpha: float) -> Floats:
    """The rate at which the upper tail is alpha, 1 where it is more even for all satisfied."""
    highest = np.where(n > 0, 1.0, np.nan)
    row = np.arange(len(n)) if len(weight) > 1 else np.zeros(len(n), dtype=np.intp)

    def excess(share: Floats, size: Floats, which: NDArray[np.intp]) -> Floats:
        return _above(share * size, size, rate, weight[which.astype(np.intp)]) - alpha

    sized = np.flatnonzero(n > 0)
    beyond = sized[excess(np.ones(len(sized)), n[sized], row[sized]) < 0]
    if len(beyond):
        found = elementwise.find_root(
            excess,
            (np.zeros(len(beyond)), np.ones(len(beyond))),
            args=(n[beyond], row[beyond]),
            tolerances={"xatol": 1e-7, "fatol": 0.0},
        )
        highest[beyond] = found.x
    return highest
