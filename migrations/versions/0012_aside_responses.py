"""Responses dated at receipt, those refused for good, and when the clock was last right."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.base import UtcDateTime

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "receipt_dated_response",
        sa.Column("response_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(32), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("response_id", name="pk_receipt_dated_response"),
    )
    op.create_index("ix_receipt_dated_response_unit_id", "receipt_dated_response", ["unit_id"])
    op.create_table(
        "aside_response",
        sa.Column("credential_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("response_id", sa.String(64), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("credential_id", "response_id", name="pk_aside_response"),
    )
    op.create_index("ix_aside_response_unit_id", "aside_response", ["unit_id"])
    op.create_table(
        "clock_note",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("confirmations", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clock_note"),
    )


def downgrade() -> None:
    op.drop_table("clock_note")
    op.drop_table("aside_response")
    op.drop_table("receipt_dated_response")
