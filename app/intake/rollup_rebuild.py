"""Replays stored responses into cells: rebuilding them, or telling whether they are right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sqlalchemy import ColumnElement, Table, func, select, text
from sqlalchemy.orm import Session

from app.audit.log import record
from app.db import Database, bulk
from app.intake.models import Disposition, Response
from app.registry.questionnaires import Published, published
from app.rollups.cells import layout_of, plus
from app.rollups.models import RollupCell
from app.rollups.store import CellKey
from app.rollups.version import raise_version

_CELLS = cast(Table, RollupCell.__table__)
_COLUMNS = ("day", "unit_id", "version_id", "channel", "packed")
#: Responses read at a time; memory does not grow with their number.
_CHUNK = 20_000


@dataclass(frozen=True)
class Difference:
    """A cell whose kept sums are not what its responses add up to."""

    key: CellKey
    kept_respondents: int
    recounted_respondents: int


def rebuild(
    database: Database,
    tell: Callable[[int], None] = lambda responses: None,
    actor: str = "system",
) -> int:
    """Make all cells anew from the counted responses, in one transaction; how many cells.

    Submissions wait meanwhile. Cells without responses become empty ones and stay: other
    processes may know that they exist.
    """
    with database.writing(actor) as session:
        hold_off_writers(session)
        versions = {version.id: version for version in published(session)}
        keys = session.execute(
            select(RollupCell.day, RollupCell.unit_id, RollupCell.version_id, RollupCell.channel)
        )
        emptied = [
            (*key, layout_of(versions[key[2]]).empty(1).tobytes())
            for key in sorted(cast(CellKey, tuple(row)) for row in keys)
        ]
        bulk.replace(session.connection(), _CELLS, _COLUMNS, emptied)
        made: set[CellKey] = set()
        for counted, cells in _recounts(session, versions):
            for group in cells:
                _add_to_stored(session, versions, group)
                made.update(group)
            tell(counted)
        record(session, "rollups.rebuild", "all", cells=len(made))
        raise_version(session)
    return len(made)


def recount(session: Session, keys: set[CellKey]) -> None:
    """Make some cells anew from the counted responses, within a writing session.

    Call ``hold_off_writers`` in it before changing what they are counted from.
    """
    if not keys:
        return
    versions = {version.id: version for version in published(session)}
    emptied = [(*key, layout_of(versions[key[2]]).empty(1).tobytes()) for key in sorted(keys)]
    bulk.replace(session.connection(), _CELLS, _COLUMNS, emptied)
    days, units, forms, channels = (set(parts) for parts in zip(*keys, strict=True))
    near = (
        Response.day.in_(days),
        Response.unit_id.in_(units),
        Response.version_id.in_(forms),
        Response.channel.in_(channels),
    )
    for _, cells in _recounts(session, versions, *near):
        for group in cells:
            mine = {key: packed for key, packed in group.items() if key in keys}
            _add_to_stored(session, versions, mine)
    raise_version(session)


def verify(
    database: Database, tell: Callable[[int], None] = lambda responses: None
) -> list[Difference]:
    """Recount all responses and name every cell that differs from its recount."""
    with database.reading() as session:
        if not database.locks_whole_database:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return verify_in(session, tell)


def verify_in(
    session: Session, tell: Callable[[int], None] = lambda responses: None
) -> list[Difference]:
    """The same by a session that sees one state of the database all the time."""
    versions = {version.id: version for version in published(session)}
    recounted: dict[CellKey, bytes] = {}
    for counted, cells in _recounts(session, versions):
        for group in cells:
            for key, packed in group.items():
                before = recounted.get(key)
                recounted[key] = _sum(versions[key[2]], before, packed) if before else packed
        tell(counted)
    differences = []
    rows = session.execute(
        select(
            RollupCell.day,
            RollupCell.unit_id,
            RollupCell.version_id,
            RollupCell.channel,
            RollupCell.packed,
        )
    )
    for *key_parts, kept in rows:
        key = cast(CellKey, tuple(key_parts))
        version = versions[key[2]]
        right: bytes = recounted.pop(key, layout_of(version).empty(1).tobytes())
        if right != bytes(kept):
            differences.append(
                Difference(key, _respondents(version, kept), _respondents(version, right))
            )
    differences += [
        Difference(key, 0, _respondents(versions[key[2]], packed))
        for key, packed in recounted.items()
    ]
    return sorted(differences, key=lambda difference: difference.key)


def count_responses(session: Session) -> int:
    """How many responses are stored, counted or not."""
    return session.scalar(select(func.count()).select_from(Response)) or 0


def _recounts(
    session: Session, versions: dict[int, Published], *among: ColumnElement[bool]
) -> Iterator[tuple[int, list[dict[CellKey, bytes]]]]:
    """Chunk by chunk: how many responses were read, and their cells by version."""
    rows = session.execute(
        select(
            Response.day,
            Response.unit_id,
            Response.version_id,
            Response.channel,
            Response.packed,
        ).where(Response.disposition == Disposition.COUNTED.value, *among),
        execution_options={"yield_per": _CHUNK},
    )
    for chunk in rows.partitions():
        by_version: dict[int, list[Any]] = {}
        for row in chunk:
            by_version.setdefault(row[2], []).append(row)
        yield (
            len(chunk),
            [_tally(versions[id], of_version) for id, of_version in by_version.items()],
        )


def _tally(version: Published, rows: list[Any]) -> dict[CellKey, bytes]:
    layout = layout_of(version)
    place: dict[CellKey, int] = {}
    cell_of = [place.setdefault(tuple(row[:4]), len(place)) for row in rows]
    cells = layout.tally([bytes(row[4]) for row in rows], np.array(cell_of), len(place))
    return {key: cells[i].tobytes() for key, i in place.items()}


def _add_to_stored(
    session: Session, versions: dict[int, Published], group: dict[CellKey, bytes]
) -> None:
    connection = session.connection()
    keys = sorted(group)
    kept = bulk.find_by_key(connection, _CELLS, keys, ("packed",))
    rows = [
        (*key, _sum(versions[key[2]], kept[key][0], group[key]) if key in kept else group[key])
        for key in keys
    ]
    bulk.replace(connection, _CELLS, _COLUMNS, rows)


def _sum(version: Published, left: bytes, right: bytes) -> bytes:
    layout = layout_of(version)
    return plus(layout.unpack([left]), layout.unpack([right])).tobytes()


def _respondents(version: Published, packed: bytes) -> int:
    return int(layout_of(version).unpack([packed])["respondents"][0])


def hold_off_writers(session: Session) -> None:
    """Let writers that hold cells finish, and others wait, until this transaction ends."""
    if session.connection().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE rollup_cell IN EXCLUSIVE MODE"))
