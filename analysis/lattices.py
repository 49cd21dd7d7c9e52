"""Hiding small cells of a product of trees, so that few people follow from no two or three of them.

What is published of a survey is a lattice: units within units, months within quarters within
years, channels within all of them. A cell is a set of people; two cells that differ by few people
give these away, wherever in the lattice they stand. The sums have the form of trees, and whole
arrays are looked at at once, as a province of 200 units with ten years of months wants it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis._validation import counts

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Axis:
    """A tree of places: for each its parent's place, −1 for a top.

    ``nested`` says that a place counts, of the same people, those of its parts: two cells along it
    may be subtracted. Along an axis of what people were asked they may not, but hidden parts
    follow from the whole and the other parts all the same.
    """

    parent: Places
    nested: bool = True

    @cached_property
    def families(self) -> list[tuple[int, Places]]:
        """Each place that has parts, with these; the lowest first."""
        depth = self.depth
        parts = [(p, np.flatnonzero(self.parent == p)) for p in np.unique(self.parent).tolist()]
        return sorted(((p, c) for p, c in parts if p >= 0), key=lambda each: -int(depth[each[0]]))

    @cached_property
    def depth(self) -> Places:
        """How many places stand above each."""
        found = np.zeros(len(self.parent), dtype=np.intp)
        for above in self.upwards[1:]:
            found += above >= 0
        return found

    @cached_property
    def upwards(self) -> list[Places]:
        """The place so many steps above each place, −1 where there is none."""
        steps = [np.arange(len(self.parent))]
        while (steps[-1] >= 0).any():
            last = steps[-1]
            steps.append(np.where(last >= 0, self.parent[last], -1))
        return steps[:-1]


def protect(
    n: ArrayLike,
    axes: Sequence[Axis],
    minimum: int,
    *,
    hidden: ArrayLike | None = None,
    seen: ArrayLike | None = None,
) -> Mask:
    """Which cells to hide so that no two or three that are shown differ by few people.

    Parameters
    ----------
    n
        Respondents of each cell, an axis a tree. Along a ``nested`` axis a place has the people of
        its parts, which have none in common.
    minimum
        Fewer people, but some, are few.
    hidden
        Cells that are hidden anyway.
    seen
        Cells that the reader sees anyway: they need no guard and are no guard.

    Returns
    -------
    array of bool
        The shape of ``n``. Hidden are cells of few; of each whole and its parts none, or so many
        that those which are hidden do not follow and are not few together; and one of two cells
        that differ by few people, be one part of the other or not. Of cells that would do the
        smallest is hidden, but one that is the same set of people as a larger cell last.

    Raises
    ------
    ValueError
        For negative or non-finite counts, a minimum under 1, axes that do not fit.

    Notes
    -----
    What it promises is tried by counting in tests/analysis/test_lattices.py: over drawn lattices,
    no combination of up to three shown cells with coefficients −1, 0, 1 touches 1 … minimum − 1
    people. More than three cells may; exact solutions of whole tables are those of Cox (1980).
    """
    (given,) = counts(n=n)
    if minimum < 1:
        raise ValueError(f"minimum must be at least 1, not {minimum}")
    if given.shape != tuple(len(axis.parent) for axis in axes):
        raise ValueError(f"n has shape {given.shape}, the axes another")
    # An axis of one place is none, and makes one of a single tree two.
    axes = [*axes, Axis(np.array([-1]))]
    people = given.astype(np.int64, order="C")[..., None]
    nobody = np.zeros(people.shape, dtype=bool)
    shown_anyway = nobody if seen is None else np.asarray(seen, dtype=bool)[..., None]
    found: Mask = (people > 0) & (people < minimum)
    if hidden is not None:
        found |= np.asarray(hidden, dtype=bool)[..., None] & (people > 0)
    found &= ~shown_anyway
    guards = _Guards(people, axes, minimum, shown_anyway)
    while True:
        guards.settle(found)
        near = guards.near(found)
        if not near.any():
            return found[..., 0]
        found |= near


@dataclass(frozen=True)
class _Pairs:
    """Two cells each that differ by few people, as places in the flat array, and by how many."""

    first: Places
    second: Places
    apart: Counts
    #: The axis along which one is the whole of the other, where it is that.
    of_whole: int | None


@dataclass(frozen=True)
class _Crossings:
    """Two cells each, what holds both, and how many of it neither has, or both have, twice."""

    first: Places
    second: Places
    whole: Places
    apart: Counts


@dataclass(frozen=True)
class _Guards:
    """Cells, and which of them guard which."""

    people: Counts
    axes: Sequence[Axis]
    minimum: int
    seen: Mask

    @cached_property
    def cost(self) -> NDArray[np.float64]:
        """What hiding a cell costs: its people; more than all where a larger cell has the same."""
        alone = np.zeros(self.people.shape, dtype=bool)
        for number, axis in enumerate(self.axes):
            parent = np.maximum(axis.parent, 0)
            same = np.take(self.people, parent, axis=number) == self.people
            has = np.expand_dims(axis.parent >= 0, [i for i in range(alone.ndim) if i != number])
            alone |= same & has
        last = 2.0 * (1 + self.people.max(initial=0))
        cost: NDArray[np.float64] = self.people + last * alone
        return cost

    def settle(self, hidden: Mask) -> None:
        """Hide more, in place, until each whole with its parts gives nothing away."""
        changed = True
        while changed:
            changed = False
            for number, axis in enumerate(self.axes):
                for whole, parts in axis.families:
                    while self._settle(hidden, number, whole, parts):
                        changed = True

    def _settle(self, hidden: Mask, number: int, whole: int, parts: Places) -> bool:
        """Hide one more cell of each family along an axis that needs it; whether one did."""
        people, seen = np.moveaxis(self.people, number, 0), np.moveaxis(self.seen, number, 0)
        cost, found = np.moveaxis(self.cost, number, 0), np.moveaxis(hidden, number, 0)
        n, gone = people[parts], found[parts] & (people[parts] > 0)
        count = gone.sum(axis=0)
        masses = np.where(gone, n, 0)
        mass = masses.sum(axis=0) if self.axes[number].nested else masses.max(axis=0)
        follows = (count > 0) & ((count == 1) | (mass < self.minimum)) & ~found[whole]
        is_sum = found[whole] & (people[whole] > 0) & (count == 0)
        needed = follows | is_sum
        if not needed.any():
            return False
        free = ~gone & (n > 0) & ~seen[parts]
        price = np.where(free, cost[parts], np.inf)
        best = price.argmin(axis=0)
        can = needed & free.any(axis=0)
        where = np.nonzero(can)
        found[(parts[best[where]], *where)] = True
        # Nobody is left among the parts: the whole goes, where that helps.
        top = follows & ~can & ~seen[whole]
        found[whole] |= top
        return bool(can.any() or top.any())

    @cached_property
    def _ways(self) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Steps upwards along each axis to two cells whose common part is where they began.

        The first is never below the second, and no two ways lead to the same two cells.
        """
        steps = [
            [(up, 0) for up in range(len(a.upwards))] + [(0, up) for up in range(1, len(a.upwards))]
            if a.nested
            else [(0, 0)]
            for a in self.axes
        ]
        both = (tuple(zip(*way, strict=True)) for way in product(*steps))
        return [(first, second) for first, second in both if first > second]

    def near(self, hidden: Mask) -> Mask:
        """Cells to be hidden since what two or three shown ones differ by are few people."""
        spares, found = self._two(hidden)
        if found.any():
            return found
        return self._crossing(hidden, np.minimum.reduce(spares)) | self._parts(hidden, spares)

    def _two(self, hidden: Mask) -> tuple[list[Counts], Mask]:
        """By how many people each cell differs from the shown one that is nearest to it.

        0 where it is shown itself; for each axis, without the cell's own whole along it. And of
        two shown cells that differ by few the smaller one.
        """
        found = np.zeros(hidden.shape, dtype=bool)
        spares = [np.where(hidden, self.people, 0) for _ in self.axes]
        of_cells = hidden.ravel()
        for pairs in self._near_pairs:
            gone, other = of_cells[pairs.first], of_cells[pairs.second]
            bad = (pairs.apart > 0) & ~gone & ~other
            if bad.any():
                self._smaller(found, pairs.first[bad], pairs.second[bad])
            for cells, chosen in ((pairs.first, gone & ~other), (pairs.second, other & ~gone)):
                for axis, spare in enumerate(spares):
                    if axis != pairs.of_whole:
                        np.minimum.at(spare.ravel(), cells[chosen], pairs.apart[chosen])
        return spares, found & ~self.seen

    def _crossing(self, hidden: Mask, spare: Counts) -> Mask:
        """Two cells that have few people in common and leave few of what holds both."""
        found = np.zeros(hidden.shape, dtype=bool)
        people, of_cells, spares = self.people.ravel(), hidden.ravel(), spare.ravel()
        for pairs in self._near_crossings:
            first, second, whole = pairs.first, pairs.second, pairs.whole
            # Those by which both differ from what is shown may be the same people.
            apart = pairs.apart + np.maximum(spares[first], spares[second])
            # What is told by nothing that is shown saves nothing.
            bad = (apart > 0) & (apart < self.minimum) & (people[first] > spares[first])
            bad &= (people[second] > spares[second]) & ~of_cells[whole]
            if bad.any():
                both = ~of_cells[first] & ~of_cells[second]
                self._smaller(found, first[bad & both], second[bad & both])
                found.ravel()[whole[bad & ~both]] = True
        return found & ~self.seen

    @cached_property
    def _near_pairs(self) -> list[_Pairs]:
        """Of each way the cells that differ by few; what is hidden changes none of it."""
        at = np.nonzero(self._has_near())
        above, own, people = self._above(at), self.people[at], self.people.ravel()
        # Two that are hidden from the outset, or empty, tell nothing of one another.
        settled = (people < self.minimum) & ~self.seen.ravel()
        found = []
        for steps in self._ways:
            (first, second), there = _cells(above, steps)
            apart = people[first] + people[second] - 2 * own[there]
            near = (apart < self.minimum) & ~(settled[first] & settled[second])
            of_whole = steps[0].index(1) if sum(steps[0]) == 1 and not any(steps[1]) else None
            found.append(_Pairs(first[near], second[near], apart[near], of_whole))
        return found

    @cached_property
    def _near_crossings(self) -> list[_Crossings]:
        """Of each way the cells that leave few of what holds both, if they are told exactly."""
        at = np.nonzero(self.people < self.minimum)
        above, own, people = self._above(at), self.people[at], self.people.ravel()
        found = []
        for steps in self._ways:
            if not all(map(any, steps)):
                continue
            upwards = tuple(max(pair) for pair in zip(*steps, strict=True))
            (first, second, whole), there = _cells(above, (*steps, upwards))
            apart = people[whole] - people[first] - people[second] + 2 * own[there]
            # What is not told exactly leaves more, and nobody is told of by nothing.
            near = (apart < self.minimum) & (people[first] > 0) & (people[second] > 0)
            found.append(_Crossings(first[near], second[near], whole[near], apart[near]))
        return found

    def _parts(self, hidden: Mask, spares: Sequence[Counts]) -> Mask:
        """A whole in which two parts are nearly two shown cells, and few are left."""
        found = np.zeros_like(hidden)
        for number, axis in enumerate(self.axes):
            if not axis.nested:
                continue
            people, spare = (np.moveaxis(each, number, 0) for each in (self.people, spares[number]))
            gone, out = np.moveaxis(hidden, number, 0), np.moveaxis(found, number, 0)
            # The best single cell in each place, and the best two; by people, and by how many
            # people more or fewer the shown ones are: these may be the same people for both.
            one = np.stack([people, spare])
            two = np.stack([np.zeros_like(people), np.zeros_like(people)])
            for whole, parts in axis.families:
                order = np.argsort(one[0, parts] - one[1, parts], axis=0)
                first, second = (
                    np.take_along_axis(one[:, parts], order[None, [at]], axis=1)[:, 0]
                    if len(parts) >= -at
                    else np.zeros_like(one[:, 0])
                    for at in (-1, -2)
                )
                first, second = (np.where(each[0] > each[1], each, 0) for each in (first, second))
                pair = np.stack([first[0] + second[0], np.maximum(first[1], second[1])])
                for part in parts.tolist():
                    pair = _better(pair, two[:, part])
                two[:, whole] = pair
                left = people[whole] - pair[0] + pair[1]
                out[whole] |= (left > 0) & (left < self.minimum) & ~gone[whole] & (pair[0] > 0)
                one[:, whole] = _better(one[:, whole], first)
        return found & ~self.seen

    def _above(self, at: tuple[Places, ...]) -> list[list[Places]]:
        """By axis and steps upwards: what the place there adds to a cell's place in the flat array.

        So little that no sum is a place where nothing stands so many steps above.
        """
        found, stride = [], self.people.size
        for axis, place in zip(self.axes, at, strict=True):
            stride //= max(len(axis.parent), 1)
            adds = (np.where(up >= 0, up * stride, -self.people.size) for up in axis.upwards)
            found.append([add[place] for add in adds])
        return found

    def _has_near(self) -> Mask:
        """Cells that a larger cell next to them, along some axis, has by few people more."""
        found = np.zeros(self.people.shape, dtype=bool)
        for number, axis in enumerate(self.axes):
            if axis.nested:
                more = np.take(self.people, np.maximum(axis.parent, 0), axis=number) - self.people
                others = [i for i in range(found.ndim) if i != number]
                found |= np.expand_dims(axis.parent >= 0, others) & (more < self.minimum)
        return found

    def _smaller(self, found: Mask, first: Places, second: Places) -> None:
        """Mark of two cells each the one with fewer people, or the one that is not seen anyway."""
        people, seen = self.people.ravel(), self.seen.ravel()
        of_first = people[first] < people[second]
        of_first = of_first & ~seen[first] | seen[second]
        found.ravel()[np.where(of_first, first, second)] = True


def _cells(
    above: Sequence[Sequence[Places]], ways: Sequence[Sequence[int]]
) -> tuple[list[Places], Places]:
    """Cells that some ways lead to, of all cells from which each leads to one; and these."""
    cells = [
        reduce(np.add, [adds[step] for adds, step in zip(above, steps, strict=True)])
        for steps in ways
    ]
    there = np.flatnonzero(np.logical_and.reduce([each >= 0 for each in cells]))
    return [each[there] for each in cells], there


def _better(first: Counts, second: Counts) -> Counts:
    """Of two choices, each people and by how many they differ, the one that leaves fewer."""
    better: Counts = np.where(first[0] - first[1] >= second[0] - second[1], first, second)
    return better
