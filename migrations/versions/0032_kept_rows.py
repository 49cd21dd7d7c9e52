"""How many rows of an import were there at its end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.add_column("response_import", sa.Column("kept", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("response_import", "kept")
