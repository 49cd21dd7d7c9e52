"""Brings a database to the newest schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from app.db.database import Database
from app.db.locks import Lock, hold

_ROOT = Path(__file__).parents[2]


def migrate(database: Database, revision: str = "head") -> None:
    """Run all migrations up to ``revision``, or down to it, in one transaction."""
    with database.writing() as session:
        upgrade(session.connection(), revision)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """The same within a transaction that somebody else began, and ends."""
    hold(connection, Lock.MIGRATING)  # servers that start together take turns
    config = Config(_ROOT / "alembic.ini")
    config.attributes["connection"] = connection
    going_down = revision == "base" or revision.startswith("-")
    (command.downgrade if going_down else command.upgrade)(config, revision)
