"""Ways to stuff, each with strengths.

An attack takes a world, a unit, a strength and a generator, and gives the world with stuffed
responses in its last month (:func:`three_a_day` can be in all). How staff go about it is assumed:
most stuffed sheets are of the top level throughout, and who is cleverer takes more care.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.integrity.worlds.clienteles import PARTICULARS, Levels
from tests.integrity.worlds.honest import sent
from tests.integrity.worlds.resent import days_copied, imitated, resent
from tests.integrity.worlds.world import (
    INVITATION,
    KIOSK,
    QR,
    Answers,
    Floats,
    World,
    second,
)


@dataclass(frozen=True)
class Attack:
    """One way to stuff; ``strengths`` by what the table calls them, the weakest first.

    A ``burst`` is over within a day. ``needs`` is a channel that the unit must have, ``measured``
    a source by it that sends durations.
    """

    name: str
    apply: Callable[[World, int, float, np.random.Generator], World]
    strengths: dict[str, float]
    needs: int = KIOSK
    burst: bool = False
    measured: bool = False

    def possible(self, world: World) -> list[int]:
        """Units that can be attacked so: with the channel, and answers by it in every month."""
        answers, found = world.answers, []
        for unit in range(world.units):
            own = world.month[(world.unit == unit) & (answers.channel == self.needs)]
            if len(np.unique(own)) < len(world.months):
                continue
            if not self.measured or world.sources.measured[world.source_of(unit, self.needs)]:
                found.append(unit)
        return found


def closing_presses(world: World, unit: int, presses: float, rng: np.random.Generator) -> World:
    """Somebody presses the best face so many times about closing, one evening."""
    n = int(presses)
    duration = pressed(n, world.items, rng)
    gaps = duration + 1.0 + rng.exponential(3.0, n)
    begin = _closing(world, unit, rng) + rng.uniform(-1500, 900)
    levels = top(n, world.items, rng, varied=0.15)
    return _stuffed(world, unit, KIOSK, begin + np.cumsum(gaps), duration, levels, rng)


def three_a_day(
    world: World,
    unit: int,
    a_day: float,
    rng: np.random.Generator,
    *,
    ever: bool = False,
) -> World:
    """A clerk gives so many good answers on every working day, when nobody is at the kiosk.

    Not all at once, and with some sheets that are not of the top throughout. ``ever``: so it has
    been for as long as anybody remembers.
    """
    months = range(len(world.months)) if ever else [world.last]
    days = [day for month in months for day in world.working_days(month)]
    a_days = rng.poisson(a_day, len(days)) if a_day > 1 else np.full(len(days), round(a_day))
    midnight = np.repeat([second(day) for day in days], a_days)
    n, hours = len(midnight), world.hours[unit]
    hour = np.where(
        rng.random(n) < 0.4,
        rng.uniform(hours[0, 0], hours[0, 1], n),
        rng.triangular(hours[1, 0], hours[1, 1], hours[1, 1] + 0.3, n),
    )
    duration = np.maximum(pressed(n, world.items, rng) * rng.lognormal(0.5, 0.4, n), 1.0)
    levels = top(n, world.items, rng, varied=0.35)
    at = np.sort(midnight + 3600.0 * hour)
    return _stuffed(world, unit, KIOSK, at, duration, levels, rng)


def three_a_day_ever(world: World, unit: int, a_day: float, rng: np.random.Generator) -> World:
    """The same in all months."""
    return three_a_day(world, unit, a_day, rng, ever=True)


def script(world: World, unit: int, wait_s: float, rng: np.random.Generator) -> World:
    """A script sends sixty sheets by the public form, with random waits and made-up durations.

    Each item is drawn by itself; it works through opening hours from a day on.
    """
    n = 60
    waits = wait_s * rng.uniform(0.4, 1.6, n)
    at = _in_hours(world, unit, np.cumsum(waits), rng)
    duration = rng.uniform(2.0, 5.0, n) * world.items
    levels = (4 + (rng.random((n, world.items)) < 0.8)).astype(np.uint8)
    return _stuffed(world, unit, QR, at, duration, levels, rng)


def timetable(world: World, unit: int, minutes: float, rng: np.random.Generator) -> World:
    """A program sends a good sheet every so many minutes, to the second nearly, in office hours."""
    n = 60
    at = _in_hours(world, unit, 60.0 * minutes * np.arange(1, n + 1), rng)
    duration = rng.normal(60.0, 5.0, n)
    levels = top(n, world.items, rng, varied=0.5)
    return _stuffed(world, unit, QR, at + rng.normal(0.0, 1.0, n), duration, levels, rng)


def colleagues_phone(world: World, unit: int, sheets: float, rng: np.random.Generator) -> World:
    """A colleague fills in the public form on a phone, in idle moments of up to five days."""
    n = int(sheets)
    days = world.working_days(world.last)
    chosen = rng.choice(len(days), min(5, max(1, n // 4)), replace=False)
    day = np.array([second(days[i]) for i in chosen])[rng.integers(len(chosen), size=n)]
    breaks = {each: rng.uniform(8.0, 16.0) * 3600.0 for each in np.unique(day)}
    at = np.sort(day + np.array([breaks[each] for each in day]) + rng.exponential(900.0, n))
    duration = np.maximum(pressed(n, world.items, rng) * rng.lognormal(0.4, 0.3, n), 1.0)
    return _stuffed(world, unit, QR, at, duration, top(n, world.items, rng, varied=0.25), rng)


def desk_answers_invitations(
    world: World, unit: int, share: float, rng: np.random.Generator
) -> World:
    """The desk entered its own telephones: as many invitations more, answered in the afternoon.

    ``share`` is of the invited answers that the unit has in a month; ten at least.
    """
    own = (world.unit == unit) & (world.answers.channel == INVITATION)
    n = max(10, round(share * own.sum() / len(world.months)))
    days = world.working_days(world.last)
    day = np.array([second(each) for each in days])[rng.integers(len(days), size=n)]
    at = np.sort(day + 3600.0 * rng.triangular(14.0, world.hours[unit, 1, 1], 18.0, n))
    duration = np.maximum(pressed(n, world.items, rng) * rng.lognormal(0.6, 0.4, n), 1.0)
    levels = top(n, world.items, rng, varied=0.3)
    return _stuffed(world, unit, INVITATION, at, duration, levels, rng)


def without_durations(world: World, unit: int, sheets: float, rng: np.random.Generator) -> World:
    """Posted to the public form by a short program on a few days, which sends no duration."""
    n = int(sheets)
    days = world.working_days(world.last)
    day = np.array([second(days[i]) for i in rng.choice(len(days), 4, replace=False)])
    at = np.sort(day[rng.integers(4, size=n)] + 3600.0 * rng.uniform(7.5, 17.0, n))
    levels = top(n, world.items, rng, varied=0.5)
    return _stuffed(world, unit, QR, at, np.full(n, np.nan), levels, rng)


def after_hours(world: World, unit: int, presses: float, rng: np.random.Generator) -> World:
    """Pressed at the kiosk after everybody has gone, on three evenings, without hurry."""
    n = int(presses)
    evenings = [_closing(world, unit, rng) + 3600.0 * rng.uniform(0.7, 3.0) for _ in range(3)]
    duration = pressed(n, world.items, rng) * rng.lognormal(0.8, 0.4, n)
    gaps = duration + rng.exponential(60.0, n)
    at = np.concatenate(
        [
            begin + np.cumsum(part)
            for begin, part in zip(evenings, np.array_split(gaps, 3), strict=True)
        ]
    )
    return _stuffed(world, unit, KIOSK, at, duration, top(n, world.items, rng, varied=0.3), rng)


def top(n: int, items: int, rng: np.random.Generator, *, varied: float) -> Levels:
    """Sheets of the top level; ``varied`` of them have one to a few items one lower."""
    levels = np.full((n, items), 5, np.uint8)
    lower = rng.random((n, items)) < rng.uniform(0.05, 0.4, (n, 1))
    levels[lower & (rng.random(n) < varied)[:, None]] = 4
    return levels


def pressed(n: int, items: int, rng: np.random.Generator) -> Floats:
    """How long it takes who knows the form by heart: about 0.45 s an item, and a start."""
    own: Floats = 1.0 + items * 0.45 * np.exp(rng.normal(0.0, 0.2, n)) + rng.exponential(1.0, n)
    return own


def _stuffed(
    world: World,
    unit: int,
    channel: int,
    at: Floats,
    duration: Floats,
    levels: Levels,
    rng: np.random.Generator,
) -> World:
    return world.with_more(_answers(world, unit, channel, at, duration, levels, rng))


def _answers(
    world: World,
    unit: int,
    channel: int,
    at: Floats,
    duration: Floats,
    levels: Levels,
    rng: np.random.Generator,
) -> Answers:
    n = len(at)
    source = np.full(n, world.source_of(unit, channel))
    coded: NDArray[np.uint64] = PARTICULARS[np.where(rng.random(n) < 0.6, 0, 1)]
    return sent(world, source, channel, at, duration, levels, coded, rng, stuffed=True)


def _closing(world: World, unit: int, rng: np.random.Generator) -> float:
    """When the unit closes on some working day of the last month."""
    days = world.working_days(world.last)
    return second(days[int(rng.integers(len(days) - 1))], float(world.hours[unit, 1, 1]))


def _in_hours(world: World, unit: int, elapsed: Floats, rng: np.random.Generator) -> Floats:
    """Moments so many seconds of office time after some day's opening, lunch hours included.

    What does not fit into the month is left to its last day's end, one after the other.
    """
    days = world.working_days(world.last)
    opening, closing = world.hours[unit, 0, 0] * 3600.0, world.hours[unit, 1, 1] * 3600.0
    length = closing - opening
    needed = int(elapsed[-1] // length) + 1
    first = int(rng.integers(max(len(days) - needed, 0) + 1))
    number = np.minimum(first + (elapsed // length).astype(int), len(days) - 1)
    return np.array([second(days[i]) for i in number]) + opening + elapsed % length


ATTACKS: tuple[Attack, ...] = (
    Attack(
        "presses about closing, one evening",
        closing_presses,
        {f"{n} presses": n for n in (5, 10, 15, 30, 60)},
        burst=True,
    ),
    Attack("a few a day for a month", three_a_day, {f"{n} a day": n for n in (1, 2, 3, 4, 6, 10)}),
    Attack("a few a day, in all months", three_a_day_ever, {f"{n} a day": n for n in (1, 3, 6)}),
    Attack(
        "script with random delays, 60 sheets",
        script,
        {"slow (2 hours)": 7200.0, "medium (20 minutes)": 1200.0, "fast (2 minutes)": 120.0},
        needs=QR,
    ),
    Attack(
        "program by timetable, 60 sheets",
        timetable,
        {"every 60 minutes": 60.0, "every 10 minutes": 10.0},
        needs=QR,
    ),
    Attack(
        "a colleague's phone at the QR code",
        colleagues_phone,
        {f"{n} sheets": n for n in (5, 15, 40)},
        needs=QR,
    ),
    Attack(
        "invitations answered by the desk",
        desk_answers_invitations,
        {"half as many again": 0.5, "as many again": 1.0, "twice as many again": 2.0},
        needs=INVITATION,
    ),
    Attack(
        "yesterday's answers sent again",
        resent,
        {"a quarter of the items moved": 0.25, "a tenth moved": 0.1, "none moved": 0.0},
    ),
    Attack(
        "a good day copied",
        days_copied,
        {"once": 1, "three times": 3, "six times": 6},
    ),
    Attack(
        "script in the unit's own ways",
        imitated,
        {"a tenth more": 0.1, "a third more": 0.33, "as many again": 1.0},
    ),
    Attack(
        "without durations",
        without_durations,
        {f"{n} sheets": n for n in (10, 30, 60)},
        needs=QR,
        measured=True,
    ),
    Attack("outside opening hours", after_hours, {f"{n} presses": n for n in (6, 15, 30)}),
)
