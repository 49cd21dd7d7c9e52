"""What rows that left anonymised tell of figures: cells that somebody may have, shown or not.

The rows of a quarter stand for ever. Who has them has, by adding up classes, each cell of which all
people are in classes that lie wholly in it. Such a cell guards nothing any more: were it hidden so
that later people do not follow from a half-year, the half-year less these rows would be them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.lattices import Axis, protect
from app.figures.lattice_axes import Axes, add_upwards
from app.figures.placed_sums import Placed
from app.rollups.measure_counts import Measure

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class RowsOut:
    """The classes of all quarters of a questionnaire that are made.

    Of ``exempt`` units a reader sees everything: the others of a class follow.
    """

    placed: Sequence[Placed] = ()
    exempt: Collection[int] = ()

    def known(self, axes: Axes, people: Ints, by_measure: Ints) -> tuple[Mask, Mask]:
        """Which cells the rows give, of ``people`` and ``by_measure`` as a lattice has them.

        A cell that has more people than its classes, since some came late, is not given.
        """
        index, measures = np.zeros_like(people), np.zeros_like(by_measure)
        three = (axes.units.axis, axes.of_channels, axes.of_time)
        for each in self.placed:
            at = (
                _places(each.unit_id, axes.units.alone),
                _places(each.channel, axes.channels),
                _places(each.month, axes.periods),
            )
            kept = ~np.isin(each.unit_id, list(self.exempt))
            for number, measure in enumerate(each.measures):
                n = each.people[:, number]
                among = np.flatnonzero(kept & (n > 0))
                place = axes.measures.get(measure)
                if place is None or not len(among):
                    continue
                group, sizes = each.group[among], n[among]
                where, size = _least_cells([one[among] for one in at], group, sizes, three)
                if measure == Measure():
                    np.add.at(index, where, size)
                np.add.at(measures[place], (where[0], where[2]), size)
        for number, axis in enumerate(three):
            add_upwards(index, axis, number)
        add_upwards(measures, axes.units.axis, 1)
        add_upwards(measures, axes.of_time, 2)
        return (index > 0) & (index == people), (measures > 0) & (measures == by_measure)


def _places(values: Ints | NDArray[np.str_], places: Mapping[int, int] | Mapping[str, int]) -> Ints:
    used, where = np.unique(values, return_inverse=True)
    known: Mapping[int | str, int] = dict(places.items())
    found = np.array([known.get(each, -1) for each in used.tolist()], dtype=np.int64)
    return found[where] if len(used) else np.empty(0, dtype=np.int64)


def _least_cells(
    at: Sequence[Ints], group: Ints, n: Ints, axes: Sequence[Axis]
) -> tuple[tuple[Ints, ...], Ints]:
    """The smallest cell that holds each class, and its people; not of a class that none holds."""
    order = np.argsort(group, kind="stable")
    begins = np.flatnonzero(np.diff(group[order], prepend=-1))
    cells = [
        _common(place[order], begins, axis) for place, axis in zip(at, axes, strict=True)
    ]  # fmt: skip
    held = np.logical_and.reduce([each >= 0 for each in cells])
    return tuple(each[held] for each in cells), np.add.reduceat(n[order], begins)[held]


def _common(place: Ints, begins: Ints, axis: Axis) -> Ints:
    """The lowest place that holds all of each run, -1 where there is none."""
    if not len(axis.parent):
        return np.full(len(begins), -1, dtype=np.int64)
    depth = int(axis.depth.max()) + 1
    lines = np.full((len(axis.parent), depth), -1, dtype=np.int64)
    for above in axis.upwards:
        there = np.flatnonzero(above >= 0)
        lines[there, axis.depth[above[there]]] = above[there]
    line = np.where(place[:, None] >= 0, lines[np.maximum(place, 0)], -1)
    lowest, highest = np.minimum.reduceat(line, begins), np.maximum.reduceat(line, begins)
    same = (lowest == highest) & (lowest >= 0)
    # From the top, places agree down to the one that holds all.
    deep = same.sum(axis=1) - 1
    return np.where(deep >= 0, lowest[np.arange(len(begins)), np.maximum(deep, 0)], -1)


def protect_beside(n: Ints, axes: Sequence[Axis], least: int, hidden: Mask, known: Mask) -> Mask:
    """``analysis.lattices.protect`` for who has rows besides, and for who has none.

    What rows give is hidden last, so that what was shown stays; what is hidden of it all the same
    guards what it can for those without rows, and nothing for those with them.
    """
    if not known.any():
        return protect(n, axes, least, hidden=hidden)
    found: Mask = np.asarray(hidden & (n > 0))
    found = found | protect(n, axes, least, hidden=hidden, seen=known & (n >= least) & ~found)
    while True:
        more = found | protect(n, axes, least, hidden=found)
        more |= protect(n, axes, least, hidden=more, seen=known)
        if (more == found).all():
            return found
        found = more
