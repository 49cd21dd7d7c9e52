"""Regrouping: in which rows of a structure the answers of units of all times stand.

Cells, volumes and invitations belong to a unit for ever. A figure is asked for in the tree of
some day: there a unit's answers stand whole at one node, or at several by the shares of a plan.
What is dealt out by shares is multiplied by them, and comes together whole again above.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.figures import visible
from app.figures.query import Query
from app.figures.rate_arrays import Floats
from app.registry.points import units_asking
from app.registry.queries import UnitTree
from app.registry.structures import Structure

Places = NDArray[np.intp]
#: Shares whose sum is that near to one are all of it.
_NEAR = 1e-9


@dataclass(frozen=True)
class Parts:
    """Of n things of units what stands where: the thing, the node and its weight, an entry a part.

    Arrays of one length, which is n where nothing is dealt out by shares.
    """

    index: Places
    node: NDArray[np.int64]
    weight: Floats

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Parts:
        """Some of them, by a mask."""
        return Parts(self.index[chosen], self.node[chosen], self.weight[chosen])


@dataclass(frozen=True)
class Regrouping:
    """A structure, and those of its nodes whose figures a caller may read."""

    structure: Structure
    units: UnitTree

    @classmethod
    def of(cls, session: Session, caller: Caller, query: Query, today: date) -> Regrouping:
        """The regrouping for a question; without a day in the caller's usual structure."""
        day = query.structure or visible.usual_day(session, caller, today)
        return cls(visible.structure(session, day), visible.units(session, caller, day, today))

    def units_in(self, nodes: Iterable[int]) -> set[int]:
        """The units of all times that stand in some nodes, whole or by a share."""
        structure = self.structure
        found: set[int] = set()
        for node in nodes:
            found |= structure.held[node]
            found |= structure.shared[node]
        return found

    def wholly_in(self, nodes: Collection[int]) -> set[int]:
        """The units of all times of which nothing stands outside of some nodes."""
        placements = self.structure.placements
        return {
            id
            for id in self.units_in(nodes)
            if all(node in nodes for node, _ in placements[id].parts)
        }

    def dealt_out_of(self, nodes: Collection[int]) -> set[int]:
        """The units that stand in some nodes by a share alone."""
        return self.units_in(nodes) - self.wholly_in(nodes)

    def asking(self, session: Session, questionnaire: str) -> set[int]:
        """The nodes of units that have, or had, a survey point with a questionnaire."""
        placements = self.structure.placements
        units = units_asking(session, questionnaire)
        return {node for id in units for node, _ in placements[id].parts}

    def parts_of(self, unit_of: NDArray[np.int64]) -> Parts:
        """Where things of units stand, one entry of ``unit_of`` a thing."""
        ids, own = np.unique(unit_of, return_inverse=True)
        placements = self.structure.placements
        parts = [placements[id].parts for id in ids.tolist()]
        if all(len(each) == 1 for each in parts):
            nodes = np.array([each[0][0] for each in parts], dtype=np.int64)
            return Parts(np.arange(len(unit_of), dtype=np.intp), nodes[own], np.ones(len(unit_of)))
        entries = [
            (i, node, weight) for i, u in enumerate(own.tolist()) for node, weight in parts[u]
        ]
        index, node, weight = zip(*entries, strict=True)
        return Parts(
            np.array(index, dtype=np.intp),
            np.array(node, dtype=np.int64),
            np.array(weight, dtype=np.float64),
        )

    def regrouped(self, numbers: Mapping[int, float]) -> dict[int, float]:
        """Numbers by unit as numbers by node: those of all units that stand there together."""
        found: dict[int, float] = defaultdict(float)
        for id, value in numbers.items():
            for node, weight in self.structure.placements[id].parts:
                found[node] += value * weight
        return dict(found)


def together(index: Places, target: Places, weight: Floats) -> tuple[Places, Places, Floats]:
    """Parts of one thing that come together in one row, as one part; a whole is exactly one."""
    if (weight == 1.0).all():
        return index, target, weight
    keys = np.stack([index, target], axis=1)
    found, where = np.unique(keys, axis=0, return_inverse=True)
    total = np.bincount(where.ravel(), weights=weight, minlength=len(found))
    total = np.where(np.abs(total - 1.0) < _NEAR, 1.0, total)
    return found[:, 0], found[:, 1], total.astype(np.float64)


def whole_number(value: float) -> int | float:
    """A number of people: a whole one unless a plan's shares divided them."""
    nearest = round(value)
    return nearest if abs(value - nearest) < 1e-6 else value
