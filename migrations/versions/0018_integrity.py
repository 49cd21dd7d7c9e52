"""What is set aside by which rule: its sums, the rules, and what is suspected together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("response", sa.Column("aside_rule", sa.String(32), nullable=True))
    # Their sums are made by ``hailong rollups rebuild``: only a version's layout can add them up.
    op.execute("UPDATE response SET aside_rule = 'distrusted' WHERE disposition = 'distrusted'")
    op.create_table(
        "aside_cell",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("unit_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("rule", sa.String(32), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "day", "unit_id", "version_id", "channel", "rule", name="pk_aside_cell"
        ),
    )
    op.create_table(
        "integrity_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("set_by", sa.String(200), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_integrity_rule"),
        sa.UniqueConstraint("name", "version", name="uq_integrity_rule_name_version"),
    )
    op.create_table(
        "source_habit",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("version_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("credential_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("habit_group", sa.SmallInteger(), nullable=False),
        sa.Column("kinds", sa.String(300), nullable=False),
        sa.Column("counts", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint(
            "month", "version_id", "unit_id", "channel", "credential_id", name="pk_source_habit"
        ),
    )
    op.create_table(
        "suspect_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.SmallInteger(), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("credential_id", sa.Integer(), nullable=True),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("rule", sa.String(32), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Float(53), nullable=False),
        sa.Column("responses", sa.Integer(), nullable=False),
        sa.Column("suspected", sa.Float(53), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(200), nullable=True),
        sa.Column("decision_reason", sa.String(500), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_suspect_batch"),
    )
    op.create_index("ix_suspect_batch_unit_id", "suspect_batch", ["unit_id"])
    op.create_index("ix_suspect_batch_month", "suspect_batch", ["month"])
    op.create_table(
        "suspect_response",
        sa.Column("response_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("probability", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("response_id", name="pk_suspect_response"),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["suspect_batch.id"], name="fk_suspect_response_batch_id_suspect_batch"
        ),
    )
    op.create_index("ix_suspect_response_batch_id", "suspect_response", ["batch_id"])


def downgrade() -> None:
    for name in (
        "suspect_response",
        "suspect_batch",
        "source_habit",
        "integrity_rule",
        "aside_cell",
    ):
        op.drop_table(name)
    op.drop_column("response", "aside_rule")
