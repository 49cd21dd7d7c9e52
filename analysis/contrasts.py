"""Which of several things that the same people judged are told apart from the others.

People are drawn anew, with all that each of them said, so that what goes together in a person stays
together; limits hold for all things at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from analysis._validation import Floats, tail

#: More respondents than this are drawn by groups of them: their sums vary as much.
_MOST_DRAWN = 1000


@dataclass(frozen=True)
class Contrast:
    """Each factor less the mean of the others, with limits that hold for all factors at once.

    Arrays of shape (factors,); NaN where nothing can be said. ``studentised`` are the deviations
    of the draws, shape (draws, factors): what the limits, and any test, are taken from.
    """

    difference: Floats
    low: Floats
    high: Floats
    spread: Floats = field(repr=False)
    studentised: Floats = field(repr=False)

    @property
    def told_apart(self) -> NDArray[np.bool_]:
        """The factors whose limits leave out 0, on whichever side."""
        return (self.low > 0) | (self.high < 0)

    def above(
        self, confidence: float = 0.95, among: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """The factors that stand above the others.

        Among factors that do not differ any is found so in at most 1 − confidence of samples.
        Where only some are looked at (``among``), fewer can be found by chance.
        """
        return self._beyond(1.0, confidence, among)

    def below(
        self, confidence: float = 0.95, among: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """The factors that stand below the others, in the same way."""
        return self._beyond(-1.0, confidence, among)

    def _beyond(
        self, sign: float, confidence: float, among: NDArray[np.bool_] | None
    ) -> NDArray[np.bool_]:
        tail(confidence)
        looked_at = self.spread > 0
        if among is not None:
            looked_at &= among
        if not looked_at.any():
            return looked_at
        reach = _quantile(sign * self.studentised[:, looked_at], confidence)
        with np.errstate(invalid="ignore"):
            return looked_at & (sign * self.difference > reach * self.spread)


def gathered(
    rows: Floats, of: Callable[[Floats], Floats], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """What is to be summed of each respondent, and people: of many, in groups drawn by lot.

    What they sum to is made group by group, so that memory does not grow with the respondents.
    """
    n = len(rows)
    if n <= _MOST_DRAWN:
        return of(rows), np.ones(n)
    groups = np.array_split(rng.permutation(n), _MOST_DRAWN)
    sums = np.stack([of(rows[group]).sum(axis=0) for group in groups])
    return sums, np.array([len(group) for group in groups], dtype=np.float64)


def resampled(rows: Floats, people: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Means of the columns of resampled rows, shape (draws, columns)."""
    drawn = len(rows)
    weights = rng.multinomial(drawn, np.full(drawn, 1 / drawn), draws).astype(np.float64)
    means: Floats = (weights @ rows) / (weights @ people)[:, None]
    return means


def contrast(values: Floats, drawn: Floats, n: int, confidence: float) -> Contrast:
    """Each value less the mean of the others, with simultaneous limits from draws of all.

    Parameters
    ----------
    values, drawn
        What was found of each factor, shape (factors,), and in each draw, shape (draws, factors).
    n
        People who were drawn from.
    confidence
        Of all limits at once.

    Returns
    -------
    Contrast
        NaN with fewer than two factors or draws; limits NaN where a difference does not vary.

    References
    ----------
    Limits from the largest studentised deviation: Westfall and Young (1993), Resampling-Based
    Multiple Testing, section 2.5.

    Examples
    --------
    >>> drawn = np.random.default_rng(1).normal([0.9, 0.8, 0.8], 0.01, (400, 3))
    >>> found = contrast(np.array([0.9, 0.8, 0.8]), drawn, 200, 0.95)
    >>> found.difference.round(2), found.told_apart
    (array([ 0.1 , -0.05, -0.05]), array([ True,  True,  True]))
    """
    count = len(values)
    if count < 2:
        return nothing(count)

    def apart(of: Floats) -> Floats:
        others: Floats = (of - of.mean(axis=-1, keepdims=True)) * count / (count - 1)
        return others

    difference, again = apart(values), apart(drawn)
    again = again[np.isfinite(again).all(axis=1)]
    if len(again) < 2:
        return nothing(count)
    # The bootstrap's variance is that of n in the place of n − 1.
    spread = again.std(axis=0) * np.sqrt(n / (n - 1))
    if not (spread > 0).all():
        return replace(nothing(count), difference=difference)
    studentised = (again - difference) / spread
    reach = _quantile(np.abs(studentised), confidence) * spread
    return Contrast(difference, difference - reach, difference + reach, spread, studentised)


def _quantile(deviations: Floats, confidence: float) -> float:
    """What the largest deviation of a draw stays under in a share of draws; not too small."""
    largest = np.sort(deviations.max(axis=1))
    return float(largest[min(int(np.ceil((len(largest) + 1) * confidence)), len(largest)) - 1])


def nothing(count: int) -> Contrast:
    """What is said of so many factors where nothing can be said."""
    none = np.full(count, np.nan)
    return Contrast(none, none, none, none, np.empty((0, count)))
