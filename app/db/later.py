"""Statements whose answer nobody needs before the next one's: on PostgreSQL they go with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from app.db.connections import driver_of
from app.db.pipelined import LaterConnection
from app.db.unreadable import readable

Row = tuple[Any, ...]
T = TypeVar("T")


class Later(Generic[T]):
    """What a statement finds that may not have been sent yet.

    On PostgreSQL it goes with the next statement of its connection, in one message, so whoever has
    several questions asks the first ones so. SQLite has answered already.
    """

    def __init__(self, find: Callable[[], T]) -> None:
        self._find = cache(find)  # a driver gives its rows a single time

    def result(self) -> T:
        """What it found; it is sent now if it waits."""
        return self._find()


def ask_later(
    connection: Connection,
    statement: str,
    parameters: Row,
    read: Callable[[Sequence[Row]], T],
) -> Later[T]:
    """Ask something by a statement, and make of its rows what ``read`` does."""
    driver = _where_it_waits(connection)
    if driver is None:
        rows = [tuple(row) for row in connection.exec_driver_sql(statement, parameters)]
        return Later(lambda: read(rows))
    cursor = driver.later(statement, readable(parameters))

    def find() -> T:
        if driver.has_waiting(cursor):
            connection.exec_driver_sql("SELECT 1")  # sends it
        return read(cursor.fetchall())

    return Later(find)


def do_later(connection: Connection, statement: str, parameters: Row = ()) -> None:
    """Do something that answers nothing, by the time at which the next statement is answered."""
    driver = _where_it_waits(connection)
    if driver is None:
        connection.exec_driver_sql(statement, parameters)
    else:
        driver.later(statement, readable(parameters))


def _where_it_waits(connection: Connection) -> LaterConnection | None:
    """The driver with which a statement waits; none where it is to be executed at once."""
    if is_sqlite(connection):
        return None
    if not connection.in_transaction():
        connection.begin()  # as any statement would
    if connection.in_nested_transaction():
        return None  # what fails there is undone by itself, so it is told there
    driver = driver_of(connection)
    return driver if driver.takes_later else None


def is_sqlite(connection: Connection) -> bool:
    """Whether a connection is to a file, whose statements answer at once."""
    return connection.dialect.name == "sqlite"
