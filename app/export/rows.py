"""Responses as they are read for an export: batches of Arrow, of a hundred thousand rows.

The store joins each column's values to one text, which is cut apart in Arrow: a value of Python for
each of ten million rows' fields takes longer than reading them. (A driver that fills Arrow's memory
itself would be faster still; docs/performance.md says why none may.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    Subquery,
    and_,
    cast,
    false,
    func,
    select,
)
from sqlalchemy.orm import Session

from app.export.selection import Selection
from app.intake.models import Disposition, Response, ResponseText

#: Responses that are read and written together: a row group of Parquet.
AT_ONCE = 100_000
_KEYS_AT_ONCE = 500
_ID = pa.binary(16)
#: What is read of a response.
RAW = pa.schema(
    [
        ("id", _ID),
        ("version_id", pa.int32()),
        ("unit_id", pa.int32()),
        ("day", pa.date32()),
        ("channel", pa.string()),
        ("disposition", pa.string()),
        ("aside_rule", pa.string()),
        ("language", pa.string()),
        ("duration_s", pa.int32()),
        ("partial", pa.int8()),
        ("packed", pa.binary()),
    ]
)
#: Between the values of a column: no code and no number has it.
_BETWEEN = "\x1e"
#: Read as digits of their bytes, without anything between.
_DIGITS = ("id", "packed")


def count(session: Session, selection: Selection) -> int:
    """How many rows an export has; of very many units also rows of others are counted."""
    among = select(func.count()).select_from(Response).where(selection.shown())
    return session.scalar(among) or 0


def span_of(session: Session, selection: Selection) -> tuple[str, str]:
    """The first and the last response of an export, by id; empty where there is none."""
    query = select(Response.id).where(selection.shown()).limit(1)
    first, last = (
        session.scalar(query.order_by(place)) or "" for place in (Response.id, Response.id.desc())
    )
    return first, last


def read_rows(
    session: Session,
    selection: Selection,
    after: str = "",
    *,
    limit: int = AT_ONCE,
    received_after: datetime | None = None,
    received_to: datetime | None = None,
) -> pa.RecordBatch:
    """Some responses in the order of their ids, as ``RAW``; fewer than ``limit`` are the last."""
    conditions = [selection.shown()]
    if after:
        conditions.append(Response.id > after)
    if received_after is not None:
        # What came since the last round is found by when it was received.
        conditions.append(Response.received_at > received_after)
        if received_to is not None:
            conditions.append(Response.received_at <= received_to)
    elif received_to is not None:
        # Of all that there is, in the order of ids: through the index on when it was received
        # each page would have to be sorted out of everything.
        conditions.append(func.coalesce(Response.received_at, None) <= received_to)
    return _read(session, and_(*conditions), _known(selection), limit)


def rows_by_id(session: Session, selection: Selection, ids: Sequence[str]) -> pa.RecordBatch:
    """Those of some responses that are of the selection, whatever their disposition."""
    parts = [
        _read(
            session,
            and_(Response.id.in_(ids[start : start + _KEYS_AT_ONCE]), selection.among()),
            {},
            _KEYS_AT_ONCE,
        )
        for start in range(0, len(ids), _KEYS_AT_ONCE)
    ]
    return pa.concat_batches(parts) if parts else _read(session, false(), {}, 0)


def wanted_of(selection: Selection, rows: pa.RecordBatch) -> pa.RecordBatch:
    """Those of some responses whose units are wanted."""
    units = rows["unit_id"].unique().to_pylist()
    wanted = [id for id in units if selection.wants(id)]
    if len(wanted) == len(units):
        return rows
    return rows.filter(pc.is_in(rows["unit_id"], pa.array(wanted, pa.int32())))


def texts_of(
    session: Session, selection: Selection, rows: pa.RecordBatch
) -> Mapping[tuple[bytes, str], str]:
    """The texts of some responses, by their ids' bytes and item, masked as they are stored."""
    if not selection.columns.with_texts or not rows.num_rows:
        return {}
    ids = ids_of(rows)
    query = select(ResponseText.response_id, ResponseText.item, ResponseText.body)
    found: dict[tuple[bytes, str], str] = {}
    for start in range(0, len(ids), _KEYS_AT_ONCE):
        some = ids[start : start + _KEYS_AT_ONCE]
        for id, item, body in session.execute(
            query.where(ResponseText.response_id.in_(some), selection.texts())
        ):
            found[UUID(id).bytes, item] = body
    return found


def ids_of(rows: pa.RecordBatch) -> list[str]:
    """The ids of responses as they are written."""
    return [str(UUID(bytes=each)) for each in rows["id"].to_pylist()]


def _read(
    session: Session, which: ColumnElement[bool], known: Mapping[str, object], limit: int
) -> pa.RecordBatch:
    names = [name for name in RAW.names if name not in known]
    columns = [getattr(Response, name) for name in names]
    some = select(*columns).where(which).order_by(Response.id).limit(limit).subquery()
    store = session.get_bind().dialect.name
    joined = [func.aggregate_strings(_text(some, name, store), _BETWEEN) for name in names]
    size, *texts = session.execute(select(func.count(), *joined).select_from(some)).one()
    found = dict(zip(names, texts, strict=True))
    arrays = []
    for each in RAW:
        if each.name in found and size:
            made = _bytes if each.name in _DIGITS else _values
            arrays.append(made(found[each.name]).cast(each.type))
        else:
            arrays.append(pa.repeat(pa.scalar(known.get(each.name), each.type), size))
    return pa.record_batch(arrays, schema=RAW)


def _text(some: Subquery, name: str, store: str) -> ColumnElement[str]:
    """A column as text, empty for null: every row has one, so that all columns are as long."""
    column: ColumnElement[Any] = some.c[name]
    match name:
        case "id":  # of which SQLite keeps the digits
            return column if store == "sqlite" else func.replace(cast(column, String), "-", "")
        case "packed":
            return func.hex(column) if store == "sqlite" else func.encode(column, "hex")
        case "day" if store != "sqlite":
            return func.to_char(column, "YYYY-MM-DD")
        case "partial":
            column = cast(column, Integer)
    return func.coalesce(cast(column, String), "")


def _values(text: str) -> pa.Array:
    """The values of a column, still as texts; null where one is empty."""
    cut = pc.list_flatten(pc.split_pattern(pa.array([text]), _BETWEEN))
    return pc.if_else(pc.equal(cut, ""), None, cut)


def _bytes(text: str) -> pa.Array:
    """The values of a column of bytes, which are as long as they are."""
    digits = pc.list_flatten(pc.split_pattern(pa.array([text]), _BETWEEN))
    ends = np.cumsum(np.append(0, pc.binary_length(digits).to_numpy() // 2), dtype=np.int32)
    data = bytes.fromhex(text.replace(_BETWEEN, ""))
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(digits), [None, pa.py_buffer(ends), pa.py_buffer(data)]
    )


def _known(selection: Selection) -> Mapping[str, object]:
    """What all responses of an export have alike: such a column is not read."""
    known: dict[str, object] = {}
    if not selection.wish.aside:
        known |= {"disposition": Disposition.COUNTED.value, "aside_rule": None}
    if len(selection.version_ids) == 1:
        (known["version_id"],) = selection.version_ids
    return known
