"""When people come and answer: opening hours, the morning's peak, queues, evenings at home.

The courses of a day are assumed; they need only be unlike from unit to unit, and uneven.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tests.integrity.worlds.world import second

Floats = NDArray[np.float64]

#: Hours and how many answer at each, between them in a straight line; at the desk and at home.
DESK = (
    np.array([6.5, 7.5, 8.5, 9.5, 11.0, 11.5, 13.0, 14.0, 15.0, 16.5, 17.2]),
    np.array([0.1, 1.0, 2.2, 2.0, 1.0, 0.4, 0.5, 1.3, 1.2, 0.6, 0.1]),
)
HOME = (
    np.array([5.5, 7.0, 9.0, 11.5, 12.5, 14.0, 17.0, 18.5, 20.5, 22.0, 23.9]),
    np.array([0.0, 0.6, 1.0, 1.4, 1.6, 0.8, 0.8, 1.2, 2.2, 1.3, 0.05]),
)


def per_day(days: Sequence[date], mean: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """How many come on each day, ``mean`` on a usual one: Mondays more, no two days alike."""
    weekday = np.array([day.weekday() for day in days])
    usual = np.array([1.3, 1.0, 0.95, 0.9, 1.05, 0.5, 0.3])[weekday]
    drawn: NDArray[np.intp] = rng.poisson(mean * usual * rng.gamma(5.0, 0.2, len(days)))
    return drawn


def at_desk(
    days: Sequence[date], people: NDArray[np.intp], hours: Floats, rng: np.random.Generator
) -> Floats:
    """Seconds at which so many people on each day finish with their case, in order.

    They come within the unit's ``hours`` (2, 2), on Saturdays in the morning's alone; a few stay
    on after closing, some come with a relative or a neighbour.
    """
    midnight = np.repeat([second(day) for day in days], people)
    saturday = np.repeat([day.weekday() == 5 for day in days], people)
    peak = np.repeat(rng.normal(0.0, 0.25, len(days)), people)
    at = np.full(len(midnight), np.nan)
    for _ in range(6):
        out = np.flatnonzero(np.isnan(at))
        drawn = _hours(len(out), DESK, rng) + peak[out]
        late = rng.exponential(0.15, len(out))
        within = ((hours[:, 0] < drawn[:, None]) & (drawn[:, None] < hours[:, 1])).copy()
        within[saturday[out], 1] = False
        closing = (hours[1, 1] <= drawn) & (drawn < hours[1, 1] + late) & ~saturday[out]
        at[out] = np.where(within.any(axis=1) | closing, drawn, np.nan)
    inside = np.sort((midnight + 3600.0 * at)[~np.isnan(at)])
    follows = np.flatnonzero(rng.random(len(inside) - 1) < 0.15) + 1 if len(inside) else []
    inside[follows] = inside[np.asarray(follows, int) - 1] + rng.exponential(120.0, len(follows))
    return np.sort(inside)


def at_home(days: Sequence[date], people: NDArray[np.intp], rng: np.random.Generator) -> Floats:
    """Seconds at which so many people on each day answer wherever they are."""
    midnight = np.repeat([second(day) for day in days], people)
    return np.sort(midnight + 3600.0 * _hours(len(midnight), HOME, rng))


def _hours(n: int, course: tuple[Floats, Floats], rng: np.random.Generator) -> Floats:
    """Hours drawn from a course in straight lines, from a fine table of it."""
    fine = np.linspace(course[0][0], course[0][-1], 400)
    share = np.cumsum(np.interp(fine, *course))
    return np.interp(rng.random(n), share / share[-1], fine)


def in_turn(wanted: Floats, duration_s: Floats, pause: Floats) -> tuple[NDArray[np.intp], Floats]:
    """The order of people at one device, and when each is done, one after another.

    ``wanted`` is when each would be done with it alone; nobody begins before the one before has
    ended and the ``pause`` seconds are over in which it is handed on.
    """
    order = np.argsort(wanted, kind="stable")
    taken = (duration_s + pause)[order]
    busy = np.cumsum(taken)
    done = busy + np.maximum.accumulate(wanted[order] - busy)
    return order, done
