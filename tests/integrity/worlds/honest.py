"""Provinces in which nobody stuffs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from analysis.responses import DAY_S
from tests.integrity.worlds.clienteles import Clientele, clientele, filled_in
from tests.integrity.worlds.comings import at_desk, at_home, in_turn, per_day
from tests.integrity.worlds.world import (
    INVITATION,
    KIOSK,
    QR,
    Answers,
    Floats,
    Ints,
    Sources,
    World,
    second,
    together,
)

MONTHS = (date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1))
#: Working days a month, about.
DAYS = 21


@dataclass(frozen=True)
class Province:
    """What sort of province; ``kiosk``, ``qr``, ``invited`` are a middle unit's answers a month.

    ``apart`` is the SD of log answers between units. ``straight`` is between which shares
    straight-liners of units are, ``unmeasured`` the share of sources that send no durations,
    ``offline`` that of kiosks that are offline now and then. ``stretch`` is of everybody's pace.
    """

    name: str
    units: int = 60
    months: tuple[date, ...] = MONTHS
    items: int = 22
    kiosk: float = 60.0
    qr: float = 20.0
    invited: float = 15.0
    apart: float = 0.7
    straight: tuple[float, float] = (0.15, 0.5)
    unmeasured: float = 0.12
    offline: float = 0.25
    stretch: float = 1.0
    content: float = 0.0


PLAIN = Province("usual")
PROVINCES = (
    PLAIN,
    Province("hasty: 40 to 60 % straight-liners, half the pace", straight=(0.4, 0.6), stretch=0.5),
    Province("small units: 12 answers a month at the kiosk", kiosk=12, qr=6, invited=5),
    Province("hospitals: 300 a month at the kiosk", units=30, kiosk=300, qr=60, invited=40),
    Province("content: nine of ten are", content=0.6),
    Province("without durations: half of the sources", unmeasured=0.5, offline=0.5),
    Province("one question with five faces", items=1, kiosk=200, qr=40, invited=15),
)


def province(kind: Province, rng: np.random.Generator) -> World:
    """Draws all months of a province."""
    clients = [clientele(rng, kind.straight) for _ in range(kind.units)]
    clients = [
        replace(who, pace=who.pace * kind.stretch, content=who.content + kind.content)
        for who in clients
    ]
    sources = _sources(kind, rng)
    empty = _nothing(kind.items)
    world = World(
        answers=empty,
        sources=sources,
        months=kind.months,
        hours=_hours(kind.units, rng),
        saturdays=rng.random(kind.units) < 0.2,
        known_hours=rng.random(kind.units) < 0.8,
        clients=tuple(clients),
    )
    days = all_days(kind.months)
    parts = []
    for unit in range(kind.units):
        size = np.exp(np.clip(rng.normal(0.0, kind.apart), -1.5, 1.5))
        for channel, mean in ((KIOSK, kind.kiosk), (QR, kind.qr), (INVITATION, kind.invited)):
            if world.has(unit, channel):
                own = mean * size * np.exp(rng.normal(0.0, 0.4))
                parts.append(drawn(world, unit, channel, days, own / DAYS, rng))
    return replace(world, answers=together(parts))


def drawn(
    world: World,
    unit: int,
    channel: int,
    days: Sequence[date],
    mean: float,
    rng: np.random.Generator,
    who: Clientele | None = None,
) -> Answers:
    """Honest answers of a unit by a channel over days, ``mean`` on a usual one."""
    people = per_day(days, mean, rng)
    weekday = np.array([day.weekday() for day in days])
    if channel == INVITATION:
        return answered(world, unit, channel, at_home(days, people, rng), rng, who)
    closed = (weekday == 6) | (weekday == 5) & (not world.saturdays[unit])
    if channel == QR:
        there = np.where(closed, 0, rng.binomial(people, 0.65))
        home = at_home(days, people - there, rng)
        wanted = np.concatenate([at_desk(days, there, world.hours[unit], rng), home])
        return answered(world, unit, channel, wanted, rng, who)
    wanted = at_desk(days, np.where(closed, 0, people), world.hours[unit], rng)
    return answered(world, unit, channel, wanted, rng, who)


def answered(
    world: World,
    unit: int,
    channel: int,
    wanted: Floats,
    rng: np.random.Generator,
    who: Clientele | None = None,
) -> Answers:
    """Honest answers of people who would be done at the moments ``wanted``.

    At a kiosk they wait for each other, and some who would have to wait long go home.
    """
    who = who or world.clients[unit]
    sheets = filled_in(who, len(wanted), rng, items=world.items, phone=channel != KIOSK)
    own = np.flatnonzero((world.sources.unit == unit) & (world.sources.channel == channel))
    source = own[rng.integers(len(own), size=len(wanted))]
    done = wanted.copy()
    if channel == KIOSK:
        pause = 2.0 + rng.exponential(6.0, len(wanted))
        for each in own:
            at = np.flatnonzero(source == each)
            order, ends = in_turn(wanted[at], sheets.duration_s[at], pause[at])
            done[at[order]] = ends
    stays = done - wanted < 1200.0
    return sent(
        world, source[stays], channel, done[stays], sheets.duration_s[stays],
        sheets.levels[stays], sheets.particulars[stays], rng,
    )  # fmt: skip


def sent(
    world: World,
    source: Ints,
    channel: int,
    done: Floats,
    duration_s: Floats,
    levels: NDArray[np.uint8],
    particulars: NDArray[np.uint64],
    rng: np.random.Generator,
    *,
    stuffed: bool = False,
) -> Answers:
    """Answers as they arrive: without durations where the source, or some phone, sends none."""
    duration = np.where(world.sources.measured[source], np.round(duration_s), np.nan)
    if channel != KIOSK and not stuffed:
        duration[rng.random(len(duration)) < 0.04] = np.nan
    n = len(source)
    return Answers(
        source=source,
        channel=np.full(n, channel),
        answered_s=np.round(done),
        received_s=world.sources.received(source, done, rng),
        duration_s=duration,
        levels=levels,
        particulars=particulars,
        truth=np.full(n, stuffed),
    )


def all_days(months: Sequence[date]) -> list[date]:
    """Every day of the months, which follow one another."""
    first, last = months[0], months[-1]
    after = (last.replace(day=28) + timedelta(days=4)).replace(day=1)
    return [first + timedelta(days=i) for i in range((after - first).days)]


def _hours(units: int, rng: np.random.Generator) -> Floats:
    """Half past seven to five with a break at noon, give or take; a few have no break."""
    hours = np.empty((units, 2, 2))
    hours[:, 0, 0] = rng.choice([7.0, 7.5, 8.0], units)
    hours[:, 0, 1] = rng.choice([11.0, 11.5], units)
    hours[:, 1, 0] = rng.choice([13.0, 13.5], units)
    hours[:, 1, 1] = rng.choice([16.5, 17.0], units)
    through = rng.random(units) < 0.15
    hours[through, 0, 1] = hours[through, 1, 0] = 12.0
    return hours


def _sources(kind: Province, rng: np.random.Generator) -> Sources:
    """Nearly all have a kiosk, a fifth two of them; all a QR code, half of them invite."""
    unit, channel = [], []
    for each in range(kind.units):
        kiosks = int(rng.choice(3, p=[0.05, 0.75, 0.2]))
        own = [KIOSK] * kiosks + [QR] + [INVITATION] * int(rng.random() < 0.5)
        unit += [each] * len(own)
        channel += own
    measured = rng.random(len(unit)) >= kind.unmeasured
    first = second(kind.months[0])
    spans = []
    for source in np.flatnonzero(np.array(channel) == KIOSK):
        if rng.random() < kind.offline:
            begins = first + DAY_S * rng.uniform(0, 31 * len(kind.months), rng.integers(1, 12))
            ends = begins + 3600.0 * np.minimum(rng.lognormal(2.0, 1.0, len(begins)), 72.0)
            spans += [(float(source), begin, end) for begin, end in zip(begins, ends, strict=True)]
    return Sources(np.array(unit), np.array(channel), measured, np.array(spans).reshape(-1, 3))


def _nothing(items: int) -> Answers:
    none = np.zeros(0)
    return Answers(
        none.astype(np.intp), none.astype(np.intp), none, none, none,
        np.zeros((0, items), np.uint8), none.astype(np.uint64), none.astype(np.bool_),
    )  # fmt: skip
