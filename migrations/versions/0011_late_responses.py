"""Responses that a device brought on a later day than they were given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "late_response",
        sa.Column("response_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version_id", sa.SmallInteger(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("received", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("response_id", name="pk_late_response"),
    )
    op.create_index("ix_late_response_version_id", "late_response", ["version_id"])


def downgrade() -> None:
    op.drop_table("late_response")
