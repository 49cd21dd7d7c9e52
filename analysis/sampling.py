"""How many must be asked: sample sizes, their allocation, and the power to see a change."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis._validation import Floats, counts, tail

Whole = NDArray[np.int64]


def required(
    population: ArrayLike | None = None,
    *,
    margin: float = 0.05,
    confidence: float = 0.95,
    design_effect: ArrayLike = 1.0,
    rate: ArrayLike = 0.5,
) -> Whole:
    """Respondents for an interval of ± margin, for each unit.

    Parameters
    ----------
    population
        Shape (units,): how many are served; unbounded if left out.
    margin
        Half the interval's width, on the scale of rates.
    design_effect
        Of the design, on respondents; above 1 where some are like one another (days, doctors).
    rate
        The rate expected; 0.5 asks for most.

    Returns
    -------
    array of whole numbers
        n₀ = z²·p(1−p)·deff / margin², n = n₀ / (1 + (n₀ − 1)/N), rounded up; at most
        the population.

    Raises
    ------
    ValueError
        For a margin or rate outside (0, 1), a design effect that is not positive.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., section 4.4 (formulas 4.1 and 4.2). Krejcie and
    Morgan (1970), table 1, is n₀/(1 + n₀/N) with χ² = 3.841, at most 1 off.

    Examples
    --------
    >>> required([200, 2000, 1_000_000])
    array([132, 323, 384])
    """
    z = special.ndtri(1 - tail(confidence))
    if not 0 < margin < 1:
        raise ValueError(f"margin must lie between 0 and 1, not {margin}")
    deff, p = np.asarray(design_effect, dtype=float), np.asarray(rate, dtype=float)
    if not (deff > 0).all():
        raise ValueError("design_effect must be positive")
    if not ((p > 0) & (p < 1)).all():
        raise ValueError("rate must lie between 0 and 1")
    n0 = z**2 * p * (1 - p) * deff / margin**2
    if population is None:
        return _up(n0)
    (people,) = counts(population=population)
    with np.errstate(divide="ignore"):
        n = np.where(people > 0, n0 / (1 + (n0 - 1) / people), 0.0)
    return np.minimum(_up(n), np.floor(people).astype(np.int64))


def allocate(
    total: int,
    size: ArrayLike,
    *,
    deviation: ArrayLike | None = None,
    least: int = 0,
) -> Whole:
    """Spread a sample over strata: proportionally, or by Neyman where deviations are given.

    Parameters
    ----------
    total
        Respondents in all.
    size
        Shape (strata,): N_h.
    deviation
        Shape (strata,): S_h, for a rate √(p(1−p)); strata that differ more inside get more.
    least
        Given to every stratum (up to its size) before the rest is spread.

    Returns
    -------
    array of whole numbers
        They sum to the total, none above its stratum; what is left over by rounding goes to the
        largest remainders.

    Raises
    ------
    ValueError
        Where the total exceeds all strata together, or is less than the least for each.

    References
    ----------
    Cochran (1977), section 5.5; Neyman (1934), JRSS 97:558-625.

    Examples
    --------
    >>> allocate(100, [5000, 3000, 2000]), allocate(100, [5000, 5000], deviation=[0.3, 0.1])
    (array([50, 30, 20]), array([75, 25]))
    """
    (n,) = counts(size=size)
    room = np.floor(n).astype(np.int64)
    (spread,) = counts(deviation=np.ones_like(n) if deviation is None else deviation)
    if total > room.sum():
        raise ValueError(f"total exceeds the {room.sum()} in all strata")
    given = np.minimum(least, room)
    if given.sum() > total:
        raise ValueError(f"total is less than the {given.sum()} that strata must have at least")
    share = n * spread
    while (left := total - int(given.sum())) > 0:
        open_ = given < room
        weight = np.where(open_, share if (share[open_] > 0).any() else n, 0.0)
        ideal = left * weight / weight.sum()
        full = open_ & (ideal >= room - given - 1e-9)
        if full.any():
            given = np.where(full, room, given)
            continue
        # What rounding puts a hair below a whole number is that number.
        more = np.floor(ideal + 1e-9).astype(np.int64)
        rest = np.where(open_, ideal - more, -1.0)
        more[np.argsort(-rest, kind="stable")[: left - int(more.sum())]] += 1
        given = given + more
    return given


def power(
    rate_1: ArrayLike,
    rate_2: ArrayLike,
    n_1: ArrayLike,
    n_2: ArrayLike,
    *,
    design_effect: ArrayLike = 1.0,
    confidence: float = 0.95,
) -> Floats:
    """How likely a true change from rate_1 to rate_2 is to be seen as significant.

    n are respondents (or answers) of either period, divided by the design effect. Two-sided z test
    with pooled variance under equality.

    Raises
    ------
    ValueError
        For rates outside [0, 1], negative n.

    References
    ----------
    Fleiss, Levin, Paik (2003), Statistical Methods for Rates and Proportions, section 4.2;
    statsmodels 0.15 ``power_proportions_2indep``.

    Examples
    --------
    >>> float(power(0.85, 0.80, 400, 400).round(3))
    0.461
    """
    z = special.ndtri(1 - tail(confidence))
    p1, p2, m1, m2, deff = counts(
        rate_1=rate_1, rate_2=rate_2, n_1=n_1, n_2=n_2, design_effect=design_effect
    )
    if (p1 > 1).any() or (p2 > 1).any():
        raise ValueError("rate_1 and rate_2 must lie in [0, 1]")
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = m1 / deff, m2 / deff
        pooled = (a * p1 + b * p2) / (a + b)
        null = np.sqrt(pooled * (1 - pooled) * (1 / a + 1 / b))
        true = np.sqrt(p1 * (1 - p1) / a + p2 * (1 - p2) / b)
        gap = np.abs(p2 - p1)
        found: Floats = special.ndtr((gap - z * null) / true) + special.ndtr(
            (-gap - z * null) / true
        )
    return found


def still_needed(respondents: ArrayLike, least: ArrayLike) -> Whole:
    """How many more respondents each unit needs to have at least so many.

    Examples
    --------
    >>> still_needed([4, 30], 10)
    array([6, 0])
    """
    n, wanted = counts(respondents=respondents, least=least)
    return _up(np.maximum(wanted - n, 0.0))


def _up(values: Floats) -> Whole:
    # What rounding puts a hair above a whole number is that number.
    return np.ceil(values - 1e-9).astype(np.int64)
