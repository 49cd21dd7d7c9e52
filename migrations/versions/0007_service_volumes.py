"""How many each unit serves by month."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "service_volume",
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "month", name="pk_service_volume"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_service_volume_unit_id_unit"),
    )


def downgrade() -> None:
    op.drop_table("service_volume")
