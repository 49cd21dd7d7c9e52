"""Writing and reading many rows by key, each store in the way measured to be fastest.

SQLAlchemy's own bulk statements spend more time in Python than SQLite spends in storing; and as
each statement hands the interpreter's lock over and back, one statement for many rows also
keeps the event loop's thread running. So values are written in the form in which each store
keeps them, column by column (``app.db.stored_values``): on PostgreSQL one array literal a column,
which its server takes apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table, Uuid
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from app.db.base import UtcDateTime
from app.db.later import Later, Row, ask_later, do_later, is_sqlite
from app.db.stored_values import for_postgresql, for_sqlite

#: Rows in one SQLite statement: few sizes, so that few statements are ever prepared.
_CHUNKS = (256, 64, 16, 4, 1)


def insert_missing(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> set[Row]:
    """Insert the rows whose primary key is not there yet; the keys that were there.

    ``rows`` must be sorted by key and hold each key once: sorted, two processes that insert the
    same keys wait for one another in one order and never for ever. A key that another
    transaction is inserting at this moment is waited for.
    """
    if not rows:
        return set()
    if is_sqlite(connection):
        return _sqlite_insert_missing(connection, table, columns, rows)
    statement = _insert_missing_statement(table, columns)
    present = connection.exec_driver_sql(statement, for_postgresql(table, columns, rows))
    return {tuple(row) for row in present}


def insert_missing_later(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> Later[set[Row]]:
    """The same for at least one row; which were there is known later."""
    if is_sqlite(connection):
        there = _sqlite_insert_missing(connection, table, columns, rows)
        return Later(lambda: there)
    statement = _insert_missing_statement(table, columns)
    return ask_later(connection, statement, for_postgresql(table, columns, rows), set)


def replace(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> None:
    """Insert the rows; where a primary key is there, replace the other columns.

    On PostgreSQL that is sent with the next statement, or with the commit.
    """
    if not rows:
        return
    keys = _key_names(table)
    kept = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in keys)
    conflict = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {kept}"
    if is_sqlite(connection):
        for _, chunk in _chunks(for_sqlite(table, columns, rows)):
            _sqlite_insert(connection, table, columns, chunk, conflict)
    else:
        do_later(
            connection,
            f"INSERT INTO {table.name} ({', '.join(columns)}) "
            f"SELECT * FROM {_rows(table, columns)} AS given {conflict}",
            for_postgresql(table, columns, rows),
        )


def find_by_key(
    connection: Connection,
    table: Table,
    keys: Sequence[Row],
    columns: tuple[str, ...],
    *,
    lock: bool = False,
    all_or_none: bool = False,
) -> dict[Row, Row]:
    """Rows by primary key: the values of ``columns`` as the driver gives them, by key.

    With ``lock``, the rows stay locked until the transaction ends, taken in the order of keys
    so that two processes never wait for each other in a ring. With ``all_or_none``, nothing is
    found (and locked) unless there is a row of each key; fewer are found where some are deleted
    at this moment.
    """
    if not keys:
        return {}
    names = _key_names(table)
    if is_sqlite(connection):
        bound = _by_row(for_sqlite(table, names, keys))
        original = dict(zip(bound, keys, strict=True))
        rows = _sqlite_find(connection, table, bound, names + columns)
        if all_or_none and len(rows) < len(keys):
            return {}
        return {original[row[: len(names)]]: row[len(names) :] for row in rows}
    same = f"{table.name} t JOIN wanted ON " + " AND ".join(
        f"t.{name} = wanted.{name}" for name in names
    )
    every = f"WHERE (SELECT count(*) FROM {same}) = (SELECT count(*) FROM wanted) "
    result = connection.exec_driver_sql(
        f"WITH wanted AS {_rows(table, names)} "
        f"SELECT {_read(table, names + columns, 't.')} FROM {same} "
        f"{every if all_or_none else ''}"
        f"ORDER BY {', '.join(f't.{name}' for name in names)} "
        f"{'FOR UPDATE OF t' if lock else ''}",
        for_postgresql(table, names, keys),
    )
    found = [tuple(row) for row in result]
    return {row[: len(names)]: row[len(names) :] for row in found}


def among(
    connection: Connection, table: Table, column: str, values: Sequence[int]
) -> tuple[str, str]:
    """A condition that a column of whole numbers is one of some, and its single parameter.

    Whatever their number, the statement is the same one, which a store has prepared.
    """
    numbers = ",".join(map(str, values))
    if is_sqlite(connection):
        return f"{column} IN (SELECT value FROM json_each(?))", f"[{numbers}]"
    kind = table.c[column].type.compile(connection.dialect)
    return f"{column} = ANY(%s::{kind}[])", f"{{{numbers}}}"


def _key_names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key)


# --- SQLite -------------------------------------------------------------------------------


def _sqlite_insert_missing(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> set[Row]:
    keys = _key_names(table)
    given = [columns.index(name) for name in keys]
    columns, stored = _without_empty(table, columns, for_sqlite(table, columns, rows))
    places = [columns.index(name) for name in keys]
    there: set[Row] = set()
    for start, chunk in _chunks(stored):
        try:
            # Nearly always none is there yet; if one is, the statement has inserted nothing.
            _sqlite_insert(connection, table, columns, chunk)
        except IntegrityError:
            bound = _by_row([chunk[place] for place in places])
            present = {row[: len(keys)] for row in _sqlite_find(connection, table, bound, keys)}
            missing = [
                row for key, row in zip(bound, _by_row(chunk), strict=True) if key not in present
            ]
            for _, part in _chunks(list(zip(*missing, strict=True))):
                _sqlite_insert(connection, table, columns, part)
            there |= {
                tuple(rows[start + i][place] for place in given)
                for i, key in enumerate(bound)
                if key in present
            }
    return there


def _without_empty(
    table: Table, columns: tuple[str, ...], stored: list[Sequence[Any]]
) -> tuple[tuple[str, ...], list[Sequence[Any]]]:
    """The columns but those that are null in all rows, which a row has without being told.

    To hand null over costs the driver three times as much as a number.
    """
    empty = {
        name
        for name, values in zip(columns, stored, strict=True)
        if values[0] is None
        and values.count(None) == len(values)
        and table.c[name].nullable
        and table.c[name].server_default is None
    }
    if not empty:
        return columns, stored
    left = [(n, values) for n, values in zip(columns, stored, strict=True) if n not in empty]
    return tuple(name for name, _ in left), [values for _, values in left]


def _by_row(columns: Sequence[Sequence[Any]]) -> list[Row]:
    return list(zip(*columns, strict=True))


def _chunks(columns: Sequence[Sequence[Any]]) -> Iterator[tuple[int, list[Sequence[Any]]]]:
    """Where each chunk of rows starts, and its part of each column."""
    start, end = 0, len(columns[0]) if columns else 0
    for size in _CHUNKS:
        while end - start >= size:
            yield start, [column[start : start + size] for column in columns]
            start += size


def _sqlite_insert(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    chunk: Sequence[Sequence[Any]],
    tail: str = "",
) -> None:
    connection.exec_driver_sql(
        _insert_statement(table.name, columns, len(chunk[0]), tail),
        tuple(chain.from_iterable(zip(*chunk, strict=True))),
    )


def _sqlite_find(
    connection: Connection, table: Table, keys: list[Row], columns: tuple[str, ...]
) -> list[Row]:
    names = _key_names(table)
    found: list[Row] = []
    for start in range(0, len(keys), _CHUNKS[0]):
        chunk = keys[start : start + _CHUNKS[0]]
        # Padded with its last key to one of few sizes, as above.
        size = next(size for size in reversed(_CHUNKS) if size >= len(chunk))
        chunk = chunk + [chunk[-1]] * (size - len(chunk))
        result = connection.exec_driver_sql(
            _find_statement(table.name, names, columns, size), tuple(chain.from_iterable(chunk))
        )
        found += [tuple(row) for row in result]
    return found


@lru_cache(maxsize=256)
def _insert_statement(table: str, columns: tuple[str, ...], rows: int, tail: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {_places(len(columns), rows)} {tail}"


@lru_cache(maxsize=256)
def _find_statement(table: str, names: tuple[str, ...], columns: tuple[str, ...], rows: int) -> str:
    return (
        f"SELECT {', '.join(columns)} FROM {table} "
        f"WHERE ({', '.join(names)}) IN (VALUES {_places(len(names), rows)})"
    )


def _places(columns: int, rows: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)


# --- PostgreSQL ---------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _rows(table: Table, columns: tuple[str, ...]) -> str:
    """A subquery whose rows are taken from one array a column; moments come as microseconds."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    arrays, values = [], []
    for name in columns:
        kind = table.c[name].type
        if isinstance(kind, UtcDateTime):
            arrays.append("%s::bigint[]")
            values.append(f"timestamptz 'epoch' + {name} * interval '1 microsecond' AS {name}")
        else:
            arrays.append(f"%s::{kind.compile(dialect)}[]")
            values.append(name)
    return (
        f"(SELECT {', '.join(values)} FROM unnest({', '.join(arrays)}) AS u({', '.join(columns)}))"
    )


@lru_cache(maxsize=64)
def _insert_missing_statement(table: Table, columns: tuple[str, ...]) -> str:
    """Inserts what is not there, and gives the keys that were."""
    keys = _key_names(table)
    return (
        f"WITH given AS {_rows(table, columns)}, inserted AS ("
        f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM given "
        f"ON CONFLICT ({', '.join(keys)}) DO NOTHING RETURNING {', '.join(keys)}) "
        f"SELECT {_read(table, keys)} FROM given EXCEPT SELECT {_read(table, keys)} FROM inserted"
    )


@lru_cache(maxsize=64)
def _read(table: Table, columns: tuple[str, ...], of: str = "") -> str:
    """Columns to select; ids as text, which is how rows hold them."""
    return ", ".join(
        f"{of}{name}::text" if isinstance(table.c[name].type, Uuid) else f"{of}{name}"
        for name in columns
    )
