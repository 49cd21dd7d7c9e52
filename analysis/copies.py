"""Sheets of an earlier day sent again, with some of their levels moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis._validation import Floats
from analysis.responses import DAY_S, Bools, Detectors, Ints, Responses

#: Responses compared with all of their unit's at a time, and cells of one such table at most.
_BLOCK, _MOST_CELLS = 512, 8_000_000
#: Responses of other units without which nothing is known of chance.
_LEAST_OTHERS = 200
Singles = NDArray[np.float32]


def copied(responses: Responses, varied: Bools, detectors: Detectors) -> tuple[Bools, Floats]:
    """Which responses are nearly one of their unit's from an earlier day, and how nearly.

    Two sheets are near where all but ``moved`` of the items have the same level, and the
    particulars are the same or the later has none. A near original proves little for a sheet that
    is common: marked are those alone for which, by how many responses of *other* units are as
    near, ``chance_originals`` or fewer originals are expected in the days before.

    Parameters
    ----------
    varied
        Shape (n,): sheets that could be told again; straight lines cannot.

    Returns
    -------
    tuple
        Marks (n,) and the share of items that are the same in the nearest original (n,), NaN
        where nothing is marked.
    """
    n, items = responses.levels.shape
    marks, nearest = np.zeros(n, dtype=bool), np.full(n, np.nan)
    if items < detectors.least_items or n < 2:
        return marks, nearest
    order = np.lexsort((responses.answered_s, responses.unit))
    starts = np.flatnonzero(np.diff(responses.unit[order], prepend=-1))
    table = _Table.of(responses, detectors)
    parts = []
    for start, end in zip(starts, np.append(starts[1:], n), strict=True):
        rows = order[start:end]
        parts.append(_in_unit(responses, varied, table, rows, detectors))
    at = np.concatenate([part[0] for part in parts])
    if not len(at):
        return marks, nearest
    like, found_by, looked_at = (np.concatenate([part[i] for part in parts]) for i in (1, 2, 3))
    elsewhere = _elsewhere(responses, table, at, looked_at, detectors)
    # Beside the original itself: a sheet that is found again and again is one that many give.
    own = np.maximum(found_by - 1, 0) / np.maximum(looked_at, 1)
    chance = np.maximum(elsewhere, np.where(found_by > 2, own, 0.0))
    surprising = chance * looked_at <= detectors.chance_originals
    marks[at] = surprising
    nearest[at[surprising]] = like[surprising] / items
    return marks, nearest


class _Table:
    """Sheets as zeros and ones, a column for each item and level: products count equals."""

    def __init__(self, levels: NDArray[np.uint8], least: int) -> None:
        self._levels, self._kinds = levels, int(levels.max(initial=0)) + 1
        self.least = least

    @classmethod
    def of(cls, responses: Responses, detectors: Detectors) -> _Table:
        items = responses.levels.shape[1]
        return cls(responses.levels, items - int(detectors.moved * items))

    def rows(self, at: Ints) -> Singles:
        levels = self._levels[at]
        items = levels.shape[1]
        found = np.zeros((len(at), items * self._kinds), dtype=np.float32)
        column = np.arange(items) * self._kinds + levels
        found[np.arange(len(at))[:, None], column] = 1.0
        return found


def _in_unit(
    responses: Responses, varied: Bools, table: _Table, rows: Ints, detectors: Detectors
) -> tuple[Ints, Floats, Floats, Floats]:
    """Those of a unit, in time, with a near original: which, how near, how many, of how many."""
    at = responses.answered_s[rows]
    midnight = np.floor(at / DAY_S) * DAY_S
    first = np.searchsorted(at, midnight - detectors.copied_days * DAY_S)
    end = np.searchsorted(at, midnight)
    places = np.flatnonzero(varied[rows] & (end > first))
    coded = table.rows(rows)
    particulars = responses.particulars[rows]
    found: list[tuple[Ints, Floats, Floats, Floats]] = []
    begin = 0
    while begin < len(places):
        block = places[begin : begin + _BLOCK]
        wide = int(end[block].max() - first[block[0]])
        block = block[: max(1, _MOST_CELLS // wide)]
        begin += len(block)
        low, high = int(first[block[0]]), int(end[block[-1]])
        same = coded[block] @ coded[low:high].T
        column = np.arange(low, high)
        own = particulars[block, None]
        fits = (column >= first[block, None]) & (column < end[block, None])
        fits &= (own == particulars[None, low:high]) | (own == 0)
        same[~fits] = 0.0
        near = same >= table.least
        some = near.any(axis=1)
        found.append(
            (
                rows[block[some]],
                same[some].max(axis=1).astype(np.float64),
                near[some].sum(axis=1).astype(np.float64),
                # Of the same particulars or not: those that share them are fewer.
                fits[some].sum(axis=1).astype(np.float64),
            )
        )
    if not found:
        empty = np.empty(0)
        return np.empty(0, dtype=np.intp), empty, empty, empty
    return tuple(np.concatenate(each) for each in zip(*found, strict=True))  # type: ignore[return-value]


def _elsewhere(
    responses: Responses, table: _Table, at: Ints, looked_at: Floats, detectors: Detectors
) -> Floats:
    """The chance that a response of another unit is as near, by levels alone; 1 where unknown.

    That none of a thousand is near says little of a unit with two thousand to be near to: the
    chance is by the rule of succession, and where ``compared`` are too few to say that a copy is
    improbable, but leave it possible, as many are compared as could say so.
    """
    chance = _chance(responses, table, at, detectors.compared)
    most = detectors.chance_originals
    possible = (chance - 1 / (detectors.compared + 1)) * looked_at <= most
    unsure = np.flatnonzero(possible & (chance * looked_at > most))
    if len(unsure):
        needed = int(2 * looked_at[unsure].max() / max(most, 1e-9)) + 1
        wide = min(needed, detectors.compared_most)
        if wide > detectors.compared:
            chance[unsure] = _chance(responses, table, at[unsure], wide)
    return chance


def _chance(responses: Responses, table: _Table, at: Ints, compared: int) -> Floats:
    """By how many of ``compared`` responses, evenly spaced among all, of other units are near."""
    n = len(responses)
    spaced = np.unique(np.linspace(0, n - 1, min(n, compared)).astype(np.intp))
    coded, unit = table.rows(spaced), responses.unit[spaced]
    found = np.zeros(len(at))
    block = max(1, min(_BLOCK, _MOST_CELLS // len(spaced)))
    for begin in range(0, len(at), block):
        rows = at[begin : begin + block]
        near = (table.rows(rows) @ coded.T) >= table.least
        other = responses.unit[rows][:, None] != unit[None, :]
        among = other.sum(axis=1)
        chance = ((near & other).sum(axis=1) + 1) / (among + 1)
        found[begin : begin + block] = np.where(among < _LEAST_OTHERS, 1.0, chance)
    return found
