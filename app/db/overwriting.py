"""Deleting so that nothing of it is left in the file.

SQLite would keep the bytes of deleted rows in pages that it frees until something else comes there:
our connections have it overwrite them (``app.db.database``), and here it is made sure. What was
written in its journal (WAL) stays until that is begun anew. PostgreSQL keeps them until it vacuums,
which it does by itself, and what a backup of it copies meanwhile is sealed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.database import Database


@contextmanager
def overwriting(session: Session) -> Iterator[None]:
    """Have what is deleted within overwritten, where the store does not do so by itself."""
    if session.connection().dialect.name == "sqlite":
        session.execute(text("PRAGMA secure_delete = ON"))
    yield


def empty_journal(database: Database, *, patient: bool = False) -> bool:
    """Put what stands in SQLite's journal into the database, and leave nothing in it.

    Returns whether it is empty now. Where somebody reads or writes at this moment, nobody is made
    to wait, and it may be tried again; a ``patient`` one waits as long as writers do.
    """
    if not database.locks_whole_database:
        return True
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        (waits_ms,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        if not patient:
            cursor.execute("PRAGMA busy_timeout = 0")
        try:
            # All but the last of it without keeping anybody from writing.
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            (busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(waits_ms)}")
    finally:
        connection.close()
    return not busy
