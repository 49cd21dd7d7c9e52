"""Citizens' cases: codes for replies, cases, what is written on them, and lists that are edited."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "reply_code",
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("response_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("opened", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name="pk_reply_code"),
    )
    op.create_index("ix_reply_code_response_id", "reply_code", ["response_id"])
    op.create_index("ix_reply_code_opened", "reply_code", ["opened"])
    op.create_table(
        "citizen_case",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("handed_to_id", sa.Integer(), nullable=True),
        sa.Column("confidential", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version_id", sa.SmallInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("opened_day", sa.Date(), nullable=False),
        sa.Column("due_day", sa.Date(), nullable=False),
        sa.Column("first_due_day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("cause", sa.String(32), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("escalated_day", sa.Date(), nullable=True),
        sa.Column("closed_day", sa.Date(), nullable=True),
        sa.Column("done", sa.String(500), nullable=True),
        sa.Column("responses", sa.Integer(), nullable=False),
        sa.Column("low_items", sa.Text(), nullable=False),
        sa.Column("came_before", sa.Date(), nullable=True),
        sa.Column("news", sa.String(16), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_citizen_case"),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["account.id"], name="fk_citizen_case_owner_id_account"
        ),
    )
    for columns in (["unit_id", "version_id", "month"], ["handed_to_id"], ["state"], ["news"]):
        op.create_index(f"ix_citizen_case_{columns[0]}", "citizen_case", columns)
    op.create_table(
        "case_subject",
        sa.Column("response_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("response_id", name="pk_case_subject"),
        sa.UniqueConstraint("case_id", name="uq_case_subject_case_id"),
        sa.ForeignKeyConstraint(
            ["case_id"], ["citizen_case.id"], name="fk_case_subject_case_id_citizen_case"
        ),
    )
    op.create_table(
        "case_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(200), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("body", sa.String(2000), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_case_note"),
        sa.ForeignKeyConstraint(
            ["case_id"], ["citizen_case.id"], name="fk_case_note_case_id_citizen_case"
        ),
    )
    op.create_index("ix_case_note_case_id", "case_note", ["case_id"])
    op.create_table(
        "case_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("from_citizen", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(200), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_case_message"),
        sa.ForeignKeyConstraint(
            ["case_id"], ["citizen_case.id"], name="fk_case_message_case_id_citizen_case"
        ),
    )
    op.create_index("ix_case_message_case_id", "case_message", ["case_id"])
    op.create_table(
        "case_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(200), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_case_list"),
        sa.UniqueConstraint("name", "version", name="uq_case_list_name_version"),
    )
    op.create_table(
        "case_pass",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_case_pass"),
    )


def downgrade() -> None:
    for name in (
        "case_pass", "case_list", "case_message", "case_note", "case_subject", "citizen_case",
        "reply_code",
    ):  # fmt: skip
        op.drop_table(name)
