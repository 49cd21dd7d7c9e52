"""Sheets that are too like one another: straight lines in a row, and sheets given again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis._validation import Floats
from analysis.arrivals import Order
from analysis.responses import DAY_S, Bools, Detectors, Ints, Responses


def straight(responses: Responses, detectors: Detectors) -> NDArray[np.uint8]:
    """The one level at which all items rated were rated, shape (n,); 0 where levels vary.

    0 too where fewer items were rated than could show it.
    """
    if not responses.levels.shape[1]:
        return np.zeros(len(responses), dtype=np.uint8)
    highest = responses.levels.max(axis=1)
    lowest = np.where(responses.levels == 0, np.uint8(255), responses.levels).min(axis=1)
    enough = responses.rated >= detectors.least_rated
    return np.where(enough & (highest == lowest), highest, np.uint8(0))


def sheets(responses: Responses) -> Ints:
    """A number of each different sheet, levels and particulars together, shape (n,)."""
    items = responses.levels.shape[1]
    odd = np.random.default_rng(21).integers(1, 2**63, items + 1, dtype=np.uint64) | np.uint64(1)
    hashed = responses.particulars * odd[-1]
    for i in range(items):
        hashed = (hashed ^ (hashed >> np.uint64(29))) + responses.levels[:, i] * odd[i]
        hashed = hashed * np.uint64(0x9E3779B97F4A7C15)
    found: Ints = np.unique(hashed, return_inverse=True)[1]
    return found


def repeated(
    responses: Responses,
    sheet: Ints,
    straight_at: NDArray[np.uint8],
    order: Order,
    detectors: Detectors,
) -> Bools:
    """Varied sheets that are the same as one of the two before or after of their source.

    Only sheets that are rare elsewhere: among other sources' responses, or, where these are few,
    on other days. Two people in a row may well give the sheet that half of all give.
    """  # fmt: skip
    of = sheet[order.rows]
    found = np.zeros(len(of), dtype=bool)
    source = responses.source[order.rows]
    for lag in (1, 2):
        same = (of[lag:] == of[:-lag]) & (source[lag:] == source[:-lag])
        found[lag:] |= same
        found[:-lag] |= same
    marks = np.zeros(len(of), dtype=bool)
    marks[order.rows] = found
    marks &= (straight_at == 0) & (responses.rated >= detectors.least_rated)
    if marks.any():
        marks &= _share_elsewhere(responses, sheet) <= detectors.rare
    return marks


def _share_elsewhere(responses: Responses, sheet: Ints) -> Floats:
    every = np.bincount(sheet)[sheet]
    n = len(sheet)
    of_source = np.bincount(responses.source)[responses.source]
    same_source = _together(sheet, responses.source)
    day = (responses.answered_s // DAY_S).astype(np.intp)
    day -= day.min()
    place = responses.source * (int(day.max()) + 1) + day
    same_day = _together(sheet, place)
    of_day = _together(np.zeros(n, dtype=np.intp), place)
    others = n - of_source
    enough = others >= 100
    left = np.where(enough, every - same_source, same_source - same_day)
    among = np.where(enough, others, of_source - of_day)
    found: Floats = left / np.maximum(among, 1)
    return found


def _together(first: Ints, second: Ints) -> Ints:
    """How many have the same pair of numbers."""
    pair = first.astype(np.int64) * (int(second.max()) + 1) + second
    _, at, number = np.unique(pair, return_inverse=True, return_counts=True)
    found: Ints = number[at]
    return found


@dataclass(frozen=True)
class Runs:
    """Runs of one straight line in a source: ``length`` (n,) of the run that each is in, 0 where
    levels vary; ``unanimous`` (n,) where so long a run is improbable in the unit.
    """

    length: Ints
    unanimous: Bools


def runs(
    responses: Responses, straight_at: NDArray[np.uint8], order: Order, detectors: Detectors
) -> Runs:
    """Runs of one straight line, and which are too long for how usual it is in their unit.

    With the share p of it in the unit *outside* the run, n(1 − p)p^L runs of L or more are
    expected among n responses. A unit that is unanimous always has the same share outside, and
    its runs are no surprise; where nearly nothing lies outside there is nothing to hold it against.
    """
    n = len(order.rows)
    of = straight_at[order.rows].astype(np.intp)
    begins = order.first.copy()
    begins[1:] |= of[1:] != of[:-1]
    number = np.cumsum(begins) - 1
    size = np.bincount(number)
    head = order.rows[begins]
    line, unit = straight_at[head].astype(np.intp), responses.unit[head]
    lines = int(straight_at.max(initial=0)) + 1
    in_unit = np.bincount(responses.unit, minlength=int(unit.max(initial=0)) + 1)
    same = np.bincount(responses.unit * lines + straight_at, minlength=len(in_unit) * lines)
    # A run's source may have responses of more than one unit; it is held against its first's.
    outside = np.maximum(in_unit[unit] - size, 0)
    alike = np.maximum(same[unit * lines + line] - size, 0)
    everywhere = np.bincount(straight_at, minlength=lines)[line] / max(n, 1)
    share = (alike + 2 * everywhere) / (outside + 2)
    share = np.minimum(share + detectors.swing * (1 - share), 1 - 1e-9)
    with np.errstate(under="ignore"):
        expected = in_unit[unit] * (1 - share) * share**size
    unlikely = (
        (line > 0) & (outside >= detectors.least_elsewhere) & (expected <= detectors.expected_runs)
    )
    length, unanimous = np.empty(n, dtype=np.intp), np.empty(n, dtype=bool)
    length[order.rows] = np.where(line > 0, size, 0)[number]
    unanimous[order.rows] = unlikely[number]
    return Runs(length, unanimous)
