"""Statements whose answer nobody needs before the next one's: on PostgreSQL they go with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from app.db.connections import driver_of
from app.db.unreadable import readable

Row = tuple[Any, ...]
T = TypeVar("T")


class Later(Generic[T]):
    """What a statement finds that may not have been sent yet.

    On PostgreSQL it goes with the next statement of its connection, in one message, so whoever has
    several questions asks the first ones so. SQLite has answered already.
    """

    def __init__(self, connection: Connection, find: Callable[[], T]) -> None:
        self._connection, self._find = connection, find

    def result(self) -> T:
        """What it found; it is sent now if nothing came after it."""
        if not is_sqlite(self._connection) and driver_of(self._connection).waits:
            self._connection.exec_driver_sql("SELECT 1")
        return self._find()


def ask_later(
    connection: Connection,
    statement: str,
    parameters: Row,
    read: Callable[[Sequence[Row]], T],
) -> Later[T]:
    """Ask something by a statement, and make of its rows what ``read`` does."""
    if is_sqlite(connection):
        rows = [tuple(row) for row in connection.exec_driver_sql(statement, parameters)]
        return Later(connection, lambda: read(rows))
    cursor = _later(connection, statement, parameters)
    return Later(connection, lambda: read(cursor.fetchall()))


def do_later(connection: Connection, statement: str, parameters: Row = ()) -> None:
    """Do something that answers nothing, by the time at which the next statement is answered."""
    if is_sqlite(connection):
        connection.exec_driver_sql(statement, parameters)
    else:
        _later(connection, statement, parameters)


def _later(connection: Connection, statement: str, parameters: Row) -> Any:
    if not connection.in_transaction():
        connection.begin()  # as any statement would
    return driver_of(connection).later(statement, readable(parameters))


def is_sqlite(connection: Connection) -> bool:
    """Whether a connection is to a file, whose statements answer at once."""
    return connection.dialect.name == "sqlite"
