"""From cells to sums: the rows about some units, split by periods and channels.

Cells of all versions of a questionnaire are summed by factor and item code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.figures import cell_reading as reading
from app.figures import periods
from app.figures import within_correlation as resemblance
from app.figures.day_effects import DayPart, day_sums
from app.figures.groupings import Splits, scale_of, sums_by_measure
from app.figures.late import CellSelection
from app.figures.measures import measures_of
from app.figures.query import Key, Query
from app.figures.rate_arrays import Floats, Measure, Summed
from app.figures.release import Unreleased
from app.problems import Problem
from app.registry.queries import UnitNode, UnitTree
from app.registry.questionnaires import Published
from app.rollups import queries
from app.rollups.cells import SUMS, add_up

ROW_LIMIT = 50_000


class TooManyRows(Problem):
    """The grouping gives more rows than one answer holds."""

    code, status = "too-many-rows", 422


@dataclass(frozen=True)
class Sums:
    """Rows with their sums, and what their figures are computed from besides."""

    rows: Summed
    splits: Splits
    #: Shape (rows, 2): the lowest and the highest level that answers of the row can have.
    scale: Floats
    days: dict[str, Floats] | None


@dataclass(frozen=True)
class Ground:
    """What the rows of one questionnaire are computed on."""

    session: Session
    query: Query
    units: UnitTree
    code: str
    versions: list[Published]
    first: date | None
    last: date | None
    unreleased: Unreleased | None
    least: int

    @cached_property
    def measures(self) -> list[Measure]:
        """What rows measure."""
        return measures_of(self.query, self.versions)

    def alike(self, splits: Splits) -> Floats:
        """The correlation within respondents by split and measure, learnt from all units."""
        return resemblance.learnt(
            self.session,
            self.query,
            self.versions,
            self.measures,
            splits,
            self.unreleased,
            self.least,
        )

    def summed(self, selected: list[UnitNode], *, by_days: bool = False) -> Sums:
        """The rows about some units."""
        query, measures = self.query, self.measures
        covered = covering(self.units, selected, query)
        read = {version: self._read(version, covered) for version in self.versions}
        splits = self._splits(read.values())
        nodes: list[UnitNode | None] = list(selected) if Key.UNIT in query.by else [None]
        groups = len(nodes) * len(splits)
        if groups * len(measures) > ROW_LIMIT:
            raise TooManyRows(count=groups * len(measures), limit=ROW_LIMIT, field="by")
        sums = np.zeros((groups, len(measures), len(SUMS)))
        scale = np.tile([np.inf, -np.inf], (groups, len(measures), 1))
        parts = []
        for version, rows in read.items():
            place = splits.place(rows)
            # Cells are first summed within unit, period and channel, so that what is repeated for
            # each unit above is small.
            own_ids, own = np.unique(rows.unit_id, return_inverse=True)
            used, where = np.unique(own * len(splits) + place, return_inverse=True)
            cells = add_up(rows.cells, where, len(used))
            index, target = self._groups(
                selected, own_ids[used // len(splits)], used % len(splits), len(splits)
            )
            added = sums_by_measure(
                version, add_up(cells[index], target, groups), measures, query.convention
            )
            sums += added
            bounds = np.array([scale_of(version, measure) for measure in measures])
            context = added[..., SUMS.index("m")] > 0
            scale[..., 0] = np.where(context, np.fmin(scale[..., 0], bounds[:, 0]), scale[..., 0])
            scale[..., 1] = np.where(context, np.fmax(scale[..., 1], bounds[:, 1]), scale[..., 1])
            if by_days:
                index, target = self._groups(selected, rows.unit_id, place, len(splits))
                parts.append(DayPart.of(version, rows, index, target, measures, query.convention))
        flat = sums.reshape(groups * len(measures), len(SUMS))
        keys = [(node, *label) for node in nodes for label in splits.labels()]
        rows_ = Summed(
            questionnaire=self.code,
            unit=[node for node, _, _ in keys for _ in measures],
            measure=measures * groups,
            channel=[channel for _, _, channel in keys for _ in measures],
            period=[period for _, period, _ in keys for _ in measures],
            sums={name: flat[:, i] for i, name in enumerate(SUMS)},
        )
        of_days = day_sums(parts, groups, len(measures)) if by_days else None
        return Sums(rows_, splits, scale.reshape(-1, 2), of_days)

    def _read(self, version: Published, covered: set[int] | None) -> queries.CellRows:
        query = self.query
        rows = reading.cells(
            self.session,
            version,
            first=query.first,
            last=query.last,
            units=None if covered is None else frozenset(covered),
            channels=sorted(query.channels),
        )
        unreleased = self.unreleased
        return (
            unreleased.without(
                rows, version, CellSelection(query.first, query.last, covered, query.channels)
            )
            if unreleased is not None and unreleased.touches(query.last)
            else rows
        )

    def _splits(self, read: Iterable[queries.CellRows]) -> Splits:
        """Periods, and the channels through which somebody answered."""
        query = self.query
        ordinals = range(0, 1)
        if query.step is not None:
            ordinals = range(0)
            if self.first is not None and self.last is not None:
                ends = np.array([self.first, self.last], dtype="datetime64[D]")
                begin, end = periods.ordinals(ends, query.step)
                ordinals = range(int(begin), int(end) + 1)
        channels: tuple[str | None, ...] = (None,)
        if Key.CHANNEL in query.by:
            found = {str(channel) for rows in read for channel in np.unique(rows.channel)}
            channels = tuple(sorted(found | set(query.channels)))
        return Splits(query.step, ordinals, channels)

    def _groups(
        self,
        selected: list[UnitNode],
        unit_of: NDArray[np.int64],
        place: NDArray[np.intp],
        per_unit: int,
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Of cells of units, those that add to a row, and to which.

        With descendants, a cell adds to every unit above.
        """
        if Key.UNIT not in self.query.by:
            return np.arange(len(unit_of)), place
        position = {node.id: i for i, node in enumerate(selected)}
        own_ids, own = np.unique(unit_of, return_inverse=True)
        index, target = [], []
        above: dict[int, int | None] = {int(id): int(id) for id in own_ids}
        while above:
            positions = {id: position.get(a, -1) for id, a in above.items() if a is not None}
            at = np.array([positions.get(int(id), -1) for id in own_ids], dtype=np.intp)[own]
            kept = np.flatnonzero(at >= 0)
            index.append(kept)
            target.append(at[kept] * per_unit + place[kept])
            if not self.query.descendants:
                break
            nodes = self.units.nodes
            above = {id: nodes[a].parent_id for id, a in above.items() if a in nodes}
            above = {id: a for id, a in above.items() if a is not None}
        none = np.zeros(0, dtype=np.intp)
        return np.concatenate([none, *index]), np.concatenate([none, *target])


def covering(units: UnitTree, selected: list[UnitNode], query: Query) -> set[int] | None:
    """The units whose cells are needed; None for all."""
    if not query.units and not query.kinds and units.whole:
        return None
    ids = {node.id for node in selected}
    if query.descendants:
        ids = {below for id in ids for below in units.below(id)}
    return None if units.whole and len(ids) == len(units.nodes) else ids
