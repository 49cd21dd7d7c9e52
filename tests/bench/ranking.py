"""Rank sets of the country's communes, beside comparing every pair in every draw.

Both kinds of sets of 3,321 units, in pairs with both kinds of 1,500 by plain simulation with 2,000
draws, as the service computed them until November 2026; then how it grows.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from analysis import ranks
from tests import drawn_ranks

COMMUNES, BEFORE, MOST = 3_321, 1_500, 12_000
ROUNDS = 3


def main(out: Console) -> None:
    """Run and print all."""
    ours, plain = _units(COMMUNES), _units(BEFORE)
    times = [
        (_seconds(lambda: _both(*ours)), _seconds(lambda: _plain(*plain))) for _ in range(ROUNDS)
    ]
    ratios = [theirs / mine for mine, theirs in times]
    mine, theirs = (statistics.median(each) for each in zip(*times, strict=True))
    out.print(
        f"rank sets, both kinds, of {COMMUNES:,} units {mine:.2f} s; every pair in every draw, of "
        f"{BEFORE:,} units, {theirs:.1f} s, {statistics.median(ratios):.0f} times as long "
        f"({min(ratios):.0f}–{max(ratios):.0f}, {ROUNDS} pairs)"
    )
    for units, widest in ((100, 4), (1_000, 4), (COMMUNES, 4), (COMMUNES, 100), (MOST, 4)):
        x, se = _units(units, widest)
        for simultaneous in (False, True):
            kind = "simultaneous" if simultaneous else "marginal"

            def call(simultaneous: bool = simultaneous) -> object:
                return ranks.confidence_sets(x, se, simultaneous=simultaneous)  # noqa: B023

            seconds = statistics.median(_seconds(call) for _ in range(ROUNDS))
            tracemalloc.start()
            call()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            out.print(
                f"rank sets of {units:>6,} units, standard errors 1:{widest}, {kind}: "
                f"{seconds:.2f} s, {peak / 1e6:,.0f} MB"
            )


def _units(units: int, widest: float = 4) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(2020)
    return rng.normal(0.85, 0.05, units), 0.01 * widest ** rng.random(units)


def _both(x: NDArray[np.float64], se: NDArray[np.float64]) -> None:
    for simultaneous in (False, True):
        ranks.confidence_sets(x, se, simultaneous=simultaneous)


def _plain(x: NDArray[np.float64], se: NDArray[np.float64]) -> None:
    for simultaneous in (False, True):
        drawn_ranks.sets(x, se, simultaneous=simultaneous)


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
