"""The monthly partitions of the response table on PostgreSQL; nothing on SQLite.

A UUIDv7 begins with 48 bits of milliseconds, so a month is a range of ids. Ids of months that
have no partition (a device's clock is far wrong, old history) go to the default partition.

The month is that of the id, not the local day on which a response counts: a primary key must hold
the columns of the partition, and with the day in it the same id could be stored, and counted, on
two days. So responses of a day that is kept no longer are deleted row by row, wherever they lie,
and partitions go when they are empty.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from uuid import UUID

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import OperationalError

from app.db import Database
from app.intake.models import RetentionNote

_NAME = re.compile(r"^response_(default|y\d{4}m\d{2})$")
_DEFAULT = "response_default"
#: How long a partition that is dropped is waited for; meanwhile others wait behind it.
_LOCK_MS = 300
#: Partitions made ahead and back, in months, each time the database is migrated or served.
MONTHS_AHEAD = 13
MONTHS_BACK = 36


def is_partition(table: str) -> bool:
    """Whether a table of this name is one of ours."""
    return _NAME.match(table) is not None


def first_id(month: date) -> UUID:
    """The smallest UUID whose time lies in or after the month (a first day)."""
    moment = datetime(month.year, month.month, 1, tzinfo=UTC)
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def ensure(connection: Connection, today: date) -> list[str]:
    """Make the partitions around today that are missing; their names.

    Rows of such a month that wait in the default partition are moved into the new one. Of months
    whose responses were deleted by rule none are made.
    """
    if connection.dialect.name != "postgresql":
        return []
    gone = (
        connection.scalar(select(RetentionNote.responses_gone).where(RetentionNote.id == 1))
        or date.min
    )
    existing = {name for name in inspect(connection).get_table_names() if is_partition(name)}
    made = []
    for offset in range(-MONTHS_BACK, MONTHS_AHEAD + 1):
        month, following = _shift(today, offset), _shift(today, offset + 1)
        name = f"response_y{month.year:04}m{month.month:02}"
        if name in existing or following <= gone:
            continue
        low, high = first_id(month), first_id(following)
        connection.execute(text(f"CREATE TABLE {name} (LIKE response INCLUDING ALL)"))
        connection.execute(
            text(
                "WITH moved AS (DELETE FROM response_default WHERE id >= :low AND id < :high "
                f"RETURNING *) INSERT INTO {name} SELECT * FROM moved"
            ),
            {"low": low, "high": high},
        )
        connection.execute(
            text(
                f"ALTER TABLE response ATTACH PARTITION {name} "
                f"FOR VALUES FROM ('{low}') TO ('{high}')"
            )
        )
        made.append(name)
    return made


def drop_empty(database: Database, before: date) -> list[str]:
    """Drop the partitions of months that end before a day, where nothing is left in them; names.

    Each in a transaction of its own, and none that somebody reads at this moment, as a recount
    does: whoever answers would wait behind. They go another night.
    """
    with database.reading() as session:
        names = inspect(session.connection()).get_table_names()
    dropped = []
    for name in sorted(filter(is_partition, names)):
        if name == _DEFAULT or _shift(_month(name), 1) > before:
            continue
        try:
            with database.writing() as session:
                connection = session.connection()
                connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_MS}ms'"))
                if connection.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first() is None:
                    # Locked by now, so that nothing comes between.
                    connection.execute(text(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE"))
                    if connection.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first() is None:
                        connection.execute(text(f"DROP TABLE {name}"))
                        dropped.append(name)
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
    return dropped


def _month(name: str) -> date:
    """The first day of the month that a partition is of."""
    return date(int(name[-7:-3]), int(name[-2:]), 1)


def _shift(day: date, months: int) -> date:
    ordinal = day.year * 12 + day.month - 1 + months
    return date(ordinal // 12, ordinal % 12 + 1, 1)
