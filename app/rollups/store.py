"""Adds responses to their cells, within the transaction that stores the responses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import numpy as np
from sqlalchemy import Table
from sqlalchemy.orm import Session

from app.db import Database, bulk
from app.registry.questionnaires import Published
from app.rollups.cells import Cells, layout_of, minus, plus
from app.rollups.models import AsideCell, RollupCell, WithheldCell
from app.rollups.version import raise_version

_TABLE = cast(Table, RollupCell.__table__)
_ASIDE = cast(Table, AsideCell.__table__)
_WITHHELD = cast(Table, WithheldCell.__table__)
_COLUMNS = ("day", "unit_id", "version_id", "channel", "packed")
_ASIDE_COLUMNS = (*_COLUMNS[:4], "rule", "packed")
_WITHHELD_COLUMNS = (*_COLUMNS[:4], "moved", "packed")
#: (day, unit id, version id, channel), in the order of the primary key.
CellKey = tuple[date, int, int, str]


class CellsVanishedError(RuntimeError):
    """Cells that this process knew are gone; nothing was written, the same call works again."""


#: What one counted response adds: its cell, its version, its packed answers, and what it says of
#: itself (``app.rollups.conduct``).
Contribution = tuple[CellKey, Published, bytes, int]


class CellStore:
    """Adds to cells, safely beside other threads and processes.

    Cells are locked in the order of their keys. On PostgreSQL a row that does not exist cannot
    be locked, so missing cells are first made, empty, in a transaction of their own, and no cell
    is ever deleted; which cells exist is remembered.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._existing: set[CellKey] = set()

    def add(self, session: Session, contributions: Sequence[Contribution]) -> None:
        """Add contributions to their cells within the session's transaction.

        Raises
        ------
        CellsVanishedError
            Where another program deleted cells; the transaction must be rolled back.
        """
        by_version: dict[int, list[Contribution]] = {}
        for contribution in contributions:
            by_version.setdefault(contribution[1].id, []).append(contribution)
        keys = sorted({key for key, *_ in contributions})
        if not self._database.locks_whole_database:
            self._ensure(keys, {key: version for key, version, *_ in contributions})
        connection = session.connection()
        kept = bulk.find_by_key(connection, _TABLE, keys, ("packed",), lock=True)
        if not self._database.locks_whole_database and len(kept) < len(keys):
            self._existing.clear()
            raise CellsVanishedError(f"{len(keys) - len(kept)} cells are gone")
        rows: list[tuple[Any, ...]] = []
        for group in by_version.values():
            rows += _added(group, kept)
        bulk.replace(connection, _TABLE, _COLUMNS, rows)
        raise_version(session)

    def _ensure(self, keys: Sequence[CellKey], versions: dict[CellKey, Published]) -> None:
        missing = [key for key in keys if key not in self._existing]
        if not missing:
            return
        empty = [(*key, layout_of(versions[key]).empty(1).tobytes()) for key in missing]
        with self._database.writing() as session:
            bulk.insert_missing(session.connection(), _TABLE, _COLUMNS, empty)
        if len(self._existing) > 1_000_000:
            self._existing.clear()
        self._existing.update(missing)


def _added(group: Sequence[Contribution], kept: dict[Any, Any]) -> list[tuple[Any, ...]]:
    """The new contents of the cells that the contributions of one version touch."""
    layout = layout_of(group[0][1])
    place: dict[CellKey, int] = {}
    cells = _tallied(group, [place.setdefault(key, len(place)) for key, *_ in group], len(place))
    empty = layout.empty(1).tobytes()
    before = layout.unpack([kept[key][0] if key in kept else empty for key in place])
    after = plus(before, cells).tobytes()
    size = layout.dtype.itemsize
    return [(*key, after[i * size : (i + 1) * size]) for key, i in place.items()]


def _tallied(group: Sequence[Contribution], cell_of: Sequence[int], cells: int) -> Cells:
    """The contributions of one version, by their places."""
    return layout_of(group[0][1]).tally(
        [packed for _, _, packed, _ in group],
        np.array(cell_of),
        cells,
        [conduct for _, _, _, conduct in group],
    )


@dataclass(frozen=True)
class Moving:
    """A response that moves: what it adds where, and the rule that it was set aside by."""

    contribution: Contribution
    rule: str | None


def shift(session: Session, moving: Sequence[Moving], rule: str | None) -> None:
    """Take responses out of their cells and add them to those of a rule; None: to what counts.

    The caller holds writers off, and raises the version of the figures.
    """
    take_out(session, moving)
    _change(session, rule, [each.contribution for each in moving], plus)


def take_out(session: Session, leaving: Sequence[Moving]) -> None:
    """Take responses that are erased out of their cells; the caller does as for ``shift``."""
    before: dict[str | None, list[Contribution]] = {}
    for each in leaving:
        before.setdefault(each.rule, []).append(each.contribution)
    for was, contributions in before.items():
        _change(session, was, contributions, minus)


def _change(
    session: Session,
    rule: str | None,
    contributions: Sequence[Contribution],
    change: Callable[[Cells, Cells], Cells],
) -> None:
    """Change the cells of a rule, or of what counts, by responses."""
    by_version: dict[int, list[Contribution]] = {}
    for contribution in contributions:
        by_version.setdefault(contribution[1].id, []).append(contribution)
    connection = session.connection()
    table, columns, more = (
        (_TABLE, _COLUMNS, ()) if rule is None else (_ASIDE, _ASIDE_COLUMNS, (rule,))
    )
    rows: list[tuple[Any, ...]] = []
    for group in by_version.values():
        layout = layout_of(group[0][1])
        place: dict[tuple[Any, ...], int] = {}
        cell_of = [place.setdefault((*key, *more), len(place)) for key, *_ in group]
        cells = _tallied(group, cell_of, len(place))
        kept = bulk.find_by_key(connection, table, sorted(place), ("packed",), lock=True)
        empty = layout.empty(1).tobytes()
        stored = layout.unpack([bytes(kept[key][0]) if key in kept else empty for key in place])
        changed = change(stored, cells)
        rows += [(*key, changed[i].tobytes()) for key, i in place.items()]
    bulk.replace(connection, table, columns, sorted(rows, key=lambda row: row[:-1]))


def put_withheld(session: Session, rows: Sequence[tuple[date, int, int, str, bool, bytes]]) -> None:
    """Keep cells of what stays withheld: day, unit, version, channel, whether moved, and sums."""
    bulk.replace(session.connection(), _WITHHELD, _WITHHELD_COLUMNS, sorted(rows))
