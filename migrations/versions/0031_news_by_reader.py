"""News of cases, for each who is to be mailed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.create_table(
        "case_mail",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("news", sa.String(16), nullable=False),
        sa.Column("in_hand_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", "account_id", "news", name="pk_case_mail"),
        sa.ForeignKeyConstraint(
            ["case_id"], ["citizen_case.id"], name="fk_case_mail_case_id_citizen_case"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_case_mail_account_id_account"
        ),
    )
    op.create_index("ix_case_mail_account_id", "case_mail", ["account_id"])


def downgrade() -> None:
    op.drop_table("case_mail")
