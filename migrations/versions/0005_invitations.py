"""Invitations, the messages and deliveries that wait, and points that take invited answers only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("number", sa.String(24), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("case_hash", sa.String(64), nullable=False),
        sa.Column("procedure", sa.String(64)),
        sa.Column("finished_on", sa.Date(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("number", name="uq_invitation_number"),
        sa.UniqueConstraint("token_hash", name="uq_invitation_token_hash"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_invitation_unit_id_unit"),
        sa.ForeignKeyConstraint(
            ["point_id"], ["survey_point.id"], name="fk_invitation_point_id_survey_point"
        ),
    )
    op.create_index(
        "uq_invitation_unit_id_case_hash", "invitation", ["unit_id", "case_hash"], unique=True
    )
    op.create_index("ix_invitation_finished_on", "invitation", ["finished_on"])
    op.create_table(
        "sms_message",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("phone", sa.String(16), nullable=False),
        sa.Column("body", sa.String(480), nullable=False),
        sa.Column("due_at", UtcDateTime()),
        sa.Column("tries", sa.Integer(), nullable=False),
    )
    op.create_index("ix_sms_message_due_at", "sms_message", ["due_at"])
    op.create_table(
        "webhook",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("unit_id", sa.Integer()),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_webhook_unit_id_unit"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name="fk_delivery_webhook_id_webhook"
        ),
    )
    op.create_index("ix_delivery_due_at", "delivery", ["due_at"])
    with op.batch_alter_table("survey_point") as point:
        point.add_column(
            sa.Column("invitations_only", sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    with op.batch_alter_table("survey_point") as point:
        point.drop_column("invitations_only")
    for table in ("delivery", "webhook", "sms_message", "invitation"):
        op.drop_table(table)
