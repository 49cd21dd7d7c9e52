"""Cells count how forms were filled in: hasty, unfinished, in English, all alike.

The counts of the responses that are there are filled in at once, so that cells are right when
whoever migrated looks at them: a backup is recounted so. Of days whose responses were deleted by
rule nothing can be counted any more: their cells have zeros, and say so (``known``).

An index holds whom invitations were issued about, so that a page counts them without their rows.

What stands here is that of the day on which it was written, and asks no room: what cells keep may
change later. Counts are the last of a cell, uint32 each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op
from numpy.typing import NDArray

from surveys import AnswerSheet, Questionnaire
from surveys.answers import NO_OPINION

revision = "0033"
down_revision = "0032"

#: known, timed, hasty, unfinished, in English, able to be alike, alike.
_BYTES = 7 * 4
_HASTY_S = 20
_LEAST_ALIKE = 5
#: Responses that are read at a time, and cells whose counts are held before they are written.
_CHUNK = 20_000
_MOST_HELD = 20_000

_KEY = ("day", "unit_id", "version_id", "channel")
_RESPONSE = sa.table(
    "response", sa.column("day", sa.Date), sa.column("unit_id", sa.Integer),
    sa.column("version_id", sa.Integer), sa.column("channel", sa.String),
    sa.column("aside_rule", sa.String), sa.column("disposition", sa.String),
    sa.column("packed", sa.LargeBinary), sa.column("duration_s", sa.Integer),
    sa.column("partial", sa.Boolean), sa.column("language", sa.String),
)  # fmt: skip
_COUNTED = sa.table(
    "rollup_cell", sa.column("day", sa.Date), sa.column("unit_id", sa.Integer),
    sa.column("version_id", sa.Integer), sa.column("channel", sa.String),
    sa.column("packed", sa.LargeBinary),
)  # fmt: skip
_ASIDE = sa.table(
    "aside_cell", sa.column("day", sa.Date), sa.column("unit_id", sa.Integer),
    sa.column("version_id", sa.Integer), sa.column("channel", sa.String),
    sa.column("rule", sa.String), sa.column("packed", sa.LargeBinary),
)  # fmt: skip
_Key = tuple[Any, ...]
_Counts = dict[_Key, NDArray[np.int64]]


def upgrade() -> None:
    for table in ("rollup_cell", "aside_cell", "withheld_cell"):
        # SQLite takes what is put together for text, byte by byte the same.
        longer = f"CAST(packed || zeroblob({_BYTES}) AS BLOB)"
        if op.get_bind().dialect.name == "postgresql":
            longer = rf"packed || '\x{'00' * _BYTES}'::bytea"
        op.execute(f"UPDATE {table} SET packed = {longer}")
    op.drop_index("ix_invitation_finished_on", "invitation")
    op.create_index("ix_invitation_issued", "invitation", ["finished_on", "unit_id", "point_id"])
    counted = _RESPONSE.c.disposition == "counted"
    columns = [_RESPONSE.c[name] for name in _KEY]
    _fill(_COUNTED, columns, counted)
    _fill(_ASIDE, [*columns, _RESPONSE.c.aside_rule], ~counted)


def downgrade() -> None:
    op.drop_index("ix_invitation_issued", "invitation")
    op.create_index("ix_invitation_finished_on", "invitation", ["finished_on"])
    for table in ("rollup_cell", "aside_cell", "withheld_cell"):
        shorter = f"substr(packed, 1, length(packed) - {_BYTES})"
        op.execute(f"UPDATE {table} SET packed = {shorter}")


def _fill(table: sa.TableClause, key: Sequence[sa.ColumnClause[Any]], which: Any) -> None:
    """Count the responses of a table's cells there."""
    connection = op.get_bind()
    first = connection.scalar(sa.text("SELECT responses_from FROM retention_note WHERE id = 1"))
    if first is not None:
        which &= _RESPONSE.c.day >= date.fromisoformat(str(first))
    rated = _rated(connection)
    said = (_RESPONSE.c[name] for name in ("packed", "duration_s", "partial", "language"))
    rows = connection.execute(
        sa.select(*key, *said).where(which), execution_options={"yield_per": _CHUNK}
    )
    held: _Counts = {}
    for chunk in rows.partitions():
        for of, counts in _counted(chunk, len(key), rated):
            held[of] = held[of] + counts if of in held else counts
        if len(held) > _MOST_HELD:
            _write(connection, table, held)
            held = {}
    _write(connection, table, held)


def _rated(connection: sa.Connection) -> dict[int, NDArray[np.intp]]:
    """Where in its packed answers each version has the items of the index, one byte each."""
    found = {}
    documents = sa.text("SELECT id, document FROM questionnaire_version")
    for id, document in connection.execute(documents):
        form = Questionnaire.model_validate_json(document)
        offsets = {column.item.code: column.offset for column in AnswerSheet(form).columns}
        items = [item.code for factor in form.index_factors for item in form.index_items(factor)]
        found[id] = np.array([offsets[code] for code in items], dtype=np.intp)
    return found


def _counted(
    chunk: Sequence[Any], keys: int, rated: dict[int, NDArray[np.intp]]
) -> Iterator[tuple[_Key, NDArray[np.int64]]]:
    """The counts of some responses by cell; one cell may come for each version once."""
    by_version: dict[int, list[Any]] = {}
    for row in chunk:
        by_version.setdefault(row[2], []).append(row)
    for version, rows in by_version.items():
        place: dict[_Key, int] = {}
        cell_of = np.array([place.setdefault(tuple(row[:keys]), len(place)) for row in rows])
        packed = np.frombuffer(b"".join(bytes(row[keys]) for row in rows), dtype=np.uint8)
        levels = packed.reshape(len(rows), -1)[:, rated[version]]
        answered = (levels > 0) & (levels < NO_OPINION[1])
        highest = np.where(answered, levels, 0).max(axis=1, initial=0)
        lowest = np.where(answered, levels, NO_OPINION[1]).min(axis=1, initial=NO_OPINION[1])
        able = answered.sum(axis=1) >= _LEAST_ALIKE
        seconds = np.array([row[keys + 1] for row in rows], dtype=np.float64)  # None becomes NaN
        columns = (
            np.ones(len(rows), dtype=np.bool_),
            np.isfinite(seconds),
            seconds < _HASTY_S,
            np.array([bool(row[keys + 2]) for row in rows]),
            np.array([row[keys + 3] == "en" for row in rows]),
            able,
            able & (highest == lowest),
        )
        counts = np.stack([np.bincount(cell_of[some], minlength=len(place)) for some in columns])
        yield from zip(place, counts.T, strict=True)


def _write(connection: sa.Connection, table: sa.TableClause, held: _Counts) -> None:
    """Add counts to the cells that are there."""
    if not held:
        return
    names = [column.name for column in table.c if column.name != "packed"]
    days = [key[0] for key in held]
    cells = sa.select(*(table.c[name] for name in names), table.c.packed).where(
        table.c.day.between(min(days), max(days))
    )
    changed = []
    for *key, packed in connection.execute(cells, execution_options={"yield_per": _CHUNK}):
        counts = held.get(tuple(key))
        if counts is not None:
            cell = bytes(packed)
            sums, before = cell[:-_BYTES], np.frombuffer(cell[-_BYTES:], dtype="<u4")
            after = sums + (before + counts).astype("<u4").tobytes()
            changed.append({f"of_{n}": v for n, v in zip(names, key, strict=True)} | {"to": after})
    if changed:
        one = sa.and_(*(table.c[name] == sa.bindparam(f"of_{name}") for name in names))
        connection.execute(sa.update(table).where(one).values(packed=sa.bindparam("to")), changed)
