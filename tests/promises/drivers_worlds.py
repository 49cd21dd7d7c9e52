"""Respondents who rate five factors by items and answer an overall question of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ITEMS = 4


@dataclass(frozen=True)
class World:
    """What a world is like; by default five factors that nothing but chance sets apart."""

    name: str
    weights: tuple[float, ...] = (1, 1, 1, 1, 1)
    #: By how many points the rate of each factor lies under 85 %.
    under: tuple[float, ...] = (0, 0, 0, 0, 0)
    #: How much of an item's variance is its factor's.
    reliable: tuple[float, ...] = (0.6, 0.6, 0.6, 0.6, 0.6)
    #: The correlation of any two factors.
    together: float = 0.5
    #: The factors' part in the variance of the overall question.
    explained: float = 0.6

    def __post_init__(self) -> None:
        assert len(self.weights) == len(self.under) == len(self.reliable)


def draw(world: World, n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats, Floats]:
    """Scores, satisfied answers and answers, shape (n, factors), and overall, shape (n,).

    Items have five levels, skewed as real ones are; a tenth of the answers is missing; overall is
    answered in tens from 0 to 100.
    """
    k = len(world.weights)
    general = rng.standard_normal((n, 1))
    factor = np.sqrt(world.together) * general
    factor = factor + np.sqrt(1 - world.together) * rng.standard_normal((n, k))
    own = np.array(world.reliable)[:, None]
    item = np.sqrt(own) * factor[:, :, None]
    item = item + np.sqrt(1 - own) * rng.standard_normal((n, k, _ITEMS))
    rate = 0.85 - np.array(world.under) / 100
    # Levels 1 to 5 by thresholds of which the third sets the rate of satisfied answers.
    third = _quantile(1 - rate)[:, None]
    level = 1 + sum((item > third + step).astype(float) for step in (-1.2, -0.6, 0.0, 1.3))
    given = rng.random((n, k, _ITEMS)) < 0.9
    answers = given.sum(axis=2).astype(float)
    satisfied = ((level >= 4) & given).sum(axis=2).astype(float)
    with np.errstate(invalid="ignore"):
        scores = np.where(given, level, 0.0).sum(axis=2) / np.where(answers > 0, answers, np.nan)
    signal = factor @ np.array(world.weights)
    signal = signal / np.sqrt(_variance(np.array(world.weights), world.together))
    overall = np.sqrt(world.explained) * signal
    overall = overall + np.sqrt(1 - world.explained) * rng.standard_normal(n)
    return scores, satisfied, answers, np.clip(10 * np.round(8 + 1.5 * overall), 0, 100)


def _variance(weights: Floats, together: float) -> float:
    return float((1 - together) * (weights**2).sum() + together * weights.sum() ** 2)


def _quantile(p: Floats) -> Floats:
    """Of the normal distribution, from a table of it: nothing is shared with the estimators."""
    grid = np.linspace(-5, 5, 20001)
    density = np.exp(-(grid**2) / 2)
    return np.interp(p, np.cumsum(density) / density.sum(), grid)


def twice_the_weight(world: World) -> World:
    """The first factor with twice the weight and a rate ten points lower."""
    return replace(world, weights=(2, 1, 1, 1, 1), under=(10, 0, 0, 0, 0))
