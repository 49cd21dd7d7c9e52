"""What came since a moment is found by its ids, not by an index that every response has to enter.

Its days are taken from the responses that there are.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: An id can begin with later moments than there are dates.
_LAST_MS = (date.max.toordinal() - date(1970, 1, 1).toordinal()) * 86_400_000


def _begins(day: date, ms: int) -> date:
    """The day with which an id begins, or the one on which it came if that is earlier."""
    return min(day, (_EPOCH + timedelta(milliseconds=min(ms, _LAST_MS))).date())


def upgrade() -> None:
    days = op.create_table(
        "received_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("day", "begins", name="pk_received_day"),
    )
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        found = (
            "SELECT date(received_at / 1000000, 'unixepoch'), min(substr(id, 1, 12)) "
            "FROM response GROUP BY 1"
        )
    else:
        found = (
            "SELECT (received_at AT TIME ZONE 'UTC')::date::text, "
            "min(left(replace(id::text, '-', ''), 12)) FROM response GROUP BY 1"
        )
    rows = [
        {"day": date.fromisoformat(day), "begins": _begins(date.fromisoformat(day), int(id, 16))}
        for day, id in connection.execute(sa.text(found)).all()
    ]
    if rows:
        op.bulk_insert(days, rows)
    op.drop_index("ix_response_received", "response")


def downgrade() -> None:
    op.create_index("ix_response_received", "response", ["received_at"])
    op.drop_table("received_day")
