"""Settings of the database: where it is, and how long it is waited for."""

from __future__ import annotations

from pydantic import BaseModel, Field


class DatabaseSettings(BaseModel):
    """The database."""

    database_url: str = Field(
        "sqlite:///var/hailong.db",
        description="SQLAlchemy address of the database; SQLite file or PostgreSQL "
        "(postgresql+psycopg://…).",
    )
    database_wait_s: float = Field(
        60.0,
        ge=0,
        description="Seconds that a server which starts waits for a database that is away; then it "
        "ends, and whatever starts services starts it again.",
    )
    database_connect_s: float = Field(
        3.0, gt=0, description="Seconds that the server waits for a connection to its database."
    )
    database_read_s: float = Field(
        8.0,
        ge=2,
        description="Seconds that the server waits for what one statement reads; then the page is "
        "answered 503. Commands wait as long as it takes.",
    )
    database_write_s: float = Field(
        5.0,
        ge=2,
        description="Seconds that the server waits for what one statement writes, or for a commit.",
    )
