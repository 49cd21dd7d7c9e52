"""What stands out in responses that may be stuffed: marks of each, and the kind that they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis._validation import Floats
from analysis.arrivals import Order, by_a_wrong_clock, evenness, gaps
from analysis.copies import copied
from analysis.kinds import KINDS, Kind
from analysis.likeness import repeated, runs, sheets, straight
from analysis.paces import paces, whole_s
from analysis.responses import Bools, Detectors, Ints, Responses
from analysis.rushes import hurried, rushes

__all__ = ["KINDS", "Detectors", "Kind", "Marks", "Responses", "kinds", "mark"]


@dataclass(frozen=True)
class Marks:
    """What the detectors found; arrays of one entry a response, in the order they were given.

    Marks
        ``fast`` below the pace that readers of the unit hardly ever fall under, ``instant`` faster
        than a hand; ``unmeasured`` without a duration where such responses have one; ``alike`` all
        items at one level; ``repeated`` the same varied sheet as before or after it; ``copied``
        nearly a sheet of an earlier day; ``unanimous`` in an improbable run of one straight line;
        ``close`` soon after the source's one before, or in front of one that is; ``rushed`` in a
        row of close ones nearly all of which are fast; ``even`` in an evenly spaced run;
        ``after_hours`` while the unit is closed, where that is rare.
    Strengths
        ``pace_s`` seconds an item rated and ``usual_pace_s`` of the unit's readers (NaN without a
        duration); ``gap_s`` since the source's response before (NaN for its first); ``run`` length
        of the run of one straight line, 0 where levels vary; ``same`` share of items that are as
        in the original (NaN where not copied); ``variation`` the coefficient of variation of the
        even run (NaN outside).
    """

    fast: Bools
    instant: Bools
    unmeasured: Bools
    alike: Bools
    repeated: Bools
    copied: Bools
    unanimous: Bools
    close: Bools
    rushed: Bools
    even: Bools
    after_hours: Bools
    pace_s: Floats
    usual_pace_s: Floats
    gap_s: Floats
    run: Ints
    same: Floats
    variation: Floats


def mark(responses: Responses, detectors: Detectors | None = None) -> Marks:
    """Mark responses by what stands out in them against those that they come with.

    What is usual is learnt from ``responses`` themselves, so a chunk should hold many units of one
    questionnaire version and month; with the days before it, copies of these are found too. A mark
    alone proves nothing: how often honest responses have it is the habit of their source.

    Examples
    --------
    >>> n = 40
    >>> nothing = np.zeros(n, dtype=np.intp)
    >>> rng = np.random.default_rng(1)
    >>> found = mark(
    ...     Responses(
    ...         nothing, nothing, nothing, 600.0 * np.arange(n), 600.0 * np.arange(n),
    ...         np.where(np.arange(n) < 35, 60.0, 3.0), rng.integers(1, 6, (n, 8), dtype=np.uint8),
    ...         np.zeros(n, dtype=np.uint64), np.ones(n, dtype=bool), np.zeros(n, dtype=bool),
    ...     )
    ... )
    >>> np.flatnonzero(found.fast)
    array([35, 36, 37, 38, 39])
    """
    chosen = detectors or Detectors()
    n = len(responses)
    if not n:
        return _nothing()
    order = Order.of(responses)
    line = straight(responses, chosen)
    alike = line > 0
    gap = gaps(responses, order)
    with np.errstate(invalid="ignore"):
        close = gap < chosen.close * whole_s(responses, alike, chosen)
    near = close | _before(close, order)
    pace = paces(responses, alike, near, chosen)
    with np.errstate(invalid="ignore"):
        fast = pace.own < pace.limit
        instant = fast & (pace.own < chosen.instant_s)
    hurry = hurried(responses, fast, gap, pace.limit)
    even, variation = evenness(gap, order, chosen)
    run = runs(responses, line, order, chosen)
    copies, same = copied(responses, ~alike, chosen)
    return Marks(
        fast=fast,
        instant=instant,
        unmeasured=_unmeasured(responses, chosen),
        alike=alike,
        repeated=repeated(responses, sheets(responses), line, order, chosen),
        copied=copies,
        unanimous=run.unanimous,
        close=near,
        rushed=rushes(responses, hurry, gap, close, order, chosen),
        even=even,
        after_hours=_after_hours(responses, chosen) & ~by_a_wrong_clock(responses, order, chosen),
        pace_s=pace.own,
        usual_pace_s=pace.usual,
        gap_s=gap,
        run=run.length,
        same=same,
        variation=variation,
    )


def kinds(marks: Marks) -> NDArray[np.int8]:
    """The kind of each response, an index of ``KINDS``, shape (n,); the most telling mark wins."""
    pressed = marks.fast & marks.alike & marks.close
    found = np.select(
        [
            marks.instant,
            marks.rushed,
            pressed,
            marks.after_hours,
            marks.repeated,
            marks.copied,
            marks.even,
            marks.unmeasured & marks.alike,
            marks.unanimous & marks.close,
            marks.unanimous & ~marks.fast,
            marks.alike & marks.close,
            marks.close,
            marks.fast & marks.alike,
            marks.fast,
            marks.alike,
        ],
        [
            KINDS.index(kind)
            for kind in (
                Kind.INSTANT,
                Kind.RUSHED,
                Kind.PRESSED,
                Kind.AFTER_HOURS,
                Kind.REPEATED,
                Kind.COPIED,
                Kind.EVEN,
                Kind.UNMEASURED,
                Kind.BUNCHED,
                Kind.UNANIMOUS,
                Kind.QUEUED,
                Kind.CROWDED,
                Kind.SKIMMED,
                Kind.HASTY,
                Kind.ALIKE,
            )
        ],
        default=KINDS.index(Kind.ORDINARY),
    )
    return found.astype(np.int8)


def _before(close: Bools, order: Order) -> Bools:
    """Those with a close one after them: the first of a burst is of it."""
    in_order = close[order.rows]
    found = np.zeros(len(close), dtype=bool)
    found[order.rows[:-1]] = in_order[1:]
    return found


def _unmeasured(responses: Responses, detectors: Detectors) -> Bools:
    """Without a duration, in groups most of whose responses have one."""
    missing = np.isnan(responses.duration_s)
    size = np.maximum(np.bincount(responses.group), 1)
    have = 1 - np.bincount(responses.group, weights=missing) / size
    return missing & (have >= detectors.usually_measured)[responses.group]


def _after_hours(responses: Responses, detectors: Detectors) -> Bools:
    """While closed, in groups whose middle source has few such: others are answered at home."""
    closed = ~responses.open
    if not closed.any():
        return closed
    source = responses.source
    size = np.bincount(source)
    share = np.bincount(source, weights=closed) / np.maximum(size, 1)
    group_of = np.zeros(len(size), dtype=np.intp)
    group_of[source] = responses.group
    middle = np.ones(int(responses.group.max()) + 1)
    for g in np.unique(responses.group):
        middle[g] = np.median(share[(group_of == g) & (size > 0)])
    return closed & (middle < detectors.outside)[responses.group]


def _nothing() -> Marks:
    no, none, zero = np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0, dtype=np.intp)
    return Marks(no, no, no, no, no, no, no, no, no, no, no, none, none, none, zero, none, none)
