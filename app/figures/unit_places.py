"""Which sets of units of all times strangers are told of, over all structures that may be asked.

A row of a structure is a set of units of all times: a merged commune is its predecessors and
itself. What two structures set apart may be a few people, wherever the rows stand in their trees.
So the sets of all structures are places of one axis. They come in by what they are worth: units
with all below them, of today before those of older structures and of what lies ahead; then units
alone; then what is undivided. A set is left out that overlaps one before it without holding it or
being held by it. What is left is a tree, which ``analysis.lattices`` can protect; what is left out
is told to nobody who may not see few respondents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from analysis.lattices import Axis
from app.registry.queries import UnitTree
from app.registry.structures import UNDIVIDED, Structure, Units

#: Shares whose sum is that near to one are all of it.
_NEAR = 1e-9
Set = frozenset[int]


@dataclass(frozen=True)
class Members:
    """The units of all times that a row is of: those that stand in it whole, and by a share."""

    whole: Set
    shared: Set = frozenset()


@dataclass(frozen=True)
class Standing:
    """Where a row stands: places that must all be shown, and units of a set that is left out."""

    places: tuple[int, ...]
    left_out: tuple[int, ...] = ()


@dataclass(frozen=True)
class UnitPlaces:
    """Sets of units that have answers, with their places on an axis."""

    #: Of each unit by itself.
    alone: dict[int, int]
    of: dict[Set, int]
    axis: Axis

    def find(self, of: Members) -> Standing:
        """Where a row stands; nowhere where none of its units has answers.

        What a plan's shares divide is told where each part by itself is.
        """
        whole = of.whole.intersection(self.alone)
        parts = tuple(self.alone[id] for id in sorted(of.shared) if id in self.alone)
        if not whole:
            return Standing(parts)
        if whole not in self.of:
            return Standing(parts, tuple(self.alone[id] for id in sorted(whole)))
        return Standing((self.of[whole], *parts))


def members(structure: Structure, units: UnitTree, id: int, *, descendants: bool = True) -> Members:
    """Who stands in a node of a structure, as far as it is summed over some of its nodes."""
    nodes = units.below(id) if descendants else [id]
    return _members(structure, nodes)


def _members(structure: Structure, nodes: Collection[int]) -> Members:
    whole = frozenset().union(*(structure.held[node] for node in nodes))
    parts = frozenset().union(*(structure.shared[node] for node in nodes))
    if not parts:
        return Members(whole)
    here = set(nodes)
    all_of_it = {
        unit for unit in parts
        if sum(w for node, w in structure.placements[unit].parts if node in here) > 1 - _NEAR
    }  # fmt: skip
    return Members(whole | all_of_it, parts - all_of_it)


def unit_places(units: Units, today: date, within: Collection[int]) -> UnitPlaces:
    """The places of units that have answers, and of the sets of them that are told.

    Which they are depends on nothing but the units, the day, and about whom anybody answered.
    """
    ids = sorted(units.histories.keys() & set(within))
    laminar = _Laminar(ids)
    alone: list[Set] = []
    undivided: list[Set] = []
    for structure in structures(units, today):
        below = _below(structure, laminar.ids)
        for id, node in structure.tree.nodes.items():
            own = structure.held[id] & laminar.ids
            if node.kind == UNDIVIDED:
                undivided += (below[id], own)
            else:
                laminar.add_all([below[id]])
                alone.append(own)
    # Offices of merged provinces together, or of closed districts, are worth less than such a
    # province or district with all that was below it.
    laminar.add_all(alone)
    laminar.add_all(undivided)
    return laminar.places()


def structures(units: Units, today: date) -> Iterator[Structure]:
    """One for each run of days with the same tree: today's, older ones back, and those ahead."""
    days = units.change_days()
    if not days:
        return
    first = days[0] - timedelta(days=1) if days[0] > date.min else days[0]
    begins = [first, *(day for day in days if day != first)]
    past = [day for day in begins if day <= today]
    for day in [*reversed(past), *begins[len(past) :]]:
        yield units.on(day)


def _below(structure: Structure, known: Set) -> dict[int, Set]:
    """Of each node the units that have answers and stand whole in it, or below it."""
    nodes = structure.tree.nodes
    found = {id: set(structure.held[id] & known) for id in nodes}
    depth = {id: len(structure.tree.above(id)) for id in nodes}
    for id in sorted(nodes, key=lambda id: -depth[id]):
        above = nodes[id].parent_id
        if above is not None and above in found:
            found[above] |= found[id]
    for unit in known:
        parts = structure.placements[unit].parts
        if len(parts) > 1:
            # Above all parts, it is together again.
            lines = [{node, *(n.id for n in structure.tree.above(node))} for node, _ in parts]
            for id in set.intersection(*lines):
                found[id].add(unit)
    return {id: frozenset(each) for id, each in found.items()}


class _Laminar:
    """Sets of which no two overlap unless one holds the other; single units are all in."""

    def __init__(self, ids: Collection[int]) -> None:
        self.ids = frozenset(ids)
        self._sets: list[Set] = []
        self._places: dict[Set, int] = {}
        #: Of each unit the sets that hold it.
        self._holding: dict[int, list[int]] = {id: [] for id in ids}
        for id in ids:
            self._keep(frozenset({id}))

    def add_all(self, sets: Iterable[Set]) -> None:
        """Take in, in this order, those that overlap none that is in."""
        for each in sets:
            if each and each not in self._places and not self._crosses(each):
                self._keep(each)

    def _keep(self, units: Set) -> None:
        for id in units:
            self._holding[id].append(len(self._sets))
        self._places[units] = len(self._sets)
        self._sets.append(units)

    def _crosses(self, units: Set) -> bool:
        common = Counter(place for id in units for place in self._holding[id])
        return any(n < len(units) and n < len(self._sets[place]) for place, n in common.items())

    def places(self) -> UnitPlaces:
        """The sets as a tree: each stands below the smallest that holds it."""
        parent = np.full(len(self._sets), -1, dtype=np.intp)
        for places in self._holding.values():
            places.sort(key=lambda place: len(self._sets[place]))
            for inner, outer in pairwise(places):
                parent[inner] = outer
        alone = {id: self._places[frozenset({id})] for id in self._holding}
        return UnitPlaces(alone, self._places, Axis(parent))
