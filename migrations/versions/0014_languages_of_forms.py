"""Responses in languages of three letters, as Êđê (rad) has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    with op.batch_alter_table("response") as response:
        response.alter_column("language", type_=sa.String(3), existing_type=sa.String(2))


def downgrade() -> None:
    # Two letters have no room for such a language; its forms fall back to Vietnamese themselves.
    op.execute("UPDATE response SET language = 'vi' WHERE length(language) > 2")
    with op.batch_alter_table("response") as response:
        response.alter_column("language", type_=sa.String(2), existing_type=sa.String(3))
