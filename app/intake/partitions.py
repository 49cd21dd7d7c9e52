"""The monthly partitions of the response table on PostgreSQL; nothing on SQLite.

A UUIDv7 begins with 48 bits of milliseconds, so a month is a range of ids. Ids of months that
have no partition (a device's clock is far wrong, old history) go to the default partition.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import Connection, inspect, text

_NAME = re.compile(r"^response_(default|y\d{4}m\d{2})$")
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

    Rows of such a month that wait in the default partition are moved into the new one.
    """
    if connection.dialect.name != "postgresql":
        return []
    existing = {name for name in inspect(connection).get_table_names() if is_partition(name)}
    made = []
    for offset in range(-MONTHS_BACK, MONTHS_AHEAD + 1):
        month, following = _shift(today, offset), _shift(today, offset + 1)
        name = f"response_y{month.year:04}m{month.month:02}"
        if name in existing:
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


def _shift(day: date, months: int) -> date:
    ordinal = day.year * 12 + day.month - 1 + months
    return date(ordinal // 12, ordinal % 12 + 1, 1)
