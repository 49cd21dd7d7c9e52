"""A tree that changes: periods of units, successions, the points' moves, and the plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "reorganisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("decision", sa.String(500), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("applied_by", sa.String(200), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=False),
        sa.Column("undoes_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reorganisation"),
        sa.ForeignKeyConstraint(
            ["undoes_id"], ["reorganisation.id"], name="fk_reorganisation_undoes_id_reorganisation"
        ),
        sa.UniqueConstraint("undoes_id", name="uq_reorganisation_undoes_id"),
    )
    op.create_table(
        "unit_period",
        sa.Column("unit_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name_vi", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("latitude", sa.Float(53), nullable=True),
        sa.Column("longitude", sa.Float(53), nullable=True),
        sa.PrimaryKeyConstraint("unit_id", "first_day", name="pk_unit_period"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_unit_period_unit_id_unit"),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name="fk_unit_period_parent_id_unit"),
    )
    op.create_index("ix_unit_period_parent_id", "unit_period", ["parent_id"])
    op.create_table(
        "succession",
        sa.Column("from_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("to_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("share", sa.Float(53), nullable=True),
        sa.Column("reorganisation_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("from_id", "to_id", name="pk_succession"),
        sa.ForeignKeyConstraint(["from_id"], ["unit.id"], name="fk_succession_from_id_unit"),
        sa.ForeignKeyConstraint(["to_id"], ["unit.id"], name="fk_succession_to_id_unit"),
        sa.ForeignKeyConstraint(
            ["reorganisation_id"], ["reorganisation.id"],
            name="fk_succession_reorganisation_id_reorganisation",
        ),
    )  # fmt: skip
    op.create_index("ix_succession_to_id", "succession", ["to_id"])
    op.create_table(
        "point_move",
        sa.Column("point_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("before_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("point_id", "day", name="pk_point_move"),
        sa.ForeignKeyConstraint(
            ["point_id"], ["survey_point.id"], name="fk_point_move_point_id_survey_point"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_point_move_unit_id_unit"),
        sa.ForeignKeyConstraint(["before_id"], ["unit.id"], name="fk_point_move_before_id_unit"),
    )


def downgrade() -> None:
    for name in ("point_move", "succession", "unit_period", "reorganisation"):
        op.drop_table(name)
