"""Whether the items of a scale measure one thing: Cronbach's alpha."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from analysis._validation import Floats, tail


@dataclass(frozen=True)
class Reliability:
    """``n`` complete respondents; arrays with one entry an item.

    ``item_rest_correlation`` is with the sum of the other items, ``alpha_if_deleted`` the alpha of
    the scale without the item (NaN where only one would be left).
    """

    alpha: float
    low: float
    high: float
    n: int
    alpha_if_deleted: Floats
    item_rest_correlation: Floats


def cronbach_alpha(answers: ArrayLike, *, confidence: float = 0.95) -> Reliability:
    """Cronbach's alpha of complete respondents, with Feldt's interval.

    Parameters
    ----------
    answers
        Shape (respondents, items); NaN for an item not answered. Respondents with a gap are left
        out.

    Returns
    -------
    Reliability
        NaN where fewer than two complete respondents are left, or nobody differs.

    Raises
    ------
    ValueError
        For fewer than two items, infinite answers.

    References
    ----------
    Cronbach (1951), Psychometrika 16:297-334; Feldt (1965), Psychometrika 30:357-370. Equals R
    psych 2.2.9 ``alpha``.

    Examples
    --------
    >>> found = cronbach_alpha([[1, 2, 1], [3, 3, 2], [4, 5, 4], [5, 5, 5], [2, 3, 2]])
    >>> round(found.alpha, 3)
    0.983
    """
    alpha_tail = tail(confidence)
    x = np.asarray(answers, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] < 2:
        raise ValueError("answers must have the shape (respondents, items) with two items or more")
    if np.isinf(x).any():
        raise ValueError("answers has infinite entries")
    x = x[np.isfinite(x).all(axis=1)]
    n, items = x.shape
    if n < 2:
        nothing = np.full(items, np.nan)
        return Reliability(np.nan, np.nan, np.nan, n, nothing, nothing)
    covariance = np.cov(x, rowvar=False)
    own, whole = np.diag(covariance), covariance.sum()
    # Without item j: its variance, and its covariances in row and column, are gone.
    rest = whole - 2 * covariance.sum(axis=1) + own
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha = float(items / (items - 1) * (1 - own.sum() / whole)) if whole > 0 else np.nan
        # Of two items one would be left, which has no alpha.
        factor = (items - 1) / (items - 2) if items > 2 else np.nan
        deleted = factor * (1 - (own.sum() - own) / rest)
        correlation = (covariance.sum(axis=1) - own) / np.sqrt(own * rest)
    degrees = (n - 1, (n - 1) * (items - 1))
    low = 1 - (1 - alpha) * scipy.stats.f.ppf(1 - alpha_tail, *degrees)
    high = 1 - (1 - alpha) * scipy.stats.f.ppf(alpha_tail, *degrees)
    return Reliability(alpha, float(low), float(high), n, deleted, correlation)
