"""The trees that figures stand in: units, channels, periods and measures, and sums along them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.lattices import Axis
from app.figures.periods import Length, name_of
from app.figures.unit_places import UnitPlaces
from app.rollups.measure_counts import Measure

#: Lengths of a period, the longest first; each is a part of the one before.
LENGTHS = (Length.YEAR, Length.HALF, Length.QUARTER, Length.MONTH)


@dataclass(frozen=True)
class Axes:
    """What the figures of a lattice are of."""

    units: UnitPlaces
    channels: dict[str, int]
    periods: dict[str, int]
    measures: dict[Measure, int]
    of_time: Axis
    of_measures: Axis

    @cached_property
    def of_channels(self) -> Axis:
        """All channels together, and each below them."""
        return Axis(np.array([-1] + [0] * len(self.channels), dtype=np.intp))


def time_axis(months: Collection[date]) -> tuple[dict[str, int], Axis]:
    """Months, by a day of each, and the calendar above them."""
    places: dict[str, int] = {}
    parent: list[int] = []
    for month in sorted(months):
        above = -1
        for length in LENGTHS:
            name = name_of(month, length)
            if name not in places:
                places[name] = len(parent)
                parent.append(above)
            above = places[name]
    return places, Axis(np.array(parent, dtype=np.intp))


def add_upwards(counts: NDArray[np.int64], axis: Axis, number: int) -> None:
    """Add each place to the one above it, in place."""
    along = np.moveaxis(counts, number, 0)
    for whole, parts in axis.families:
        along[whole] += along[parts].sum(axis=0)
