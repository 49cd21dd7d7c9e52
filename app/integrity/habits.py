"""What sources' months were like: kept, so that a source is held against itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Table, select, true
from sqlalchemy.orm import Session

from analysis.kinds import KINDS
from app.db import bulk
from app.integrity.models import SourceHabit
from app.integrity.reading import Source
from app.registry.questionnaires import Published

Floats = NDArray[np.float64]

#: Months back that are remembered of a source, and learnt from.
MONTHS = 12
_NAMES = " ".join(KINDS)
_TABLE = cast(Table, SourceHabit.__table__)
_COLUMNS = (
    "month", "version_id", "unit_id", "channel", "credential_id", "habit_group", "kinds", "counts",
)  # fmt: skip


def keep(
    session: Session,
    version: Published,
    month: date,
    sources: Sequence[Source],
    group: NDArray[np.intp],
    counts: Floats,
) -> None:
    """Remember how many responses, likely honest, of each kind the sources had in a month.

    ``counts`` has shape (sources, kinds).
    """
    rows = [
        (month, version.id, each.unit_id, each.channel, each.credential_id or 0, int(of), _NAMES,
         " ".join(f"{count:.4g}" for count in row))
        for each, of, row in zip(sources, group, counts, strict=True)
    ]  # fmt: skip
    bulk.replace(session.connection(), _TABLE, _COLUMNS, sorted(rows, key=lambda row: row[:5]))


def of_months(
    session: Session, versions: Collection[Published], first: date, before: date
) -> tuple[Floats, NDArray[np.intp]]:
    """Counts by source-month, shape (source-months, kinds), and the group of each."""
    rows = _rows(session, versions, first, before)
    counts = _counts([row[4] for row in rows])
    return counts, np.array([row[3] for row in rows], dtype=np.intp)


def earlier(
    session: Session,
    versions: Collection[Published],
    sources: Sequence[Source],
    first: date,
    before: date,
) -> Floats:
    """The sum of each source's months, shape (sources, kinds); zeros where it is new."""
    found = np.zeros((len(sources), len(KINDS)))
    place = {(each.unit_id, each.channel, each.credential_id or 0): i
             for i, each in enumerate(sources)}  # fmt: skip
    units = {each.unit_id for each in sources}
    rows = _rows(session, versions, first, before, units)
    mine = [(place[row[:3]], row[4]) for row in rows if row[:3] in place]
    if mine:
        np.add.at(found, np.array([i for i, _ in mine]), _counts([each for _, each in mine]))
    return found


#: More units than this are filtered after reading.
_LISTED = 200


def _rows(
    session: Session,
    versions: Collection[Published],
    first: date,
    before: date,
    units: Collection[int] | None = None,
) -> list[tuple[Any, ...]]:
    columns = _TABLE.c
    query = select(
        columns.unit_id, columns.channel, columns.credential_id, columns.habit_group, columns.counts
    ).where(
        columns.version_id.in_([version.id for version in versions]),
        columns.month >= first,
        columns.month < before,
        # Kinds of another release of the program are not these.
        columns.kinds == _NAMES,
        columns.unit_id.in_(sorted(units)) if units and len(units) <= _LISTED else true(),
    )
    return [tuple(row) for row in session.connection().execute(query)]


def _counts(written: Sequence[str]) -> Floats:
    if not written:
        return np.zeros((0, len(KINDS)))
    return np.array([each.split() for each in written], dtype=np.float64)
