"""What people decided about control limits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "limit_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("questionnaire", sa.String(48), nullable=False),
        sa.Column("factor", sa.String(64), nullable=True),
        sa.Column("item", sa.String(64), nullable=True),
        sa.Column("step", sa.String(8), nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(200), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_by", sa.String(200), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_limit_decision"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_limit_decision_unit_id_unit"),
    )
    op.create_index("ix_limit_decision_unit_id", "limit_decision", ["unit_id"])


def downgrade() -> None:
    op.drop_table("limit_decision")
