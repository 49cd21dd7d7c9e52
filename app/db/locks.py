"""What one transaction does at a time, over all processes: locks that PostgreSQL keeps by number.

SQLite has one writer at a time anyway.
"""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import Connection, text


class Lock(IntEnum):
    """What is done one at a time."""

    MIGRATING = 4_818_515_140
    AUDITING = 4_818_515_141
    EXAMINING = 4_818_515_142
    RETAINING = 4_818_515_143
    OPENING_CASES = 4_818_515_144
    MAILING_DIGESTS = 4_818_515_145
    NOTING_CHANGES = 4_818_515_147
    PUBLISHING = 4_818_515_148
    ANONYMISING = 4_818_515_149


def hold(connection: Connection, lock: Lock) -> None:
    """Wait until nobody else holds the lock; it is held until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": int(lock)})
