"""One lasting shift of level in a series: whether, since when, and how sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis._validation import Floats, counts
from analysis.noise import Noise, covariances, fixed, precisions

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
#: Beyond this many standard deviations nothing is left of a normal distribution.
_FAR = 9.0
#: A place where other explanations leave less than this of what a shift would show is no place.
_LEAST_LEFT = 0.02
#: Only where p is under this for the likeliest variation it matters what else that may be.
_NEAR = 0.05
#: From this many standard deviations on the bound is computed to the second order.
_WORTH = 1.8
#: Covariances of units looked at together, which bounds memory.
_TOGETHER = 330_000


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
    noise: Noise | None = None,
    explained: ArrayLike | None = None,
    third: ArrayLike | None = None,
    bent: ArrayLike | None = None,
    last_only: bool = False,
    least_periods: int = 2,
    respondents: ArrayLike | None = None,
    least_respondents: int = 0,
) -> LevelShift:
    """Look for one change of mean at an unknown period.

    Parameters
    ----------
    values
        Shape (…, periods): with known precision, for example empirical logits.
    precision
        Shape (…, periods): 1 / variance of what chance contributes; 0 for a period without a
        figure.
    noise
        What periods vary in besides, of as many units as ``values`` has; nothing if left out.
        p is its mean over all that the noise may be.
    explained
        Shape (periods, columns): what else may explain a course, as a season; fitted in every unit
        together with the shift. Nothing but the mean if left out.
    third
        Shape (…, periods): third central moments that chance gives to ``values``. Where the sum is
        skewed towards the side of the shift p is that of a Pearson curve of type III; normal if
        left out.
    bent
        Shape (…, periods): κ, where ``values`` are e + κe²/2 of the noise e, with a variance of
        chance that grows by κe (working responses: 1 − 2π); 0 if left out.
    last_only
        Look for a shift at the last period alone: does it stand out from all before?
    least_periods
        Periods with figures that there must be on either side (of the last alone: before it).
    respondents, least_respondents
        Shape (…, periods): how many people stand behind each value, and how many there must be on
        either side. Of four people the mean is not normal, whatever its precision says.

    Returns
    -------
    LevelShift
        By generalised least squares; p by Worsley's bound for the largest of correlated normal
        statistics, which is exact to the second order and never too small by more than rounding.

    Raises
    ------
    ValueError
        For negative or non-finite precision or respondents, ``least_periods`` under 1, shapes that
        do not fit.

    References
    ----------
    Hawkins (1977), JASA 72:180-186; Worsley (1982), Biometrika 69:297-302; Pearson's type III:
    Johnson, Kotz, Balakrishnan (1994), Continuous Univariate Distributions 1, section 12.3.
    Estimates and their errors equal statsmodels 0.15 ``WLS`` and ``GLS`` on a step.

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
        y, w, moment, curve = np.broadcast_arrays(
            y, w, *(0.0 if each is None else np.asarray(each, float) for each in (third, bent))
        )
    except ValueError:
        raise ValueError("values and precision have shapes that do not fit") from None
    shape, periods = y.shape[:-1], y.shape[-1]
    if periods < 2:  # nothing can change within one period
        none = np.full(shape, np.nan)
        return LevelShift(np.full(shape, -1), none, none, none)
    y, w, moment, curve = (each.reshape(-1, periods) for each in (y, w, moment, curve))
    known = np.isfinite(y) & (w > 0)
    open_ = _open(known, 1 if last_only else least_periods, least_periods)
    if last_only:
        open_[:, :-1] = False
    if respondents is not None:
        (people,) = counts(respondents=respondents)
        people = np.broadcast_to(people, (*shape, periods)).reshape(-1, periods)
        early = np.cumsum(np.where(known, people, 0.0), axis=-1)
        late = early[..., -1:] - early
        open_ &= (early[..., :-1] >= least_respondents) & (late[..., :-1] >= least_respondents)
    columns = np.ones((periods, 1))
    if explained is not None:
        columns = np.column_stack([columns, np.asarray(explained, dtype=np.float64)])
    noise = fixed(0.0, 0.0, len(y)) if noise is None else noise
    if len(noise.deviations) != len(y):
        raise ValueError(f"noise is of {len(noise.deviations)} units, values are of {len(y)}")
    with np.errstate(divide="ignore"):
        variance = np.where(known, 1 / w, np.inf)
    y, moment = np.where(known, y, 0.0), np.where(known, moment, 0.0)
    since = np.full(len(y), -1)
    change, statistic, p = np.full((3, len(y)), np.nan)
    together = max(1, _TOGETHER // periods**2)
    for begin in range(0, len(y), together):
        some = np.arange(begin, min(begin + together, len(y)))
        some = some[open_[some].any(axis=1)]
        if len(some):
            data = (y[some], variance[some], moment[some], curve[some], open_[some])
            every = noise.deviations[some], noise.correlations[some]
            middle = _at(*data, columns, *(each.mean(axis=1) for each in every))
            since[some], change[some], statistic[some], p[some] = middle
            near = (p[some] < _NEAR) & (every[0].shape[1] > 1)
            if near.any():
                y_, chance, moment_, curve_, places = (each[near] for each in data)
                parts = [
                    _at(y_, chance, moment_, curve_, places, columns, *part)[3]
                    for part in zip(every[0][near].T, every[1][near].T, strict=True)
                ]
                p[some[near]] = np.nanmean(parts, axis=0)
    silent = np.isnan(p)
    since[silent] = -1
    return LevelShift(*(each.reshape(shape) for each in (since, change, statistic, p)))


def _open(known: NDArray[np.bool_], after: int, before: int) -> NDArray[np.bool_]:
    """At which places a shift may begin: at place t the old level has the periods 0 … t."""
    periods, of = np.cumsum(known, axis=-1)[..., :-1], known.sum(axis=-1)[..., None]
    found: NDArray[np.bool_] = (periods >= before) & (of - periods >= after) & known[..., 1:]
    return found


def _at(
    y: Floats,
    variance: Floats,
    third: Floats,
    bent: Floats,
    open_: NDArray[np.bool_],
    columns: Floats,
    deviation: Floats,
    correlation: Floats,
) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    """The best place, its change, statistic and p, for noise that is known."""
    precision = precisions(variance, deviation, correlation)
    # What columns explain is taken out of the precision: P = W − WX(X'WX)⁻X'W.
    explains = precision @ columns
    inner = np.swapaxes(explains, 1, 2) @ columns
    size = np.einsum("uii->ui", inner)
    inner = inner + np.where(size > 1e-9, 1e-9 * size, 1.0)[..., None] * np.eye(columns.shape[1])
    left = precision - explains @ np.linalg.solve(inner, np.swapaxes(explains, 1, 2))
    # A shift is a sum of single periods from its place on.
    steps = np.cumsum(left[:, :, ::-1], axis=2)[:, :, ::-1][:, :, 1:]
    both = np.cumsum(steps[:, ::-1], axis=1)[:, ::-1][:, 1:]
    whole = np.cumsum(precision[:, :, ::-1], axis=2)[:, :, ::-1][:, :, 1:]
    whole = np.einsum("utt->ut", np.cumsum(whole[:, ::-1], axis=1)[:, ::-1][:, 1:])
    information = np.einsum("utt->ut", both)
    open_ = open_ & (information > _LEAST_LEFT * whole) & (whole > 0)
    safe = np.where(open_, information, 1.0)
    change = _along(steps, y) / safe
    z = np.where(open_, change * np.sqrt(safe), 0.0)
    cumulant = _along(steps * steps * steps, third)
    if bent.any():
        # To the first order in κ: of e + κe²/2 itself, and of its tie with the variance of chance.
        chance = np.where(np.isfinite(variance), variance, 0.0)[..., None]
        moved = covariances(bent.shape[1], deviation, correlation) @ steps
        curved = steps * moved * (moved + steps * chance)
        cumulant += 3 * _along(curved, bent)
    skewness = cumulant / safe**1.5
    score = np.where(open_, _normal_score(np.abs(z), skewness * np.sign(z)), 0.0)
    best = np.abs(z).argmax(axis=1)[:, None]  # where it fits best, which is when it was
    p = np.full(len(y), np.nan)
    some = open_.any(axis=1)
    shared = both[:, :, :] / np.sqrt(safe[:, :, None] * safe[:, None, :])
    p[some] = _worsley(score[some].max(axis=1), shared[some], open_[some])
    return (
        best[:, 0] + 1,
        np.take_along_axis(change, best, 1)[:, 0],
        np.take_along_axis(np.abs(z), best, 1)[:, 0],
        p,
    )


def _along(each: Floats, of: Floats) -> Floats:
    """Sums over periods: (units, periods, places) and (units, periods) give (units, places)."""
    found: Floats = (of[:, None, :] @ each)[:, 0]
    return found


def _normal_score(size: Floats, skewness: Floats) -> Floats:
    """The standard normal value as rare as this one of a skewed distribution, never rarer."""
    score = size.copy()
    skewed = (skewness > 0.01) & (size > 0)
    shape = 4 / skewness[skewed] ** 2
    beyond = special.gammaincc(shape, shape + 2 * size[skewed] / skewness[skewed])
    score[skewed] = np.clip(-special.ndtri(np.maximum(beyond, 1e-300)), 0.0, size[skewed])
    return score


def _worsley(c: Floats, correlation: Floats, open_: NDArray[np.bool_]) -> Floats:
    """P(max |Z_t| > c) at most, of each unit over its open places; at least P(|Z| > c)."""
    single = 2 * special.ndtr(-c)
    together = np.zeros(len(c))
    units, places = np.nonzero(open_)
    # Neighbours among the open places of one unit; where p is large its bound may be loose.
    next_ = ((units[1:] == units[:-1]) & (c[units[1:]] > _WORTH)).nonzero()[0]
    unit, first, second = units[next_], places[next_], places[next_ + 1]
    rho = np.clip(correlation[unit, first, second], -1 + 1e-12, 1 - 1e-12)
    np.add.at(together, unit, _both_beyond(c[unit], rho))
    return np.asarray(np.clip(open_.sum(axis=1) * single - together, single, 1.0))


def _both_beyond(c: Floats, rho: Floats) -> Floats:
    """P(|X| > c and |Y| > c) for standard normal X, Y with these correlations."""
    reach = np.maximum(_FAR - c, 0.0)[:, None]
    x = c[:, None] + reach * (_NODES + 1) / 2
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * _WEIGHTS * reach / 2
    spread, rho = np.sqrt(1 - rho**2)[:, None], rho[:, None]
    beyond = special.ndtr((rho * x - c[:, None]) / spread)
    beyond += special.ndtr((-c[:, None] - rho * x) / spread)
    found: Floats = 2 * (beyond * density).sum(axis=1)
    return found
