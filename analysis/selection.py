"""Channels that disagree: who is asked, not who answers, may make a kiosk's rate the higher."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis._validation import Floats
from analysis.comparison import discoveries, newcombe


@dataclass(frozen=True)
class ChannelGaps:
    """How far a channel's rate lies over the unit's others; one entry a unit and month.

    ``gap`` with its limits, NaN where one of both has no answers; ``p`` (one-sided) that the
    kiosk's is no higher; ``selection`` where one is found, at the rate of false discoveries asked
    for, and the gap is ``least`` or more. It is a matter of whom a desk lets answer, called
    selection, and no sign of stuffing.
    """

    gap: Floats
    low: Floats
    high: Floats
    p: Floats
    selection: NDArray[np.bool_]


def channel_gaps(
    satisfied: ArrayLike,
    answers: ArrayLike,
    satisfied_elsewhere: ArrayLike,
    answers_elsewhere: ArrayLike,
    *,
    least: float = 0.1,
    q: float = 0.05,
) -> ChannelGaps:
    """Hold a kiosk's rates against those by QR code and invitation, in the same unit and month.

    A desk that sends only the happy to its kiosk shows here. Effective numbers (fractions) where
    people give several answers.

    Parameters
    ----------
    satisfied, answers
        At the kiosk; shape (unit-months,).
    satisfied_elsewhere, answers_elsewhere
        By the channels that no clerk stands beside.
    least
        A gap, in points of the rate as a share, under which none is called selection.
    q
        Share of false ones expected among those called so (Benjamini and Hochberg).

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17:873-890, as ``comparison.newcombe``.

    Examples
    --------
    >>> channel_gaps([98, 80], [100, 100], [40, 41], [60, 50]).selection
    array([ True, False])
    """
    found = newcombe(satisfied_elsewhere, answers_elsewhere, satisfied, answers)
    above = found.estimate > 0
    one_sided = np.where(np.isnan(found.p), np.nan, np.where(above, found.p / 2, 1 - found.p / 2))
    with np.errstate(invalid="ignore"):
        selection = discoveries(one_sided, q).rejected & (found.estimate >= least)
    return ChannelGaps(found.estimate, found.low, found.high, one_sided, selection)
