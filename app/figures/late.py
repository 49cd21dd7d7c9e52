"""Answers that a device brought late, and when strangers are told of them.

A kiosk was offline, and what it brings changes a day that was told already: by one answer, if it
is one. So late answers wait until ten of one unit, channel and month have come, day by day as
days end; or else they join ten of the unit that was above in that month, and count there alone;
fewer than that in all the tree wait. Ten of each factor and question that anybody of them answered:
who alone answered one waits. Those that come within their own month wait for its end, and are told
with it. Of months whose responses were deleted by rule nothing can be looked at any more: what was
withheld then stays so, as cells (``keep_withheld``).
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.figures import visible
from app.figures.cell_reading import joined
from app.intake.models import Disposition, LateResponse, Response
from app.intake.retained import retained
from app.registry.queries import UnitNode, UnitTree
from app.registry.questionnaires import Published
from app.registry.structures import Units
from app.rollups import queries
from app.rollups.cells import layout_of
from app.rollups.conduct import conduct_of
from app.rollups.measure_counts import counts_by_measure, moved_together
from app.rollups.queries import CellRows
from app.rollups.store import put_withheld

#: Ids in one statement.
_AT_ONCE = 500


@dataclass(frozen=True)
class Late:
    """A late answer: where and when it counts, and when it came."""

    id: str
    version_id: int
    unit_id: int
    channel: str
    day: date
    received: date


@dataclass(frozen=True)
class CellSelection:
    """Which cells were read; None or nothing: all."""

    first: date | None = None
    last: date | None = None
    units: Collection[int] | None = None
    channels: Collection[str] = ()

    def among(self, rows: CellRows) -> NDArray[np.bool_]:
        """Which cells are among them."""
        kept = np.ones(len(rows.unit_id), dtype=np.bool_)
        if self.first is not None:
            kept &= rows.day >= np.datetime64(self.first)
        if self.last is not None:
            kept &= rows.day <= np.datetime64(self.last)
        if self.units is not None:
            kept &= np.isin(rows.unit_id, list(self.units))
        if self.channels:
            kept &= np.isin(rows.channel, list(self.channels))
        return kept


@dataclass(frozen=True)
class Withheld:
    """Late answers of one version that are not told where they count; cells, one a key.

    ``moved`` are those of them that are told of a unit above.
    """

    version: Published
    rows: CellRows
    moved: CellRows

    def without(self, rows: CellRows, exempt: frozenset[int], selection: CellSelection) -> CellRows:
        """Cells again, less what is withheld of units that are not ``exempt``."""
        here, there = _same(rows, self.rows)
        taken = ~np.isin(self.rows.unit_id[there], list(exempt))
        here, there = here[taken], there[taken]
        cells = rows.cells.copy()
        for name in cells.dtype.names or ():
            cells[name][here] -= self.rows.cells[name][there]
        rows = CellRows(rows.unit_id, rows.day, rows.channel, cells)
        return joined(rows, self.moved[selection.among(self.moved)])


def _same(rows: CellRows, few: CellRows) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where cells of a unit, day and channel are in both, each once: their places in either."""
    here, there = [np.zeros(0, dtype=np.intp)], [np.zeros(0, dtype=np.intp)]
    of_rows, of_few = _units_and_days(rows), _units_and_days(few)
    for name in np.unique(few.channel).tolist():
        at, own = np.flatnonzero(rows.channel == name), np.flatnonzero(few.channel == name)
        wanted, keys = of_rows[at], of_few[own]
        order = np.argsort(keys)
        found = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)]
        among = keys[found] == wanted
        here.append(at[among])
        there.append(own[found[among]])
    return np.concatenate(here), np.concatenate(there)


def _units_and_days(rows: CellRows) -> NDArray[np.int64]:
    """Unit and day of each cell as one number."""
    return rows.unit_id * 2**24 + rows.day.astype("datetime64[D]").astype(np.int64)


def find_withheld(
    session: Session, versions: Sequence[Published], least: int, today: date
) -> tuple[dict[int, Withheld], frozenset[str]]:
    """The late answers that strangers are not told of, by version, and their ids."""
    found, late = _still_there(session, versions, least, today)
    for version in versions:
        rows, moved = queries.read_withheld(session, version)
        if not len(rows.unit_id):
            continue
        if version.id in found:
            rows = joined(found[version.id].rows, rows)
            moved = joined(found[version.id].moved, moved)
        found[version.id] = Withheld(version, rows, moved)
    return found, late


def keep_withheld(
    session: Session, versions: Sequence[Published], least: int, today: date, before: date
) -> None:
    """Keep as cells what is withheld of days before the first of a month, to be deleted now.

    ``versions`` are those of one questionnaire. No late answer of such a month may come any more.
    """
    found, _ = _still_there(session, versions, least, today)
    for version_id, withheld in found.items():
        rows = [
            (day, unit_id, version_id, channel, is_moved, cell.tobytes())
            for of, is_moved in ((withheld.rows, False), (withheld.moved, True))
            for unit_id, day, channel, cell in zip(
                of.unit_id.tolist(), of.day.tolist(), of.channel.tolist(), of.cells, strict=True
            )
            if day < before
        ]
        put_withheld(session, rows)


def _still_there(
    session: Session, versions: Sequence[Published], least: int, today: date
) -> tuple[dict[int, Withheld], frozenset[str]]:
    """What is withheld of the days whose responses are kept."""
    by_id = {version.id: version for version in versions}
    columns = LateResponse.__table__.c
    query = select(*(columns[name] for name in _COLUMNS)).where(
        columns.version_id.in_(by_id), columns.day >= retained(session).responses_from
    )
    late = [Late(*row) for row in session.connection().execute(query.order_by(columns.response_id))]
    if not late:
        return {}, frozenset()
    given = _given(session, [each.id for each in late if not _within_month(each, today)])
    measured = _measured(versions, late, given)
    by_month: dict[date, list[Late]] = defaultdict(list)
    for each in late:
        by_month[each.day.replace(day=1)].append(each)
    units, told = visible.units_of_all_times(session), dict[str, int]()
    for month, of_month in by_month.items():
        # Along the parents of that month: what a later plan changes takes nothing back that was
        # told, and tells nothing of a unit that was not there yet.
        tree = tree_in(units, {each.unit_id for each in of_month}, month)
        told |= told_of(of_month, measured, tree, least, today)
    withheld = [each for each in late if told.get(each.id) != each.unit_id]
    given |= _given(session, [each.id for each in withheld if each.id not in given])
    found = {}
    for version in versions:
        own = [each for each in withheld if each.version_id == version.id and each.id in given]
        if own:
            up = [(each, told[each.id]) for each in own if each.id in told]
            found[version.id] = Withheld(
                version,
                _cells(version, [(each, each.unit_id) for each in own], given),
                _cells(version, up, given),
            )
    return found, frozenset(each.id for each in withheld)


_COLUMNS = ("response_id", "version_id", "unit_id", "channel", "day", "received")
_GIVEN = ("packed", "duration_s", "partial", "language")


class _Given(NamedTuple):
    """What somebody gave late: the packed answers, and what the response says of itself."""

    packed: bytes
    conduct: int

    @classmethod
    def of(cls, packed: bytes, duration_s: int | None, partial: bool, language: str) -> _Given:
        """Of the columns of ``_GIVEN``."""
        return cls(bytes(packed), conduct_of(duration_s, partial, language))


def _within_month(late: Late, today: date) -> bool:
    """Whether an answer came within its month, and that is over: it is told with the rest of it."""
    month = late.day.replace(day=1)
    return late.received.replace(day=1) == month < today.replace(day=1)


def tree_in(units: Units, ids: Iterable[int], month: date) -> UnitTree:
    """Some units, and all above them as they stood at the end of a month."""
    last = month.replace(day=monthrange(month.year, month.month)[1])
    nodes: dict[int, UnitNode] = {}
    for id in ids:
        at: int | None = id
        way: set[int] = set()
        while at is not None and at not in nodes:
            way.add(at)
            unit = units.histories[at]
            state = unit.on(last)
            # None stands above itself, whatever a damaged row says.
            above = None if state.parent_id in way else state.parent_id
            nodes[at] = UnitNode(at, unit.code, state.kind, state.name_vi, state.name_en, above)
            at = above
    return UnitTree(list(nodes.values()), whole=False)


def told_of(
    late: Iterable[Late],
    measured: Mapping[str, NDArray[np.int64]],
    units: UnitTree,
    least: int,
    today: date,
) -> dict[str, int]:
    """Of which unit each late answer is told; those that are told of none are missing.

    ``measured`` says by id which measures each answered, 0 or 1; who does not count is missing.
    """
    told: dict[str, int] = {}
    # By channel, since these are shown apart: a batch of two would be two that are few.
    waiting: dict[tuple[date, str], dict[date, list[Late]]] = defaultdict(lambda: defaultdict(list))
    for each in late:
        month = each.day.replace(day=1)
        if _within_month(each, today):
            told[each.id] = each.unit_id
        elif month < today.replace(day=1) and each.id in measured:
            waiting[month, each.channel][each.received].append(each)
    for by_day in waiting.values():
        pending: dict[int, list[Late]] = defaultdict(list)
        for day in sorted(by_day):
            if day >= today:  # a day that is not over may bring more
                break
            for each in by_day[day]:
                pending[each.unit_id].append(each)
            _tell(pending, measured, units, least, told)
    return told


def _tell(
    pending: dict[int, list[Late]],
    measured: Mapping[str, NDArray[np.int64]],
    units: UnitTree,
    least: int,
    told: dict[str, int],
) -> None:
    """Tell of each lowest unit that has enough, of its own and of those below that have not."""
    at = units.with_all_above(pending)
    depth = {id: len(units.above(id)) for id in at}
    together: dict[int, list[Late]] = defaultdict(list)
    for id in sorted(at, key=lambda id: (-depth[id], id)):
        mine = [*pending.get(id, []), *together[id]]
        enough = {each.id for each in _enough(mine, measured, least)}
        for each in mine:
            if each.id in enough:
                told[each.id] = id
                pending[each.unit_id].remove(each)
        if (parent := units.nodes[id].parent_id) is not None:
            together[parent] += [each for each in mine if each.id not in enough]


def _enough(
    late: Sequence[Late], measured: Mapping[str, NDArray[np.int64]], least: int
) -> Sequence[Late]:
    """Those of some late answers of which each measure has enough, or none."""
    if len(late) < least:
        return []
    among = moved_together(np.array([measured[one.id] for one in late]), least)
    return [one for one, enough in zip(late, among.tolist(), strict=True) if enough]


def _measured(
    versions: Sequence[Published], late: Sequence[Late], given: Mapping[str, _Given]
) -> dict[str, NDArray[np.int64]]:
    """Which measures those answered whose answers are given, 0 or 1."""
    found: dict[str, NDArray[np.int64]] = {}
    for version in versions:
        ids = [each.id for each in late if each.version_id == version.id and each.id in given]
        packed = [given[id].packed for id in ids]
        cells = layout_of(version).tally(packed, np.arange(len(ids)), len(ids), None)
        found |= zip(ids, counts_by_measure(versions, version, cells), strict=True)
    return found


def _given(session: Session, ids: Sequence[str]) -> dict[str, _Given]:
    """What those gave that count."""
    columns = Response.__table__.c
    found: dict[str, _Given] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = select(columns.id, *(columns[name] for name in _GIVEN)).where(
            columns.id.in_(ids[start : start + _AT_ONCE]),
            columns.disposition == Disposition.COUNTED.value,
        )
        found |= {id: _Given.of(*row) for id, *row in session.connection().execute(query)}
    return found


def find_late_aside(session: Session, version: Published, first: date) -> CellRows:
    """What came late and is set aside, of days from ``first`` on, as cells of their units."""
    columns = LateResponse.__table__.c
    query = (
        select(*(columns[name] for name in _COLUMNS), *(Response.__table__.c[n] for n in _GIVEN))
        .join(Response, Response.id == columns.response_id)
        .where(
            columns.version_id == version.id,
            columns.day >= first,
            Response.disposition != Disposition.COUNTED.value,
        )
    )
    of_late = len(_COLUMNS)
    found = [
        (Late(*row[:of_late]), _Given.of(*row[of_late:]))
        for row in session.connection().execute(query)
    ]
    given = {each.id: what for each, what in found}
    return _cells(version, [(each, each.unit_id) for each, _ in found], given)


def _cells(
    version: Published, late: Sequence[tuple[Late, int]], given: Mapping[str, _Given]
) -> CellRows:
    """Late answers as cells of the units that they are told of."""
    keys: dict[tuple[int, date, str], int] = {}
    place = [keys.setdefault((unit, each.day, each.channel), len(keys)) for each, unit in late]
    cells = layout_of(version).tally(
        [given[each.id].packed for each, _ in late],
        np.array(place, dtype=np.intp),
        len(keys),
        [given[each.id].conduct for each, _ in late],
    )
    return CellRows(
        np.array([unit for unit, _, _ in keys], dtype=np.int64),
        np.array([day for _, day, _ in keys], dtype="datetime64[D]"),
        np.array([channel for _, _, channel in keys], dtype=np.str_),
        cells,
    )
