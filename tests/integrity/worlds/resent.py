"""Attacks that are made of real answers: sent again, copied by the day, imitated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.responses import DAY_S
from tests.integrity.worlds.clienteles import FACTORS
from tests.integrity.worlds.world import KIOSK, SATISFIED, Answers, Bools, Floats, World, second

#: On how many days answers are sent again.
DAYS_RESENT = 8


def resent(world: World, unit: int, moved: float, rng: np.random.Generator) -> World:
    """On eight days the kiosk's answers of the working day before come again, the better half.

    Of their items ``moved`` are one level higher, or lower where they were at the top; they come
    at about the same time of the day, with durations that are a little off.
    """
    days = world.working_days(world.last)
    own = _of(world, unit)
    chosen = []
    for i in rng.choice(np.arange(1, len(days)), DAYS_RESENT, replace=False):
        of_day = np.flatnonzero(own & _on(world, second(days[i - 1])))
        if len(of_day):
            score = _mean_level(world)[of_day]
            better = of_day[score >= np.median(score)]
            chosen.append((better, second(days[i]) - second(days[i - 1])))
    if not chosen:
        return world
    rows = np.concatenate([better for better, _ in chosen])
    ahead = np.concatenate([np.full(len(better), gap) for better, gap in chosen])
    again = world.answers.where(rows)
    levels = again.levels.astype(int)
    moves = (rng.random(levels.shape) < moved) & (levels > 0)
    levels = np.where(moves, np.where(levels < 5, levels + 1, 4), levels)
    n = len(again)
    return _added(
        world,
        replace(
            again,
            answered_s=again.answered_s + ahead + np.round(rng.uniform(-1200, 1200, n)),
            duration_s=np.maximum(np.round(again.duration_s * rng.uniform(0.85, 1.15, n)), 1.0),
            levels=levels.astype(np.uint8),
        ),
        rng,
    )


def days_copied(world: World, unit: int, times: float, rng: np.random.Generator) -> World:
    """The best of the month's first ten full days is sent again whole, so many times later on.

    Nothing is stuffed where nobody came on any of them.
    """
    days = world.working_days(world.last)
    own, score = _of(world, unit), _mean_level(world)
    counts = np.array([(own & _on(world, second(day))).sum() for day in days[:10]])
    if not counts.any():
        return world
    full = np.flatnonzero(counts >= min(3, counts.max()))
    best = max(full, key=lambda i: score[own & _on(world, second(days[i]))].mean())
    of_day = world.answers.where(own & _on(world, second(days[best])))
    later = rng.choice(np.arange(best + 1, len(days)), int(times), replace=False)
    for i in later:
        ahead = second(days[i]) - second(days[best]) + round(rng.uniform(-300, 300))
        world = _added(world, replace(of_day, answered_s=of_day.answered_s + ahead), rng)
    return world


def imitated(world: World, unit: int, share: float, rng: np.random.Generator) -> World:
    """A program that knows all earlier answers of the kiosk, and sends new ones like the good.

    ``share`` is of the unit's usual month. Each sheet is put together from two good earlier ones,
    factor by factor; its time of the day and its duration are those of others, a little off.
    """
    answers = world.answers
    before = np.flatnonzero(_of(world, unit) & (world.month < world.last))
    usual = len(before) / max(world.last, 1)
    n = max(3, round(share * usual))
    rated = np.maximum(np.count_nonzero(answers.levels[before], axis=1), 1)
    content = (answers.levels[before] >= SATISFIED).sum(axis=1) / rated
    good = before[content >= min(0.95, content.max())]
    one, other, when, long = (rng.choice(pool, n) for pool in (good, good, before, before))
    if world.items == sum(FACTORS):
        swap = np.repeat(rng.random((n, len(FACTORS))) < 0.3, FACTORS, axis=1)
    else:
        swap = np.zeros((n, world.items), bool)
    days = world.working_days(world.last)
    day = np.array([second(each) for each in days])[rng.integers(len(days), size=n)]
    hour = answers.answered_s[when] % DAY_S + rng.normal(0.0, 600.0, n)
    duration = answers.duration_s[long] * np.exp(rng.normal(0.0, 0.1, n))
    return _added(
        world,
        replace(
            answers.where(one),
            answered_s=np.round(day + np.clip(hour, 0.0, DAY_S - 1)),
            duration_s=np.maximum(np.round(duration), 1.0),
            levels=np.where(swap, answers.levels[other], answers.levels[one]),
        ),
        rng,
    )


def _added(world: World, stuffed: Answers, rng: np.random.Generator) -> World:
    received = world.sources.received(stuffed.source, stuffed.answered_s, rng)
    truth = np.ones(len(stuffed), bool)
    return world.with_more(replace(stuffed, received_s=received, truth=truth))


def _of(world: World, unit: int) -> Bools:
    """The unit's honest answers at its kiosks."""
    answers = world.answers
    return (world.unit == unit) & (answers.channel == KIOSK) & ~answers.truth


def _on(world: World, midnight: float) -> Bools:
    at = world.answers.answered_s
    return (midnight <= at) & (at < midnight + DAY_S)


def _mean_level(world: World) -> Floats:
    levels = world.answers.levels
    mean: Floats = levels.sum(axis=1) / np.maximum(np.count_nonzero(levels, axis=1), 1)
    return mean
