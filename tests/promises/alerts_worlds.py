"""Provinces month by month, drawn person by person, for what alerts promise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MONTHS, ANSWERS, WITHIN = 36, 22, 0.3


@dataclass(frozen=True)
class World:
    """How months of a unit come about; logits, and people a month and unit.

    ``noise`` with ``correlation`` is each unit's AR(1); ``season`` the amplitude of each unit's own
    wave of random phase, ``shared`` that of one wave of ``sharing`` units; ``together`` and
    ``together_season`` are an AR(1) with correlation 0.5 and a wave of all units. ``falling``
    units, or all, fall by ``fall`` after two years.
    """

    name: str
    units: int = 80
    rate: float = 0.85
    spread: float = 0.4
    noise: float = 0.0
    correlation: float = 0.0
    season: float = 0.0
    shared: float = 0.0
    sharing: int = 8
    people: tuple[int, int] = (90, 90)
    together: float = 0.0
    together_season: float = 0.0
    falling: int = 0
    fall: float = 0.5


def _ar(rng, size, correlation, shape):
    """Stationary noise along the last axis."""
    steps = rng.standard_normal(shape)
    course = steps.copy()
    for t in range(1, shape[-1]):
        course[..., t] = (
            correlation * course[..., t - 1] + np.sqrt(1 - correlation**2) * steps[..., t]
        )
    return size * course


def drawn(world: World, seed: int):
    """Rates, effective answers and people, each of shape (units, months)."""
    rng = np.random.default_rng([seed, 15])
    units, months = world.units, np.arange(MONTHS)
    angle = 2 * np.pi * months / 12
    logit = np.log(world.rate / (1 - world.rate)) + world.spread * rng.standard_normal((units, 1))
    logit = logit + _ar(rng, world.noise, world.correlation, (units, MONTHS))
    logit += world.season * np.sin(angle + rng.uniform(0, 2 * np.pi, (units, 1)))
    logit[: world.sharing] += world.shared * np.sin(angle + rng.uniform(0, 2 * np.pi))
    logit += _ar(rng, world.together, 0.5, (MONTHS,))
    logit += world.together_season * np.sin(angle + rng.uniform(0, 2 * np.pi))
    logit[: world.falling, 24:] -= world.fall
    usual = np.exp(rng.uniform(*np.log(world.people), (units, 1)))
    people = np.maximum(rng.poisson(usual, logit.shape), 1)
    mean = np.repeat((1 / (1 + np.exp(-logit))).ravel(), people.ravel())
    own = rng.beta(mean * (1 / WITHIN - 1), (1 - mean) * (1 / WITHIN - 1))
    of = np.repeat(np.arange(logit.size), people.ravel())
    satisfied = np.bincount(of, rng.binomial(ANSWERS, own), logit.size).reshape(logit.shape)
    answers = people * ANSWERS
    return satisfied / answers, answers / (1 + (ANSWERS - 1) * WITHIN), people
