"""The statistics over very many units: beside statsmodels and pandas, and how they grow.

Rates: 12,000 units × 40 items, everything of "Rates" in one call each, beside a Python loop over
statsmodels' ``proportion_confint`` and, from respondents' rows, beside a pandas group-by that
computes the clustered sums. The others have no common rival: time and memory at 1× and 10×.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd
from rich.console import Console
from statsmodels.stats.proportion import proportion_confint

from analysis import casemix, clustered, conventions, drivers, proportions, strata

UNITS, ITEMS, LEVELS = 12_000, 40, 5
RESPONDENTS = 40  # a unit
ROUNDS = 5


def main(out: Console) -> None:
    """Run and print all."""
    rng = np.random.default_rng(2020)
    _rates(out, rng)
    _group_by(out, rng)
    for n in (10_000, 100_000):
        factors = rng.normal(size=(n, 1)) + rng.normal(size=(n, 10))
        overall = factors @ rng.random(10) + rng.normal(size=n)
        _grown(
            out,
            f"drivers, ten factors, {n:>9,} respondents, 400 bootstrap draws",
            lambda f=factors, o=overall: drivers.importance(f, o),
        )
    for n in (100_000, 1_000_000):
        unit, adjusters = rng.integers(0, 1000, n), rng.normal(size=(n, 6))
        outcome = rng.normal(size=n)
        _grown(
            out,
            f"case-mix, six adjusters, 1,000 units, {n:>9,} respondents",
            lambda y=outcome, u=unit, a=adjusters: casemix.adjust(y, u, a),
        )


def _rates(out: Console, rng: np.random.Generator) -> None:
    levels = rng.multinomial(RESPONDENTS, [0.02, 0.04, 0.09, 0.45, 0.4], (UNITS, ITEMS)).astype(
        float
    )
    m = np.full((UNITS, RESPONDENTS), float(ITEMS))
    a = rng.binomial(ITEMS, rng.beta(8, 1.5, m.shape)).astype(float)
    sums = a.sum(1), m.sum(1), (a * a).sum(1), (a * m).sum(1), (m * m).sum(1)
    n, volume = np.full(UNITS, RESPONDENTS), rng.integers(50, 900, UNITS).astype(float)

    def ours() -> None:
        for name in conventions.CONVENTIONS:
            found = conventions.counted(name, levels)
            proportions.interval(found.successes, found.trials)
        conventions.mean_level(levels, np.arange(1, 6))
        each = clustered.ratio(*sums, n, population=np.maximum(volume, RESPONDENTS))
        clustered.mean_score(*sums, n)
        clustered.common_effective_n(*sums, n)
        by_parent = each.estimate.reshape(120, -1), each.standard_error.reshape(120, -1)
        strata.combine(*by_parent, volume.reshape(120, -1), n=n.reshape(120, -1))

    k = levels[..., 3:].sum(axis=-1)

    def loop() -> None:
        # One convention, one interval: a 200th of the cells, and times 200.
        for unit in range(UNITS // 200):
            for item in range(ITEMS):
                proportion_confint(k[unit, item], RESPONDENTS, method="wilson")

    times = [(_seconds(ours), 200 * _seconds(loop)) for _ in range(ROUNDS)]
    mine, theirs = (statistics.median(each) for each in zip(*times, strict=True))
    ratios = [b / a for a, b in times]
    out.print(
        f"rates, {UNITS:,} units × {ITEMS} items: all of them {mine:.3f} s; a loop over "
        f"statsmodels for one interval each {theirs:.1f} s, "
        f"{statistics.median(ratios):.0f} times slower "
        f"({min(ratios):.0f}–{max(ratios):.0f}, {ROUNDS} pairs)"
    )


def _group_by(out: Console, rng: np.random.Generator) -> None:
    """From respondents' rows: a group-by for the sums, beside ours of the kept sums."""
    n = UNITS * RESPONDENTS
    table = pd.DataFrame({"unit": np.repeat(np.arange(UNITS), RESPONDENTS)})
    table["m"] = float(ITEMS)
    table["a"] = rng.binomial(ITEMS, rng.beta(8, 1.5, n)).astype(float)

    def theirs() -> pd.DataFrame:
        products = table.assign(aa=table.a**2, am=table.a * table.m, mm=table.m**2)
        return products.groupby("unit").sum()

    kept = theirs()
    sums = [kept[name].to_numpy() for name in ("a", "m", "aa", "am", "mm")]
    people = np.full(UNITS, RESPONDENTS)
    times = [
        (_seconds(lambda: clustered.ratio(*sums, people)), _seconds(theirs)) for _ in range(ROUNDS)
    ]
    ratios = [b / a for a, b in times]
    mine, others = (statistics.median(each) for each in zip(*times, strict=True))
    out.print(
        f"clustered rates of {UNITS:,} units: intervals from kept sums {mine * 1000:.1f} ms; "
        f"pandas' group-by of {n:,} respondents, to those sums alone, {others * 1000:.1f} ms, "
        f"{statistics.median(ratios):.1f} times ours ({min(ratios):.1f}–{max(ratios):.1f})"
    )


def _grown(out: Console, what: str, call: Callable[[], object]) -> None:
    seconds = statistics.median(_seconds(call) for _ in range(3))
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    out.print(f"{what}: {seconds:.2f} s, {peak / 1e6:,.0f} MB")


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
