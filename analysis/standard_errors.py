"""Standard errors of estimates that are compared with one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from analysis._validation import Floats, tail
from analysis.comparison import normal_quantile


def cautious(
    own: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    shrunken: ArrayLike,
    effective_n: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Floats:
    """Of each rate its own standard error, but not less than what all rates together say of it.

    Where many are ranked, those would stand out whose own variance came out too small: a unit of
    twelve alike answers has none at all.

    Parameters
    ----------
    own, low, high
        Shape (units,): the estimated standard error and the limits of the interval; where the
        error is 0 or undefined, half the interval over the quantile stands for it.
    shrunken
        The rate drawn towards the others, so that it is not 0 or 1.
    effective_n
        How many independent answers would carry as much by the correlation common to all.
    confidence
        Of the interval.

    Returns
    -------
    array of shape (units,)

    Raises
    ------
    ValueError
        Where ``confidence`` does not lie between 0 and 1.

    Examples
    --------
    >>> cautious([0.05, 0.0], [0.8, 0.7], [1.0, 1.0], [0.9, 0.95], [16.0, 100.0]).round(4)
    array([0.075 , 0.0765])
    """
    tail(confidence)
    error, lower, upper, rate, n = (
        np.asarray(each, dtype=np.float64) for each in (own, low, high, shrunken, effective_n)
    )
    z = normal_quantile(1 - (1 - confidence) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.where(error > 0, error, (upper - lower) / (2 * z))
        found: Floats = np.fmax(error, np.sqrt(rate * (1 - rate) / n))
    return found
