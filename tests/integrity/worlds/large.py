"""Hospitals and provincial centres that thousands answer each month, at several kiosks.

One person stands at a kiosk at a time and walks up to it; who finds all of them taken waits a
while or goes home. Halls fill in waves, families answer one after another, attendants of one shift
bring more people, and hastier ones, than those of another, and children play. How much of each is
assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from analysis.responses import DAY_S
from tests.integrity.worlds.clienteles import Clientele, Sheets, filled_in
from tests.integrity.worlds.comings import at_desk, at_home, per_day
from tests.integrity.worlds.honest import (
    MONTHS,
    PLAIN,
    Province,
    all_days,
    answered,
    province,
    sent,
)
from tests.integrity.worlds.world import (
    INVITATION,
    KIOSK,
    QR,
    Answers,
    Bools,
    Floats,
    Ints,
    Sources,
    World,
    together,
)

#: Usual days' answers in a month: Saturdays and evenings, and those who came along, make some.
A_MONTH = 27


@dataclass(frozen=True)
class Large:
    """What sort of large places, and the ``beside`` that they have their months with.

    ``answers`` are a place's a month, of which ``by_qr`` and ``invited`` are shares; ``kiosks``
    between which numbers of them it has. ``apart`` is the SD of log answers between places.
    """

    name: str
    answers: float
    places: int = 20
    kiosks: tuple[int, int] = (1, 3)
    by_qr: float = 0.2
    invited: float = 0.1
    items: int = 22
    months: tuple[date, ...] = MONTHS
    apart: float = 0.3
    beside: Province | None = None


CENTRES = replace(PLAIN, units=40)
LARGE = (
    Large("large hospitals: 1,000 a month, one to three kiosks", 1000),
    Large("large hospitals: 3,000 a month, three to seven kiosks", 3000, kiosks=(3, 7)),
    Large(
        "four centres of 3,000 a month among forty usual offices", 3000, places=4,
        kiosks=(2, 5), beside=CENTRES,
    ),
    Large(
        "large places: 3,000 a month at one question, two to four kiosks", 3000, kiosks=(2, 4),
        items=1,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Shift:
    """Attendants who take turns by the week, mornings and afternoons.

    They bring ``brings`` times as many to the kiosks; ``hurry`` stretches those people's pace,
    ``alike`` is added to the share that rates all alike, ``mood`` to how content they are.
    """

    brings: float
    hurry: float
    alike: float
    mood: float


def large(kind: Large, rng: np.random.Generator) -> World:
    """Draws all months of large places, the last units where there are others beside them."""
    beside = province(replace(kind.beside, months=kind.months), rng) if kind.beside else None
    first = beside.units if beside else 0
    # Their people and their hours are as other units'; nothing else of these is kept.
    few = Province("", kind.places, kind.months, kind.items, kiosk=1, qr=1, invited=1)
    world = _joined(beside, province(few, rng), _sources(kind, first, rng))
    days, parts = all_days(kind.months), [world.answers]
    for unit in range(first, first + kind.places):
        people = kind.answers * np.exp(rng.normal(0.0, kind.apart)) / A_MONTH
        kiosk = 1.0 - kind.by_qr - kind.invited
        parts.append(_at_kiosks(world, unit, days, people * kiosk, rng))
        parts.append(_by_phone(world, unit, days, people * kind.by_qr, rng))
        home = at_home(days, per_day(days, people * kind.invited, rng), rng)
        parts.append(answered(world, unit, INVITATION, home, rng))
    return replace(world, answers=together(parts))


def _joined(beside: World | None, drawn: World, sources: Sources) -> World:
    """Units beside, then the places, without any answers of these."""
    empty = drawn.without(np.ones(len(drawn), bool))
    if beside is None:
        return replace(empty, sources=sources, saturdays=_saturdays(drawn))
    both = Sources(
        np.concatenate([beside.sources.unit, sources.unit]),
        np.concatenate([beside.sources.channel, sources.channel]),
        np.concatenate([beside.sources.measured, sources.measured]),
        beside.sources.offline,
    )
    return World(
        beside.answers,
        both,
        beside.months,
        np.concatenate([beside.hours, drawn.hours]),
        np.concatenate([beside.saturdays, _saturdays(drawn)]),
        np.concatenate([beside.known_hours, drawn.known_hours]),
        (*beside.clients, *drawn.clients),
    )


def _saturdays(drawn: World) -> Bools:
    """Three in four open on Saturday mornings, by the place of their number."""
    return np.arange(drawn.units) % 4 > 0


def _sources(kind: Large, first: int, rng: np.random.Generator) -> Sources:
    """Kiosks, a QR code and invitations of each place; one kiosk in eight sends no durations."""
    unit, channel = [], []
    for each in range(first, first + kind.places):
        own = [KIOSK] * int(rng.integers(kind.kiosks[0], kind.kiosks[1] + 1)) + [QR, INVITATION]
        unit += [each] * len(own)
        channel += own
    measured = (np.array(channel) != KIOSK) | (rng.random(len(unit)) >= 0.125)
    return Sources(np.array(unit), np.array(channel), measured, np.zeros((0, 3)))


def _at_kiosks(
    world: World, unit: int, days: Sequence[date], mean: float, rng: np.random.Generator
) -> Answers:
    """Of a place's kiosks over all days."""
    own = np.flatnonzero((world.sources.unit == unit) & (world.sources.channel == KIOSK))
    # Most pass the kiosk at the way out; another stands in a corner.
    likes = rng.dirichlet(np.full(len(own), 3.0))
    shifts = [
        Shift(
            brings=float(rng.gamma(6.0, 1 / 6)),
            hurry=float(np.exp(rng.normal(0.0, 0.12))),
            alike=float(rng.uniform(-0.08, 0.08)),
            mood=float(rng.normal(0.0, 0.2)),
        )
        for _ in range(int(rng.integers(2, 5)))
    ]
    weekday = np.array([day.weekday() for day in days])
    closed = (weekday == 6) | (weekday == 5) & (not world.saturdays[unit])
    come = _in_waves(at_desk(days, _people(days, closed, mean, rng), world.hours[unit], rng), rng)
    of = _shift(come, len(shifts))
    come, of = _brought(come, of, shifts, rng)
    sheets = _of_shifts(world.clients[unit], shifts, of, world.items, rng)
    come, sheets = _families(come, sheets, rng)
    come, sheets = _with_children(come, sheets, world.items, rng)
    place, done = queued(come, sheets.duration_s, likes, rng)
    stays = place >= 0
    return sent(
        world, own[place[stays]], KIOSK, done[stays], sheets.duration_s[stays],
        sheets.levels[stays], sheets.particulars[stays], rng,
    )  # fmt: skip


def _people(days: Sequence[date], closed: Bools, mean: float, rng: np.random.Generator) -> Ints:
    """How many on each day: many offices' worth vary less from day to day than one's."""
    weekday = np.array([day.weekday() for day in days])
    usual = np.array([1.35, 1.05, 1.0, 0.95, 0.95, 0.4, 0.0])[weekday]
    return rng.poisson(np.where(closed, 0.0, mean * usual * rng.gamma(20.0, 0.05, len(days))))


def _in_waves(at: Floats, rng: np.random.Generator) -> Floats:
    """A third come out in waves: results are handed out, numbers called, a coach leaves."""
    wave = np.ceil(at / 1800.0) * 1800.0 + rng.exponential(240.0, len(at))
    return np.sort(np.where(rng.random(len(at)) < 0.33, wave, at))


def _shift(at: Floats, number: int) -> Ints:
    """Who has it at these moments: mornings and afternoons, turned every week."""
    day, afternoon = (at // DAY_S).astype(np.intp), at % DAY_S > 12.25 * 3600
    found: Ints = ((day + 3) // 7 + afternoon) % number
    return found


def _brought(
    come: Floats, of: Ints, shifts: Sequence[Shift], rng: np.random.Generator
) -> tuple[Floats, Ints]:
    """Those who are brought to a kiosk at all: so many more by one shift than by another."""
    brings = np.array([each.brings for each in shifts])[of]
    again = rng.poisson(brings)
    at = np.repeat(come, again) + np.repeat(again > 1, again) * rng.exponential(90.0, again.sum())
    order = np.argsort(at, kind="stable")
    return at[order], np.repeat(of, again)[order]


def _of_shifts(
    who: Clientele, shifts: Sequence[Shift], of: Ints, items: int, rng: np.random.Generator
) -> Sheets:
    """What people of each shift fill in, in their order."""
    levels = np.zeros((len(of), items), np.uint8)
    duration, particulars = np.zeros(len(of)), np.zeros(len(of), np.uint64)
    for i, shift in enumerate(shifts):
        at = np.flatnonzero(of == i)
        theirs = replace(
            who,
            pace=who.pace * shift.hurry,
            straight=float(np.clip(who.straight + shift.alike, 0.05, 0.7)),
            content=who.content + shift.mood,
        )
        found = filled_in(theirs, len(at), rng, items=items)
        levels[at], duration[at] = found.levels, found.duration_s
        particulars[at] = found.particulars
    return Sheets(levels, duration, particulars)


def _families(come: Floats, sheets: Sheets, rng: np.random.Generator) -> tuple[Floats, Sheets]:
    """One in eight came with another, who answers next; every third of these as the first did."""
    with_one = np.flatnonzero(rng.random(len(come)) < 0.125)
    other = rng.choice(len(come), len(with_one)) if len(come) else with_one
    like = rng.random(len(with_one)) < 0.33
    row = np.where(like, with_one, other)
    pace = np.where(like, rng.uniform(0.6, 0.9, len(with_one)), 1.0)
    levels = sheets.levels[row].copy()
    moved = like[:, None] & (rng.random(levels.shape) < 0.15) & (levels > 2)
    levels[moved] -= 1
    return _merged(
        come, sheets, come[with_one] + rng.uniform(1.0, 20.0, len(with_one)),
        Sheets(
            levels, np.maximum(np.round(sheets.duration_s[row] * pace), 1.0),
            sheets.particulars[row],
        ),
    )  # fmt: skip


def _with_children(
    come: Floats, sheets: Sheets, items: int, rng: np.random.Generator
) -> tuple[Floats, Sheets]:
    """One visitor in 600 has a child that plays with the kiosk, one to four sheets of it."""
    at = come[rng.random(len(come)) < 1 / 600]
    plays = rng.integers(1, 5, len(at))
    begin = np.repeat(at, plays) + np.concatenate([np.arange(n) for n in plays] or [[]]) * 20.0
    n = len(begin)
    levels = rng.integers(1, 6, (n, items))
    same = rng.random(n) < 0.5
    levels[same] = levels[same, :1]
    duration = np.maximum(np.round(2.0 + items * rng.lognormal(-0.4, 0.3, n)), 1.0)
    child = Sheets(levels.astype(np.uint8), duration, np.zeros(n, np.uint64))
    return _merged(come, sheets, begin + rng.uniform(0, 10, n), child)


def _merged(come: Floats, sheets: Sheets, more: Floats, others: Sheets) -> tuple[Floats, Sheets]:
    at = np.concatenate([come, more])
    order = np.argsort(at, kind="stable")
    return at[order], Sheets(
        np.concatenate([sheets.levels, others.levels])[order],
        np.concatenate([sheets.duration_s, others.duration_s])[order],
        np.concatenate([sheets.particulars, others.particulars])[order],
    )


def queued(
    come: Floats, duration_s: Floats, likes: Floats, rng: np.random.Generator
) -> tuple[Ints, Floats]:
    """At which kiosk each is, -1 for who goes home, and when each is done; ``come`` ascends.

    Each goes to the one that she passes, by ``likes``, or waits where it is soonest free, as long
    as she has patience; walking up takes seconds.
    """
    n = len(come)
    passes = rng.choice(len(likes), n, p=likes)
    walk = 3.0 + rng.lognormal(1.5, 0.6, n)
    patience = rng.exponential(240.0, n)
    free = np.full(len(likes), -np.inf)
    place, done = np.full(n, -1), np.full(n, np.nan)
    for i in range(n):
        at = int(passes[i])
        if free[at] > come[i]:
            at = int(free.argmin())
        begin = max(come[i], free[at]) + walk[i]
        if begin - walk[i] - come[i] <= patience[i]:
            place[i], done[i] = at, begin + duration_s[i]
            free[at] = done[i]
    return place, done


def _by_phone(
    world: World, unit: int, days: Sequence[date], mean: float, rng: np.random.Generator
) -> Answers:
    """Of the QR code, two thirds of them in the halls."""
    people = per_day(days, mean, rng)
    weekday = np.array([day.weekday() for day in days])
    closed = (weekday == 6) | (weekday == 5) & (not world.saturdays[unit])
    there = np.where(closed, 0, rng.binomial(people, 0.65))
    halls = _in_waves(at_desk(days, there, world.hours[unit], rng), rng)
    wanted = np.concatenate([halls, at_home(days, people - there, rng)])
    return answered(world, unit, QR, wanted, rng)
