"""What periods of a unit differ in besides chance: learnt from all units together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import make_interp_spline

from analysis._validation import Floats

#: Standard deviations (logits) and correlations between neighbours at which the likelihood is
#: computed; in between it is interpolated.
_DEVIATIONS = np.array(
    [0, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.25, 0.3, 0.4, 0.55, 0.8, 1.1]
)
_CORRELATIONS = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 0.95])
_BETWEEN = 4
#: Before anything is seen: half-Cauchy, half of it below this (Gelman 2006, Bayesian Analysis
#: 1:515-533); correlations all alike.
_SCALE = 0.15
#: Parts of equal probability in which what is still possible is handed on.
PARTS = 8
#: Fewer other units than this teach nothing that a unit could be judged by without itself.
FEW_UNITS = 5


@dataclass(frozen=True)
class Noise:
    """Variation between periods that chance does not explain: an AR(1) that units share.

    ``deviation`` (on the scale of the values) and ``correlation`` (between neighbouring periods)
    are each the mean of what is possible and its 95 % limits. ``deviations`` and ``correlations``,
    shape (units, ``PARTS``), are equally probable values for each unit, learnt from the others.
    """

    deviation: tuple[float, float, float]
    correlation: tuple[float, float, float]
    deviations: Floats
    correlations: Floats


def learn(values: ArrayLike, variance: ArrayLike, explained: ArrayLike) -> Noise:
    """Learn how much periods vary besides chance, and how their variation persists.

    Parameters
    ----------
    values
        Shape (units, periods).
    variance
        Of the same shape: what chance contributes, known; infinite where there is no figure.
    explained
        Shape (units, periods, columns): what is regressed out of each unit, as its mean; a column
        of zeros explains nothing.

    Returns
    -------
    Noise
        From the restricted likelihood of all units with one AR(1), on a grid. With at least
        ``FEW_UNITS`` others a unit has no say in what it is judged by.

    Raises
    ------
    ValueError
        For shapes that do not fit, a variance that is not positive, or a value that is not finite
        where its variance is.

    References
    ----------
    Patterson and Thompson (1971), Biometrika 58:545-554; the likelihood by Kalman's filter:
    Harvey (1989), Forecasting, Structural Time Series Models and the Kalman Filter, section 3.4.
    Equals R nlme 3.1 ``gls`` (REML, ``corAR1``) where chance contributes nothing.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> y = 0.3 * rng.normal(size=(60, 24)) + rng.normal(size=(60, 24)) * 0.2
    >>> found = learn(y, np.full(y.shape, 0.04), np.ones((60, 24, 1)))
    >>> 0.25 < found.deviation[1] < found.deviation[2] < 0.35, found.correlation[0] < 0.1
    (True, True)
    """
    return learnt(likelihoods(values, variance, explained))


def learnt(each: Floats, teachers: ArrayLike | None = None, units: int | None = None) -> Noise:
    """The noise of ``units`` units from the ``likelihoods`` of some (``teachers``, their places).

    Examples
    --------
    >>> learnt(np.zeros((1, 15, 6))).deviations.shape
    (1, 8)
    """
    units = len(each) if units is None else units
    together = each.sum(axis=0)
    own = np.zeros((units, *together.shape))
    if len(each) > FEW_UNITS:
        own[np.arange(units) if teachers is None else np.asarray(teachers)] = each
    fine_deviation, fine_correlation, spread, prior = _fine()

    def posterior(likelihood: Floats) -> Floats:
        level: Floats = likelihood.reshape(*likelihood.shape[:-2], -1) @ spread.T + prior
        weight: Floats = np.exp(level - level.max(axis=-1, keepdims=True))
        weight /= weight.sum(axis=-1, keepdims=True)
        return weight

    whole = posterior(together)
    deviations, correlations = np.empty((2, units, PARTS))
    # What moves a level is the variation in the long run.
    order = np.argsort(
        fine_deviation**2 * (1 + fine_correlation) / (1 - fine_correlation), kind="stable"
    )
    for begin in range(0, units, 500):
        some = slice(begin, begin + 500)
        left = posterior(together - own[some])
        upto = np.cumsum(left[:, order], axis=1)
        middles = (np.arange(PARTS) + 0.5) / PARTS
        at = np.array([np.searchsorted(each, middles) for each in upto])
        at = order[np.minimum(at, len(order) - 1)]
        deviations[some], correlations[some] = fine_deviation[at], fine_correlation[at]
    limits = [_limits(of, whole) for of in (fine_deviation, fine_correlation)]
    return Noise(
        (float(whole @ fine_deviation), *limits[0]),
        (float(whole @ fine_correlation), *limits[1]),
        deviations,
        correlations,
    )


def fixed(deviation: float, correlation: float, units: int) -> Noise:
    """Variation that is known, not learnt: for ``units`` units.

    Examples
    --------
    >>> fixed(0.2, 0.5, 3).deviations.shape
    (3, 1)
    """
    deviations, correlations = np.full((units, 1), deviation), np.full((units, 1), correlation)
    return Noise((deviation,) * 3, (correlation,) * 3, deviations, correlations)


def precisions(variance: ArrayLike, deviation: ArrayLike, correlation: ArrayLike) -> Floats:
    """The inverse covariance of each unit's values: chance, and an AR(1) on top.

    Parameters
    ----------
    variance
        Shape (units, periods): what chance contributes; infinite where there is no figure.
    deviation, correlation
        Of the AR(1), shape () or (units,).

    Returns
    -------
    array
        Shape (units, periods, periods); rows and columns without a figure are zero.

    Examples
    --------
    >>> precisions([[0.5, 0.5]], 0.0, 0.0)
    array([[[2., 0.],
            [0., 2.]]])
    """
    v = np.asarray(variance, dtype=np.float64)
    units, periods = v.shape
    columns = np.broadcast_to(np.eye(periods)[:, None], (periods, units, periods))
    white = np.empty((periods, periods, units))
    steps = _innovations(columns, v.T, np.asarray(deviation), np.asarray(correlation), (units,))
    for t, (innovation, size) in enumerate(steps):
        white[t] = innovation / np.sqrt(size)
    of_unit = white.transpose(2, 0, 1)
    found: Floats = np.swapaxes(of_unit, 1, 2) @ of_unit
    return found


def covariances(periods: int, deviation: ArrayLike, correlation: ArrayLike) -> Floats:
    """Covariances of AR(1) noise, shape (units, periods, periods).

    Examples
    --------
    >>> covariances(2, [1.0], [0.5])
    array([[[1. , 0.5],
            [0.5, 1. ]]])
    """
    size, rho = (
        np.asarray(each, dtype=np.float64)[:, None, None] for each in (deviation, correlation)
    )
    apart = np.abs(np.subtract.outer(np.arange(periods), np.arange(periods)))
    found: Floats = size**2 * rho**apart
    return found


def likelihoods(values: ArrayLike, variance: ArrayLike, explained: ArrayLike) -> Floats:
    """Restricted log-likelihood of each unit at each point of the grid; arguments as ``learn``.

    Returns
    -------
    array
        Shape (units, deviations, correlations).

    Examples
    --------
    >>> likelihoods([[0.1, 0.2, 0.1]], [[0.04, 0.04, 0.04]], np.ones((1, 3, 1))).shape
    (1, 15, 6)
    """
    y, v, x = _checked(values, variance, explained)
    deviation, correlation = np.meshgrid(_DEVIATIONS, _CORRELATIONS, indexing="ij")
    k = x.shape[-1]
    found = np.empty((len(y), *deviation.shape))
    for begin in range(0, len(y), 100):
        some = slice(begin, begin + 100)
        columns = np.concatenate([y[some, :, None], x[some]], axis=-1)
        columns = np.moveaxis(columns, -1, 0)[..., None, None]
        chance = np.moveaxis(v[some], -1, 0)[..., None, None]
        shape = (len(y[some]), *deviation.shape)
        products, logs = np.zeros((k + 1, k + 1, *shape)), np.zeros(shape)
        for new, size in _innovations(columns, chance, deviation, correlation, shape):
            white = new / np.sqrt(size)
            for row in range(k + 1):
                products[row, : row + 1] += white[row] * white[: row + 1]
            logs += np.log(np.where(np.isfinite(size), size, 1.0))
        products = np.moveaxis(products, (0, 1), (-2, -1))
        products = products + np.swapaxes(np.tril(products, -1), -2, -1)
        of_x, with_y = products[..., 1:, 1:], products[..., 1:, :1]
        # What explains nothing, or nothing that is seen, costs nothing.
        size = np.einsum("...ii->...i", of_x)
        ridge = np.where(size > 1e-9, 1e-9 * size, 1.0)
        of_x = of_x + ridge[..., None] * np.eye(k)
        fitted = (with_y * np.linalg.solve(of_x, with_y)).sum(axis=(-2, -1))
        rest = products[..., 0, 0] - fitted
        found[some] = -0.5 * (logs + np.linalg.slogdet(of_x)[1] + rest)
    return found


def _innovations(
    columns: Floats,
    chance: Floats,
    deviation: Floats,
    correlation: Floats,
    shape: tuple[int, ...],
) -> Iterator[tuple[Floats, Floats]]:
    """What is new at each period in each column, and its variance, which is infinite unseen.

    Columns have the shape (k, units, periods, …), ``chance`` (periods, units, …).
    """
    own = np.broadcast_to(deviation**2, shape)
    uncertain: Floats = own
    state: Floats = np.zeros((len(columns), *shape))
    for t, variance in enumerate(chance):
        size = np.maximum(uncertain + variance, 1e-12)
        new = columns[:, :, t] - state
        yield new, size
        gain = uncertain / size
        state = correlation * (state + gain * new)
        uncertain = correlation**2 * (uncertain * (1 - gain)) + own * (1 - correlation**2)


@cache
def _fine() -> tuple[Floats, Floats, Floats, Floats]:
    """A finer grid: its deviations, correlations, how it follows from the coarse one, its prior."""
    rows, columns = len(_DEVIATIONS), len(_CORRELATIONS)
    at = np.linspace(0, rows - 1, _BETWEEN * (rows - 1) + 1)
    along = np.linspace(0, columns - 1, _BETWEEN * (columns - 1) + 1)
    # A spline through points is linear in them, and that over a grid is a product.
    over, beside = (
        make_interp_spline(np.arange(size), np.eye(size), k=3)(places)
        for size, places in ((rows, at), (columns, along))
    )
    spread = np.kron(over, beside)
    values = np.interp(at, np.arange(rows), _DEVIATIONS)
    widths = np.gradient(values)
    prior = np.log(widths / (1 + (values / _SCALE) ** 2))
    deviation, correlation = np.meshgrid(
        values, np.interp(along, np.arange(columns), _CORRELATIONS), indexing="ij"
    )
    return (
        deviation.ravel(),
        correlation.ravel(),
        spread,
        np.broadcast_to(prior[:, None], deviation.shape).ravel().copy(),
    )


def _limits(of: Floats, weight: Floats) -> tuple[float, float]:
    order = np.argsort(of, kind="stable")
    upto = np.cumsum(weight[order])
    low, high = np.searchsorted(upto, [0.025, 0.975])
    return float(of[order][low]), float(of[order][min(high, len(of) - 1)])


def _checked(values: ArrayLike, variance: ArrayLike, explained: ArrayLike) -> list[Floats]:
    y, v, x = (np.asarray(each, dtype=np.float64) for each in (values, variance, explained))
    if y.ndim != 2 or v.shape != y.shape:
        raise ValueError("values and variance must be of one shape (units, periods)")
    if x.ndim != 3 or x.shape[:2] != y.shape:
        raise ValueError("explained must have the shape (units, periods, columns)")
    if not (v > 0).all():
        raise ValueError("variance must be positive")
    if not np.isfinite(y[np.isfinite(v)]).all():
        raise ValueError("values must be finite where variance is")
    return [np.where(np.isfinite(v), y, 0.0), v, x]
