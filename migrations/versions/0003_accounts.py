"""Accounts, roles, sessions, keys of persons and units, pairing codes, counts of rate limits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("email", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("disabled_at", UtcDateTime()),
        sa.Column("oidc_issuer", sa.String(300)),
        sa.Column("oidc_subject", sa.String(255)),
        sa.UniqueConstraint("email", name="uq_account_email"),
        sa.UniqueConstraint(
            "oidc_issuer", "oidc_subject", name="uq_account_oidc_issuer_oidc_subject"
        ),
    )
    op.create_table(
        "daily_salt",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_daily_salt"),
    )
    op.create_table(
        "rate_count",
        sa.Column("key", sa.LargeBinary(16), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "until", name="pk_rate_count"),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("state_hash", sa.String(64), nullable=False),
        sa.Column("browser_hash", sa.String(64), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("code_verifier", sa.String(128), nullable=False),
        sa.Column("target", sa.String(500), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name="pk_sign_in_attempt"),
    )
    op.create_table(
        "account_session",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("browser", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_account_session_account_id_account"
        ),
        sa.UniqueConstraint("token_hash", name="uq_account_session_token_hash"),
    )
    op.create_index("ix_account_session_account_id", "account_session", ["account_id"])
    op.create_table(
        "password_link",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_password_link_account_id_account"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_password_link"),
    )
    op.create_index("ix_password_link_account_id", "password_link", ["account_id"])
    op.create_table(
        "role_grant",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("unit_id", sa.Integer()),
        sa.Column("sector", sa.String(16)),
        sa.Column("granted_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_role_grant_account_id_account"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_role_grant_unit_id_unit"),
    )
    op.create_index("ix_role_grant_account_id", "role_grant", ["account_id"])
    op.create_table(
        "pairing_code",
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["point_id"], ["survey_point.id"], name="fk_pairing_code_point_id_survey_point"
        ),
        sa.PrimaryKeyConstraint("code_hash", name="pk_pairing_code"),
    )
    op.create_table(
        "access_token",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("credential_id", sa.Integer(), nullable=False),
        sa.Column("rights", sa.String(400), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credential.id"], name="fk_access_token_credential_id_credential"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_access_token"),
    )
    op.create_index("ix_access_token_credential_id", "access_token", ["credential_id"])
    op.create_index("ix_response_text_unit_id", "response_text", ["unit_id", "day"])
    with op.batch_alter_table("credential") as credential:
        credential.add_column(sa.Column("unit_id", sa.Integer()))
        credential.add_column(sa.Column("account_id", sa.Integer()))
        credential.create_index("ix_credential_account_id", ["account_id"])
        credential.create_index("ix_credential_point_id", ["point_id"])
        credential.create_foreign_key("fk_credential_unit_id_unit", "unit", ["unit_id"], ["id"])
        credential.create_foreign_key(
            "fk_credential_account_id_account", "account", ["account_id"], ["id"]
        )


def downgrade() -> None:
    op.drop_index("ix_response_text_unit_id", "response_text")
    for table in (
        "access_token",
        "pairing_code",
        "rate_count",
        "daily_salt",
        "sign_in_attempt",
        "password_link",
        "account_session",
        "role_grant",
    ):
        op.drop_table(table)
    with op.batch_alter_table("credential") as credential:
        credential.drop_constraint("fk_credential_unit_id_unit", type_="foreignkey")
        credential.drop_constraint("fk_credential_account_id_account", type_="foreignkey")
        credential.drop_index("ix_credential_account_id")
        credential.drop_index("ix_credential_point_id")
        credential.drop_column("unit_id")
        credential.drop_column("account_id")
    op.drop_table("account")
