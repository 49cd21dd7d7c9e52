"""What devices tell of themselves, and the PIN of their staff's screen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "device_status",
        sa.Column("credential_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("queue", sa.Integer(), nullable=False),
        sa.Column("aside", sa.Integer(), nullable=False),
        sa.Column("release", sa.String(16), nullable=False),
        sa.Column("clock_ahead_s", sa.Integer(), nullable=False),
        sa.Column("storage_percent", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credential.id"], name="fk_device_status_credential_id_credential"
        ),
        sa.PrimaryKeyConstraint("credential_id", name="pk_device_status"),
    )
    # Codes live for a quarter of an hour: what is pending is made anew.
    op.execute("DELETE FROM pairing_code")
    with op.batch_alter_table("pairing_code") as pairing_code:
        pairing_code.add_column(sa.Column("pin", sa.String(8), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("pairing_code") as pairing_code:
        pairing_code.drop_column("pin")
    op.drop_table("device_status")
