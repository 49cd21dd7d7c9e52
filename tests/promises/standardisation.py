"""Changes with the mix held fixed: where nothing but the mix moves, hardly anybody is accused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis import clustered, comparison
from analysis.standardisation import Strata, standardised_change
from tests.promises.promise import Promise, Row, per_cent, spread

#: Answers of one person, and how alike they are.
ITEMS, ALIKE = 10, 0.3


@dataclass(frozen=True)
class World:
    """A whole of parts whose rates do not change (or all by ``fall``) while their shares do."""

    name: str
    rates: tuple[float, ...]
    before: tuple[float, ...]
    now: tuple[float, ...]
    people: tuple[int, int]
    fall: float = 0.0


WORLDS = (
    World("two channels, 0.95 and 0.70", (0.95, 0.70), (0.6, 0.4), (0.45, 0.55), (150, 150)),
    World("the same, five times as many people now", (0.95, 0.70), (0.6, 0.4), (0.45, 0.55),
          (60, 300)),
    World("three units, 0.95, 0.85, 0.60", (0.95, 0.85, 0.60), (0.5, 0.3, 0.2), (0.4, 0.25, 0.35),
          (120, 120)),
    World("forty parts of three people, rates 0.60 to 0.98", tuple(np.linspace(0.6, 0.98, 40)),
          tuple(np.linspace(0.8, 1.2, 40) / 40), tuple(np.linspace(1.2, 0.8, 40) / 40), (120, 120)),
    World("nobody is dissatisfied in one of two", (1.0, 0.75), (0.6, 0.4), (0.5, 0.5), (100, 100)),
)  # fmt: skip
#: All parts fall by eight points, and the mix hides it.
HIDDEN = World("all parts fall by 8 points, hidden by the mix", (0.70, 0.90), (0.7, 0.3),
               (0.35, 0.65), (300, 300), 0.08)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """In which share of samples the crude and the standardised change are beyond chance."""

    crude: float
    held: float
    covers: float


def _side(rng: np.random.Generator, world: World, period: int, samples: int) -> list[np.ndarray]:
    """Sums of a clustered ratio by sample and part, shape (samples, parts)."""
    share = np.array(world.before if period == 0 else world.now)
    n = rng.multinomial(world.people[period], share / share.sum(), size=samples)
    rates = np.array(world.rates) - world.fall * period
    sums = [np.zeros(n.shape) for _ in range(5)]
    for part, rate in enumerate(rates):
        who = np.repeat(np.arange(samples), n[:, part])
        strength = 1 / ALIKE - 1
        mood = (
            rng.beta(rate * strength, (1 - rate) * strength, len(who))
            if 0 < rate < 1
            else np.full(len(who), rate)
        )
        a = rng.binomial(ITEMS, mood).astype(float)
        for into, value in zip(sums, (a, np.full(len(a), float(ITEMS)), a * a, ITEMS * a,
                                      np.full(len(a), float(ITEMS**2))), strict=True):  # fmt: skip
            into[:, part] = np.bincount(who, weights=value, minlength=samples)
    return [*sums, n.astype(float)]


def simulate(cell: tuple[World, int]) -> Found:
    """A whole compared with itself before, crude and with the mix held fixed."""
    world, samples = cell
    rng = np.random.default_rng([17, len(world.name), *world.people])
    sides = [_side(rng, world, period, samples) for period in (0, 1)]
    crude = [
        clustered.ratio(*(each.sum(axis=1) for each in side), correlation=ALIKE) for side in sides
    ]
    plain = comparison.change(
        crude[0].estimate, crude[0].interval_n, crude[1].estimate, crude[1].interval_n,
        people=(crude[0].people, crude[1].people),
    )  # fmt: skip
    strata = []
    for side in sides:
        found = clustered.ratio(*(each.ravel() for each in side), correlation=ALIKE)
        strata.append(
            Strata(side[0].ravel(), side[1].ravel(), np.nan_to_num(found.interval_n), found.people)
        )
    whole = np.repeat(np.arange(samples), len(world.rates))
    found = standardised_change(strata[0], strata[1], whole, samples)
    covers = (found.low <= -world.fall) & (-world.fall <= found.high)
    return Found(
        float((plain.p < 0.05).mean()), float((found.p < 0.05).mean()), float(covers.mean())
    )


def measure(full: bool) -> Sequence[Row]:
    """All rows of the table; three standard errors are allowed for."""
    samples = 20_000 if full else 600
    error = float(np.sqrt(0.05 * 0.95 / samples))
    worlds = (*WORLDS, HIDDEN)
    rows = []
    for world, found in zip(
        worlds, spread(simulate, [(world, samples) for world in worlds], full=full), strict=True
    ):
        if world is HIDDEN:
            rows.append(
                Row(
                    promise="a fall of all parts is seen, and its interval holds it",
                    world=world.name,
                    promised="seen ≥ 80 %, held ≥ 92.5 %",
                    found=f"seen {per_cent(found.held)}, held {per_cent(found.covers)}",
                    held=found.held >= 0.8 and found.covers >= 0.925 - 3 * error,
                    before=f"seen {per_cent(found.crude)}",
                )
            )
            continue
        rows.append(
            Row(
                promise="where the mix alone moves nobody rises or falls",
                world=world.name,
                promised="beyond chance ≤ 5 %",
                found=per_cent(found.held, error),
                held=found.held <= 0.05 + 3 * error,
                before=per_cent(found.crude),
            )
        )
    return rows


PROMISE = Promise(
    "standardisation",
    "Changes with the mix held fixed",
    ("clustered", "comparison", "effective_sizes", "proportions", "standardisation"),
    measure,
)
