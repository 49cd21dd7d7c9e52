"""Settings of backups, of the journal's archive, and of PostgreSQL's programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode


def _separated(given: object) -> object:
    """Several values in one, separated by commas or spaces."""
    return tuple(given.replace(",", " ").split()) if isinstance(given, str) else given


class BackupSettings(BaseModel):
    """Backup and restore."""

    backup_folder: Path | None = Field(
        None,
        description="Folder into which backups go, on another disk or machine than the database; "
        "one for each database.",
    )
    backup_keys: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_separated)] = Field(
        (),
        description="Public keys (age1…), separated by commas, for which backups and the archive "
        "of the journal are sealed; the private ones lie elsewhere.",
    )
    backup_unsealed: bool = Field(
        False,
        description="Whether backups are made though there is no key to seal them for: whoever "
        "gets such a file reads every answer.",
    )
    backup_at: str = Field(
        "",
        description="When the server has backups made: local times of day (02:30, or 02:30, "
        "14:30), or every N hours (every 6 hours). Empty: never.",
    )
    backup_keep: str = Field(
        "7 daily, 4 weekly, 12 monthly",
        description="Which backups are kept: of so many days, weeks, months the last one each "
        "(hourly, daily, weekly, monthly, yearly). Empty: all.",
    )
    backup_most_age_h: int = Field(
        26,
        ge=1,
        description="Hours after which the last good backup is too old, and is told of.",
    )
    backup_work: Path | None = Field(
        None,
        description="Folder in which a copy lies, unsealed, while it is checked: room for the "
        "database twice. Without one, beside a SQLite database, or the machine's folder for "
        "temporary files.",
    )
    wal_folder: Path | None = Field(
        None,
        description="Folder of the archive of PostgreSQL's journal (WAL), on another disk than the "
        "database: with it any moment since a base backup can be reached.",
    )
    postgres_bin: Path | None = Field(
        None,
        description="Folder of PostgreSQL's programs (pg_ctl, pg_basebackup, pg_dump), where they "
        "are not found by themselves.",
    )
    postgres_data: Path | None = Field(
        None,
        description="Folder of the PostgreSQL server's data, which a restore of a base backup puts "
        "in its place.",
    )
    postgres_user: str = Field(
        "postgres",
        description="User of this machine as whom a PostgreSQL server is started where the command "
        "runs as root.",
    )
