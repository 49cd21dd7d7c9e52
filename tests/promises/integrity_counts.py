"""Worlds of the promise about stuffing, judged and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tests.integrity.judging import Judge, Verdict
from tests.integrity.worlds.attacks import ATTACKS
from tests.integrity.worlds.honest import Province, province
from tests.integrity.worlds.honest_days import ODD_DAYS, eligible
from tests.integrity.worlds.large import Large, large
from tests.integrity.worlds.world import SATISFIED, World

DAY_S = 86_400.0
HALF_A_POINT = 0.005


@dataclass(frozen=True)
class Honest:
    """Unit-months of honest units, and what was said of them.

    ``moved`` are those whose rate moves by half a point or more, ``province_moved`` the farthest
    that a month's rate of the whole province does.
    """

    unit_months: int = 0
    flagged: int = 0
    quarantined: int = 0
    moved: int = 0
    province_moved: float = 0.0

    def __add__(self, other: Honest) -> Honest:
        sums = [getattr(self, name) + getattr(other, name) for name in _COUNTS]
        return Honest(*sums, max(self.province_moved, other.province_moved))


_COUNTS = ("unit_months", "flagged", "quarantined", "moved")


@dataclass(frozen=True)
class Attacked:
    """Attacked unit-months, and what was said of them.

    ``next_day`` (flagged, quarantined) is by what had come in a day after the last stuffed one.
    ``nearer`` and ``farther`` tell how the rate moves against that of the honest;
    ``stuffed_aside`` and ``honest_aside`` are of all their responses.
    """

    unit_months: int = 0
    flagged: int = 0
    quarantined: int = 0
    next_flagged: int = 0
    next_quarantined: int = 0
    nearer: int = 0
    farther: int = 0
    stuffed: int = 0
    stuffed_aside: int = 0
    honest: int = 0
    honest_aside: int = 0

    def __add__(self, other: Attacked) -> Attacked:
        names = vars(self)
        return Attacked(**{name: names[name] + getattr(other, name) for name in names})


@dataclass(frozen=True)
class Task:
    """One world: a province, and what happens to some units of it."""

    kind: Province | Large
    seed: int
    odd: tuple[str, ...] = ()
    odd_units: int = 6
    attacked_units: int = 4
    next_day: bool = False
    attack: int | None = None
    strength: str = ""


@dataclass(frozen=True)
class Found:
    """What was said of honest units without oddness, of odd ones, and of attacked ones."""

    plain: Honest = Honest()
    odd: Honest = Honest()
    attacked: Attacked = Attacked()


def judged(task: Task, judge: Judge) -> Found:
    """Draws a world and has it judged."""
    world = _drawn(task.kind, task.seed)
    # By what is done to it: another attack is on other units of the same province.
    words = f"{task.odd}{task.attack}{task.strength}".encode()
    rng = np.random.default_rng([task.seed, 22, *words])
    special: list[int] = []
    if task.odd:
        special = _some(eligible(world), task.odd_units * len(task.odd), rng)
        for i, unit in enumerate(special):
            world = ODD_DAYS[task.odd[i % len(task.odd)]](world, unit, rng)
    if task.attack is not None:
        attack = ATTACKS[task.attack]
        special = _some(attack.possible(world), task.attacked_units, rng)
        for unit in special:
            world = attack.apply(world, unit, attack.strengths[task.strength], rng)
        return _with_attack(world, special, judge, next_day=task.next_day)
    verdict = judge(world)
    chosen = np.zeros((world.units, len(world.months)), bool)
    chosen[special, world.last] = True
    usual = ~np.isin(np.arange(world.units), special)[:, None] & np.ones_like(chosen)
    return Found(_honest(world, verdict, usual), _honest(world, verdict, chosen))


@lru_cache(maxsize=12)
def _drawn(kind: Province | Large, seed: int) -> World:
    rng = np.random.default_rng([seed, 21])
    return large(kind, rng) if isinstance(kind, Large) else province(kind, rng)


def _with_attack(world: World, units: list[int], judge: Judge, *, next_day: bool) -> Found:
    verdict, truth, month = judge(world), world.answers.truth, world.last
    usual = ~np.isin(np.arange(world.units), units)[:, None]
    counts = Attacked()
    honest, before, after = (
        world.rates(counted)[:, month]
        for counted in (~truth, np.ones(len(world), bool), ~verdict.quarantined)
    )
    for unit in units:
        own = (world.unit == unit) & (world.month == month)
        stuffed = own & truth
        if not stuffed.any():
            continue
        off = [abs(rate[unit] - honest[unit]) for rate in (before, after)]
        soon = [False, False]
        if next_day:
            so_far = world.until(world.answers.received_s[stuffed].max() + DAY_S)
            early = judge(so_far)
            soon = [
                bool(early.flagged[unit, month]),
                bool(early.set_aside(so_far)[unit, month]),
            ]
        counts += Attacked(
            unit_months=1,
            flagged=int(verdict.flagged[unit, month]),
            quarantined=int((stuffed & verdict.quarantined).any()),
            next_flagged=int(soon[0]),
            next_quarantined=int(soon[1]),
            nearer=int(off[1] < off[0] - 1e-9),
            # A rate of nobody at all is as far as can be.
            farther=int(not off[1] <= off[0] + 1e-9),
            stuffed=int(stuffed.sum()),
            stuffed_aside=int((stuffed & verdict.quarantined).sum()),
            honest=int((own & ~truth).sum()),
            honest_aside=int((own & ~truth & verdict.quarantined).sum()),
        )
    usual = np.repeat(usual, len(world.months), axis=1)
    return Found(_honest(world, verdict, usual), Honest(), counts)


def _honest(world: World, verdict: Verdict, chosen: np.ndarray) -> Honest:
    """Of the ``chosen`` unit-months, (units, months); one without responses is none."""
    before, after = world.rates(np.ones(len(world), bool)), world.rates(~verdict.quarantined)
    there = ~np.isnan(before) & chosen
    move = np.abs(np.nan_to_num(after, nan=np.inf) - np.nan_to_num(before))
    whole = 0.0
    if chosen.all():
        moves = [_whole_move(world, verdict.quarantined, i) for i in range(len(world.months))]
        whole = max(moves)
    return Honest(
        int(there.sum()),
        int((verdict.flagged & there).sum()),
        int((verdict.set_aside(world) & there).sum()),
        int(((move >= HALF_A_POINT) & there).sum()),
        whole,
    )


def _whole_move(world: World, quarantined: np.ndarray, month: int) -> float:
    """How far a month's rate of all units together moves."""
    of_month = world.month == month
    rates = []
    for counted in (of_month, of_month & ~quarantined):
        levels = world.answers.levels[counted]
        rates.append((levels >= SATISFIED).sum() / max(np.count_nonzero(levels), 1))
    return abs(float(rates[1] - rates[0]))


def _some(units: Sequence[int], most: int, rng: np.random.Generator) -> list[int]:
    return [int(unit) for unit in rng.permutation(np.asarray(units))[:most]]
