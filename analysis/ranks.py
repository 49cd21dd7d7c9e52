"""Ranks with their uncertainty: which places a unit may truly have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis import all_pairs, many_to_one
from analysis._validation import Floats, tail

_DRAWS = 8000
#: Pairs that are looked at together.
_CHUNK = 100_000

Ranks = NDArray[np.int64]


@dataclass(frozen=True)
class RankSets:
    """Rank 1 is the highest estimate; 0 for a unit without estimate, which is not ranked.

    Each entry's true rank lies in [low, high] with the given confidence: by itself (marginal), or
    together with all others' (``simultaneous``).
    """

    rank: Ranks
    low: Ranks
    high: Ranks
    simultaneous: bool

    def may_be_best(self, k: int) -> NDArray[np.bool_]:
        """Units whose true rank may be among the best k; wants simultaneous sets.

        Raises
        ------
        ValueError
            For marginal sets: read for every unit at once, they hold too rarely.
        """
        if not self.simultaneous:
            raise ValueError("simultaneous sets are needed to say which units may be the best k")
        return (self.low > 0) & (self.low <= k)


def confidence_sets(
    estimate: ArrayLike,
    standard_error: ArrayLike,
    *,
    confidence: float = 0.95,
    simultaneous: bool = False,
    seed: int = 2020,
    draws: int = _DRAWS,
) -> RankSets:
    """Confidence sets for the ranks of independent estimates.

    Pairs are compared by their studentised difference with a critical value, the quantile of the
    largest of them under equality (normal, with these standard errors), stepping down over the
    pairs, in each direction, that are not told apart yet: those of one unit, by quadrature
    (``many_to_one``), or all, by simulation (``all_pairs``). A unit's best possible rank is one
    after those surely above it. Time grows little faster than the units, memory hardly.

    Parameters
    ----------
    estimate, standard_error
        Shape (units,); NaN, or a standard error that is NaN or 0, is not ranked.
    simultaneous
        Whether all sets are to hold at once; otherwise each by itself.
    seed, draws
        Of the simulation, for simultaneous sets: the same seed gives the same sets, in whatever
        order the units come.

    Returns
    -------
    RankSets

    Raises
    ------
    ValueError
        For shapes that differ, negative standard errors, confidence outside (0, 1).

    References
    ----------
    Mogstad, Romano, Shaikh, Wilhelm (2024), Review of Economic Studies 91:476-518, algorithm 1;
    R csranks 1.2.2 ``csranks(cstype="two-sided", stepdown=TRUE)``.

    Examples
    --------
    >>> found = confidence_sets([0.95, 0.94, 0.70], [0.01, 0.01, 0.01])
    >>> found.rank, found.low, found.high
    (array([1, 2, 3]), array([1, 1, 3]), array([2, 2, 3]))
    """
    tail(confidence)
    value = np.asarray(estimate, dtype=np.float64)
    se = np.asarray(standard_error, dtype=np.float64)
    if value.ndim != 1 or value.shape != se.shape:
        raise ValueError("estimate and standard_error must have one entry a unit")
    if (se < 0).any():
        raise ValueError("standard_error has negative entries")
    ranked = np.isfinite(value) & np.isfinite(se) & (se > 0)
    x, s = value[ranked], se[ranked]
    units = len(x)
    rank, low, high = (np.zeros(len(value), dtype=np.int64) for _ in range(3))
    if units:
        critical = np.zeros(units)
        if units > 1 and simultaneous:
            critical[:] = all_pairs.critical(x, s, confidence, seed=seed, draws=draws)
        elif units > 1:
            critical = many_to_one.critical(x, s, confidence)
        above, below = _told_apart(x, s, critical)
        rank[ranked] = 1 + units - np.searchsorted(np.sort(x), x, side="right")
        low[ranked], high[ranked] = above + 1, units - below
    return RankSets(rank, low, high, simultaneous)


def _told_apart(x: Floats, s: Floats, critical: Floats) -> tuple[Ranks, Ranks]:
    """Of each unit how many are surely above and how many surely below it."""
    above, below = np.empty(len(x), dtype=np.int64), np.empty(len(x), dtype=np.int64)
    variance = s**2
    for unit in np.array_split(np.arange(len(x)), 1 + len(x) ** 2 // _CHUNK):
        gap = x - x[unit, None]
        reach = critical[unit, None] * np.sqrt(variance + variance[unit, None])
        above[unit] = np.count_nonzero(gap > reach, axis=1)
        below[unit] = np.count_nonzero(gap < -reach, axis=1)
    return above, below
