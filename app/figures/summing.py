"""From cells to sums: the rows about some units, split by periods and channels.

Cells of all versions of a questionnaire are summed by factor and item code. They are of units of
all times, and stand in the rows of the structure that is asked for (``app.figures.regrouping``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
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
from app.figures.query import Key, Query, Sensitivity
from app.figures.rate_arrays import Floats, Summed
from app.figures.regrouping import Regrouping, together
from app.figures.release import Unreleased
from app.problems import Problem
from app.registry.queries import UnitNode, UnitTree
from app.registry.questionnaires import Published
from app.rollups import queries
from app.rollups.cells import SUMS, add_up
from app.rollups.measure_counts import Measure

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
    #: Rows in which units have people of whom the caller may not see small figures.
    foreign: NDArray[np.bool_]


@dataclass(frozen=True)
class Ground:
    """What the rows of one questionnaire are computed on."""

    session: Session
    query: Query
    regrouping: Regrouping
    code: str
    versions: list[Published]
    first: date | None
    last: date | None
    unreleased: Unreleased | None
    least: int
    #: The units of which the caller may see small figures; None for all.
    small: frozenset[int] | None

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

    def staying(self, selected: list[UnitNode], splits: Splits) -> Floats:
        """How many of each row's respondents count: those that are not set aside, shape (rows,)."""
        query = replace(self.query, sensitivity=Sensitivity.WITHOUT)
        return replace(self, query=query).summed(selected, splits=splits).rows.sums["n"]

    def summed(
        self, selected: list[UnitNode], *, by_days: bool = False, splits: Splits | None = None
    ) -> Sums:
        """The rows about some units; split as others are, or by what is found."""
        query, measures = self.query, self.measures
        nodes = covering(self.regrouping.units, selected, query)
        covered = None if nodes is None else self.regrouping.units_in(nodes)
        read = {version: self._read(version, covered) for version in self.versions}
        splits = splits or self._splits(read.values())
        rows_of: list[UnitNode | None] = list(selected) if Key.UNIT in query.by else [None]
        groups = len(rows_of) * len(splits)
        if groups * len(measures) > ROW_LIMIT:
            raise TooManyRows(count=groups * len(measures), limit=ROW_LIMIT, field="by")
        sums = np.zeros((groups, len(measures), len(SUMS)))
        scale = np.tile([np.inf, -np.inf], (groups, len(measures), 1))
        foreign = np.zeros((groups, len(measures)), dtype=np.bool_)
        parts = []
        for version, rows in read.items():
            place = splits.place(rows)
            # Cells are first summed within unit, period and channel, so that what is repeated for
            # each unit above is small.
            own_ids, own = np.unique(rows.unit_id, return_inverse=True)
            used, where = np.unique(own * len(splits) + place, return_inverse=True)
            cells = add_up(rows.cells, where, len(used))
            of_unit = own_ids[used // len(splits)]
            index, target, weight = self._groups(
                selected, nodes, of_unit, used % len(splits), len(splits)
            )
            whole = weight == 1.0
            added = sums_by_measure(
                version,
                add_up(cells[index[whole]], target[whole], groups),
                measures,
                query.convention,
            )
            if not whole.all():
                shared = sums_by_measure(version, cells[index[~whole]], measures, query.convention)
                np.add.at(added, target[~whole], shared * weight[~whole, None, None])
            sums += added
            if self.small:
                others = ~np.isin(of_unit, list(self.small))[index]
                each = sums_by_measure(version, cells[index[others]], measures, query.convention)
                people = each[..., SUMS.index("n")] > 0
                np.logical_or.at(foreign, target[others], people)
            bounds = np.array([scale_of(version, measure) for measure in measures])
            context = added[..., SUMS.index("m")] > 0
            scale[..., 0] = np.where(context, np.fmin(scale[..., 0], bounds[:, 0]), scale[..., 0])
            scale[..., 1] = np.where(context, np.fmax(scale[..., 1], bounds[:, 1]), scale[..., 1])
            if by_days:
                index, target, weight = self._groups(
                    selected, nodes, rows.unit_id, place, len(splits)
                )
                part = DayPart.of(version, rows, index, target, weight, measures, query.convention)
                parts.append(part)
        flat = sums.reshape(groups * len(measures), len(SUMS))
        keys = [(node, *label) for node in rows_of for label in splits.labels()]
        rows_ = Summed(
            questionnaire=self.code,
            unit=[node for node, _, _ in keys for _ in measures],
            measure=measures * groups,
            channel=[channel for _, _, channel in keys for _ in measures],
            period=[period for _, period, _ in keys for _ in measures],
            sums={name: flat[:, i] for i, name in enumerate(SUMS)},
        )
        of_days = day_sums(parts, groups, len(measures)) if by_days else None
        return Sums(rows_, splits, scale.reshape(-1, 2), of_days, foreign.ravel())

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
        if unreleased is not None and unreleased.touches(query.last):
            chosen = CellSelection(query.first, query.last, covered, query.channels)
            rows = unreleased.without(rows, version, chosen)
        if query.sensitivity is Sensitivity.WITHOUT:
            return rows
        return reading.joined(rows, self.aside(version, covered).rows)

    def aside(self, version: Published, covered: Collection[int] | None) -> queries.AsideRows:
        """What is set aside on days that the caller is shown, of some units of all times."""
        query = self.query
        aside = reading.cells_aside(
            self.session,
            version,
            first=query.first,
            last=query.last,
            units=None if covered is None else frozenset(covered),
            channels=sorted(query.channels),
        )
        if self.unreleased is None:
            return aside
        rows = aside.rows
        return aside[~self.unreleased.among(rows.unit_id, rows.day, rows.channel)]

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
        nodes: Collection[int] | None,
        unit_of: NDArray[np.int64],
        place: NDArray[np.intp],
        per_unit: int,
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
        """Of cells of units, those that add to a row, to which, and with which weight.

        With descendants, a cell adds to every unit above. ``nodes`` are those that are asked
        for; None for all.
        """
        placed = self.regrouping.parts_of(unit_of)
        if Key.UNIT not in self.query.by:
            if nodes is not None:
                placed = placed[np.isin(placed.node, list(nodes))]
            return together(placed.index, place[placed.index], placed.weight)
        position = {node.id: i for i, node in enumerate(selected)}
        own_ids, own = np.unique(placed.node, return_inverse=True)
        index, target, weight = [], [], []
        above: dict[int, int | None] = {int(id): int(id) for id in own_ids}
        while above:
            positions = {id: position.get(a, -1) for id, a in above.items() if a is not None}
            at = np.array([positions.get(int(id), -1) for id in own_ids], dtype=np.intp)[own]
            kept = np.flatnonzero(at >= 0)
            index.append(placed.index[kept])
            target.append(at[kept] * per_unit + place[placed.index[kept]])
            weight.append(placed.weight[kept])
            if not self.query.descendants:
                break
            tree = self.regrouping.units.nodes
            above = {id: tree[a].parent_id for id, a in above.items() if a in tree}
            above = {id: a for id, a in above.items() if a is not None}
        none = np.zeros(0, dtype=np.intp)
        return together(
            np.concatenate([none, *index]),
            np.concatenate([none, *target]),
            np.concatenate([np.zeros(0), *weight]),
        )


def covering(units: UnitTree, selected: list[UnitNode], query: Query) -> set[int] | None:
    """The nodes whose answers are needed; None for all."""
    if not query.units and not query.kinds and units.whole:
        return None
    ids = {node.id for node in selected}
    if query.descendants:
        ids = {below for id in ids for below in units.below(id)}
    return None if units.whole and len(ids) == len(units.nodes) else ids
