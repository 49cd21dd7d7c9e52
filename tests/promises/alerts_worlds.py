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

    ``noises`` gives each unit a noise of its own between two; ``freedom`` heavy tails to it (t).
    ``bad`` is what each unit loses in one month a year of its own, by half to one and a half of it.
    ``pattern`` is the SD of twelve months that come back every year, in each unit others, and are
    no wave. ``angry``: most people are satisfied with 99 % of what they answer, a few with 20 %.
    ``swing`` is the SD of log people between months, ``missing`` the share of months without
    answers; ``partly`` of the units begin or end at some month.
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
    noises: tuple[float, float] | None = None
    freedom: int = 0
    bad: float = 0.0
    pattern: float = 0.0
    angry: bool = False
    swing: float = 0.0
    missing: float = 0.0
    partly: float = 0.0


@dataclass(frozen=True)
class Drawn:
    """Shape (units, months): rates, answers worth as many independent ones, people, and sums.

    ``sums`` are of what a person answered, m, and was satisfied with, a: Σa, Σm, Σa², Σam, Σm².
    """

    rate: np.ndarray
    effective: np.ndarray
    people: np.ndarray
    sums: tuple[np.ndarray, ...]


def _ar(rng, size, correlation, shape):
    """Stationary noise along the last axis."""
    steps = rng.standard_normal(shape)
    course = steps.copy()
    for t in range(1, shape[-1]):
        course[..., t] = (
            correlation * course[..., t - 1] + np.sqrt(1 - correlation**2) * steps[..., t]
        )
    return size * course


def drawn(world: World, seed: int) -> Drawn:
    """Three years of a province."""
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
    unkind = np.random.default_rng([seed, 16])
    logit += _unkind(world, unkind, months)
    people = np.maximum(rng.poisson(_usual(world, unkind, usual), logit.shape), 1)
    people[_silent(world, unkind)] = 0
    mean = np.repeat((1 / (1 + np.exp(-logit))).ravel(), people.ravel())
    if world.angry:
        share = np.clip((0.99 - mean) / 0.79, 0.0, 1.0)
        own = np.where(rng.random(len(mean)) < share, 0.2, 0.99)
    else:
        own = rng.beta(mean * (1 / WITHIN - 1), (1 - mean) * (1 / WITHIN - 1))
    of = np.repeat(np.arange(logit.size), people.ravel())
    each = rng.binomial(ANSWERS, own)
    satisfied, squares = (
        np.bincount(of, values, logit.size).reshape(logit.shape) for values in (each, each**2)
    )
    answers = people * ANSWERS
    with np.errstate(invalid="ignore"):
        rate = satisfied / answers
    sums = (satisfied, answers, squares, ANSWERS * satisfied, ANSWERS * answers)
    return Drawn(rate, answers / (1 + (ANSWERS - 1) * WITHIN), people, sums)


def _unkind(world: World, rng: np.random.Generator, months: np.ndarray) -> np.ndarray | float:
    """What else moves months: noise of units' own size or with heavy tails, and bad months."""
    shape = (world.units, MONTHS)
    more: np.ndarray | float = 0.0
    if world.noises:
        size = np.exp(rng.uniform(*np.log(world.noises), (world.units, 1)))
        tails = rng.standard_normal(shape)
        if world.freedom:
            tails = rng.standard_t(world.freedom, shape) / np.sqrt(
                world.freedom / (world.freedom - 2)
            )
        more = more + size * tails
    if world.bad:
        when = rng.integers(12, size=(world.units, 1))
        size = world.bad * rng.uniform(0.5, 1.5, (world.units, 1))
        more = more - size * (months % 12 == when)
    if world.pattern:
        more = more + world.pattern * rng.standard_normal((world.units, 12))[:, months % 12]
    return more


def _usual(world: World, rng: np.random.Generator, usual: np.ndarray) -> np.ndarray:
    if not world.swing:
        return usual
    return usual * np.exp(world.swing * rng.standard_normal((world.units, MONTHS)))


def _silent(world: World, rng: np.random.Generator) -> np.ndarray:
    """Months without answers: at random, before a unit begins, after it ended."""
    silent = rng.random((world.units, MONTHS)) < world.missing
    month = np.arange(MONTHS)
    begin = rng.integers(0, MONTHS, (world.units, 1))
    kind = rng.random((world.units, 1))
    silent |= (kind < world.partly / 2) & (month < begin)
    silent |= (kind >= world.partly / 2) & (kind < world.partly) & (month > begin)
    return silent
