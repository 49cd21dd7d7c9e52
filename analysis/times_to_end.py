"""How long something takes of which some is not over yet: the median by Kaplan and Meier.

What is not over has taken so long at least. To leave it out would tell of the quick alone: of ten
complaints of which five were closed within a day and five wait for a year, the middle one of those
that are closed took a day.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import CensoredData, ecdf

from analysis._validation import counts


def median_time(times: ArrayLike, over: ArrayLike) -> float:
    """The time within which half is over (Kaplan and Meier 1958).

    Parameters
    ----------
    times
        How long each has taken so far, shape (n,), in whatever unit, 0 or more.
    over
        Whether each is over, shape (n,); what is not is censored at its time.

    Returns
    -------
    float
        The first time at which no more than half is left, as R's ``survfit`` prints it; where
        exactly half is left from one time to the next, the middle of the two. NaN where more than
        half is left to the end.

    Raises
    ------
    ValueError
        For negative or non-finite times, or shapes that differ.
    """
    (given,) = counts(times=times)
    done = np.asarray(over, dtype=bool)
    if given.ndim != 1 or done.shape != given.shape:
        raise ValueError(f"times have shape {given.shape}, what is over {done.shape}")
    if not done.any():
        return float("nan")
    left = ecdf(CensoredData(uncensored=given[done], right=given[~done])).sf
    # Sums of products of fractions: a half may be off by the last digit.
    near = np.isclose(left.probabilities, 0.5, rtol=0, atol=1e-9)
    reached = near | (left.probabilities < 0.5)
    if not reached.any():
        return float("nan")
    first = int(reached.argmax())
    below = np.flatnonzero(~near & (left.probabilities < 0.5))
    if near[first] and len(below):
        return float((left.quantiles[first] + left.quantiles[below[0]]) / 2)
    return float(left.quantiles[first])
