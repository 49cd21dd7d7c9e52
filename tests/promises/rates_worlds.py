"""Worlds in which people give several answers, drawn by code that knows nothing of estimators.

A person has a rate of their own, and answers each item of theirs by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: The sizes and rates of the promise.
PEOPLE = (10, 20, 30, 60, 100, 200)
RATES = (0.80, 0.85, 0.90, 0.95, 0.97, 0.99)
ITEMS = 22


@dataclass(frozen=True)
class World:
    """People who resemble themselves: by a beta distribution, or a few of them angry.

    ``unequal``: 70 % give one answer, 30 % all 22. ``others`` are the correlations within people
    between which the other 81 units of the province lie.
    """

    name: str
    correlation: float | None = None
    unequal: bool = False
    others: tuple[float, float] = (0.05, 0.6)

    def people(
        self, rng: np.random.Generator, shape: tuple[int, ...], rate: float
    ) -> tuple[Floats, Floats]:
        """Satisfied answers and answers of each person, (…, people)."""
        if self.correlation is None:
            # A few people satisfied with 20 %, all others with 99 %: their share gives the rate.
            own = np.where(rng.random(shape) < (0.99 - rate) / 0.79, 0.2, 0.99)
        else:
            own = beta(rng, rate, self.correlation, shape)
        m = lengths(rng, self.unequal, shape)
        return rng.binomial(m, own).astype(float), m.astype(float)


def beta(
    rng: np.random.Generator, rate: float | Floats, correlation: float, shape: tuple[int, ...]
) -> Floats:
    """People's own rates; answers of one person then have that correlation."""
    size = (1 - correlation) / correlation
    return rng.beta(rate * size, (1 - rate) * size, shape)


def lengths(rng: np.random.Generator, unequal: bool, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """How many items each person answers."""
    return np.where(unequal & (rng.random(shape) < 0.7), 1, ITEMS)


def sums(a: Floats, m: Floats) -> Floats:
    """Σa, Σm, Σa², Σam, Σm² and people over the last axis, (6, …)."""
    n = (m > 0).sum(-1).astype(float)
    return np.stack([a.sum(-1), m.sum(-1), (a * a).sum(-1), (a * m).sum(-1), (m * m).sum(-1), n])


def others(rng: np.random.Generator, world: World, provinces: int, units: int = 81) -> Floats:
    """Sums of the other units of provinces, (6, provinces, units): all sizes, rates, people."""
    found = np.empty((6, provinces, units))
    for unit in range(units):
        n, rate = int(rng.choice(PEOPLE)), float(rng.choice(RATES))
        m = lengths(rng, world.unequal, (provinces, n))
        own = beta(rng, rate, rng.uniform(*world.others), (provinces, n))
        found[:, :, unit] = sums(rng.binomial(m, own).astype(float), m.astype(float))
    return found


def days(
    rng: np.random.Generator, samples: int, count: int, spread: float, rate: float
) -> tuple[Floats, Floats]:
    """Sums over people and over days, (6, samples): days differ, by a normal logit effect.

    Some twenty people a day, some days two and others sixty; within a day people have a
    correlation of 0.3.
    """
    effect = rng.normal(0, spread, (samples, count))
    here = 1 + rng.poisson(rng.gamma(2.0, 9.5, (samples, count)))
    own = expit(centre(rate, spread) + effect)[..., None]
    there = np.arange(here.max()) < here[..., None]
    persons = beta(rng, np.broadcast_to(own, there.shape), 0.3, there.shape)
    m = np.where(there, ITEMS, 0)
    a = rng.binomial(m, persons).astype(float)
    return (
        sums(a.reshape(samples, -1), m.reshape(samples, -1).astype(float)),
        sums(a.sum(-1), m.sum(-1).astype(float)),
    )


def expit(x: Floats | float) -> Floats:
    """From the logit scale."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(x))))


def centre(rate: float, spread: float) -> float:
    """The logit around which effects of this spread have this mean rate, by halving."""
    grid = np.linspace(-8, 8, 4001)
    weight = np.exp(-(grid**2) / 2)
    low, high = -10.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = float((expit(middle + spread * grid) * weight).sum() / weight.sum())
        low, high = (middle, high) if mean < rate else (low, middle)
    return low
