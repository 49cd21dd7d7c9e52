"""SMS and tellings of webhooks that are given up are kept, with when, why and after which tries."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0015"
down_revision = "0014"

TABLES = ("sms_message", "delivery")


def upgrade() -> None:
    for name in TABLES:
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("failed_at", UtcDateTime()))
            table.add_column(sa.Column("fate", sa.String(16)))
            table.add_column(sa.Column("reason", sa.String(200)))
            if name == "delivery":
                table.alter_column("due_at", existing_type=UtcDateTime(), nullable=True)
        op.create_index(f"ix_{name}_failed_at", name, ["failed_at"])
    # What a process took and never confirmed was known by having no time.
    message = sa.table(
        "sms_message",
        sa.column("due_at", UtcDateTime()),
        sa.column("failed_at", UtcDateTime()),
        sa.column("fate", sa.String()),
    )
    op.execute(
        message.update()
        .where(message.c.due_at.is_(None))
        .values(failed_at=datetime.now(UTC), fate="unconfirmed")
    )


def downgrade() -> None:
    # The version before deleted what it gave up, and left what it had not confirmed.
    op.execute("DELETE FROM delivery WHERE failed_at IS NOT NULL")
    op.execute("DELETE FROM sms_message WHERE failed_at IS NOT NULL AND fate <> 'unconfirmed'")
    for name in TABLES:
        op.drop_index(f"ix_{name}_failed_at", name)
        with op.batch_alter_table(name) as table:
            for column in ("failed_at", "fate", "reason"):
                table.drop_column(column)
            if name == "delivery":
                table.alter_column("due_at", existing_type=UtcDateTime(), nullable=False)
