"""Anonymised quarters: rows that may leave k-anonymous, made and then fixed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "anonymous_quarter",
        sa.Column("questionnaire", sa.String(48), nullable=False),
        sa.Column("quarter", sa.String(7), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("least", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("placed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("questionnaire", "quarter", name="pk_anonymous_quarter"),
    )


def downgrade() -> None:
    op.drop_table("anonymous_quarter")
