"""The runs behind signals: which periods a rule rested on when it marked one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.control_charts import EWMA, RULES
from analysis.xmr import NHS_RULES, OUTSIDE

Bools = NDArray[np.bool_]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Runs:
    """Of one series (periods,): which periods belong to a run of each rule, and on which side.

    ``side`` is +1 or −1 in a run, 0 elsewhere. A rule that judges a period by itself alone has no
    runs.
    """

    members: dict[str, Bools]
    side: Places


def runs(
    z: ArrayLike, signals: Mapping[str, ArrayLike], side: ArrayLike, average: ArrayLike
) -> Runs:
    """All periods of the runs that ended in a mark, the marked ones among them.

    Of "4 of 5 beyond 1 sigma" these are the four or five that lie beyond, on the side of the mark;
    of the EWMA the periods since its average last crossed the centre, which is when the level is
    likeliest to have changed (Nishina 1992). The NHS's rules mark whole runs themselves.

    Parameters
    ----------
    z
        Scores of the periods of one baseline, NaN without a figure.
    signals
        For each rule at which periods it fired.
    side
        On which side each mark is, +1 or −1: asked of the NHS's rules alone.
    average
        The EWMA of the scores: asked of its rule alone.

    References
    ----------
    Nishina (1992), Quality and Reliability Engineering International 8:537-541.

    Examples
    --------
    >>> z = [-0.5] + [0.5] * 8
    >>> fired = {"8 in a row on one side": [False] * 8 + [True]}
    >>> runs(z, fired, [0] * 8 + [1], [0.0] * 9).side
    array([0, 1, 1, 1, 1, 1, 1, 1, 1])
    """
    scores, averages = (np.asarray(each, dtype=np.float64) for each in (z, average))
    sides = np.asarray(side, dtype=np.int64)
    members: dict[str, Bools] = {}
    towards = np.zeros(len(sides), dtype=np.int64)
    known = np.flatnonzero(np.isfinite(scores))
    for rule, marked in signals.items():
        fired = np.asarray(marked, dtype=bool)
        members[rule] = np.zeros(len(sides), dtype=bool)
        if rule in NHS_RULES:
            if rule != OUTSIDE:
                members[rule] = fired.copy()
                towards[fired] = sides[fired]
            continue
        for at in np.flatnonzero(fired):
            before = known[known <= at]
            on = averages if rule == EWMA else scores
            way = int(np.sign(on[at]))
            found = _stretch(on, before, way) if rule == EWMA else _beyond(rule, on, before, way)
            members[rule][found] = True
            towards[found] = way
    return Runs(members, towards)


def _stretch(average: NDArray[np.float64], known: Places, way: int) -> Places:
    """Periods since the average was last on the other side."""
    other = np.flatnonzero(np.sign(average[known]) != way)
    return known[other[-1] + 1 if len(other) else 0 :]


def _beyond(rule: str, scores: NDArray[np.float64], known: Places, way: int) -> Places:
    """Those of a rule's last few periods that lie beyond on its side; none of one alone."""
    _, of, sigma = RULES[rule]
    last = known[-of:]
    return last[:0] if of == 1 else last[way * scores[last] > sigma]
