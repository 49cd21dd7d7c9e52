"""Reads cells as arrays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import FromClause, String, func, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from app.registry.questionnaires import Published
from app.rollups.cells import Cells, layout_of
from app.rollups.models import AsideCell, RollupCell, WithheldCell

#: More units than this are filtered after reading: a long IN list is slower than the rows.
_LISTED_UNITS = 200
#: Rows that are read at once.
_AT_ONCE = 500


@dataclass(frozen=True)
class CellRows:
    """n cells of one version: where each belongs, and its sums; arrays of length n."""

    unit_id: NDArray[np.int64]
    day: NDArray[np.datetime64]
    channel: NDArray[np.str_]
    cells: Cells

    def __getitem__(self, chosen: NDArray[Any] | slice) -> CellRows:
        """Some of them, by their places or a mask."""
        return CellRows(
            self.unit_id[chosen], self.day[chosen], self.channel[chosen], self.cells[chosen]
        )


@dataclass(frozen=True)
class AsideRows:
    """n cells of one version of what is set aside, and by which rule, shape (n,)."""

    rows: CellRows
    rule: NDArray[np.str_]

    def __getitem__(self, chosen: NDArray[Any] | slice) -> AsideRows:
        """Some of them, by their places or a mask."""
        return AsideRows(self.rows[chosen], self.rule[chosen])


def read(
    session: Session,
    version: Published,
    *,
    first: date | None = None,
    last: date | None = None,
    units: Collection[int] | None = None,
    channels: Collection[str] = (),
) -> CellRows:
    """The cells of one questionnaire version, from ``first`` to ``last`` day, both included."""
    return _read(session, RollupCell.__table__, version, first, last, units, channels)[0]


def read_aside(
    session: Session,
    version: Published,
    *,
    first: date | None = None,
    last: date | None = None,
    units: Collection[int] | None = None,
    channels: Collection[str] = (),
) -> AsideRows:
    """The same of what is set aside; of one day, unit and channel there is a cell a rule."""
    table = AsideCell.__table__
    return AsideRows(*_read(session, table, version, first, last, units, channels))


def read_withheld(session: Session, version: Published) -> tuple[CellRows, CellRows]:
    """What stays withheld of days whose responses are deleted, and what moved to units above."""
    rows, moved = _read(session, WithheldCell.__table__, version, None, None, None, ())
    return rows[moved != str(True)], rows[moved == str(True)]


def _read(
    session: Session,
    table: FromClause,
    version: Published,
    first: date | None,
    last: date | None,
    units: Collection[int] | None,
    channels: Collection[str],
) -> tuple[CellRows, NDArray[np.str_]]:
    """Cells of a table, and their rules, or whether they moved, where it has such."""
    # Plain columns of the table, and days read as text and turned into dates once each: a year
    # of a province is 40,000 rows, and the ORM's work on a row costs more than the store's.
    columns = table.c
    wanted_columns = [
        columns.unit_id, sql_cast(columns.day, String), columns.channel, columns.packed,
        *(column for column in columns if column.name in ("rule", "moved")),
    ]  # fmt: skip
    query = select(*wanted_columns).where(columns.version_id == version.id)
    if first is not None:
        query = query.where(columns.day >= first)
    if last is not None:
        query = query.where(columns.day <= last)
    if channels:
        query = query.where(columns.channel.in_(sorted(channels)))
    if units is not None and len(units) <= _LISTED_UNITS:
        query = query.where(columns.unit_id.in_(sorted(units)))
    wanted = None
    if units is not None and len(units) > _LISTED_UNITS:
        wanted = np.fromiter(units, dtype=np.int64)
    unit_ids, days, names, rules = [], [], [], []
    packed = bytearray()
    # Some at a time: as objects, and then joined, they would be in memory thrice.
    for rows in session.connection().execute(query).partitions(_AT_ONCE):
        unit_id = np.array([row[0] for row in rows], dtype=np.int64)
        if wanted is not None:
            chosen = np.isin(unit_id, wanted)
            unit_id, rows = unit_id[chosen], [*compress(rows, chosen.tolist())]
        unit_ids.append(unit_id)
        days.append(_days([row[1] for row in rows]))
        names.append(np.array([row[2] for row in rows], dtype=np.str_))
        rules.append(np.array([row[4] for row in rows if len(row) > 4], dtype=np.str_))
        packed += b"".join([row[3] for row in rows])
    found = CellRows(
        unit_id=np.concatenate([np.empty(0, np.int64), *unit_ids]),
        day=np.concatenate([np.empty(0, "datetime64[D]"), *days]),
        channel=np.concatenate([np.empty(0, np.str_), *names]),
        cells=layout_of(version).view(packed),
    )
    return found, np.concatenate([np.empty(0, np.str_), *rules])


def _days(texts: Sequence[str]) -> NDArray[np.datetime64]:
    day_of = {text: np.datetime64(text, "D").astype(np.int64) for text in set(texts)}
    return np.array([day_of[text] for text in texts], dtype=np.int64).astype("datetime64[D]")


def with_cells(
    session: Session,
    versions: Collection[int],
    units: Collection[int],
    first: date | None,
    last: date | None,
) -> set[int]:
    """Those of some units that have answers to some versions in a period."""
    if not units:
        return set()
    query = select(RollupCell.unit_id).distinct()
    query = query.where(
        RollupCell.unit_id.in_(sorted(units)), RollupCell.version_id.in_(sorted(versions))
    )
    if first is not None:
        query = query.where(RollupCell.day >= first)
    if last is not None:
        query = query.where(RollupCell.day <= last)
    return set(session.scalars(query))


def span(session: Session) -> tuple[date, date] | None:
    """The first and last day for which there are cells."""
    first, last = session.execute(select(func.min(RollupCell.day), func.max(RollupCell.day))).one()
    return (first, last) if first is not None else None


def units_with_cells(session: Session, units: Collection[int], first: date) -> set[int]:
    """Those of some units for which there are cells of a day or later."""
    query = select(RollupCell.unit_id).where(RollupCell.day >= first, RollupCell.unit_id.in_(units))
    return set(session.scalars(query.distinct()))


def units_of_days(session: Session, first: date) -> set[int]:
    """The units that have cells of a day or later."""
    return set(
        session.scalars(select(RollupCell.unit_id).where(RollupCell.day >= first).distinct())
    )
