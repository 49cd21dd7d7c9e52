"""Which factors drive overall satisfaction, and which to improve first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis import contrasts
from analysis._validation import Floats, at_most, tail
from analysis.contrasts import Contrast

#: 2^k subsets are looked at.
MOST_FACTORS = 12
_DRAWS = 400
#: Draws whose subsets are solved at once.
_AT_ONCE = 100


@dataclass(frozen=True)
class Importance:
    """Shares of R², shape (factors,), which sum to ``r_squared``; limits by bootstrap.

    ``apart`` is what tells the factors from one another: each share less the mean of the others'.
    """

    share: Floats
    low: Floats
    high: Floats
    r_squared: float
    n: int
    apart: Contrast

    @property
    def above_mean(self) -> NDArray[np.bool_]:
        """The factors whose importance stands out from the others'."""
        return self.apart.above()


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
    over all orders of entering, of what it adds to R². ``overall`` must be a question of its own:
    of the mean of the factors themselves the shares say what people differ in, and nothing of
    influence.

    Parameters
    ----------
    factors
        Shape (respondents, factors), at most twelve; NaN where a respondent has no figure.
        Respondents with a gap are left out.
    overall
        Shape (respondents,).
    draws, seed
        Of the bootstrap over respondents (percentile intervals for the shares, the largest
        studentised difference for ``apart``); 0 draws for none.

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
    subsets come from one correlation matrix. Simultaneous limits: Westfall and Young (1993),
    Resampling-Based Multiple Testing, section 2.5, the largest of studentised differences.

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
    unknown = contrasts.nothing(count)
    if n <= count + 1 or (np.ptp(table, axis=0) == 0).any():
        return Importance(nothing, nothing, nothing, np.nan, n, unknown)
    # Centred and scaled once: the sums of products of a draw then lose no digits.
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    rng = np.random.default_rng(seed)
    moments, people = contrasts.gathered(table, _moments, rng)
    shares = _shares(_correlation(moments.sum(axis=0)[None, :] / n))[0]
    if not draws:
        return Importance(shares, nothing, nothing, float(shares.sum()), n, unknown)
    drawn = _shares(_correlation(contrasts.resampled(moments, people, draws, rng)))
    low, high = np.nanquantile(drawn, [alpha, 1 - alpha], axis=0)
    apart = contrasts.contrast(shares, drawn, n, confidence)
    return Importance(shares, low, high, float(shares.sum()), n, apart)


def rates_apart(
    satisfied: ArrayLike,
    answers: ArrayLike,
    *,
    confidence: float = 0.95,
    draws: int = _DRAWS,
    seed: int = 2020,
) -> Contrast:
    """Each factor's rate less the mean of the others', within the same respondents.

    Who is content with one thing is content with others: differences within respondents are known
    far better than the rates themselves.

    Parameters
    ----------
    satisfied, answers
        Satisfied answers and answers of each respondent to each factor (or item), shape
        (respondents, factors); 0 where there are none.
    draws, seed
        Of the bootstrap over respondents.

    Returns
    -------
    Contrast
        NaN for factors without answers, and where there are fewer than two factors or respondents.

    Raises
    ------
    ValueError
        For shapes that do not fit, and where ``satisfied`` exceeds ``answers``.

    Examples
    --------
    >>> answers = np.ones((40, 3))
    >>> satisfied = answers.copy()
    >>> satisfied[:20, 2] = 0
    >>> found = rates_apart(satisfied, answers)
    >>> found.difference, found.below()
    (array([ 0.25,  0.25, -0.5 ]), array([False, False,  True]))
    """
    tail(confidence)
    a, m = np.asarray(satisfied, dtype=np.float64), np.asarray(answers, dtype=np.float64)
    if a.ndim != 2 or a.shape != m.shape:
        raise ValueError("satisfied and answers must be (respondents, factors)")
    at_most("satisfied", a, "answers", m)
    n, count = a.shape
    asked = m.sum(axis=0) > 0
    if n < 2 or asked.sum() < 2:
        return contrasts.nothing(count)
    sums = np.concatenate([a[:, asked], m[:, asked]], axis=1)
    rng = np.random.default_rng(seed)
    rows, people = contrasts.gathered(sums, lambda each: each, rng)
    total, drawn = sums.sum(axis=0), contrasts.resampled(rows, people, draws, rng)
    half = int(asked.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        rates, again = total[:half] / total[half:], drawn[:, :half] / drawn[:, half:]
    found = contrasts.contrast(rates, again, n, confidence)
    return Contrast(
        *(
            _placed(values, asked)
            for values in (
                found.difference, found.low, found.high, found.spread, found.studentised,
            )
        )
    )  # fmt: skip


def _placed(values: Floats, asked: NDArray[np.bool_]) -> Floats:
    """Values of the factors that were asked, among all; NaN for the others."""
    result = np.full((*values.shape[:-1], len(asked)), np.nan)
    result[..., asked] = values
    return result


def to_improve_first(
    importance_: Importance, rates: Contrast, *, confidence: float = 0.95
) -> NDArray[np.bool_]:
    """The factors whose rate is lower than the others' and whose importance stands out.

    Rates are looked at first, importance then only where the rate is lower, each for all factors
    at once: among factors of one rate, as among factors of one importance, any is named in at most
    1 − confidence of samples (a gatekeeper: Westfall and Krishen 2001, Journal of Statistical
    Planning and Inference 99:25-40).

    Parameters
    ----------
    importance_, rates
        Of the same factors and respondents: what ``importance`` and ``rates_apart`` found.

    Returns
    -------
    Shape (factors,).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> scores = rng.normal(size=(400, 1)) + rng.normal(size=(400, 3))
    >>> found = importance(scores, scores @ [3, 1, 1] + rng.normal(size=400))
    >>> satisfied = (scores > [0, -1, -1]).astype(float)
    >>> to_improve_first(found, rates_apart(satisfied, np.ones((400, 3))))
    array([ True, False, False])
    """
    return importance_.apart.above(confidence, among=rates.below(confidence))


def _moments(table: Floats) -> Floats:
    """Each row's values and their products in pairs, shape (rows, columns + columns²)."""
    products = table[:, :, None] * table[:, None, :]
    return np.concatenate([table, products.reshape(len(table), -1)], axis=1)


def _correlation(moments: Floats) -> Floats:
    """Correlation matrices from means and mean products, shape (draws, columns, columns)."""
    columns = int((np.sqrt(4 * moments.shape[1] + 1) - 1) / 2)
    mean, product = moments[:, :columns], moments[:, columns:]
    covariance = product.reshape(-1, columns, columns) - mean[:, :, None] * mean[:, None, :]
    # Where everybody answered the same, rounding may leave less than nothing.
    deviation = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation: Floats = covariance / (deviation[:, :, None] * deviation[:, None, :])
    return correlation


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
    parts = range(0, len(correlation), _AT_ONCE)
    return np.concatenate([_shares_at_once(correlation[i : i + _AT_ONCE]) for i in parts])


def _shares_at_once(correlation: Floats) -> Floats:
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
#: Where a factor's importance or rate is not told apart from the others'.
NOT_DISTINGUISHABLE = "not distinguishable"


def quadrants(
    importance_: Importance, rates: Contrast, *, confidence: float = 0.95
) -> NDArray[np.str_]:
    """The quadrant of each factor, where both its importance and its rate are told apart.

    “concentrate here” are those ``to_improve_first``, and no others. Others have a quadrant where
    the limits of both differences leave out 0, else they are “not distinguishable”; an empty name
    where nothing can be said. Martilla and James (1977), Journal of Marketing 41:77-79, whose
    lines at the means put every factor into some quadrant.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> scores = rng.normal(size=(400, 1)) + rng.normal(size=(400, 3))
    >>> found = importance(scores, scores @ [3, 1, 1] + rng.normal(size=400))
    >>> satisfied = (scores > [0, -1, -0.9]).astype(float)
    >>> quadrants(found, rates_apart(satisfied, np.ones((400, 3)))).tolist()
    ['concentrate here', 'possible overkill', 'possible overkill']
    """
    weight, rate = importance_.apart, rates
    if weight.difference.shape != rate.difference.shape:
        raise ValueError("importance and rates must have one entry a factor")
    first = to_improve_first(importance_, rates, confidence=confidence)
    place = np.where(weight.difference > 0, 0, 2) + np.where(rate.difference > 0, 1, 0)
    told = weight.told_apart & rate.told_apart
    names = np.where(told, np.array(QUADRANTS)[place], NOT_DISTINGUISHABLE)
    names = np.where(first, QUADRANTS[0], names)
    return np.where(np.isfinite(importance_.share) & np.isfinite(rate.difference), names, "")
