"""Those who did not answer: weights for who did, and how far the rate might move for the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from analysis._validation import Floats, at_most, counts


def response_weights(invited: ArrayLike, answered: ArrayLike) -> Floats:
    """For how many invited people each answering one of a group stands: one over the response rate.

    Parameters
    ----------
    invited, answered
        Of each group (a unit and month) how many were invited, and how many of them answered.

    Returns
    -------
    NDArray
        NaN for a group in which nobody answered: there is nobody to stand for the others.

    Raises
    ------
    ValueError
        For negative or non-finite counts, more answered than invited.

    References
    ----------
    Weighting classes: Kalton and Flores-Cervantes (2003), Journal of Official Statistics 19:81-97,
    section 2. With these as weights the mean equals statsmodels 0.15 ``DescrStatsW``, and R 4.2.2,
    survey 4.1.1 ``svymean`` after ``postStratify`` to the invited.

    Examples
    --------
    >>> response_weights([100, 40, 5], [50, 10, 0])
    array([ 2.,  4., nan])
    """
    n, k = counts(invited=invited, answered=answered)
    at_most("answered", k, "invited", n)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(k > 0, n / np.where(k > 0, k, 1.0), np.nan)
    return found


def moved(
    rate: ArrayLike, response_rate: ArrayLike, difference: ArrayLike
) -> tuple[Floats, Floats]:
    """The rate of all, if those who did not answer differed by so much from those who did.

    Parameters
    ----------
    rate
        Of those who answered.
    response_rate
        Share of all who answered.
    difference
        By how much the others' rate is supposed to lie below, or above.

    Returns
    -------
    tuple
        The lowest and the highest rate of all: rate ∓ (1 − response rate)·difference, the others'
        rate being cut to [0, 1].

    Raises
    ------
    ValueError
        For rates, shares or differences outside [0, 1]; NaN stays NaN.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., section 13.2: the bias of the respondents' mean is
    the share of the others times the difference between the two.

    Examples
    --------
    Of all a fifth answered, nine of ten of these satisfied:

    >>> low, high = moved(0.9, 0.2, [0.05, 0.20])
    >>> low.round(2), high.round(2)
    (array([0.86, 0.74]), array([0.94, 0.98]))
    """
    given = {"rate": rate, "response_rate": response_rate, "difference": difference}
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in given.items()}
    for name, array in arrays.items():
        if ((array < 0) | (array > 1)).any():
            raise ValueError(f"{name} has entries outside [0, 1]")
    r, share, far = np.broadcast_arrays(*arrays.values())
    low: Floats = share * r + (1 - share) * np.maximum(r - far, 0.0)
    high: Floats = share * r + (1 - share) * np.minimum(r + far, 1.0)
    return low, high
