"""Rushes: one after another at one source, nearly all of them faster than reading."""

from __future__ import annotations

import numpy as np
from scipy import stats

from analysis._validation import Floats
from analysis.arrivals import Order
from analysis.responses import Bools, Detectors, Ints, Responses


def hurried(responses: Responses, fast: Bools, gap: Floats, limit: Floats) -> Bools:
    """Faster than reading; without a duration, where one screen was there for all, by the gap.

    Nobody can take longer at a screen than since it was left by the one before.

    Parameters
    ----------
    gap
        Seconds since the source's response before, shape (n,), as of ``arrivals.gaps``.
    limit
        Seconds an item under which a response is fast, shape (n,), as of ``paces.Paces``.
    """
    unmeasured = np.isnan(responses.duration_s) & responses.one_screen
    with np.errstate(invalid="ignore"):
        found: Bools = fast | (unmeasured & (gap < limit * responses.rated))
    return found


def rushes(
    responses: Responses,
    hurry: Bools,
    gap: Floats,
    close: Bools,
    order: Order,
    detectors: Detectors,
) -> Bools:
    """Which responses hurry in a rush too long for how often people hurry in their unit.

    Of ``rush_windows`` of responses that are close, one behind the other, those in which as many
    hurry as is expected less than ``expected_rushes`` times in the unit's month. The share p that
    does so is that of the unit *outside*, widened by ``rush_swing`` of what is missing to 1: a
    class of pupils is quicker than the usual clients, but does not hurry to the last of them.
    Where no durations were sent the key may be that of several screens, after all: of these some,
    neither none nor all, send faster than a hand after each other (``rush_hands``).

    Parameters
    ----------
    hurry
        Shape (n,), as of ``hurried``.
    gap
        Seconds since the source's response before, shape (n,).
    close
        Shape (n,): soon after the source's one before.
    """
    n = len(responses)
    following = close[order.rows] & ~order.first
    chain = np.cumsum(~following) - 1
    in_chain = np.bincount(chain)[chain] >= min(detectors.rush_windows)
    found = np.zeros(n, dtype=bool)
    if not in_chain.any():
        return found
    unit = responses.unit[order.rows]
    p = _outside(hurry[order.rows], unit, in_chain, detectors.rush_swing)
    number = np.bincount(unit)
    with np.errstate(invalid="ignore"):
        by_hand = gap >= detectors.instant_s * responses.rated
    sums = [
        np.concatenate([[0], np.cumsum(values[order.rows])])
        for values in (hurry, by_hand, ~np.isnan(responses.duration_s))
    ]
    for window in detectors.rush_windows:
        if window > n:
            continue
        starts = np.flatnonzero(chain[: n - window + 1] == chain[window - 1 :])
        hurrying, hands, timed = (each[starts + window] - each[starts] for each in sums)
        chance = stats.binom.sf(hurrying - 1, window, p[starts])
        many = number[unit[starts]] * chance <= detectors.expected_rushes
        one = np.maximum(hands, window - hands) >= (1 - detectors.rush_hands) * window
        for start in starts[many & (one | (2 * timed > window))]:
            found[order.rows[start : start + window]] = True
    # Who came in between and took their time is none of it.
    return found & hurry


def _outside(values: Bools, unit: Ints, in_chain: Bools, swing: float) -> Floats:
    """The share of ``values`` in a response's unit without its chains, widened; shape (n,)."""
    units = int(unit.max()) + 1
    every = np.bincount(unit[~in_chain], minlength=units)
    own = np.bincount(unit[~in_chain], weights=values[~in_chain], minlength=units)
    everywhere = own.sum() / max(every.sum(), 1)
    # Two responses of everywhere's keep a unit that has none outside from standing for nobody.
    share = (own + 2 * everywhere) / (every + 2)
    found: Floats = np.minimum(share + swing * (1 - share), 1 - 1e-9)[unit]
    return found
