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
    if simultaneous:
        not_above = _open_of_all(noise, s, distance, confidence)
        not_below = not_above.T
    else:
        rows = [_open_of_one(noise, s, distance, i, confidence) for i in range(units)]
        not_above = np.stack([above for above, _ in rows])
        not_below = np.stack([below for _, below in rows])
    return units - 1 - not_above.sum(axis=1), units - 1 - not_below.sum(axis=1)


def _open_of_all(
    noise: NDArray[np.float32], s: Floats, distance: Floats, confidence: float
) -> NDArray[np.bool_]:
    """Which k are not told to be above i, all pairs at once, shape (units, units)."""
    units = len(s)
    not_above: NDArray[np.bool_] = ~np.eye(units, dtype=bool)
    while True:
        largest = np.zeros(noise.shape[1], dtype=np.float32)
        for i in range(units - 1):
            above, below = not_above[i, i + 1 :], not_above[i + 1 :, i]
            # Each pair once: in both directions where both are open, else in the one that is.
            for others, sign in ((above & below, 0), (above & ~below, 1), (~above & below, -1)):
                place = np.flatnonzero(others) + i + 1
                if not len(place):
                    continue
                gaps = _gaps(noise, s, i, place)
                if sign == 0:
                    np.abs(gaps, out=gaps)
                most = gaps.max(axis=0) if sign >= 0 else -gaps.min(axis=0)
                np.maximum(largest, most, out=largest)
        found = not_above & (distance > np.quantile(largest, confidence))
        if not found.any():
            return not_above
        # That k is above i is that i is below k.
        not_above &= ~found


def _open_of_one(
    noise: NDArray[np.float32], s: Floats, distance: Floats, i: int, confidence: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which k are not told to be above unit i, and which not to be below it."""
    units = len(s)
    order = np.argsort(distance[i], kind="stable")
    order = order[order != i]
    gaps, far = _gaps(noise, s, i, order), distance[i, order]
    # In this order what is open are the first ones upwards and the last ones downwards.
    up, down = units - 1, 0
    while True:
        highest = gaps[:up].max(axis=0, initial=0)
        lowest = gaps[down:].min(axis=0, initial=0)
        critical = np.quantile(np.maximum(highest, -lowest), confidence)
        still_up = int(np.searchsorted(far, critical, side="right"))
        still_down = int(np.searchsorted(far, -critical, side="left"))
        if still_up >= up and still_down <= down:
            break
        up, down = min(up, still_up), max(down, still_down)
    not_above, not_below = np.zeros(units, dtype=bool), np.zeros(units, dtype=bool)
    not_above[order[:up]], not_below[order[down:]] = True, True
    return not_above, not_below


def _gaps(
    noise: NDArray[np.float32], s: Floats, i: int, others: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Studentised differences of others to unit i under equality, shape (others, draws)."""
    gaps: NDArray[np.float32] = noise[others] - noise[i]
    gaps *= (1 / np.hypot(s[i], s[others])).astype(np.float32)[:, None]
    return gaps
