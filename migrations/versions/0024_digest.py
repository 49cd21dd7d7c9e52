"""The monthly digest: whether an account wants it, and to whom which month's was mailed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column(
        "account", sa.Column("digest", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.create_table(
        "digest_mail",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("in_hand_until", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("again_at", UtcDateTime(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.String(200), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "month", name="pk_digest_mail"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_digest_mail_account_id_account"
        ),
    )


def downgrade() -> None:
    op.drop_table("digest_mail")
    op.drop_column("account", "digest")
