"""What is named as first to improve is told apart, and what stands out is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis import drivers
from tests.promises.drivers_worlds import World, draw, twice_the_weight
from tests.promises.promise import Promise, Row, per_cent, spread

_CHANCE, _POWER = 0.05, 0.8
_ALIKE = World("five factors alike")
_NAMED = "whatever is named as first to improve is so by chance"
_CEILING = (
    "asked by levels, a factor that nearly all are content with varies less and is measured less "
    "well, so that a lower one does explain more"
)
_TOGETHER = "with factors that go together so closely, 600 people do not tell their weights apart"


@dataclass(frozen=True)
class _Cell:
    """A world with so many people; what is counted there, and what the build before gave."""

    promise: str
    world: World
    n: int
    #: "named": any factor as first to improve; "first": the first one; "lower": any as lower.
    counted: str
    before: str
    why: str = ""
    small: bool = True


CELLS = (
    _Cell(_NAMED, _ALIKE, 60, "named", "88.3 %"),
    _Cell(_NAMED, _ALIKE, 150, "named", "85.3 %"),
    _Cell(_NAMED, _ALIKE, 600, "named", "87.3 %"),
    _Cell(_NAMED, _ALIKE, 2000, "named", "86.7 %", small=False),
    _Cell(
        _NAMED,
        World("alike, but measured with reliabilities from 0.4 to 0.8 an item",
              reliable=(0.8, 0.7, 0.6, 0.5, 0.4)),
        600, "named", "88.7 %",
    ),
    _Cell(
        _NAMED, World("alike in weight, rates 80 to 90 %", under=(5, 2.5, 0, -2.5, -5)),
        150, "named", "88.0 %",
    ),
    _Cell(
        _NAMED, World("alike in weight, rates 75 to 93 %", under=(10, 5, 0, -5, -8)),
        600, "named", "92.7 %", why=_CEILING,
    ),
    _Cell(
        "a factor is called lower than the others by chance",
        replace(_ALIKE, under=(-10,) * 5, name="five factors alike, at 95 %"), 60, "lower", "–",
    ),
    _Cell(
        "a factor is called lower than the others by chance", _ALIKE, 600, "lower", "–",
        small=False,
    ),
    _Cell(
        "a factor that matters and lags is named",
        twice_the_weight(World("twice the weight, ten points lower; correlation 0.5")),
        600, "first", "100.0 %",
    ),
    _Cell(
        "a factor that matters and lags is named",
        twice_the_weight(World("the same; correlation 0.7", together=0.7)),
        600, "first", "97.3 %", why=_TOGETHER, small=False,
    ),
)  # fmt: skip


def _share(job: tuple[int, int]) -> float:
    """In how many samples of a cell that is found which it counts."""
    place, runs = job
    cell = CELLS[place]
    rng = np.random.default_rng([2028, place])
    found = 0
    for _ in range(runs):
        scores, satisfied, answers, overall = draw(cell.world, cell.n, rng)
        rates = drivers.rates_apart(satisfied, answers)
        if cell.counted == "lower":
            found += bool((rates.high < 0).any())
            continue
        named = drivers.to_improve_first(drivers.importance(scores, overall), rates)
        found += bool(named[0]) if cell.counted == "first" else bool(named.any())
    return found / runs


def measure(full: bool) -> Sequence[Row]:
    """Rows: 1,000 samples a cell in full, else 40, and not of all cells."""
    runs = 1000 if full else 40
    places = [place for place, cell in enumerate(CELLS) if full or cell.small]
    rows = []
    for place, share in zip(
        places, spread(_share, [(place, runs) for place in places], full=full), strict=True
    ):
        cell = CELLS[place]
        power = cell.counted == "first"
        bound = _POWER if power else _CHANCE
        error = float(np.sqrt(bound * (1 - bound) / runs))
        held = share >= bound - 2 * error if power else share <= bound + 2 * error
        rows.append(
            Row(
                cell.promise,
                f"{cell.world.name}; {cell.n:,} people",
                f"{'≥' if power else '≤'} {per_cent(bound, digits=0)}",
                per_cent(share, float(np.sqrt(share * (1 - share) / runs))),
                held,
                cell.before,
                "" if held else cell.why,
            )
        )
    return rows


PROMISE = Promise(
    "drivers",
    "Drivers, and what to improve first",
    ("_validation", "contrasts", "drivers"),
    measure,
)
