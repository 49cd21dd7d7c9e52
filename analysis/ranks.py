"""Ranks with their uncertainty: which places a unit may truly have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.arrays import Floats, tail

_DRAWS = 2000

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

    Every pair is compared by its studentised difference with one critical value, the quantile of
    the largest of them under equality (simulated from the normal distribution with these standard
    errors), stepping down over the pairs, in each direction, that are not told apart yet. A unit's
    best possible rank is one after those surely above it.

    Parameters
    ----------
    estimate, standard_error
        Shape (units,); NaN, or a standard error that is NaN or 0, is not ranked.
    simultaneous
        Whether all sets are to hold at once; otherwise each by itself.
    seed, draws
        Of the simulation: the same seed gives the same sets.

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
        above, below = _told_apart(x, s, confidence, simultaneous, seed, draws)
        order = (x[None, :] > x[:, None]).sum(axis=1)
        rank[ranked], low[ranked], high[ranked] = order + 1, above + 1, units - below
    return RankSets(rank, low, high, simultaneous)


def _told_apart(
    x: Floats, s: Floats, confidence: float, simultaneous: bool, seed: int, draws: int
) -> tuple[Ranks, Ranks]:
    """Of each unit how many are surely above and how many surely below it."""
    units = len(x)
    noise = np.random.default_rng(seed).standard_normal((units, draws)).astype(np.float32)
    noise *= s.astype(np.float32)[:, None]
    distance = (x[None, :] - x[:, None]) / np.hypot(s[:, None], s[None, :])
    # Two hypotheses a pair: k is not above i, k is not below i. One that is rejected is done with,
    # its opposite is not, so that the direction is not mistaken either.
    not_above = ~np.eye(units, dtype=bool)
    not_below = not_above.copy()
    if simultaneous:
        while True:
            largest = np.zeros(draws, dtype=np.float32)
            for i in range(units):
                gaps = _gaps(noise, s, i, not_above[i])
                if len(gaps):
                    np.maximum(largest, gaps.max(axis=0), out=largest)
            critical = np.quantile(largest, confidence)
            found = not_above & (distance > critical)
            if not found.any():
                break
            # That k is above i is that i is below k.
            not_above &= ~found
        not_below = not_above.T
    else:
        for i in range(units):
            gaps = _gaps(noise, s, i, None)
            while True:
                up = gaps[not_above[i]].max(axis=0, initial=0)
                down = -gaps[not_below[i]].min(axis=0, initial=0)
                critical = np.quantile(np.maximum(up, down), confidence)
                above = not_above[i] & (distance[i] > critical)
                below = not_below[i] & (-distance[i] > critical)
                if not (above.any() or below.any()):
                    break
                not_above[i] &= ~above
                not_below[i] &= ~below
    return units - 1 - not_above.sum(axis=1), units - 1 - not_below.sum(axis=1)


def _gaps(
    noise: NDArray[np.float32], s: Floats, i: int, others: NDArray[np.bool_] | None
) -> NDArray[np.float32]:
    """Studentised differences of others to unit i under equality, shape (others, draws)."""
    place = np.arange(len(s)) if others is None else np.flatnonzero(others)
    gaps: NDArray[np.float32] = noise[place] - noise[i]
    gaps *= (1 / np.hypot(s[i], s[place])).astype(np.float32)[:, None]
    return gaps
