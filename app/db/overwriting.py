"""Deleting so that nothing of it is left in the file.

SQLite keeps the bytes of deleted rows in its pages until something else comes there; PostgreSQL
until it vacuums, which it does by itself, and what a backup of it copies meanwhile is sealed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session


@contextmanager
def overwriting(session: Session) -> Iterator[None]:
    """Have what is deleted within overwritten, where the store does not do so by itself."""
    if session.connection().dialect.name != "sqlite":
        yield
        return
    before = session.execute(text("PRAGMA secure_delete")).scalar_one()
    session.execute(text("PRAGMA secure_delete = ON"))
    try:
        yield
    finally:
        session.execute(text(f"PRAGMA secure_delete = {int(before)}"))
