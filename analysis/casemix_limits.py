"""Limits of case-mix adjusted means that hold for small units whose respondents differ more.

``casemix.adjust`` takes one residual variance for all units, as CAHPS does. In a ward of seven
whose patients disagree more than others' its interval is too narrow: where their standard
deviation is twice that of others it holds the truth in some 67 of 100 samples. So a unit's limits
here are the wider ones of two: by the variance of all, and by the unit's own with as many degrees
of freedom as its respondents leave.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis._validation import Floats, tail
from analysis.casemix import Adjusted


def limits(
    outcome: ArrayLike,
    unit: ArrayLike,
    adjusters: ArrayLike,
    found: Adjusted,
    *,
    confidence: float = 0.95,
    own: bool = True,
) -> tuple[Floats, Floats]:
    """Both limits of each unit's adjusted mean, not cut to any scale.

    Parameters
    ----------
    outcome, unit, adjusters
        As ``casemix.adjust`` was given them.
    found
        What it found.
    confidence
        Of each interval.
    own
        Whether a unit's own variance counts where it is larger; if not, that of all alone.

    Returns
    -------
    low, high
        Shape (units,): adjusted ± the larger of t·SE with the residuals' degrees of freedom, and
        t·SE by ``own_standard_error`` with one less than the unit's respondents. Of a unit with one
        respondent, who shows no variance, the first; NaN of one without any.

    Examples
    --------
    The second ward's two patients agree less than the four of the first:

    >>> from analysis.casemix import adjust
    >>> y, ward = [3, 4, 3, 4, 2, 5], [0, 0, 0, 0, 1, 1]
    >>> age = np.array([[3.0], [5], [4], [5], [5], [6]])
    >>> low, high = limits(y, ward, age, adjust(y, ward, age))
    >>> (high - low).round(1)
    array([ 3.3, 28.3])
    """
    alpha = tail(confidence)
    reach = special.stdtrit(found.degrees_of_freedom[1], 1 - alpha) * found.standard_error
    if own:
        error = own_standard_error(outcome, unit, adjusters, found)
        reach = np.fmax(reach, special.stdtrit(np.maximum(found.n - 1, 1), 1 - alpha) * error)
    return found.adjusted - reach, found.adjusted + reach


def own_standard_error(
    outcome: ArrayLike, unit: ArrayLike, adjusters: ArrayLike, found: Adjusted
) -> Floats:
    """Each unit's standard error whatever the variance of its own and of others' residuals.

    Returns
    -------
    array
        Shape (units,): White's, times n/(n − 1) of the unit for the mean that was fitted to it;
        NaN with fewer than two respondents.

    References
    ----------
    White (1980), Econometrica 48:817-838. Without the factor the same as statsmodels 0.15 OLS with
    unit dummies, centred adjusters and ``cov_type="HC0"``.
    """
    y = np.asarray(outcome, dtype=np.float64)
    place = np.asarray(unit, dtype=np.intp)
    x = np.asarray(adjusters, dtype=np.float64)
    n, units = found.n, len(found.n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = _sums(place, x, units) / n[:, None]
    within = x - mean[place]
    squares = (y - found.raw[place] - within @ found.coefficient) ** 2
    inverse = np.linalg.inv(within.T @ within)
    # How much each respondent moves the coefficients.
    moves = within @ inverse
    shift = mean - x.mean(axis=0)
    spread = moves.T @ (moves * squares[:, None])
    own = np.bincount(place, squares, units)
    together = _sums(place, moves * squares[:, None], units)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (
            own / n**2
            - 2 * np.einsum("uj,uj->u", shift, together) / n
            + np.einsum("ui,ij,uj->u", shift, spread, shift)
        )
        error: Floats = np.where(n > 1, np.sqrt(np.maximum(variance, 0.0) * n / (n - 1)), np.nan)
    return error


def _sums(place: NDArray[np.intp], table: Floats, units: int) -> Floats:
    """Sums of each column by unit, shape (units, columns)."""
    sums = np.zeros((units, table.shape[1]))
    np.add.at(sums, place, table)
    return sums
