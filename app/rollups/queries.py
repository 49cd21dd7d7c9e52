"""Reads cells as arrays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.registry.questionnaires import Published
from app.rollups.cells import Cells, layout_of
from app.rollups.models import RollupCell

#: More units than this are filtered after reading: a long IN list is slower than the rows.
_LISTED_UNITS = 200


@dataclass(frozen=True)
class CellRows:
    """n cells of one version: where each belongs, and its sums; arrays of length n."""

    unit_id: NDArray[np.int64]
    day: NDArray[np.datetime64]
    channel: NDArray[np.str_]
    cells: Cells


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
    query = select(RollupCell.unit_id, RollupCell.day, RollupCell.channel, RollupCell.packed).where(
        RollupCell.version_id == version.id
    )
    if first is not None:
        query = query.where(RollupCell.day >= first)
    if last is not None:
        query = query.where(RollupCell.day <= last)
    if channels:
        query = query.where(RollupCell.channel.in_(sorted(channels)))
    if units is not None and len(units) <= _LISTED_UNITS:
        query = query.where(RollupCell.unit_id.in_(sorted(units)))
    rows = session.execute(query).all()
    unit_ids, days, channel, packed = zip(*rows, strict=True) if rows else ((), (), (), ())
    found = CellRows(
        unit_id=np.array(unit_ids, dtype=np.int64),
        day=np.array(days, dtype="datetime64[D]"),
        channel=np.array(channel, dtype=np.str_),
        cells=layout_of(version).unpack(packed),
    )
    if units is None or len(units) <= _LISTED_UNITS:
        return found
    kept = np.isin(found.unit_id, np.fromiter(units, dtype=np.int64))
    return CellRows(found.unit_id[kept], found.day[kept], found.channel[kept], found.cells[kept])


def span(session: Session) -> tuple[date, date] | None:
    """The first and last day for which there are cells."""
    first, last = session.execute(select(func.min(RollupCell.day), func.max(RollupCell.day))).one()
    return (first, last) if first is not None else None
