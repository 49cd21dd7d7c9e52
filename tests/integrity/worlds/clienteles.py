"""Who answers: how content they are, how they fill a form in, and how long it takes them.

Silent reading is about 238 words a minute, most adults between 175 and 300 (Brysbaert 2019,
doi:10.1016/j.jml.2019.104047): an item of a dozen words takes three seconds. All else is assumed:
how many do not read on, how much slower the old and faster the young are, how content people are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Levels = NDArray[np.uint8]

#: How many items each factor of the form of 22 has (surveys/forms/sipas-desk.yaml).
FACTORS = (4, 5, 6, 3, 4)
#: Above which a person's contentment with an item is level 2, 3, 4, 5.
STEPS = np.array([-3.2, -2.4, -1.2, 0.5])
READING_S = 3.0
#: Hashes of the coded answer to "how often did you have to come", 0 where it was left out.
PARTICULARS = np.array(
    [0, 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], np.uint64
)
CAREFUL, BY_FACTOR, STRAIGHT, CARELESS = range(4)


@dataclass(frozen=True)
class Clientele:
    """Those who come to a unit.

    ``content`` is the mean of their contentment (SD about 1.2 in a unit), ``apart`` what each
    factor differs from it. ``straight`` of them rate all items alike, ``by_factor`` of the others
    each factor alike. ``pace`` stretches their reading; ``young`` and ``old`` are shares.
    """

    content: float
    apart: tuple[float, ...]
    straight: float
    by_factor: float = 0.3
    careless: float = 0.015
    pace: float = 1.0
    young: float = 0.3
    old: float = 0.2
    spread: float = 0.9


@dataclass(frozen=True)
class Sheets:
    """What n people fill in, and how long they take, seconds."""

    levels: Levels
    duration_s: Floats
    particulars: NDArray[np.uint64]


def clientele(rng: np.random.Generator, straight: tuple[float, float] = (0.15, 0.5)) -> Clientele:
    """That of some unit; ``straight`` is between which shares straight-liners are."""
    return Clientele(
        content=float(rng.normal(0.0, 0.35)),
        apart=tuple(rng.normal(0.0, 0.2, len(FACTORS))),
        straight=float(rng.uniform(*straight)),
        by_factor=float(rng.uniform(0.1, 0.5)),
        pace=float(np.exp(rng.normal(0.0, 0.18))),
        young=float(rng.uniform(0.15, 0.5)),
        old=float(rng.uniform(0.05, 0.35)),
        spread=float(rng.uniform(0.7, 1.1)),
    )


def filled_in(
    who: Clientele, n: int, rng: np.random.Generator, *, items: int = 22, phone: bool = False
) -> Sheets:
    """Sheets of n people; on a ``phone`` they are younger, and put it aside more often."""
    young = who.young + (0.3 * (1 - who.young) if phone else 0.0)
    old = who.old * (0.3 if phone else 1.0)
    age = rng.choice(3, n, p=_shares(young, old))
    ways = [who.by_factor * (1 - who.straight), who.straight, who.careless]
    way = rng.choice(4, n, p=[max(1 - sum(ways), 0.0), *ways] / np.maximum(sum(ways), 1.0))
    levels = _levels(who, way, rng, items)
    return Sheets(levels, _durations(who, way, age, levels, rng, phone), _coded(levels, rng))


def _shares(young: float, old: float) -> list[float]:
    young = min(young, 1.0)
    old = min(old, 1.0 - young)
    return [young, 1.0 - young - old, old]


def _levels(who: Clientele, way: np.ndarray, rng: np.random.Generator, items: int) -> Levels:
    n = len(way)
    factor = np.repeat(np.arange(len(FACTORS)), FACTORS) if items == 22 else np.zeros(items, int)
    person = who.spread * rng.standard_normal(n)
    # A few had a bad day at the office, and are angry about all of it.
    person -= (rng.random(n) < 0.04) * rng.uniform(1.5, 4.0, n)
    by_factor = 0.5 * rng.standard_normal((n, factor.max() + 1))
    own = who.content + person[:, None] + np.asarray(who.apart)[factor] + by_factor[:, factor]
    # Heavier tails than a normal one: some item is another matter altogether.
    single = 0.6 * rng.standard_t(5, (n, items)) + 0.15 * np.sin(np.arange(items))
    content = own + np.where(way == BY_FACTOR, 0.1, 1.0)[:, None] * single
    level = 1 + np.searchsorted(STEPS, content)
    overall = 1 + np.searchsorted(STEPS, who.content + 0.3 + 1.1 * person)
    level[way == STRAIGHT] = overall[way == STRAIGHT, None]
    level[way == CARELESS] = rng.integers(1, 6, (n, items))[way == CARELESS]
    if items > 1:
        # Most leave out nothing, some a lot; the last factor, on complaints, most of all.
        shy = rng.beta(0.25, 5.0, (n, 1)) * np.where(way == STRAIGHT, 0.3, 1.0)[:, None]
        missing = rng.random((n, items)) < shy * np.where(factor == factor.max(), 3.0, 1.0)
        missing[:, 0] &= ~missing.all(axis=1)
        level[missing] = 0
    return level.astype(np.uint8)


def _durations(
    who: Clientele,
    way: np.ndarray,
    age: np.ndarray,
    levels: Levels,
    rng: np.random.Generator,
    phone: bool,
) -> Floats:
    n, items = levels.shape
    slow = np.array([0.75, 1.0, 1.7])[age]
    reading = READING_S * who.pace * slow * np.exp(rng.normal(0.0, 0.35, n))
    # Who has decided after a few items does not read the others.
    read = np.select(
        [way == BY_FACTOR, way == STRAIGHT, way == CARELESS],
        [rng.beta(4, 3, n), rng.beta(1.3, 3.0, n), rng.beta(1, 20, n)],
        rng.beta(12, 2, n),
    )
    if items == 1:
        read = np.ones(n)
    tap = 0.55 * slow**0.7 * np.exp(rng.normal(0.0, 0.25, n))
    start = np.exp(rng.normal(1.1, 0.5, n))
    total = start + items * (reading * read + tap) * np.exp(rng.normal(0.0, 0.08, n))
    aside = rng.random(n) < (0.09 if phone else 0.03)
    pause = 60.0 * rng.pareto(1.3, n) if phone else rng.exponential(60.0, n)
    return np.maximum(np.round(total + np.where(aside, np.minimum(pause, 7200.0), 0.0)), 1.0)


def _coded(levels: Levels, rng: np.random.Generator) -> NDArray[np.uint64]:
    """Nobody comes so often who is content: most came once, a third say nothing."""
    n = len(levels)
    rated = np.maximum(np.count_nonzero(levels, axis=1), 1)
    unhappy = np.clip(4.0 - levels.sum(axis=1) / rated, 0.0, 2.0)
    times = 1 + rng.binomial(3, np.clip(0.08 + 0.15 * unhappy, 0.0, 1.0), n)
    return PARTICULARS[np.where(rng.random(n) < 0.3, 0, times)]
