"""Which files were imported: begun and ended, by the keyed hash of their bytes and their batch.

An index of responses by when they came, for later rounds of exports. Titles of drafts, so that
their list reads no documents.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.create_table(
        "response_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(40), nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("batch", sa.String(100), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("begun_by", sa.String(200), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_response_import"),
    )
    op.create_index("ix_response_import_source", "response_import", ["source"])
    op.create_index("ix_response_received", "response", ["received_at"])
    op.add_column(
        "questionnaire_draft", sa.Column("title", sa.Text(), server_default="{}", nullable=False)
    )
    draft = sa.table(
        "questionnaire_draft", sa.column("id", sa.Integer), sa.column("title", sa.Text),
        sa.column("document", sa.Text),
    )  # fmt: skip
    connection = op.get_bind()
    for id, document in connection.execute(sa.select(draft.c.id, draft.c.document)).all():
        title = json.dumps(json.loads(document)["title"], ensure_ascii=False)
        connection.execute(sa.update(draft).where(draft.c.id == id).values(title=title))


def downgrade() -> None:
    op.drop_column("questionnaire_draft", "title")
    op.drop_index("ix_response_received", "response")
    op.drop_table("response_import")
