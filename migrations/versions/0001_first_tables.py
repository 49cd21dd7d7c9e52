"""Units, points, questionnaires, credentials, responses, rollup cells."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name_vi", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column(
            "parent_id", sa.Integer(), sa.ForeignKey("unit.id", name="fk_unit_parent_id_unit")
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.Column("latitude", sa.Float(53)),
        sa.Column("longitude", sa.Float(53)),
    )
    op.create_index("uq_unit_code_valid_from", "unit", ["code", "valid_from"], unique=True)
    op.create_index("ix_unit_parent_id", "unit", ["parent_id"])
    op.create_table(
        "questionnaire_version",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("code", sa.String(48), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
    )
    op.create_index(
        "uq_questionnaire_version_code_version",
        "questionnaire_version",
        ["code", "version"],
        unique=True,
    )
    op.create_table(
        "survey_point",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "unit_id",
            sa.Integer(),
            sa.ForeignKey("unit.id", name="fk_survey_point_unit_id_unit"),
            nullable=False,
        ),
        sa.Column("questionnaire", sa.String(48), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("state_since", UtcDateTime(), nullable=False),
        sa.Column("opens_at", UtcDateTime()),
        sa.Column("closes_at", UtcDateTime()),
    )
    op.create_index("ix_survey_point_unit_id", "survey_point", ["unit_id"])
    op.create_table(
        "point_code",
        sa.Column("code", sa.String(16), primary_key=True),
        sa.Column(
            "point_id",
            sa.Integer(),
            sa.ForeignKey("survey_point.id", name="fk_point_code_point_id_survey_point"),
            nullable=False,
        ),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("replaced_at", UtcDateTime()),
    )
    op.create_index("ix_point_code_point_id", "point_code", ["point_id"])
    installation = op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
    )
    op.bulk_insert(installation, [{"id": 1, "synthetic": False}])
    op.create_table(
        "credential",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("rights", sa.String(400), nullable=False),
        sa.Column(
            "point_id",
            sa.Integer(),
            sa.ForeignKey("survey_point.id", name="fk_credential_point_id_survey_point"),
        ),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime()),
        sa.Column("revoked_at", UtcDateTime()),
        sa.UniqueConstraint("secret_hash", name="uq_credential_secret_hash"),
    )
    op.create_table(
        "response",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.SmallInteger(), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("duration_s", sa.Integer()),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("disposition", sa.String(16), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("texts_hash", sa.LargeBinary(16)),
        postgresql_partition_by="RANGE (id)",
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE TABLE response_default PARTITION OF response DEFAULT")
    op.create_table(
        "response_text",
        sa.Column("response_id", sa.Uuid(), primary_key=True),
        sa.Column("item", sa.String(32), primary_key=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_table(
        "rollup_cell",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("unit_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("version_id", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        postgresql_with={"fillfactor": 50},
    )


def downgrade() -> None:
    for table in (
        "rollup_cell",
        "response_text",
        "response",
        "credential",
        "installation",
        "point_code",
        "survey_point",
        "questionnaire_version",
        "unit",
    ):
        op.drop_table(table)
