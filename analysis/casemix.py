"""Case-mix adjustment: what units would have with the same mix of patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from analysis._validation import Floats

_CHUNK = 65_536
#: What lies under this share of the whole is no more than rounding.
_ROUNDING = 1e-11


@dataclass(frozen=True)
class Adjusted:
    """``raw``, ``adjusted``, ``standard_error`` and ``n`` have one entry a unit.

    ``coefficient`` has one an adjuster.

    ``difference`` is adjusted minus raw: how much the mix flattered (negative) or harmed a unit.
    ``f``, with its degrees of freedom and ``p``, tests whether the adjusters matter at all.
    """

    raw: Floats
    adjusted: Floats
    standard_error: Floats
    n: Floats
    coefficient: Floats
    f: float
    degrees_of_freedom: tuple[int, int]
    p: float

    @property
    def difference(self) -> Floats:
        """Adjusted minus raw."""
        return self.adjusted - self.raw


def adjust(outcome: ArrayLike, unit: ArrayLike, adjusters: ArrayLike) -> Adjusted:
    """Linear regression on centred adjusters with an effect for every unit.

    Parameters
    ----------
    outcome
        Shape (respondents,): a mean score, or 0 and 1.
    unit
        Shape (respondents,): 0 … units − 1.
    adjusters
        Shape (respondents, adjusters): age, sex, self-rated health … as numbers, categories as
        dummies without their base. Without NaN: leave such respondents out, or give them a dummy.

    Returns
    -------
    Adjusted
        raw_u − (x̄_u − x̄)β with β from within units. NaN for a unit without respondents. Standard
        errors are those of the adjusted mean with homoscedastic residuals, β's included.

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN, fewer respondents than parameters; an adjuster that is
        constant within every unit cannot be told from the units.

    References
    ----------
    CAHPS Analysis Program 5.0 (Agency for Healthcare Research and Quality): adjusters centred at
    the overall mean; the same as OLS of statsmodels 0.15 with unit dummies, by the theorem of
    Frisch, Waugh and Lovell.

    Examples
    --------
    >>> age = np.array([[30.0], [50], [30], [50], [50], [70]])
    >>> found = adjust([3, 4, 3, 4, 4, 5], [0, 0, 0, 0, 1, 1], age)
    >>> found.raw.round(2), found.adjusted.round(2)
    (array([3.5, 4.5]), array([3.83, 3.83]))
    """
    y = np.asarray(outcome, dtype=np.float64)
    place = np.asarray(unit, dtype=np.intp)
    x = np.asarray(adjusters, dtype=np.float64)
    if y.ndim != 1 or place.shape != y.shape or x.ndim != 2 or len(x) != len(y):
        raise ValueError("outcome, unit and adjusters must have one entry or row a respondent")
    if not np.isfinite(y).all() or not np.isfinite(x).all():
        raise ValueError("outcome and adjusters must be finite")
    if len(y) == 0 or place.min() < 0:
        raise ValueError("unit must have entries, none of them negative")
    units = int(place.max()) + 1
    n = np.bincount(place, minlength=units).astype(np.float64)
    filled = int((n > 0).sum())
    parameters = x.shape[1]
    free = len(y) - filled - parameters
    if free <= 0:
        raise ValueError("outcome has too few respondents for so many units and adjusters")
    with np.errstate(invalid="ignore", divide="ignore"):
        raw = np.bincount(place, y, units) / n
        mean = np.empty((units, parameters))
        for j, column in enumerate(x.T):
            mean[:, j] = np.bincount(place, column, units) / n
    overall = x.mean(axis=0)
    # Products within units, by pieces: a copy of a million rows is not needed.
    cross, with_y, left = np.zeros((parameters, parameters)), np.zeros(parameters), 0.0
    for start in range(0, len(y), _CHUNK):
        piece = slice(start, start + _CHUNK)
        at = place[piece]
        dx, dy = x[piece] - mean[at], y[piece] - raw[at]
        cross += dx.T @ dx
        with_y += dx.T @ dy
        left += float(dy @ dy)
    # As correlations: whether adjusters can be told apart does not depend on what they are measured
    # in. Of an adjuster that is constant within units rounding leaves something.
    within, whole = np.sqrt(np.diag(cross)), np.sqrt(np.einsum("ij,ij->j", x, x))
    constant = (within <= _ROUNDING * whole).any()
    size = np.outer(within, within)
    if constant or (parameters and np.linalg.eigvalsh(cross / size)[0] <= _ROUNDING):
        raise ValueError("adjusters cannot be told from one another, or from the units")
    inverse = np.linalg.inv(cross / size) / size
    beta = inverse @ with_y
    residual = left - float(beta @ with_y)
    scale = residual / free
    shift = mean - overall
    with np.errstate(invalid="ignore", divide="ignore"):
        adjusted = raw - shift @ beta
        se = np.sqrt(scale * (1 / n + np.einsum("ui,ij,uj->u", shift, inverse, shift)))
        se = np.where(n > 0, se, np.nan)
        f = (left - residual) / parameters / scale if parameters and scale > 0 else np.nan
    p = float(scipy.stats.f.sf(f, parameters, free)) if parameters else np.nan
    return Adjusted(raw, adjusted, se, n, beta, float(f), (parameters, free), p)
