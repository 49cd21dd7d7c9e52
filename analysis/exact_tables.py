"""Exact tests of tables of two by two: whether a share is larger on one side than on the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import hypergeom

from analysis._validation import Floats, counts


def larger(
    successes: ArrayLike, trials: ArrayLike, successes_before: ArrayLike, trials_before: ArrayLike
) -> Floats:
    """One-sided p-values of Fisher's exact test that a share is larger than it was before.

    Parameters
    ----------
    successes, trials
        Whole counts now, any shapes that broadcast.
    successes_before, trials_before
        The same before.

    Returns
    -------
    Floats
        p in (0, 1]; NaN where one side has no trials.

    Raises
    ------
    ValueError
        For negative, infinite or NaN counts, or successes over trials.

    References
    ----------
    Fisher (1935), The Design of Experiments, section 21; equal to R's ``fisher.test(alternative =
    "greater")`` and to ``scipy.stats.fisher_exact``, which takes one table at a time.

    Examples
    --------
    >>> larger([3, 3], [4, 4], [1, 0], [4, 0]).round(4)
    array([0.2429,    nan])
    """
    a, n, b, m = counts(
        successes=successes, trials=trials,
        successes_before=successes_before, trials_before=trials_before,
    )  # fmt: skip
    if (a > n).any() or (b > m).any():
        raise ValueError("successes exceed trials")
    with np.errstate(invalid="ignore"):
        p = hypergeom.sf(a - 1, n + m, a + b, n)
    return np.where((n > 0) & (m > 0), np.clip(p, 0.0, 1.0), np.nan)
