"""Up to which days responses and texts were deleted, and what was erased or withdrawn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "retention_note",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("responses_from", sa.Date(), nullable=True),
        sa.Column("responses_gone", sa.Date(), nullable=True),
        sa.Column("texts_from", sa.Date(), nullable=True),
        sa.Column("texts_gone", sa.Date(), nullable=True),
        sa.Column("nightly_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_retention_note"),
    )
    op.create_table(
        "erased_response",
        sa.Column("mark", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("mark", name="pk_erased_response"),
    )
    op.create_table(
        "withdrawn_response",
        sa.Column("response_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint("response_id", name="pk_withdrawn_response"),
    )
    op.create_table(
        "withheld_cell",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("unit_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("moved", sa.Boolean(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "day", "unit_id", "version_id", "channel", "moved", name="pk_withheld_cell"
        ),
    )


def downgrade() -> None:
    for name in ("withheld_cell", "withdrawn_response", "erased_response", "retention_note"):
        op.drop_table(name)
