"""The ranks' sets by plain simulation: every pair in every draw, as the literature states it.

What the benchmark and the tests hold ``analysis.ranks`` against: slow, its critical values with the
noise of its draws, and of nothing but NumPy. Until November 2026 the service computed them so.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ranks = NDArray[np.int64]


def sets(
    x: Floats, s: Floats, *, simultaneous: bool, draws: int = 2000, seed: int = 2020
) -> tuple[Ranks, Ranks]:
    """Lowest and highest rank of each unit (Mogstad, Romano, Shaikh, Wilhelm 2024), at 95 %."""
    noise = np.random.default_rng(seed).standard_normal((len(x), draws)).astype(np.float32)
    noise *= s.astype(np.float32)[:, None]
    distance = (x[None, :] - x[:, None]) / np.hypot(s[:, None], s[None, :])
    if simultaneous:
        not_above = _open_of_all(noise, s, distance)
        not_below = not_above.T
    else:
        rows = [_open_of_one(noise, s, distance, i) for i in range(len(x))]
        not_above = np.stack([above for above, _ in rows])
        not_below = np.stack([below for _, below in rows])
    return len(x) - not_above.sum(axis=1), 1 + not_below.sum(axis=1)


def _open_of_all(noise: NDArray[np.float32], s: Floats, distance: Floats) -> NDArray[np.bool_]:
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
        found = not_above & (distance > np.quantile(largest, 0.95))
        if not found.any():
            return not_above
        not_above &= ~found


def _open_of_one(
    noise: NDArray[np.float32], s: Floats, distance: Floats, i: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    units = len(s)
    order = np.argsort(distance[i], kind="stable")
    order = order[order != i]
    gaps, far = _gaps(noise, s, i, order), distance[i, order]
    # In this order what is open are the first ones upwards and the last ones downwards.
    up, down = units - 1, 0
    while True:
        highest = gaps[:up].max(axis=0, initial=0)
        lowest = gaps[down:].min(axis=0, initial=0)
        critical = np.quantile(np.maximum(highest, -lowest), 0.95)
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
    gaps: NDArray[np.float32] = noise[others] - noise[i]
    gaps *= (1 / np.hypot(s[i], s[others])).astype(np.float32)[:, None]
    return gaps
