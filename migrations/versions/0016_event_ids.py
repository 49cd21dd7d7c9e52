"""What webhooks are told has an id of its own: SQLite gives a row's number away again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    with op.batch_alter_table("delivery") as table:
        table.add_column(sa.Column("event", sa.String(28)))
    # What waits may have been told in vain by this id already.
    op.execute("UPDATE delivery SET event = 'evt_' || id")
    with op.batch_alter_table("delivery") as table:
        table.alter_column("event", existing_type=sa.String(28), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("delivery") as table:
        table.drop_column("event")
