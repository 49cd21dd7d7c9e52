"""How many respondents a unit needs for the interval that will be shown of it.

``sampling.required`` plans by the textbook's variance and for a finite population. What is shown of
a unit is neither: its limits solve Wilson's equation on effective answers, and units are taken as
samples of all whom they will yet serve. So that a plan promises what is then shown, it is solved
from those very limits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis._validation import tail
from analysis.effective_sizes import score_limits


def respondents_within(
    margin: float,
    *,
    rate: ArrayLike = 0.5,
    answers_each: ArrayLike = 1.0,
    people_each: ArrayLike = 1.0,
    confidence: float = 0.95,
) -> NDArray[np.int64]:
    """The fewest respondents from whom on neither limit lies farther from the rate than a margin.

    Parameters
    ----------
    margin
        How far the farther limit may lie from the rate, on the scale of rates.
    rate
        The rate expected; 0.5 asks for most.
    answers_each
        How many independent answers one respondent is worth: ``RatioEstimate.interval_n / n``.
    people_each
        n* of one respondent, ``RatioEstimate.people / n``: 1 where all answer equally much; at
        most ``answers_each``.
    confidence
        Of the interval.

    Returns
    -------
    array of whole numbers
        At least 1; of the shape that the arguments have together.

    Raises
    ------
    ValueError
        For a margin or rate outside (0, 1), or a respondent worth nothing.

    References
    ----------
    The limits are those of ``effective_sizes.score_limits``. With one answer each and no allowance
    they are Wilson's, and the closed form is Cochran's n₀ at the limit in place of the rate:
    z²·P(1 − P)/margin², P = rate − margin or rate + margin.

    Examples
    --------
    One answer each; and nine, worth two:

    >>> respondents_within(0.05, rate=[0.5, 0.9])
    array([381, 196])
    >>> int(respondents_within(0.05, rate=0.9, answers_each=2))
    101
    """
    if not 0 < margin < 1:
        raise ValueError(f"margin must lie between 0 and 1, not {margin}")
    r, each, people = np.broadcast_arrays(
        *(np.asarray(x, dtype=np.float64) for x in (rate, answers_each, people_each))
    )
    if not ((r > 0) & (r < 1)).all():
        raise ValueError("rate must lie between 0 and 1")
    if not ((each > 0) & (people > 0)).all():
        raise ValueError("answers_each and people_each must be positive")
    people = np.minimum(people, each)
    z = float(special.ndtri(1 - tail(confidence)))
    # On people alone Wilson's limits lie farthest out: so many are always enough.
    enough = np.ceil(z**2 / 4 / margin**2 / people) + 1
    short, long = np.zeros(r.shape), enough
    while (long - short > 1).any():
        middle = np.where(long - short > 1, np.floor((short + long) / 2), long)
        low, high = score_limits(r, middle * each, middle * people, confidence=confidence)
        near = np.maximum(r - low, high - r) <= margin + 1e-12
        short, long = np.where(near, short, middle), np.where(near, middle, long)
    return np.asarray(long, dtype=np.int64)
