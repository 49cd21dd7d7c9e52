"""Values column by column in the form in which each store keeps them, as bulk statements need them.

On SQLite that is what SQLAlchemy's types would bind, on PostgreSQL the text of an array's elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from operator import is_
from typing import Any

from sqlalchemy import Boolean, Column, Date, LargeBinary, String, Table, Uuid
from sqlalchemy.types import TypeEngine

from app.db.base import UtcDateTime, microseconds
from app.db.later import Row

_Encoder = Callable[[Sequence[Any]], Sequence[Any]]


def for_sqlite(table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> list[Sequence[Any]]:
    """The columns as SQLite keeps them, which is as SQLAlchemy's types would bind them."""
    return list(_encoded(_encoders(table, columns, "sqlite"), rows))


def for_postgresql(table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> Row:
    """One array literal a column: the driver's own arrays cost a call for every element."""
    encoders = [encode or _plain for encode in _encoders(table, columns, "postgresql")]
    return tuple("{" + ",".join(values) + "}" for values in _encoded(encoders, rows))


def _encoded(encoders: Sequence[_Encoder | None], rows: Sequence[Row]) -> Iterator[Sequence[Any]]:
    """The values of each column as a store takes them; None takes them as they are.

    The moment at which a response counts is mostly the very one that its device claims: what is in
    the column before is not encoded again.
    """
    before: tuple[Any, ...] = ()
    last: _Encoder | None = None
    made: Sequence[Any] = ()
    for encode, values in zip(encoders, zip(*rows, strict=True), strict=True):
        if encode is None:
            yield values
            continue
        if encode is not last or not all(map(is_, values, before)):
            made = encode(values)
        before, last = values, encode
        yield made


def _plain(values: Sequence[Any]) -> Sequence[str]:
    return ["NULL" if v is None else str(v) for v in values]


def _quoted(values: Sequence[Any]) -> Sequence[str]:
    return [
        "NULL" if v is None else '"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for v in values
    ]


def _without_dashes(values: Sequence[Any]) -> Sequence[Any]:
    """Ids in hexadecimal digits: all of them at once, for each is not looked at for long."""
    if None in values:
        return [None if v is None else v.replace("-", "") for v in values]
    return "\n".join(values).replace("-", "").split("\n")


def _as_buffers(values: Sequence[bytes | None]) -> list[bytearray | None]:
    """Bytes as the driver takes them at once; for ``bytes`` it looks for an adapter first."""
    return [None if v is None else bytearray(v) for v in values]


def _microseconds(values: Sequence[Any]) -> list[int | None]:
    """Moments as microseconds; that of a request stands in all its rows."""
    made: list[int | None] = []
    last, number = None, None
    for moment in values:
        if moment is not last:
            last, number = moment, None if moment is None else microseconds(moment)
        made.append(number)
    return made


#: Days are few, and each stands in many rows.
_day = lru_cache(maxsize=8192)(date.isoformat)

#: How each store takes the values of a type; types that are not named need nothing.
_ENCODERS: dict[str, dict[type[TypeEngine[Any]], _Encoder]] = {
    "sqlite": {
        UtcDateTime: _microseconds,
        Date: lambda values: [None if v is None else _day(v) for v in values],
        Uuid: _without_dashes,
        LargeBinary: _as_buffers,
        Boolean: lambda values: [None if v is None else int(v) for v in values],
    },
    "postgresql": {
        UtcDateTime: lambda values: _plain(_microseconds(values)),
        Date: lambda values: ["NULL" if v is None else _day(v) for v in values],
        LargeBinary: lambda values: [
            "NULL" if v is None else '"\\\\x' + v.hex() + '"' for v in values
        ],
        String: _quoted,
    },
}


@lru_cache(maxsize=64)
def _encoders(table: Table, columns: tuple[str, ...], store: str) -> tuple[_Encoder | None, ...]:
    return tuple(_encoder(table.c[name], store) for name in columns)


def _encoder(column: Column[Any], store: str) -> _Encoder | None:
    if store == "sqlite" and column.primary_key and isinstance(column.type, LargeBinary):
        return None  # rows are looked up by it
    encoders = _ENCODERS[store].items()
    return next((encode for kind, encode in encoders if isinstance(column.type, kind)), None)
