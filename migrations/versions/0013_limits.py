"""Rates that even out, what the service signs by, and which credential sent a response."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "rate_bucket",
        sa.Column("key", sa.LargeBinary(16), nullable=False),
        sa.Column("full_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rate_bucket"),
    )
    op.create_table(
        "server_secret",
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("secret", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("purpose", name="pk_server_secret"),
    )
    op.add_column("response", sa.Column("credential_id", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("response", "credential_id")
    op.drop_table("server_secret")
    op.drop_table("rate_bucket")
