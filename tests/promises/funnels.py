"""Funnels: honest units are not called, odd ones are, and a limit that is drawn is a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis import clustered, comparison, funnels
from tests.promises.funnels_before import BEFORE
from tests.promises.funnels_worlds import World
from tests.promises.promise import Promise, Row, per_cent, spread

Q = 0.05
#: How far units differ: standard deviations of their logits.
SDS = {0.85: (0.0, 0.06, 0.12, 0.20, 0.40), 0.95: (0.06, 0.20)}
#: Samples of a world in full, by the number of units and the rate.
RUNS = {
    0.85: {20: 10_000, 82: 2500, 300: 1000, 3000: 300},
    0.95: {20: 5000, 82: 1200, 300: 500, 3000: 100},
}
#: Samples that one process draws in one go.
BATCH = 2500


@dataclass(frozen=True)
class Task:
    """So many samples of a world, and how its units are judged."""

    world: World
    runs: int
    seed: int
    target: float | None = None
    overdispersion: bool = True


@dataclass(frozen=True)
class Found:
    """Sums over samples; of units like the others, save what is about odd ones."""

    runs: int
    any_false: float
    outside: float
    above: float
    called: float
    odd_called: float
    odd_known: float
    false_share: float


def judged(
    k: np.ndarray, n: np.ndarray, target: float | None, overdispersion: bool
) -> tuple[np.ndarray, np.ndarray]:
    """p and position of each unit."""
    found = funnels.funnel(k, n, target=target, overdispersion=overdispersion)
    return found.p, found.position


def measured(task: Task) -> Found:
    """Judges the units of all samples."""
    rng = np.random.default_rng(task.seed)
    world, sums = task.world, np.zeros(7)
    for _ in range(task.runs):
        if world.answers > 1:
            parts = world.sums(rng)
            n = clustered.common_effective_n(*parts)
            k = parts[0] / parts[1] * n
        else:
            k, n = world.draw(rng)
        p, position = judged(k, n, task.target, task.overdispersion)
        called = comparison.discoveries(p, Q).rejected
        like = np.arange(world.units) >= world.odd
        known = comparison.discoveries(world.known(k, n), Q).rejected if world.odd else called
        sums += (
            called[like].any(),
            np.char.endswith(position[like], "99.8 %").mean(),
            (position[like] == "above 99.8 %").sum(),
            called.mean(),
            called[~like].mean() if world.odd else 0.0,
            known[~like].mean() if world.odd else 0.0,
            called[like].sum() / max(called.sum(), 1),
        )
    return Found(task.runs, *sums)


def together(tasks: Sequence[Task], *, full: bool) -> list[Found]:
    """What each task finds, in batches over all processors."""
    batches = [
        (i, replace(task, runs=min(BATCH, task.runs - begun), seed=task.seed + 1000 * begun))
        for i, task in enumerate(tasks)
        for begun in range(0, task.runs, BATCH)
    ]
    sums = np.zeros((len(tasks), 8))
    # The long ones first, so that no processor waits for another.
    batches.sort(key=lambda batch: -batch[1].runs * (batch[1].world.units + 20))
    results = spread(measured, [task for _, task in batches], full=full)
    for (i, _), found in zip(batches, results, strict=True):
        sums[i] += list(vars(found).values())
    return [Found(int(row[0]), *row[1:]) for row in sums]


def measure(full: bool) -> list[Row]:
    """All promises of funnels."""
    shrink = 1.0 if full else 0.01
    groups = [*_honest(shrink), *_unkind(shrink), *_odd(shrink), *_drawn(shrink)]
    found = iter(together([task for _, tasks in groups for task in tasks], full=full))
    return [row for rows, tasks in groups for row in rows([next(found) for _ in tasks])]


def _share(count: float, runs: int) -> tuple[float, float]:
    """A share of runs with its Monte Carlo error."""
    share = count / runs
    return share, float(np.sqrt(max(share * (1 - share), 1 / runs) / runs))


def _no_more(pairs: Sequence[tuple[float, float]], most: float) -> bool:
    """No share is more than promised by more than chance (one-sided 5 %), nor are all together."""
    every = all(share - 1.64 * error <= most for share, error in pairs)
    error = float(np.sqrt(sum(error**2 for _, error in pairs))) / len(pairs)
    return every and float(np.mean([share for share, _ in pairs])) - error <= most


def _listed(pairs: Sequence[tuple[float, float]], digits: int = 1) -> str:
    return "; ".join(per_cent(share, error, digits) for share, error in pairs)


def _honest(shrink: float):
    for rate, by_units in RUNS.items():
        for units, runs in by_units.items():
            tasks = [
                Task(World(units, rate, sd), max(int(runs * shrink), 2), 1000 + 7 * i + units)
                for i, sd in enumerate(SDS[rate])
            ]
            world = (
                f"{units} honest units, rate {rate}, n 30–300, SD "
                + ", ".join(f"{sd:.2f}" for sd in SDS[rate])
                + f" logit; {runs:,} samples each"
            )

            def rows(found: list[Found], world=world, units=units, key=f"{units} {rate}"):
                false = [_share(each.any_false, each.runs) for each in found]
                outside = [
                    (each.outside / each.runs, 0.05 / np.sqrt(each.runs * units)) for each in found
                ]
                return [
                    Row(
                        f"any false discovery, q = {Q}", world, f"≤ {per_cent(1.2 * Q)}",
                        _listed(false), _no_more(false, 1.2 * Q), BEFORE.get(f"false {key}", "–"),
                    ),
                    Row(
                        "units outside 99.8 %", world, "≤ 0.4 %",
                        _listed([(share, None) for share, _ in outside], 2),
                        all(share <= 0.004 + 2 * error for share, error in outside),
                        BEFORE.get(f"outside {key}", "–"),
                    ),
                ]  # fmt: skip

            yield rows, tasks


def _unkind(shrink: float):
    worlds = {
        "skewed (gamma, skewness −1)": World(82, sd=0.15, shape="skewed"),
        "heavy-tailed (t, 5 df)": World(82, sd=0.15, shape="heavy"),
        "of two kinds (± 1 SD)": World(82, sd=0.20, shape="two kinds"),
        "skewed (gamma, skewness −1), of 300": World(300, sd=0.15, shape="skewed"),
        "normal, 22 answers a respondent (ρ = 0.3), effective n estimated": World(
            82, sd=0.12, sizes=(20, 150), answers=22
        ),
    }
    whys = {
        "skewed (gamma, skewness −1), of 300": "the worst of units that are worse than a "
        "normal spread has them are called; whether they are odd is a matter of words",
    }
    for i, (name, world) in enumerate(worlds.items()):
        runs = max(int((1000 if world.units < 100 else 500) * shrink), 2)

        def rows(found: list[Found], name: str = name, world: World = world):
            (each,) = found
            false = _share(each.any_false, each.runs)
            outside = each.outside / each.runs
            held = _no_more([false], 1.2 * Q) and outside <= 0.004
            return [
                Row(
                    f"any false discovery, q = {Q}; units outside 99.8 %",
                    f"{world.units} units, not as assumed: {name}; SD {world.sd}",
                    f"≤ {per_cent(1.2 * Q)}; ≤ 0.4 %",
                    f"{per_cent(*false)}; {per_cent(outside, digits=2)}",
                    held, BEFORE.get(name, "–"),
                    "" if held else whys.get(name, "the spread between units is not normal"),
                )
            ]  # fmt: skip

        yield rows, [Task(world, runs, 50 + i)]


def _odd(shrink: float):
    for units, odd, off, sd, sizes, least in (
        (82, 5, 1.0, 0.06, (60, 140), 0.5),
        (82, 5, 1.0, 0.12, (60, 140), 0.5),
        (82, 5, 1.0, 0.12, (200, 400), 0.9),
        (20, 2, 1.0, 0.12, (200, 400), 0.5),
        (300, 15, 2.0, 0.40, (150, 350), 0.8),
    ):
        world = World(units, sd=sd, sizes=sizes, odd=odd, off=off)
        tasks = [Task(world, max(int((400 if units < 100 else 200) * shrink), 4), 70 + units)]
        name = f"{odd} of {units} units {off:g} logit below, SD {sd:.2f}, n {sizes[0]}–{sizes[1]}"

        def rows(found: list[Found], name: str = name, least: float = least, odd: int = odd):
            (each,) = found
            power, known, false = (
                total / each.runs for total in (each.odd_called, each.odd_known, each.false_share)
            )
            error = 0.5 / np.sqrt(each.runs * odd)
            spread_of_false = 0.2 / np.sqrt(each.runs)
            return [
                Row(
                    "odd ones found; false among those called", name,
                    f"≥ {per_cent(least, digits=0)}; ≤ {per_cent(1.2 * Q)}",
                    f"{per_cent(power, error)} (who knows μ and τ: {per_cent(known)}); "
                    f"{per_cent(false)}",
                    power >= least - 2 * error and false <= 1.2 * Q + 2 * spread_of_false,
                    BEFORE.get(name, "–"),
                )
            ]  # fmt: skip

        yield rows, tasks


def _drawn(shrink: float):
    alike = World(82, 0.90, sizes=(10, 40))
    runs = max(int(500 * shrink), 5)

    def marked(found: list[Found]):
        counts = [each.above / each.runs for each in found]
        outside = [each.outside / each.runs for each in found]
        return [
            Row(
                "marked above 99.8 %, of 82; share outside on either side",
                "82 alike units, one question, n 10–40, rate 0.90; chance alone, and with τ",
                "≤ 0.08; ≤ 0.4 %",
                "; ".join(f"{count:.2f}" for count in counts) + "; "
                + "; ".join(per_cent(share, digits=2) for share in outside),
                max(counts) <= 0.082 and max(outside) <= 0.004, BEFORE.get("drawn", "–"),
            )
        ]  # fmt: skip

    yield marked, [Task(alike, runs, 91, 0.9, False), Task(alike, runs, 91)]

    def missed(found: list[Found]):
        called = [60 * each.called / each.runs for each in found]
        return [
            Row(
                "called, of 60; by chance alone",
                "60 units at 0.80 against a target of 0.90, n 150–300",
                "all but one of what chance alone calls",
                f"{called[0]:.1f}; {called[1]:.1f}",
                called[0] >= called[1] - 1, BEFORE.get("target", "–"),
            )
        ]  # fmt: skip

    far = World(60, 0.80, sizes=(150, 300))
    yield missed, [Task(far, runs, 92, 0.9), Task(far, runs, 92, 0.9, False)]


PROMISE = Promise(
    "funnels",
    "Funnel and discoveries",
    ("funnels", "mixtures", "proportions", "comparison", "clustered", "_validation"),
    measure,
)
