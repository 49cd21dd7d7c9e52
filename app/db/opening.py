"""What a command finds where its database should be, in one sentence."""

from __future__ import annotations

import getpass
import os
import re
import sqlite3
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from app.db.damage import DatabaseDamaged, damage_of_file, damage_of_journal
from app.db.database import Database

_MIGRATIONS = Path(__file__).parents[2] / "migrations/versions"
_FORM = "sqlite:///var/hailong.db or postgresql+psycopg://user@host/name"
_SQLITE_BEGINS = b"SQLite format 3\0"


class DatabaseUnusableError(Exception):
    """A database cannot be used as it is; the message says why, and what to do.

    ``passing`` tells whether it may be there in a moment, as after a restart of its machine;
    ``damaged``, whether only a copy helps.
    """

    def __init__(self, message: str, *, passing: bool = False, damaged: bool = False) -> None:
        super().__init__(message)
        self.passing, self.damaged = passing, damaged


def opened(url: str, *, migrates: bool = False, look_s: float = 2.0) -> Database:
    """The database at an address, of which it is sure that it can be used; close it after.

    Whoever ``migrates`` may find an empty one, or one of an older version; a file is made. For
    damage a file is looked through unless that takes longer than ``look_s``.

    Raises
    ------
    DatabaseUnusableError
        Where it cannot be used.
    """
    _check_address(url)
    try:
        if file := sqlite_file(make_url(url)):
            _check_file(file, migrates=migrates)
            _check_pages(file, look_s)
        database = Database(url)
    except OSError as error:
        raise DatabaseUnusableError(
            f"the database's folder cannot be used: {error.strerror}: {error.filename}"
        ) from error
    try:
        check_schema(database, migrates=migrates)
    except DatabaseDamaged as damaged:
        database.close()
        raise _damaged(database.url, database.damage.found) from damaged
    except DBAPIError as error:
        database.close()
        raise explained(error, database.url) or error from error
    except BaseException:
        database.close()
        raise
    return database


def sqlite_file(url: URL) -> Path | None:
    """The file of a database on SQLite."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database)).absolute()


def newest_schema() -> str:
    """The revision that this version of the software needs."""
    return max(_known())


def is_known(schema: str) -> bool:
    """Whether this version of the software knows a revision: it is its own, or an older one."""
    return schema in _known()


def _known() -> set[str]:
    """Revisions of which this version knows; the names of the files begin with them."""
    return {file.name.split("_")[0] for file in _MIGRATIONS.glob("[0-9]*.py")}


def check_schema(database: Database, *, migrates: bool = False) -> None:
    """Raise ``DatabaseUnusableError`` unless the schema is of this version.

    Raises
    ------
    DatabaseUnusableError
        Where it is newer, and, unless the caller ``migrates``, where it is older or none.
    """
    name = database.url.render_as_string()
    with database.reading() as session:
        found: str | None = None
        if inspect(session.connection()).has_table("alembic_version"):
            found = session.execute(text("SELECT version_num FROM alembic_version")).scalar()
    newest = newest_schema()
    if found is not None and not is_known(found):
        raise DatabaseUnusableError(
            f"{name} was made by a newer version of this software (its schema is {found}, this "
            f"version knows {newest}): update the software"
        )
    if migrates or found == newest:
        return
    if found is None:
        raise DatabaseUnusableError(f"{name} has no tables yet: run hailong migrate first")
    raise DatabaseUnusableError(
        f"{name} is of an older version (its schema is {found}, this version needs {newest}): "
        "run hailong migrate first"
    )


def explained(error: SQLAlchemyError, url: URL) -> DatabaseUnusableError | None:
    """What a database's failure means to whoever runs a command; none where it is a defect."""
    if not isinstance(error, DBAPIError):
        return None
    said = " ".join(str(error.orig).split())
    host = url.host or url.query.get("host") or "this machine"
    where = f"{host}:{url.port or 5432}"
    user = url.username or getpass.getuser()  # peer authentication
    for sign, meaning, passing in _MEANINGS:
        if re.search(sign, said):
            told = meaning.format(where=where, host=host, user=user, name=url.database, said=said)
            return DatabaseUnusableError(told, passing=passing)
    return None


#: Words of the drivers, what they mean, and whether it may pass by itself; the first counts.
_MEANINGS: tuple[tuple[str, str, bool], ...] = (
    (
        "password authentication failed|no password supplied",
        "PostgreSQL at {where} refuses the password of {user}: mend HAILONG_DATABASE_URL",
        False,
    ),
    (
        "Peer authentication failed|Ident authentication failed|no pg_hba.conf entry",
        "PostgreSQL at {where} does not let {user} in: run this as the service's user, or mend "
        "pg_hba.conf",
        False,
    ),
    (
        'role "[^"]*" does not exist',
        "PostgreSQL at {where} knows no {user}: createuser {user}, or mend HAILONG_DATABASE_URL",
        False,
    ),
    (
        'database "[^"]*" does not exist',
        "PostgreSQL at {where} has no database {name}: createdb -O {user} {name}, or mend "
        "HAILONG_DATABASE_URL",
        False,
    ),
    (
        "resolve host|translate host|Name or service not known|name resolution|nodename",
        "there is no host {host}: mend HAILONG_DATABASE_URL, or the machine's names (DNS)",
        True,
    ),
    (
        "refused|No such file or directory",
        "nothing answers as PostgreSQL at {where}: start it, or mend HAILONG_DATABASE_URL",
        True,
    ),
    ("starting up|shutting down|recovery mode", "PostgreSQL at {where} is not ready yet", True),
    (
        "readonly database|read-only",
        "the database {name} cannot be written: mend the file's owner and mode, or use the "
        "primary server",
        False,
    ),
    ("disk is full|No space left", "the disk of the database {name} is full: make room", False),
    (
        "unable to open database file",
        "the file of the database {name} cannot be opened: mend its owner and mode",
        False,
    ),
    ("permission denied", "the database {name} does not let {user} do this: {said}", False),
    ("database is locked", "another process holds the database {name}: try again", True),
    (
        "connection (to server|failed|is bad|timeout|timed out)|server closed|disk I/O error"
        "|terminat|timeout",
        "the database does not answer: {said}",
        True,
    ),
)


def _check_address(url: str) -> None:
    try:
        parsed = make_url(url)
        known = parsed.drivername in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg")
    except (ArgumentError, ValueError):
        known = False
    if not known:
        # Not shown: it may have a password.
        raise DatabaseUnusableError(f"HAILONG_DATABASE_URL is no address like {_FORM}")


def _check_pages(file: Path, look_s: float) -> None:
    if not file.exists():
        return
    try:
        found = damage_of_journal(file, look_s) or damage_of_file(file, within_s=look_s)
    except sqlite3.DatabaseError as error:
        raise DatabaseUnusableError(f"{file} cannot be opened: {error}") from error
    if found is not None:
        raise _damaged(make_url(f"sqlite:///{file}"), found)


def _damaged(url: URL, found: str | None) -> DatabaseUnusableError:
    return DatabaseUnusableError(f"the database {url.database} is damaged ({found})", damaged=True)


def _check_file(file: Path, *, migrates: bool) -> None:
    if file.is_dir():
        raise DatabaseUnusableError(f"{file} is a directory, and no database")
    if not file.exists():
        if migrates:
            return
        raise DatabaseUnusableError(f"there is no database {file}: run hailong migrate first")
    if not file.is_file():
        raise DatabaseUnusableError(f"{file} is no file, and no database")
    if not os.access(file, os.R_OK | os.W_OK):
        raise DatabaseUnusableError(
            f"{file} cannot be read and written by this user: run this as the service's user, or "
            "chown it"
        )
    with file.open("rb") as stream:
        begin = stream.read(len(_SQLITE_BEGINS))
    if begin and begin != _SQLITE_BEGINS:
        raise DatabaseUnusableError(
            f"{file} is damaged, or no database of SQLite (HAILONG_DATABASE_URL)", damaged=True
        )
