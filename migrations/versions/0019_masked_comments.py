"""Comments are masked before they are stored: their columns, and no hash without a key.

Texts that are there stay as they are: ``hailong masking run`` masks them, while the service runs.
Hashes without a key are dropped at once, for who tries all telephone numbers finds by one the
number that stood in a text. Whatever is sent again of before is the same if all else in it is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_INDEX = "ix_response_texts_received"


def upgrade() -> None:
    op.add_column("response_text", sa.Column("encrypted_body", sa.LargeBinary(), nullable=True))
    op.add_column("response_text", sa.Column("masker_edition", sa.SmallInteger(), nullable=True))
    op.add_column("aside_response", sa.Column("body_hash", sa.LargeBinary(20), nullable=True))
    op.add_column("aside_response", sa.Column("masker_edition", sa.SmallInteger(), nullable=True))
    _drop_hashes()
    has_some = sa.text("length(texts_hash) > 0")
    op.create_index(
        _INDEX, "response", ["received_at"], sqlite_where=has_some, postgresql_where=has_some
    )


def downgrade() -> None:
    op.drop_index(_INDEX, "response")
    # Of no use to what knows no key.
    _drop_hashes()
    for table, columns in (
        ("aside_response", ("masker_edition", "body_hash")),
        ("response_text", ("masker_edition", "encrypted_body")),
    ):
        for column in columns:
            op.drop_column(table, column)


def _drop_hashes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # What is overwritten is not to be found in the file either.
        op.execute("PRAGMA secure_delete = ON")
        op.execute("UPDATE response SET texts_hash = x'' WHERE texts_hash IS NOT NULL")
    else:
        op.execute(r"UPDATE response SET texts_hash = '\x'::bytea WHERE texts_hash IS NOT NULL")
