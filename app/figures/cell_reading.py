"""Cells as one session reads them: no day is read twice.

A page of many figures asks for the same units over this period, the one before, and all there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy.orm import Session

from app.db.database import ACTOR
from app.figures.session_cache import CELLS, per_session
from app.registry.questionnaires import Published
from app.rollups import queries
from app.rollups.queries import AsideRows, CellRows

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class _Days:
    """Cells in the order of their days, from ``first`` to ``last``."""

    first: date
    last: date
    rows: CellRows

    def between(self, first: date, last: date) -> CellRows:
        """The cells of some of the days; not copied."""
        begin = np.searchsorted(self.rows.day, np.datetime64(first))
        end = np.searchsorted(self.rows.day, np.datetime64(last), side="right")
        return self.rows[int(begin) : int(end)]


def cells_aside(
    session: Session,
    version: Published,
    *,
    first: date | None,
    last: date | None,
    units: frozenset[int] | None,
    channels: Sequence[str],
) -> AsideRows:
    """The cells of what is set aside, under one version, by day; there are few."""
    key = ("aside", version.id, first, last, units, tuple(sorted(channels)))

    def read() -> AsideRows:
        found = queries.read_aside(
            session, version, first=first, last=last, units=units, channels=channels
        )
        return found[np.argsort(found.rows.day, kind="stable")]

    return per_session(session, key, read)


def cells(
    session: Session,
    version: Published,
    *,
    first: date | None,
    last: date | None,
    units: frozenset[int] | None,
    channels: Sequence[str],
) -> CellRows:
    """The cells of a version, from ``first`` to ``last`` day, both included, by day.

    A session that writes reads them each time: what it changed would be missed.
    """
    first, last = first or date.min, last or date.max
    kept: dict[object, _Days] = session.info.setdefault(CELLS, {})
    key = (version.id, units, tuple(sorted(channels)))
    days = None if ACTOR in session.info else kept.get(key)
    if days is None and units is not None and ACTOR not in session.info:
        days = _among(kept.get((version.id, None, key[2])), units, first, last)

    def read(first: date, last: date) -> CellRows:
        rows = queries.read(
            session,
            version,
            first=None if first == date.min else first,
            last=None if last == date.max else last,
            units=units,
            channels=channels,
        )
        order = np.argsort(rows.day, kind="stable")
        if (np.diff(order) > 0).all():
            return rows
        return CellRows(
            rows.unit_id[order], rows.day[order], rows.channel[order], rows.cells[order]
        )

    if days is None:
        days = _Days(first, last, read(first, last))
    if first < days.first:
        days = _Days(first, days.last, joined(read(first, days.first - _DAY), days.rows))
    if last > days.last:
        days = _Days(days.first, last, joined(days.rows, read(days.last + _DAY, last)))
    kept[key] = days
    return days.between(first, last)


def _among(whole: _Days | None, units: frozenset[int], first: date, last: date) -> _Days | None:
    """The cells of some units out of all that were read; None where days are missing."""
    if whole is None or first < whole.first or last > whole.last:
        return None
    chosen = np.isin(whole.rows.unit_id, np.fromiter(units, dtype=np.int64))
    return _Days(whole.first, whole.last, whole.rows[chosen])


def joined(before: CellRows, after: CellRows) -> CellRows:
    """The cells of both, one after the other."""
    if not len(before.day) or not len(after.day):
        return after if len(after.day) else before
    return CellRows(
        np.concatenate([before.unit_id, after.unit_id]),
        np.concatenate([before.day, after.day]),
        np.concatenate([before.channel, after.channel]),
        np.concatenate([before.cells, after.cells]),
    )
