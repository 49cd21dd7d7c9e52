"""Responses as they are read for an export: batches of Arrow, of a hundred thousand rows.

The store makes one list of JSON of each column's values, which is cut apart in Arrow: a value of
Python for each of ten million rows' fields takes longer than reading them. (A driver that fills
Arrow's memory itself would be faster still; docs/performance.md says why none may.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    LargeBinary,
    String,
    cast,
    false,
    func,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from app.export.arrow import pa, pc
from app.export.selection import Selection
from app.intake.ids import FIRST_ID
from app.intake.models import Disposition, Response, ResponseText
from app.intake.received_days import first_id

#: Responses that are read and written together: a row group of Parquet.
AT_ONCE = 100_000
_KEYS_AT_ONCE = 500
_MARK = '"'
#: Numbers that leave the store as one, for a list of each takes as long.
_IN_ONE, _NUMBERS = ("unit_id", "duration_s", "partial"), "numbers"
_SECONDS_BITS, _PARTIAL_BITS = 31, 1


@cache
def raw() -> pa.Schema:
    """What is read of a response."""
    return pa.schema(
        [
            ("id", pa.binary(16)),
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


@dataclass(frozen=True)
class Read:
    """Responses as ``raw``, and the last one's id where there may be more; none where not."""

    rows: pa.RecordBatch
    last: str | None


def read_rows(
    session: Session,
    selection: Selection,
    after: str = "",
    *,
    limit: int = AT_ONCE,
    received_after: datetime | None = None,
    received_to: datetime | None = None,
) -> Read:
    """Some responses, ``limit`` of them as long as there are so many, by their ids."""
    which, parts = [selection.shown()], []
    if received_after is not None:
        after = max(after, first_id(session, received_after))
        which.append(Response.received_at > received_after)
    if received_to is not None:
        which.append(Response.received_at <= received_to)
    after = after or FIRST_ID
    reader = _Reader(session, _known(selection), _widths(selection))
    # All up to an id cost a third less than so many in order: mostly the selection is all there is.
    # One statement says which id, for more may come between two.
    ids = select(Response.id).where(Response.id > after).order_by(Response.id)
    end = ids.offset(limit - 1).limit(1).scalar_subquery()
    parts = [reader.read(*which, Response.id > after, Response.id <= end)]
    if limit > parts[0].num_rows:
        limit -= parts[0].num_rows
        after = _last(parts[0]) or after
        parts.append(reader.read(*which, Response.id > after, most=limit))
    full = parts[-1].num_rows == limit
    return Read(pa.concat_batches(parts), _last(parts[-1]) if full else None)


def _last(rows: pa.RecordBatch) -> str | None:
    """The greatest id of some responses, which may be in no order; None where there are none."""
    greatest = pc.max(rows["id"].cast(pa.binary())).as_py()
    return None if greatest is None else str(UUID(bytes=greatest))


def rows_by_id(session: Session, selection: Selection, ids: Sequence[str]) -> pa.RecordBatch:
    """Those of some responses that are of the selection, whatever their disposition."""
    reader = _Reader(session, {}, _widths(selection))
    return pa.concat_batches(
        [
            reader.read(Response.id.in_(ids[start : start + _KEYS_AT_ONCE]), selection.among())
            for start in range(0, len(ids), _KEYS_AT_ONCE)
        ]
        or [reader.read(false())]
    )


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


@dataclass(frozen=True)
class _Reader:
    """Reads responses: ``known`` is what all have alike, ``widths`` the bytes of answer sheets."""

    session: Session
    known: Mapping[str, object]
    widths: Mapping[int, int]

    def read(self, *which: ColumnElement[bool], most: int | None = None) -> pa.RecordBatch:
        """Responses on conditions, in no order; with ``most``, the first ones, in their order."""
        names = [name for name in raw().names if name not in self.known]
        columns = {name: getattr(Response, name) for name in names}
        if most is not None:
            some = select(*columns.values()).where(*which).order_by(Response.id).limit(most)
            columns, which = dict(some.subquery().c), ()
        columns[_NUMBERS] = _in_one(*(columns.pop(name) for name in _IN_ONE))
        store = self.session.get_bind().dialect.name
        joined = [_joined(column, name, store) for name, column in columns.items()]
        size, *texts = self.session.execute(select(func.count(), *joined).where(*which)).one()
        found = dict(zip(columns, texts, strict=True)) if size else {}
        numbers = _apart(found[_NUMBERS]) if size else {}
        arrays: dict[str, pa.Array] = {}
        for each in raw():
            match each.name:
                case name if name in numbers:
                    made = numbers[name].cast(each.type)
                case name if name not in found:
                    made = pa.repeat(pa.scalar(self.known.get(name), each.type), size)
                case "id":
                    made = pa.FixedSizeBinaryArray.from_buffers(
                        each.type, size, [None, pa.py_buffer(bytes.fromhex(found["id"]))]
                    )
                case "packed":
                    made = _sheets(found["packed"], arrays["version_id"], self.widths)
                case name:
                    made = _values(found[name], each.type)
            arrays[each.name] = made
        return pa.record_batch(list(arrays.values()), schema=raw())


def _joined(column: ColumnElement[Any], name: str, store: str) -> ColumnElement[Any]:
    """The values of a column in one: digits of ids and sheets end to end, others as JSON.

    SQLite makes JSON of a column in a third of the time that joining its texts takes.
    """
    match name:
        case "id":  # of which SQLite keeps the digits
            own = column if store == "sqlite" else func.replace(cast(column, String), "-", "")
            return func.aggregate_strings(own, "")
        case "packed" if store == "sqlite":
            return cast(func.group_concat(column, ""), LargeBinary)
        case "packed":
            return func.string_agg(column, cast(b"", LargeBinary))
        case "aside_rule":
            column = func.coalesce(column, "")
    if store == "sqlite":
        return func.json_group_array(type_coerce(column, String))
    return cast(func.array_to_json(func.array_agg(column)), String)


def _in_one(
    unit_id: ColumnElement[int], duration_s: ColumnElement[int | None], partial: ColumnElement[bool]
) -> ColumnElement[int]:
    """Numbers of a response in one of 63 bits, the second as none or one more."""
    above = cast(unit_id, BigInteger) * (1 << _PARTIAL_BITS + _SECONDS_BITS)
    seconds = func.coalesce(duration_s + 1, 0) * (1 << _PARTIAL_BITS)
    return above + seconds + cast(partial, Integer)


def _apart(listed: str) -> Mapping[str, pa.Array]:
    """The same as columns."""
    one = _integers(listed)
    seconds = (one >> _PARTIAL_BITS) & ((1 << _SECONDS_BITS) - 1)
    columns = (
        pa.array(one >> _PARTIAL_BITS + _SECONDS_BITS),
        pa.array(seconds - 1, mask=seconds == 0),
        pa.array(one & ((1 << _PARTIAL_BITS) - 1)),
    )
    return dict(zip(_IN_ONE, columns, strict=True))


def _integers(listed: str) -> NDArray[np.int64]:
    return np.fromstring(listed[1:-1], dtype=np.int64, sep=",")


def _values(listed: str, kind: pa.DataType) -> pa.Array:
    """The values of a list of JSON: of numbers, or of codes and days, which need no escapes."""
    if pa.types.is_integer(kind):
        return pa.array(_integers(listed)).cast(kind)
    # Each text from its quotation mark to the next one's, of which the few different are cleaned.
    written = listed.encode()
    marks = np.flatnonzero(np.frombuffer(written, dtype=np.uint8) == ord(_MARK))
    ends = np.append(marks[::2], len(written)).astype(np.int32)
    cut = pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(written))
    cut = cut.dictionary_encode()
    texts = pc.utf8_trim(cut.dictionary, f"[{_MARK},]")
    return pc.if_else(pc.equal(texts, ""), None, texts).cast(kind).take(cut.indices)


def _sheets(data: bytes, version: pa.Array, widths: Mapping[int, int]) -> pa.BinaryArray:
    """Answer sheets that stand end to end, each as wide as its version's are."""
    distinct = version.dictionary_encode()
    width = pa.array([widths[id] for id in distinct.dictionary.to_pylist()], pa.int32())
    ends = np.cumsum(np.append(0, width.take(distinct.indices).to_numpy()), dtype=np.int32)
    if len(data) != ends[-1]:
        raise ValueError(f"{len(data)} bytes of answers where {ends[-1]} belong: one is damaged")
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(version), [None, pa.py_buffer(ends), pa.py_buffer(data)]
    )


def _widths(selection: Selection) -> Mapping[int, int]:
    """How many bytes the answers of a response have, by version."""
    return {each.id: each.sheet.width for each in selection.versions}


def _known(selection: Selection) -> Mapping[str, object]:
    """What all responses of an export have alike: such a column is not read."""
    known: dict[str, object] = {}
    if not selection.wish.aside:
        known |= {"disposition": Disposition.COUNTED.value, "aside_rule": None}
    if len(selection.version_ids) == 1:
        (known["version_id"],) = selection.version_ids
    return known
