"""Which batch another was split off, and who of a batch is suspected no more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.add_column("suspect_batch", sa.Column("split_from", sa.Integer(), nullable=True))
    op.add_column(
        "suspect_response",
        sa.Column("let_go", sa.Boolean(), server_default=sa.false(), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("suspect_response", "let_go")
    op.drop_column("suspect_batch", "split_from")
