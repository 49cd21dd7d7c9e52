"""Worlds of units whose true order is known, and the sets that truth has to lie in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """How far the true rates lie apart, how sure each is known, and how the estimates err."""

    truth: str
    errors: str

    def __str__(self) -> str:
        """As the table names it."""
        return f"{self.truth}; {self.errors}"

    def samples(self, units: int, samples: int, seed: int) -> Iterator[tuple[Floats, ...]]:
        """True rates, estimates and standard errors, as often as asked for."""
        rng = np.random.default_rng(seed)
        truth = self._truth(units, rng)
        people = rng.integers(30, 301, units)
        se = {
            EQUAL: np.full(units, 0.02),
            UNEQUAL: 0.005 * 10 ** rng.random(units),
            BINOMIAL: np.zeros(units),
        }[self.errors]
        for _ in range(samples):
            if self.errors == BINOMIAL:
                satisfied = rng.binomial(people, truth)
                # Of a rate a little nearer to one half: unanimous people leave room for doubt.
                likely = (satisfied + 1) / (people + 2)
                yield truth, satisfied / people, np.sqrt(likely * (1 - likely) / people)
            else:
                yield truth, rng.normal(truth, se), se

    def _truth(self, units: int, rng: np.random.Generator) -> Floats:
        apart = np.clip(rng.normal(0.9, 0.02, units), 0.01, 0.99)
        if self.truth == ALIKE:
            return np.full(units, 0.9)
        if self.truth == TIED:
            apart[: units // 2] = 0.9
        return apart


ALIKE, APART, TIED = "all alike", "a little apart (SD 0.02)", "half of them tied"
EQUAL, UNEQUAL = "normal, SE 0.02", "normal, SE 0.005–0.05"
BINOMIAL = "binomial near 0.9, 30–300 people, SE estimated"
WORLDS = [World(truth, errors) for errors in (EQUAL, UNEQUAL) for truth in (ALIKE, APART, TIED)]
WORLDS += [World(truth, BINOMIAL) for truth in (ALIKE, TIED)]


def held(truth: Floats, low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each set holds all ranks that its unit, with those tied with it, truly has."""
    best = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
    worst = len(truth) - (truth[None, :] < truth[:, None]).sum(axis=1)
    return (low <= best) & (worst <= high)
