"""Which factors drive overall satisfaction, and which to improve first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.arrays import Floats, tail

#: 2^k subsets are looked at.
MOST_FACTORS = 12
_DRAWS = 200


@dataclass(frozen=True)
class Importance:
    """Shares of R², shape (factors,), which sum to ``r_squared``; limits by bootstrap."""

    share: Floats
    low: Floats
    high: Floats
    r_squared: float
    n: int


def importance(
    factors: ArrayLike,
    overall: ArrayLike,
    *,
    confidence: float = 0.95,
    draws: int = _DRAWS,
    seed: int = 2020,
) -> Importance:
    """LMG (Shapley) shares of the variance of overall satisfaction that factors explain.

    Unlike coefficients, shares are fair among factors that go together: each factor gets the mean,
    over all orders of entering, of what it adds to R².

    Parameters
    ----------
    factors
        Shape (respondents, factors), at most twelve; NaN where a respondent has no figure.
        Respondents with a gap are left out.
    overall
        Shape (respondents,).
    draws, seed
        Of the bootstrap over respondents (percentile intervals); 0 draws for none.

    Returns
    -------
    Importance
        NaN where there are no more respondents than factors + 1, or where a column does not vary.

    Raises
    ------
    ValueError
        For shapes that do not fit, too many factors.

    References
    ----------
    Lindeman, Merenda, Gold (1980); Grömping (2007), The American Statistician 61:139-147. All 2^k
    subsets come from one correlation matrix.

    Examples
    --------
    >>> x = np.array([[1, 2], [2, 1], [3, 4], [4, 3], [5, 5.0]])
    >>> found = importance(x, x[:, 0] + 0.1 * x[:, 1], draws=0)
    >>> bool(found.share[0] > found.share[1]), round(found.r_squared, 6)
    (True, 1.0)
    """
    alpha = tail(confidence)
    x, y = np.asarray(factors, dtype=np.float64), np.asarray(overall, dtype=np.float64)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError("factors must be (respondents, factors), overall (respondents,)")
    count = x.shape[1]
    if not 1 <= count <= MOST_FACTORS:
        raise ValueError(f"factors must be 1 to {MOST_FACTORS}, not {count}")
    table = np.column_stack([x, y])
    table = table[np.isfinite(table).all(axis=1)]
    n = len(table)
    nothing = np.full(count, np.nan)
    if n <= count + 1 or (np.ptp(table, axis=0) == 0).any():
        return Importance(nothing, nothing, nothing, np.nan, n)
    # Centred and scaled once: the sums of products of a draw then lose no digits.
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    shares = _shares(_correlation(table, np.ones((1, n))))[0]
    low, high = nothing, nothing
    if draws:
        rng = np.random.default_rng(seed)
        correlations = np.concatenate(
            [
                _correlation(table, rng.multinomial(n, np.full(n, 1 / n))[None, :].astype(float))
                for _ in range(draws)
            ]
        )
        low, high = np.nanquantile(_shares(correlations), [alpha, 1 - alpha], axis=0)
    return Importance(shares, low, high, float(shares.sum()), n)


def _correlation(table: Floats, weight: Floats) -> Floats:
    """Weighted correlation matrices, shape (draws, columns, columns)."""
    total = weight.sum(axis=1)
    result = np.empty((len(weight), table.shape[1], table.shape[1]))
    for i, each in enumerate(weight):
        weighted = table * each[:, None]
        mean = weighted.sum(axis=0) / total[i]
        covariance = weighted.T @ table / total[i] - np.outer(mean, mean)
        # Where everybody answered the same, rounding may leave less than nothing.
        deviation = np.sqrt(np.maximum(np.diag(covariance), 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            result[i] = covariance / np.outer(deviation, deviation)
    return result


@lru_cache(maxsize=MOST_FACTORS)
def _subsets(count: int) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], ...]:
    """By size: the subsets as members, shape (subsets, size), and as numbers, a bit a member."""
    result = []
    for size in range(1, count + 1):
        members = np.array(list(combinations(range(count), size)), dtype=np.intp)
        result.append((members, (1 << members).sum(axis=1)))
    return tuple(result)


def _shares(correlation: Floats) -> Floats:
    """LMG shares from correlation matrices whose last column is the outcome's."""
    draws, count = len(correlation), correlation.shape[1] - 1
    r_squared = np.zeros((draws, 1 << count))
    # A hair on the diagonal: a factor that is the sum of others is then no obstacle.
    among = correlation[:, :count, :count] + 1e-10 * np.eye(count)
    outcome = correlation[:, :count, count]
    for members, numbers in _subsets(count):
        inner = among[:, members[:, :, None], members[:, None, :]]
        right = outcome[:, members]
        solved = np.linalg.solve(inner, right[..., None])[..., 0]
        r_squared[:, numbers] = (solved * right).sum(axis=-1)
    shares = np.zeros((draws, count))
    every = np.arange(1 << count)
    sizes = np.array([number.bit_count() for number in range(1 << count)])
    for j in range(count):
        without = every[(every >> j & 1) == 0]
        weight = np.array(
            [factorial(s) * factorial(count - s - 1) / factorial(count) for s in sizes[without]]
        )
        shares[:, j] = (r_squared[:, without | 1 << j] - r_squared[:, without]) @ weight
    return shares


#: What the quadrants of importance and performance are called (Martilla and James 1977).
QUADRANTS = ("concentrate here", "keep up", "low priority", "possible overkill")


def quadrants(importance_: ArrayLike, performance: ArrayLike) -> NDArray[np.str_]:
    """The quadrant of each factor: importance and performance against their means.

    NaN gives an empty name. Martilla and James (1977), Journal of Marketing 41:77-79.

    Examples
    --------
    >>> quadrants([0.3, 0.3, 0.1, 0.1], [0.7, 0.9, 0.7, 0.9]).tolist()
    ['concentrate here', 'keep up', 'low priority', 'possible overkill']
    """
    weight, rate = np.asarray(importance_, dtype=float), np.asarray(performance, dtype=float)
    if weight.shape != rate.shape:
        raise ValueError("importance and performance must have one entry a factor")
    fine = np.isfinite(weight) & np.isfinite(rate)
    if not fine.any():
        return np.full(weight.shape, "", dtype="U20")
    heavy, good = weight >= weight[fine].mean(), rate >= rate[fine].mean()
    place = np.where(heavy, 0, 2) + np.where(good, 1, 0)
    return np.where(fine, np.array(QUADRANTS)[place], "")
