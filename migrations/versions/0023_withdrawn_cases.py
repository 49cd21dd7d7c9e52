"""What a citizen's code lets her do: withdraw, and learn that what she sent does not count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column(
        "citizen_case",
        sa.Column("withdrawn", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("citizen_case", sa.Column("follows_id", sa.Integer(), nullable=True))
    op.create_index("ix_citizen_case_follows_id", "citizen_case", ["follows_id"])
    op.add_column(
        "withdrawn_response",
        sa.Column("nameless", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
    op.add_column("aside_response", sa.Column("code_hash", sa.String(64), nullable=True))
    op.create_index("ix_aside_response_code_hash", "aside_response", ["code_hash"])


def downgrade() -> None:
    op.drop_index("ix_aside_response_code_hash", "aside_response")
    op.drop_column("aside_response", "code_hash")
    op.drop_column("withdrawn_response", "nameless")
    op.drop_index("ix_citizen_case_follows_id", "citizen_case")
    op.drop_column("citizen_case", "follows_id")
    op.drop_column("citizen_case", "withdrawn")
