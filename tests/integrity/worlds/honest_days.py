"""Days and months at honest units that look odd.

Each takes a world, a unit and a generator, and gives the world with that in its last month. All
that is in them is honest. How long and how many is assumed, and meant to be hard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from analysis.responses import DAY_S
from tests.integrity.worlds.clienteles import Clientele, filled_in
from tests.integrity.worlds.comings import at_desk, in_turn
from tests.integrity.worlds.honest import DAYS, answered, drawn, sent
from tests.integrity.worlds.world import INVITATION, KIOSK, QR, World, second, together

OddDay = Callable[[World, int, np.random.Generator], World]


def market_day(world: World, unit: int, rng: np.random.Generator) -> World:
    """Two mornings on which as many come as else in a week or two, one after the other."""
    days = rng.choice(np.array(world.working_days(world.last)), 2, replace=False)
    people = rng.integers(30, 90, 2)
    wanted = at_desk(list(days), people, world.hours[unit], rng)
    hour = wanted % DAY_S / 3600.0
    return world.with_more(answered(world, unit, KIOSK, wanted[hour < 12], rng))


def tour_group(world: World, unit: int, rng: np.random.Generator) -> World:
    """A coach: 25 to 40 people answer by the QR code within the hour, in one good mood."""
    n = int(rng.integers(25, 41))
    begin = _morning(world, rng) + rng.uniform(0, 5400)
    wanted = begin + np.sort(rng.beta(1.5, 3.0, n)) * 3600.0
    who = replace(world.clients[unit], content=1.0, spread=0.6, straight=0.5, young=0.3, old=0.4)
    return world.with_more(answered(world, unit, QR, wanted, rng, who))


def class_of_thirty(world: World, unit: int, rng: np.random.Generator) -> World:
    """Thirty pupils come for their identity cards, and hand the kiosk around.

    Quick, next to each other, half of them straight-liners; some do as their neighbour did.
    """
    n = 30
    who = replace(
        world.clients[unit], content=0.5, straight=0.5, by_factor=0.5, pace=0.7, young=1.0, old=0.0
    )
    sheets = filled_in(who, n, rng, items=world.items)
    levels = sheets.levels.copy()
    for at in np.flatnonzero(rng.random(n - 1) < 0.25) + 1:
        levels[at] = levels[at - 1]
    pause = 2.0 + rng.exponential(5.0, n)
    begin = np.full(n, _morning(world, rng) + rng.uniform(0, 7200))
    order, done = in_turn(begin, sheets.duration_s, pause)
    source = np.full(n, world.source_of(unit, KIOSK))
    return world.with_more(
        sent(
            world, source, KIOSK, done, sheets.duration_s[order], levels[order],
            sheets.particulars[order], rng,
        )
    )  # fmt: skip


def screening(world: World, unit: int, rng: np.random.Generator) -> World:
    """300 people after a screening within two hours, all under one kiosk's credential.

    On a form of one question they take turns; on a long one six tablets hold the credential.
    """
    n, tablets = 300, 1 if world.items < 5 else 6
    begin = _morning(world, rng)
    who = replace(world.clients[unit], straight=0.5, old=0.4, content=0.4)
    sheets = filled_in(who, n, rng, items=world.items)
    wanted = begin + np.sort(rng.uniform(0, 7200, n))
    tablet = rng.integers(tablets, size=n)
    done = wanted.copy()
    for each in range(tablets):
        at = np.flatnonzero(tablet == each)
        order, ends = in_turn(
            wanted[at], sheets.duration_s[at], 2.0 + rng.exponential(4.0, len(at))
        )
        done[at[order]] = ends
    source = np.full(n, world.source_of(unit, KIOSK))
    return world.with_more(
        sent(world, source, KIOSK, done, sheets.duration_s, sheets.levels, sheets.particulars, rng)
    )


def tet(world: World, unit: int, rng: np.random.Generator) -> World:
    """Nine days without anybody, and then two with twice as many as usual, in good mood."""
    first = world.working_days(world.last)[int(rng.integers(0, 8))]
    at = world.answers.answered_s
    world = world.without(
        (world.unit == unit) & (second(first) <= at) & (at < second(first + timedelta(days=9)))
    )
    after = [day for day in world.working_days(world.last) if day >= first + timedelta(days=9)][:2]
    who = replace(world.clients[unit], content=world.clients[unit].content + 0.6)
    more = [
        drawn(world, unit, channel, after, 1.5 * _mean(world, unit, channel), rng, who)
        for channel in (KIOSK, QR)
        if world.has(unit, channel)
    ]
    return world.with_more(together(more))


def fast_young(world: World, unit: int, rng: np.random.Generator) -> World:
    """The last month is that of students: all young, half of them straight-liners, all quick."""
    who = replace(world.clients[unit], young=1.0, old=0.0, straight=0.5, by_factor=0.6, pace=0.5)
    return _another_month(world, unit, rng, who)


def unanimous(world: World, unit: int, rng: np.random.Generator) -> World:
    """All months at a unit with which everybody is very satisfied, and says so everywhere."""
    who = replace(
        world.clients[unit], content=2.6, spread=0.5, straight=0.85, apart=(0.0,) * 5, careless=0.0
    )
    for month in range(len(world.months)):
        world = _another_month(world, unit, rng, who, month)
    return world


def suddenly_better(world: World, unit: int, rng: np.random.Generator) -> World:
    """A new head: from the last month on nearly everybody is very satisfied."""
    who = replace(world.clients[unit], content=1.8, spread=0.6, straight=0.6)
    return _another_month(world, unit, rng, who)


def new_kiosk(world: World, unit: int, rng: np.random.Generator) -> World:
    """A kiosk set up in the last month, from which nothing came before; used a lot."""
    sources = world.sources
    added = replace(
        sources,
        unit=np.append(sources.unit, unit),
        channel=np.append(sources.channel, KIOSK),
        measured=np.append(sources.measured, True),
    )
    days = world.working_days(world.last)[int(rng.integers(0, 8)) :]
    world = replace(world, sources=added)
    more = drawn(world, unit, KIOSK, days, float(rng.uniform(4, 12)), rng)
    return world.with_more(replace(more, source=np.full(len(more), len(added.unit) - 1)))


def helper(world: World, unit: int, rng: np.random.Generator) -> World:
    """A youth-union member fills in for the elderly on four days, some twenty after another.

    She reads out and types: long, much alike in time, and in her words "so all good?".
    """
    who = replace(world.clients[unit], straight=0.6, old=1.0, young=0.0, content=0.5, by_factor=0.6)
    source = world.source_of(unit, KIOSK)
    parts = []
    for day in rng.choice(np.array(world.working_days(world.last)), 4, replace=False):
        n = int(rng.integers(12, 26))
        sheets = filled_in(who, n, rng, items=world.items)
        own = (20.0 + 5.0 * world.items) * np.exp(rng.normal(0.0, 0.3, n))
        begin = np.full(n, second(day, world.hours[unit, 0, 0]) + rng.uniform(600, 3600))
        _, done = in_turn(begin, own, 10.0 + rng.exponential(25.0, n))
        parts.append(
            sent(
                world, np.full(n, source), KIOSK, done, own, sheets.levels, sheets.particulars, rng
            )
        )
    return world.with_more(together(parts))


def wrong_clock(world: World, unit: int, rng: np.random.Generator) -> World:
    """For two weeks the kiosk's clock is three to ten hours late, and its mornings are nights."""
    answers = world.answers
    first = second(world.working_days(world.last)[int(rng.integers(0, 10))])
    wrong = (
        (answers.source == world.source_of(unit, KIOSK))
        & (first <= answers.answered_s)
        & (answers.answered_s < first + 14 * DAY_S)
    )
    late = 3600.0 * rng.uniform(3, 10)
    return replace(
        world,
        answers=replace(
            answers, answered_s=np.where(wrong, answers.answered_s - late, answers.answered_s)
        ),
    )


def campaign(world: World, unit: int, rng: np.random.Generator) -> World:
    """For a week the desk begs everybody for an answer at the QR code: four times as many."""
    days = world.working_days(world.last)[5:10]
    mean = 4.0 * max(_mean(world, unit, QR), 1.0)
    return world.with_more(drawn(world, unit, QR, days, mean, rng))


ODD_DAYS: dict[str, OddDay] = {
    "market day": market_day,
    "tour group at the QR code": tour_group,
    "class of thirty at the kiosk": class_of_thirty,
    "300 after a screening in two hours": screening,
    "Tết: nine silent days, then a rush": tet,
    "fast young clientele this month": fast_young,
    "unanimous, in all months": unanimous,
    "suddenly far better": suddenly_better,
    "a new kiosk": new_kiosk,
    "a helper fills in for the elderly": helper,
    "a clock hours late": wrong_clock,
    "a week of begging for answers": campaign,
}


def eligible(world: World) -> list[int]:
    """Units at which any odd day can be: with a kiosk, and answers from it in every month."""
    return [
        unit
        for unit in range(world.units)
        if world.has(unit, KIOSK) and _mean(world, unit, KIOSK) > 0
    ]


def _morning(world: World, rng: np.random.Generator) -> float:
    """Eight o'clock of some working day of the last month."""
    days: Sequence[date] = world.working_days(world.last)
    return second(days[int(rng.integers(len(days)))], 8.0)


def _mean(world: World, unit: int, channel: int) -> float:
    """Answers on a usual working day, by the months before the last."""
    before = (world.unit == unit) & (world.answers.channel == channel) & (world.month < world.last)
    return float(before.sum()) / (DAYS * max(world.last, 1))


def _another_month(
    world: World, unit: int, rng: np.random.Generator, who: Clientele, month: int | None = None
) -> World:
    """A month of a unit with other people; the last one, if none is named."""
    at = world.last if month is None else month
    means = {
        channel: _mean(world, unit, channel)
        for channel in (KIOSK, QR, INVITATION)
        if world.has(unit, channel)
    }
    world = world.without((world.unit == unit) & (world.month == at))
    days = world.working_days(at)
    more = [drawn(world, unit, channel, days, mean, rng, who) for channel, mean in means.items()]
    return world.with_more(together(more))
