"""What became of responses after they were stored, in order, so that exports can follow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "response_change",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("what", sa.String(8), nullable=False),
        sa.Column("response_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("export_id", sa.String(20), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_response_change"),
    )
    op.create_index("ix_response_change_response_id", "response_change", ["response_id"])


def downgrade() -> None:
    op.drop_index("ix_response_change_response_id", "response_change")
    op.drop_table("response_change")
