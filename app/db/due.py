"""Whether something in a queue is due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

from app.db.database import Database


def is_due(
    database: Database, due_at: InstrumentedAttribute[Any], *conditions: ColumnElement[bool]
) -> bool:
    """Look before taking SQLite's one lock for writing, which the intake wants."""
    query = select(due_at).where(due_at <= datetime.now(UTC), *conditions).limit(1)
    with database.reading() as session:
        return session.scalar(query) is not None
