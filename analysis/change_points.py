"""One lasting shift of level in a series: whether, since when, and how sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.arrays import Floats, counts

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
#: Beyond this many standard deviations nothing is left of a normal distribution.
_FAR = 9.0


@dataclass(frozen=True)
class LevelShift:
    """The most likely shift of each unit, whether real or not; one entry a unit.

    ``since`` is the first period of the new level, −1 where nothing can be said; ``change`` is new
    minus old mean; ``statistic`` its largest studentised size over all places; ``p`` is corrected
    for having looked at all of them.
    """

    since: NDArray[np.int64]
    change: Floats
    statistic: Floats
    p: Floats


def level_shift(
    values: ArrayLike,
    precision: ArrayLike,
    *,
    least_periods: int = 2,
    respondents: ArrayLike | None = None,
    least_respondents: int = 0,
) -> LevelShift:
    """Look for one change of mean at an unknown period.

    Parameters
    ----------
    values
        Shape (…, periods): normal with known precision, for example empirical logits.
    precision
        Shape (…, periods): 1 / variance; 0 for a period without a figure.
    least_periods
        Periods with figures that there must be on either side.
    respondents, least_respondents
        Shape (…, periods): how many people stand behind each value, and how many there must be on
        either side. Of four people the mean is not normal, whatever its precision says.

    Returns
    -------
    LevelShift
        p by Worsley's bound for the largest of correlated normal statistics, which is exact to the
        second order and never too small by more than rounding.

    Raises
    ------
    ValueError
        For negative or non-finite precision or respondents, ``least_periods`` under 1.

    References
    ----------
    Hawkins (1977), JASA 72:180-186; Worsley (1982), Biometrika 69:297-302.

    Examples
    --------
    >>> found = level_shift([0.1, -0.1, 0.0, 1.1, 0.9, 1.0], [20.0] * 6)
    >>> int(found.since), float(found.change.round(2)), bool(found.p < 0.001)
    (3, 1.0, True)
    """
    (w,) = counts(precision=precision)
    if least_periods < 1:
        raise ValueError(f"least_periods must be at least 1, not {least_periods}")
    y = np.asarray(values, dtype=np.float64)
    try:
        y, w = np.broadcast_arrays(y, w)
    except ValueError:
        raise ValueError("values and precision have shapes that do not fit") from None
    if y.shape[-1] < 2:  # nothing can change within one period
        none = np.full(y.shape[:-1], np.nan)
        return LevelShift(np.full(y.shape[:-1], -1), none, none, none)
    known = np.isfinite(y) & (w > 0)
    w, y = np.where(known, w, 0.0), np.where(known, y, 0.0)
    # Sums before each possible change: at place t the old level has the periods 0 … t.
    before, total = np.cumsum(w, axis=-1)[..., :-1], w.sum(axis=-1)[..., None]
    sums, whole = np.cumsum(w * y, axis=-1)[..., :-1], (w * y).sum(axis=-1)[..., None]
    periods, of = np.cumsum(known, axis=-1)[..., :-1], known.sum(axis=-1)[..., None]
    open_ = (periods >= least_periods) & (of - periods >= least_periods) & known[..., 1:]
    if respondents is not None:
        (people,) = counts(respondents=respondents)
        early = np.cumsum(np.where(known, people, 0.0), axis=-1)
        late = early[..., -1:] - early
        open_ &= (early[..., :-1] >= least_respondents) & (late[..., :-1] >= least_respondents)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = (whole - sums) / (total - before) - sums / before
        z = change * np.sqrt(before * (total - before) / total)
        z = np.where(open_, z, 0.0)
        share = np.where(open_, before / total, np.nan)
    some = open_.any(axis=-1)
    best = np.abs(z).argmax(axis=-1)
    statistic = np.abs(np.take_along_axis(z, best[..., None], -1)[..., 0])
    p = np.full(statistic.shape, np.nan)
    for place in np.ndindex(statistic.shape):
        if some[place]:
            p[place] = _worsley(float(statistic[place]), share[place][open_[place]])
    return LevelShift(
        np.where(some, best + 1, -1),
        np.where(some, np.take_along_axis(change, best[..., None], -1)[..., 0], np.nan),
        np.where(some, statistic, np.nan),
        p,
    )


def _worsley(c: float, share: Floats) -> float:
    """P(max |Z_t| > c) at most, for a bridge seen where it has these shares of its information."""
    single = 2 * special.ndtr(-c)
    if len(share) == 1:
        return float(single)
    t, u = share[:-1], share[1:]
    rho = np.clip(np.sqrt(t * (1 - u) / (u * (1 - t))), 0.0, 1 - 1e-12)
    p = len(share) * single - _both_beyond(c, rho).sum()
    return float(np.clip(p, 0.0, 1.0))


def _both_beyond(c: float, rho: Floats) -> Floats:
    """P(|X| > c and |Y| > c) for standard normal X, Y with correlations rho ≥ 0."""
    if c >= _FAR:
        return np.zeros_like(rho)
    x = c + (_FAR - c) * (_NODES + 1) / 2
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * _WEIGHTS * (_FAR - c) / 2
    spread = np.sqrt(1 - rho**2)[:, None]
    beyond = special.ndtr((rho[:, None] * x - c) / spread) + special.ndtr(
        (-c - rho[:, None] * x) / spread
    )
    both: Floats = 2 * beyond @ density
    return both
