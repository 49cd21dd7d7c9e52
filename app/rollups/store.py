"""Adds responses to their cells, within the transaction that stores the responses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
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

    def known(self, contributions: Sequence[Contribution]) -> bool:
        """Whether all cells of contributions are known to be there."""
        return self._existing.issuperset(map(itemgetter(0), contributions))

    def touch(self, session: Session, contributions: Sequence[Contribution]) -> Touched:
        """Lock the cells of contributions and read them, within the session's transaction.

        Raises
        ------
        CellsVanishedError
            Where another program deleted cells; the transaction must be rolled back.
        """
        groups = [_Group(each) for each in _by_version(contributions).values()]
        # A cell is of one version.
        keys = sorted([key for group in groups for key in group.place])
        if not self._database.locks_whole_database:
            self._ensure(keys, {key: g.version for g in groups for key in g.place})
        kept = bulk.find_by_key(session.connection(), _TABLE, keys, ("packed",), lock=True)
        if not self._database.locks_whole_database and len(kept) < len(keys):
            self._existing.clear()
            raise CellsVanishedError(f"{len(keys) - len(kept)} cells are gone")
        return Touched(groups, kept)

    def add(self, session: Session, touched: Touched) -> None:
        """Add the contributions by which cells were touched, in the same transaction."""
        rows: list[tuple[Any, ...]] = []
        for group in touched.groups:
            rows += _added(group, touched.kept)
        bulk.replace(session.connection(), _TABLE, _COLUMNS, rows)
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


class _Group:
    """Contributions of one version, and the place of each of their cells."""

    def __init__(self, contributions: Sequence[Contribution]) -> None:
        self.version = contributions[0][1]
        self.place: dict[CellKey, int] = {}
        find = self.place.setdefault
        keys, _, packed, conduct = zip(*contributions, strict=True)
        cell_of = [find(key, len(self.place)) for key in keys]
        self.cells = layout_of(self.version).tally(
            packed, np.array(cell_of), len(self.place), conduct
        )


@dataclass(frozen=True)
class Touched:
    """Cells that are locked: what is to be added to them, and what they held, by key."""

    groups: Sequence[_Group]
    kept: dict[Any, Any]


def _by_version(contributions: Sequence[Contribution]) -> dict[int, list[Contribution]]:
    versions = {version.id for _, version, _, _ in contributions}
    if len(versions) == 1:  # as nearly always
        return {versions.pop(): list(contributions)}
    found: dict[int, list[Contribution]] = {}
    for contribution in contributions:
        found.setdefault(contribution[1].id, []).append(contribution)
    return found


def _added(group: _Group, kept: dict[Any, Any]) -> list[tuple[Any, ...]]:
    """The new contents of the cells that the contributions of one version touch."""
    layout = layout_of(group.version)
    empty = layout.empty(1).tobytes()
    before = layout.unpack([kept[key][0] if key in kept else empty for key in group.place])
    after = plus(before, group.cells).tobytes()
    size = layout.dtype.itemsize
    return [(*key, after[i * size : (i + 1) * size]) for key, i in group.place.items()]


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
    connection = session.connection()
    table, columns, more = (
        (_TABLE, _COLUMNS, ()) if rule is None else (_ASIDE, _ASIDE_COLUMNS, (rule,))
    )
    rows: list[tuple[Any, ...]] = []
    for contributed in _by_version(contributions).values():
        group = _Group(contributed)
        layout, place = layout_of(group.version), [(*key, *more) for key in group.place]
        kept = bulk.find_by_key(connection, table, sorted(place), ("packed",), lock=True)
        empty = layout.empty(1).tobytes()
        stored = layout.unpack([bytes(kept[key][0]) if key in kept else empty for key in place])
        changed = change(stored, group.cells)
        rows += [(*key, each.tobytes()) for key, each in zip(place, changed, strict=True)]
    bulk.replace(connection, table, columns, sorted(rows, key=lambda row: row[:-1]))


def put_withheld(session: Session, rows: Sequence[tuple[date, int, int, str, bool, bytes]]) -> None:
    """Keep cells of what stays withheld: day, unit, version, channel, whether moved, and sums."""
    bulk.replace(session.connection(), _WITHHELD, _WITHHELD_COLUMNS, sorted(rows))
