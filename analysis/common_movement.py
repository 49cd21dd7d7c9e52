"""What all units share, period by period, and whether they all moved together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analysis._validation import Floats, counts
from analysis.change_points import level_shift
from analysis.noise import learn

#: Fewer units than this share nothing that could be told from a change of one of them.
LEAST_UNITS = 10
_ROUNDS = 8
#: Huber's tuning constant: 95 % as efficient as the mean where nothing is odd.
_HUBER = 1.345
#: A unit's level is drawn to one half by so many answers, so that all of one kind have a logit.
_HALF = 0.5


@dataclass(frozen=True)
class UnitSeries:
    """Units' courses on the logit scale, taken apart; shapes (units, periods) if not said.

    ``level`` is each unit's own, shape (units, 1); ``common`` what all share, shape (periods,), 0
    where fewer than ``LEAST_UNITS`` have figures, with its standard error ``error`` (NaN there);
    ``apart`` what is left, NaN without a figure, with the ``variance`` (infinite there) and the
    third central moment ``third`` that chance gives it; ``bent`` is how it bends logits, 1 − 2π.
    """

    level: Floats
    common: Floats
    error: Floats
    apart: Floats
    variance: Floats
    third: Floats
    bent: Floats


@dataclass(frozen=True)
class Movement:
    """One lasting shift of all units together; numbers are NaN, ``since`` −1 if none can be told.

    ``change`` is in logits, with its standard error ``error``; ``p`` allows for what the units'
    common level does anyway: its AR(1), learnt from itself, and its season where ``explained``
    was given.
    """

    since: int
    change: float
    error: float
    p: float
    deviation: float
    correlation: float


def take_apart(
    estimate: ArrayLike, effective_n: ArrayLike, *, deviation: float = 0.1
) -> UnitSeries:
    """Split courses into each unit's level, what all share, and the rest.

    Parameters
    ----------
    estimate, effective_n
        Shape (units, periods): rates, and how many independent answers carry as much; 0 for a
        period without answers.
    deviation
        What periods vary in besides chance, for the weights alone.

    Returns
    -------
    UnitSeries
        ``apart`` is the working response (p − π)/(π(1 − π)) at π = expit(level + common). It is
        without bias near 100 %, where logarithms of odds are not. What all share is Huber's
        M-estimate over units, which units that changed hardly move. Third moments are those of
        beta distributions, which people with many answers give: twice the binomial's.

    Raises
    ------
    ValueError
        For impossible rates or numbers, shapes that do not fit.

    References
    ----------
    McCullagh and Nelder (1989), Generalized Linear Models, section 2.5; Huber (1964), Annals of
    Mathematical Statistics 35:73-101.

    Examples
    --------
    >>> rate = np.full((12, 6), 0.8)
    >>> rate[:, 3:] = 0.7
    >>> take_apart(rate, np.full((12, 6), 50)).common.round(2)
    array([ 0.27,  0.27,  0.27, -0.27, -0.27, -0.27])
    """
    (n,) = counts(effective_n=effective_n)
    given = np.asarray(estimate, dtype=np.float64)
    if n.ndim != 2 or given.shape != n.shape:
        raise ValueError("estimate and effective_n must be of one shape (units, periods)")
    seen = n > 0
    rate = np.where(seen, given, 0.5)
    if not np.isfinite(rate).all() or (rate < 0).any() or (rate > 1).any():
        raise ValueError("estimate has entries outside [0, 1]")
    total = n.sum(axis=1, keepdims=True)
    level = special.logit(((rate * n).sum(axis=1, keepdims=True) + _HALF) / (total + 2 * _HALF))
    enough = seen.sum(axis=0) >= LEAST_UNITS
    common, error = np.zeros(n.shape[1]), np.full(n.shape[1], np.nan)
    for _ in range(_ROUNDS):
        apart, variance = _working(rate, n, level + common)
        weight = np.where(seen, 1 / (variance + deviation**2), 0.0)
        if enough.any():
            odd = np.abs(apart) * np.sqrt(weight)
            scale = max(1.0, float(np.median(odd[seen])) / 0.6745)
            robust = weight * np.minimum(1.0, _HUBER * scale / np.maximum(odd, 1e-9))
            sums = robust.sum(axis=0)
            step = np.where(enough, (robust * apart).sum(axis=0) / np.where(enough, sums, 1.0), 0.0)
            common = common + np.clip(step, -1.0, 1.0)
            # Only differences between periods are common; the mean belongs to the units' levels.
            common = np.where(enough, common - common[enough].mean(), 0.0)
            spread = (robust**2 * (np.where(seen, variance, 0.0) + deviation**2)).sum(axis=0)
            error = np.where(enough, np.sqrt(spread) / np.where(enough, sums, 1.0), np.nan)
            apart, variance = _working(rate, n, level + common)
            weight = np.where(seen, 1 / (variance + deviation**2), 0.0)
        # A prior as of one answer keeps a unit that is always at 100 % in place.
        some = weight.sum(axis=1, keepdims=True)
        own = np.where(some > 0, (weight * apart).sum(axis=1, keepdims=True), 0.0)
        level = level + np.clip(own / np.where(some > 0, some, 1.0), -0.5, 0.5) * (some > 0)
        bound = special.logit((total + _HALF) / (total + 2 * _HALF))
        level = np.clip(level, -bound, bound)
    apart, variance = _working(rate, n, level + common)
    pi = special.expit(level + common)
    with np.errstate(divide="ignore", invalid="ignore"):
        third = np.where(seen, 2 * (1 - 2 * pi) / (n * pi * (1 - pi)) ** 2, 0.0)
    return UnitSeries(
        level, common, error, np.where(seen, apart, np.nan), variance, third, 1 - 2 * pi
    )


def _working(rate: Floats, n: Floats, logit: Floats) -> tuple[Floats, Floats]:
    """The working response, 0 without answers, and its variance, infinite there."""
    pi = special.expit(logit)
    spread = pi * (1 - pi)
    with np.errstate(divide="ignore"):
        return np.where(n > 0, (rate - pi) / spread, 0.0), np.where(n > 0, 1 / (n * spread), np.inf)


def movement(
    common: ArrayLike,
    error: ArrayLike,
    *,
    explained: ArrayLike | None = None,
    least_periods: int = 3,
) -> Movement:
    """Look for one lasting shift of what all units share.

    Parameters
    ----------
    common, error
        Shape (periods,): ``UnitSeries.common`` and its standard error, NaN where it is not known.
    explained
        Shape (periods, columns): a season that it may have.
    least_periods
        Periods that there must be on either side.

    Returns
    -------
    Movement
        As ``change_points.level_shift`` of a single series, whose AR(1) is learnt from itself
        with the likeliest shift taken out.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> level = rng.normal(0, 0.05, 24) - 0.5 * (np.arange(24) >= 18)
    >>> found = movement(level, np.full(24, 0.03))
    >>> found.since, round(found.change, 1), found.p < 0.001
    (18, -0.5, True)
    """
    y = np.asarray(common, dtype=np.float64)
    se = np.asarray(error, dtype=np.float64)
    if y.ndim != 1 or se.shape != y.shape:
        raise ValueError("common and error must be of one shape (periods,)")
    none = Movement(-1, *[np.nan] * 5)
    seen = np.isfinite(se) & (se > 0)
    columns = np.ones((len(y), 1))
    if explained is not None:
        columns = np.column_stack([columns, np.asarray(explained, dtype=np.float64)])
    if seen.sum() < columns.shape[1] + 4:
        return none
    values = np.where(seen, y, np.nan)[None]
    precision = np.where(seen, 1 / np.where(seen, se, 1.0) ** 2, 0.0)[None]
    with np.errstate(divide="ignore"):
        variance = 1 / precision
    step, since = np.zeros(len(y)), -1
    for _ in range(3):
        noise = learn(values, variance, np.column_stack([columns, step])[None])
        found = level_shift(
            values, precision, noise=noise, explained=explained, least_periods=least_periods
        )
        if found.since[0] < 0:
            return none
        if found.since[0] == since:
            break
        since = int(found.since[0])
        step = (np.arange(len(y)) >= since).astype(np.float64)
    return Movement(
        int(found.since[0]),
        float(found.change[0]),
        float(np.abs(found.change[0]) / max(found.statistic[0], 1e-12)),
        float(found.p[0]),
        noise.deviation[0],
        noise.correlation[0],
    )
