"""Questionnaires that are being written, and published versions that are asked no more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("questionnaire_version", sa.Column("withdrawn_at", UtcDateTime(), nullable=True))
    op.add_column("questionnaire_version", sa.Column("offered_at", UtcDateTime(), nullable=True))
    op.add_column(
        "questionnaire_version",
        sa.Column("written_here", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "questionnaire_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(48), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(200), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_questionnaire_draft"),
    )


def downgrade() -> None:
    op.drop_table("questionnaire_draft")
    op.drop_column("questionnaire_version", "written_here")
    op.drop_column("questionnaire_version", "offered_at")
    op.drop_column("questionnaire_version", "withdrawn_at")
