"""Responses of one form as arrays, and every parameter of what is looked for in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis._validation import Floats

Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
DAY_S = 86_400.0


@dataclass(frozen=True)
class Responses:
    """Responses to one questionnaire version, in any order; arrays of one entry a response.

    ``source`` and ``unit`` are numbers from 0, ``group`` that of sources of like habits: channel ×
    whether the source sends durations. ``answered_s`` and ``received_s`` are local seconds, modulo
    86,400 the time of day; ``duration_s`` is NaN where none was sent. ``levels`` (n, items) has 0
    where an item was not rated. ``particulars`` is a hash of all other coded answers, 0 where
    there is none. ``open`` says whether the unit was; True where its hours are not known.
    ``one_screen`` says that nobody can be at the source before who was there is done.
    """

    source: Ints
    unit: Ints
    group: Ints
    answered_s: Floats
    received_s: Floats
    duration_s: Floats
    levels: NDArray[np.uint8]
    particulars: NDArray[np.uint64]
    open: Bools
    one_screen: Bools

    def __post_init__(self) -> None:
        n = len(self.source)
        for name in (
            "unit", "group", "answered_s", "received_s", "duration_s", "particulars", "open",
            "one_screen",
        ):  # fmt: skip
            if getattr(self, name).shape != (n,):
                raise ValueError(f"{name} must have one entry a response")
        if self.levels.ndim != 2 or len(self.levels) != n:
            raise ValueError("levels must have the shape (responses, items)")
        if not np.isfinite(self.answered_s).all():
            raise ValueError("answered_s has entries that are not finite numbers")
        if n and min(self.source.min(), self.unit.min(), self.group.min()) < 0:
            raise ValueError("source, unit and group are numbers from 0")

    def __len__(self) -> int:
        return len(self.source)

    @property
    def rated(self) -> Ints:
        """How many items each response rated."""
        found: Ints = np.count_nonzero(self.levels, axis=1)
        return found


@dataclass(frozen=True)
class Detectors:
    """Every parameter of the detectors.

    Pace: a response is fast below the ``fast`` quantile of its unit's varied readers, a log-normal
    fitted to their middle and upper quartile, of which ``least_readers`` there must be; the unit's
    middle is drawn towards the form's by ``readers_as_prior`` readers, and lies at most
    ``fastest_unit`` times under, ``slowest_unit`` times over it. ``instant_s`` an item is faster
    than a hand. A duration is missing where at least ``usually_measured`` of the group has one.

    Likeness: alike is of ``least_rated`` items rated or more. A repeated sheet is one of ``rare``
    of all sheets elsewhere at most. A copy has at most ``moved`` of its items unlike a response of
    the unit's ``copied_days`` before, on an earlier day, in forms of ``least_items`` or more; so
    many such originals are expected by chance at most: ``chance_originals``; ``compared``
    responses of other units say so, or up to ``compared_most`` where the unit's own are many. A
    run of one straight line is unanimous where ``expected_runs`` as long are expected in the
    unit's month at most, of ``least_elsewhere`` other responses, their share of it widened by
    ``swing`` of what is missing to 1.

    Arrivals: close is a gap under ``close`` of the form's usual duration (``usual_s`` an item
    where there is none). Runs of ``windows`` gaps, none longer than ``pause_s`` and in the mean
    not under ``least_gap_s``, are even where a gamma of coefficient of variation ``steady``
    would vary as little with probability ``even_p``. Outside opening hours is unusual where less
    than ``outside`` of a source's responses are, in the middle source of the group; of a response
    that came more than ``late_s`` after it was given, as late as the one beside it, the clock was
    wrong, and its hour is not known.

    Rushes: ``rush_windows`` of close responses, in which so many are fast that less than
    ``expected_rushes`` as full are expected in the unit's month, the unit's share of fast ones
    widened by ``rush_swing`` of what is missing to 1. Without durations it is taken for that of
    several screens where more than ``rush_hands`` of it are, and as many are not, faster than a
    hand after the one before.
    """

    fast: float = 0.02
    least_readers: int = 30
    readers_as_prior: float = 5.0
    fastest_unit: float = 2.5
    slowest_unit: float = 1.2
    instant_s: float = 0.4
    usually_measured: float = 0.6
    least_rated: int = 3
    rare: float = 0.01
    moved: float = 0.25
    copied_days: float = 14.0
    least_items: int = 5
    chance_originals: float = 0.1
    compared: int = 1000
    compared_most: int = 20_000
    expected_runs: float = 1e-3
    least_elsewhere: int = 10
    swing: float = 0.2
    close: float = 0.5
    usual_s: float = 4.0
    windows: tuple[int, ...] = (8, 16, 32)
    pause_s: float = 3 * 3600.0
    least_gap_s: float = 2.0
    steady: float = 0.25
    even_p: float = 5e-4
    outside: float = 0.1
    late_s: float = 1800.0
    rush_windows: tuple[int, ...] = (16, 24, 32, 48, 64)
    expected_rushes: float = 1e-3
    rush_swing: float = 0.5
    rush_hands: float = 0.15
