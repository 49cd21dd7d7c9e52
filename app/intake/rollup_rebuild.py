"""Replays stored responses into cells: rebuilding them, or telling whether they are right.

Where the responses of earlier days were deleted by rule, cells of these days stay as they are, and
all that is replayed or compared begins with the first day that is kept (``app.intake.retained``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import numpy as np
from sqlalchemy import ColumnElement, Table, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.audit.log import record
from app.db import Database, bulk
from app.db.locks import Lock, hold
from app.intake.models import Disposition, Response
from app.intake.retained import retained
from app.registry.questionnaires import Published, published
from app.rollups.cells import layout_of, plus
from app.rollups.conduct import conduct_of
from app.rollups.models import AsideCell, RollupCell
from app.rollups.store import CellKey
from app.rollups.version import raise_version

#: Responses read at a time; memory does not grow with their number.
_CHUNK = 20_000
#: Columns of a response after its key: its answers, and what it says of itself.
_SAID = 4
#: (day, unit id, version id, channel), and of what is set aside the rule.
_Key = tuple[Any, ...]


@dataclass(frozen=True)
class _Kept:
    """A table of cells, and the responses that it adds up."""

    table: Table
    #: Columns of its key, as cells and as responses have them.
    key: tuple[str, ...]
    of_response: tuple[InstrumentedAttribute[Any], ...]
    which: ColumnElement[bool]

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.key, "packed")


_WHERE = ("day", "unit_id", "version_id", "channel")
_OF_RESPONSE = (Response.day, Response.unit_id, Response.version_id, Response.channel)
_COUNTED = _Kept(
    cast(Table, RollupCell.__table__),
    _WHERE,
    _OF_RESPONSE,
    Response.disposition == Disposition.COUNTED.value,
)
_ASIDE = _Kept(
    cast(Table, AsideCell.__table__),
    (*_WHERE, "rule"),
    (*_OF_RESPONSE, Response.aside_rule),
    Response.disposition != Disposition.COUNTED.value,
)


@dataclass(frozen=True)
class Difference:
    """A cell whose kept sums are not what its responses add up to; ``rule`` where set aside."""

    key: CellKey
    kept_respondents: int
    recounted_respondents: int
    rule: str | None = None


def rebuild(
    database: Database,
    tell: Callable[[int], None] = lambda responses: None,
    actor: str = "system",
) -> int:
    """Make all cells anew from the responses, in one transaction; how many cells count.

    Submissions wait meanwhile. Cells without responses become empty ones and stay: other
    processes may know that they exist.
    """
    with database.writing(actor) as session:
        hold(session.connection(), Lock.RETAINING)  # or rows would go while they are read
        hold_off_writers(session)
        first = retained(session).responses_from
        versions = {version.id: version for version in published(session)}
        made: dict[str, set[_Key]] = {}
        for kept in (_COUNTED, _ASIDE):
            rows = session.execute(
                select(*(kept.table.c[name] for name in kept.key)).where(kept.table.c.day >= first)
            )
            keys = sorted(tuple(row) for row in rows)
            emptied = [(*key, layout_of(versions[key[2]]).empty(1).tobytes()) for key in keys]
            bulk.replace(session.connection(), kept.table, kept.columns, emptied)
            made[kept.table.name] = set()
            for counted, cells in _recounts(session, versions, kept, first):
                for group in cells:
                    _add_to_stored(session, versions, kept, group)
                    made[kept.table.name].update(group)
                tell(counted)
        cells_made = len(made[_COUNTED.table.name])
        record(session, "rollups.rebuild", "all", cells=cells_made)
        raise_version(session)
    return cells_made


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
    return [
        difference
        for kept in (_COUNTED, _ASIDE)
        for difference in _differences(session, kept, tell)
    ]


def _differences(session: Session, kept: _Kept, tell: Callable[[int], None]) -> list[Difference]:
    versions = {version.id: version for version in published(session)}
    first = retained(session).responses_from
    recounted: dict[_Key, bytes] = {}
    for counted, cells in _recounts(session, versions, kept, first):
        for group in cells:
            for key, packed in group.items():
                before = recounted.get(key)
                recounted[key] = _sum(versions[key[2]], before, packed) if before else packed
        tell(counted)
    differences = []
    cells_kept = select(*(kept.table.c[name] for name in kept.columns))
    for *parts, stored in session.execute(cells_kept.where(kept.table.c.day >= first)):
        key = tuple(parts)
        version = versions[key[2]]
        right: bytes = recounted.pop(key, layout_of(version).empty(1).tobytes())
        if right != bytes(stored):
            differences.append(_difference(key, version, stored, right))
    differences += [
        _difference(key, versions[key[2]], None, packed) for key, packed in recounted.items()
    ]
    return sorted(differences, key=lambda difference: (difference.key, difference.rule or ""))


def _difference(key: _Key, version: Published, stored: bytes | None, right: bytes) -> Difference:
    where = cast(CellKey, key[:4])
    rule = key[4] if len(key) > len(_WHERE) else None
    n = _respondents(version, stored) if stored is not None else 0
    return Difference(where, n, _respondents(version, right), rule)


def count_responses(session: Session) -> int:
    """How many responses are stored, counted or not."""
    return session.scalar(select(func.count()).select_from(Response)) or 0


def _recounts(
    session: Session, versions: dict[int, Published], kept: _Kept, first: date
) -> Iterator[tuple[int, list[dict[_Key, bytes]]]]:
    """Chunk by chunk: how many responses were read, and their cells by version."""
    rows = session.execute(
        select(
            *kept.of_response,
            Response.packed,
            Response.duration_s,
            Response.partial,
            Response.language,
        ).where(kept.which, Response.day >= first),
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


def _tally(version: Published, rows: list[Any]) -> dict[_Key, bytes]:
    layout = layout_of(version)
    place: dict[_Key, int] = {}
    cell_of = [place.setdefault(tuple(row[:-_SAID]), len(place)) for row in rows]
    cells = layout.tally(
        [bytes(row[-_SAID]) for row in rows],
        np.array(cell_of),
        len(place),
        [conduct_of(*row[1 - _SAID :]) for row in rows],
    )
    return {key: cells[i].tobytes() for key, i in place.items()}


def _add_to_stored(
    session: Session, versions: dict[int, Published], kept: _Kept, group: dict[_Key, bytes]
) -> None:
    connection = session.connection()
    keys = sorted(group)
    stored = bulk.find_by_key(connection, kept.table, keys, ("packed",))
    rows = [
        (*key, _sum(versions[key[2]], stored[key][0], group[key]) if key in stored else group[key])
        for key in keys
    ]
    bulk.replace(connection, kept.table, kept.columns, rows)


def _sum(version: Published, left: bytes, right: bytes) -> bytes:
    layout = layout_of(version)
    return plus(layout.unpack([left]), layout.unpack([right])).tobytes()


def _respondents(version: Published, packed: bytes) -> int:
    """Of a cell; of one that is not as long as a cell of its version, none can be said."""
    layout = layout_of(version)
    if len(packed) != layout.dtype.itemsize:
        return 0
    return int(layout.unpack([packed])["respondents"][0])


def hold_off_writers(session: Session) -> None:
    """Let writers that hold cells finish, and others wait, until this transaction ends."""
    if session.connection().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE rollup_cell IN EXCLUSIVE MODE"))
