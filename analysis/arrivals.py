"""When a source's responses come: how close to the one before, and how evenly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis._validation import Floats
from analysis.responses import Bools, Detectors, Ints, Responses

#: A clock that is wrong is as wrong a response later, but for the way that this took.
_AS_LATE_S = 60.0


@dataclass(frozen=True)
class Order:
    """Responses by source and time: ``rows`` (n,) their indices, ``first`` (n,) in a source."""

    rows: Ints
    first: Bools

    @classmethod
    def of(cls, responses: Responses) -> Order:
        """Of the moments in which they were answered."""
        rows = np.lexsort((responses.answered_s, responses.source))
        source = responses.source[rows]
        first = np.ones(len(rows), dtype=bool)
        first[1:] = source[1:] != source[:-1]
        return cls(rows, first)


def gaps(responses: Responses, order: Order) -> Floats:
    """Seconds since the source's response before, in the responses' order; NaN for the first."""
    at = responses.answered_s[order.rows]
    gap = np.full(len(at), np.nan)
    gap[1:] = np.where(order.first[1:], np.nan, np.diff(at))
    found = np.empty(len(at))
    found[order.rows] = gap
    return found


def by_a_wrong_clock(responses: Responses, order: Order, detectors: Detectors) -> Bools:
    """Which responses came hours after they were given, each as late as the one beside it.

    What a device kept while it was offline comes all at once: the later given, the less late.
    What it sends as it is given, by a clock that is wrong, is always as late.
    """
    late = (responses.received_s - responses.answered_s)[order.rows]
    given = np.diff(responses.answered_s[order.rows])
    as_late = ~order.first[1:] & (np.abs(np.diff(late)) < np.minimum(0.5 * given, _AS_LATE_S))
    found = np.zeros(len(late), dtype=bool)
    found[1:] |= as_late
    found[:-1] |= as_late
    marks = np.empty(len(late), dtype=bool)
    marks[order.rows] = found & (late > detectors.late_s)
    return marks


def evenness(gap: Floats, order: Order, detectors: Detectors) -> tuple[Bools, Floats]:
    """Which responses are in a run too evenly spaced for people, and its variation.

    Of each run of gaps the squared coefficient of variation is held against that of people who
    queue at one device: (w − 1)·CV²/steady² is χ² with w − 1 degrees of freedom, nearly.

    Parameters
    ----------
    gap
        Seconds since the response before, shape (n,), as of ``gaps``.

    Returns
    -------
    tuple
        Marks (n,), and (n,) the least coefficient of variation of the runs that each is in and
        that are too even; NaN where it is in none.
    """
    n = len(gap)
    in_order = gap[order.rows]
    # A night or a lunch is no gap between two that queue.
    broken = ~(in_order <= detectors.pause_s)
    whole = np.where(broken, 0.0, in_order)
    sums = [np.concatenate([[0.0], np.cumsum(each)]) for each in (whole, whole**2, broken)]
    least = np.full(n, np.nan)
    for window in detectors.windows:
        if n < window:
            continue
        total, squares, breaks = (each[window:] - each[:-window] for each in sums)
        mean = total / window
        variance = np.maximum(squares - window * mean**2, 0.0) / (window - 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            variation = np.sqrt(variance) / mean
        limit = detectors.steady * np.sqrt(
            stats.chi2.ppf(detectors.even_p, window - 1) / (window - 1)
        )
        even = (breaks == 0) & (mean >= detectors.least_gap_s) & (variation <= limit)
        starts = np.flatnonzero(even)
        if len(starts):
            # From the response before the first gap to the last one.
            for offset in range(-1, window):
                here = starts + offset
                here, values = here[here >= 0], variation[starts][here >= 0]
                least[here] = np.fmin(least[here], values)
    marks, variations = np.empty(n, dtype=bool), np.empty(n)
    marks[order.rows], variations[order.rows] = ~np.isnan(least), least
    return marks, variations
