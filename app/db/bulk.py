"""Writing and reading many rows by key, each store in the way measured to be fastest.

SQLAlchemy's own bulk statements spend more time in Python than SQLite spends in storing; and as
each statement hands the interpreter's lock over and back, one statement for many rows also
keeps the event loop's thread running.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table

Row = tuple[Any, ...]

#: Rows in one SQLite statement: few sizes, so that few statements are ever prepared.
_CHUNKS = (256, 64, 16, 4, 1)


def insert_missing(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> set[Row]:
    """Insert the rows whose primary key is not there yet; the keys of those inserted.

    ``rows`` must be sorted by key and hold each key once: sorted, two processes that insert the
    same keys wait for one another in one order and never for ever. A key that another
    transaction is inserting at this moment is waited for.
    """
    if not rows:
        return set()
    keys = _key_names(table)
    places = [columns.index(name) for name in keys]
    bound = _bind(table, columns, connection.dialect, rows)
    if connection.dialect.name == "sqlite":
        bound_keys = [tuple(row[i] for i in places) for row in bound]
        present = {row[: len(keys)] for row in _sqlite_find(connection, table, bound_keys, keys)}
        missing = [i for i, key in enumerate(bound_keys) if key not in present]
        head = f"INSERT INTO {table.name} ({', '.join(columns)})"
        _sqlite_insert(connection, head, [bound[i] for i in missing])
        return {tuple(rows[i][place] for place in places) for i in missing}
    inserted = connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({', '.join(columns)}) "
        f"SELECT * FROM {_unnest(table, columns, connection.dialect)} "
        f"ON CONFLICT ({', '.join(keys)}) DO NOTHING RETURNING {', '.join(keys)}",
        _arrays(bound),
    )
    return {tuple(row) for row in inserted}


def replace(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> None:
    """Insert the rows; where a primary key is there, replace the other columns."""
    if not rows:
        return
    keys = _key_names(table)
    kept = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in keys)
    conflict = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {kept}"
    head = f"INSERT INTO {table.name} ({', '.join(columns)})"
    bound = _bind(table, columns, connection.dialect, rows)
    if connection.dialect.name == "sqlite":
        _sqlite_insert(connection, head, bound, conflict)
    else:
        arrays = _unnest(table, columns, connection.dialect)
        connection.exec_driver_sql(f"{head} SELECT * FROM {arrays} {conflict}", _arrays(bound))


def find_by_key(
    connection: Connection,
    table: Table,
    keys: Sequence[Row],
    columns: tuple[str, ...],
    *,
    lock: bool = False,
) -> dict[Row, Row]:
    """Rows by primary key: the values of ``columns`` as the driver gives them, by key.

    With ``lock``, the rows stay locked until the transaction ends, taken in the order of keys
    so that two processes never wait for each other in a ring.
    """
    if not keys:
        return {}
    names = _key_names(table)
    bound = _bind(table, names, connection.dialect, keys)
    original = dict(zip(bound, keys, strict=True))
    if connection.dialect.name == "sqlite":
        found = _sqlite_find(connection, table, bound, names + columns)
    else:
        wanted = _unnest(table, names, connection.dialect)
        same = " AND ".join(f"t.{name} = wanted.{name}" for name in names)
        result = connection.exec_driver_sql(
            f"SELECT {', '.join(f't.{name}' for name in names + columns)} "
            f"FROM {table.name} t JOIN {wanted} AS wanted({', '.join(names)}) ON {same} "
            f"ORDER BY {', '.join(f't.{name}' for name in names)} "
            f"{'FOR UPDATE OF t' if lock else ''}",
            _arrays(bound),
        )
        found = [tuple(row) for row in result]
    return {original[row[: len(names)]]: row[len(names) :] for row in found}


def _key_names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key)


def _bind(
    table: Table, columns: tuple[str, ...], dialect: Dialect, rows: Sequence[Row]
) -> list[Row]:
    """The rows as the driver takes them."""
    processors = _processors(table, columns, dialect)
    by_column = (
        map(process, values) if process else values
        for process, values in zip(processors, zip(*rows, strict=True), strict=True)
    )
    return list(zip(*by_column, strict=True))


@lru_cache(maxsize=64)
def _processors(
    table: Table, columns: tuple[str, ...], dialect: Dialect
) -> tuple[Callable[[Any], Any] | None, ...]:
    return tuple(
        table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in columns
    )


def _arrays(rows: list[Row]) -> Row:
    return tuple(list(column) for column in zip(*rows, strict=True))


@lru_cache(maxsize=64)
def _unnest(table: Table, columns: tuple[str, ...], dialect: Dialect) -> str:
    arrays = (f"%s::{table.c[name].type.compile(dialect)}[]" for name in columns)
    return f"unnest({', '.join(arrays)})"


def _sqlite_insert(connection: Connection, head: str, rows: list[Row], tail: str = "") -> None:
    start = 0
    for size in _CHUNKS:
        while len(rows) - start >= size:
            chunk = rows[start : start + size]
            start += size
            connection.exec_driver_sql(
                f"{head} VALUES {_places(len(chunk[0]), size)} {tail}",
                tuple(value for row in chunk for value in row),
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
            f"SELECT {', '.join(columns)} FROM {table.name} "
            f"WHERE ({', '.join(names)}) IN (VALUES {_places(len(names), size)})",
            tuple(value for key in chunk for value in key),
        )
        found += [tuple(row) for row in result]
    return found


@lru_cache(maxsize=64)
def _places(columns: int, rows: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)
