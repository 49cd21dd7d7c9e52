"""What it means when the database does not do what it was asked, in words that a person reads."""

from __future__ import annotations

import sqlite3
from enum import StrEnum

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError

from app.messages import say
from app.problems import Problem

RETRY_AFTER_S = 5


class Why(StrEnum):
    """Why the database cannot be used now."""

    SILENT = "silent"
    FULL = "full"
    READ_ONLY = "read_only"
    BUSY = "busy"
    DISK = "disk"


class DatabaseAway(Problem):
    """The database does not answer, or cannot write: what is kept is kept, and nothing is taken."""

    code, status, passing = "database-away", 503, True

    def __init__(self, why: Why = Why.SILENT) -> None:
        super().__init__(headers={"Retry-After": str(RETRY_AFTER_S)}, retry_after=RETRY_AFTER_S)
        self.why = why

    def detail(self, language: str) -> str:
        """Why, and when to come again."""
        return say(
            "problem.database-away.detail",
            language,
            reason=say(f"why.database_{self.why}", language),
            retry_after=RETRY_AFTER_S,
        )


#: By the lowest byte of SQLite's code, which is the sort.
_SQLITE = {
    sqlite3.SQLITE_BUSY: Why.BUSY,
    sqlite3.SQLITE_LOCKED: Why.BUSY,
    sqlite3.SQLITE_PROTOCOL: Why.BUSY,
    sqlite3.SQLITE_NOMEM: Why.BUSY,
    sqlite3.SQLITE_READONLY: Why.READ_ONLY,
    sqlite3.SQLITE_INTERRUPT: Why.BUSY,
    sqlite3.SQLITE_IOERR: Why.DISK,
    sqlite3.SQLITE_CANTOPEN: Why.DISK,
    sqlite3.SQLITE_FULL: Why.FULL,
}
#: By PostgreSQL's code, or by its class: the first two characters.
_POSTGRESQL = {
    "57014": Why.BUSY,
    "55P03": Why.BUSY,
    "25006": Why.READ_ONLY,
    "25P03": Why.SILENT,
    "25P04": Why.SILENT,
    "53100": Why.FULL,
    "08": Why.SILENT,
    "40": Why.BUSY,
    "53": Why.BUSY,
    "57": Why.SILENT,
    "58": Why.DISK,
}


def away(error: BaseException) -> DatabaseAway | None:
    """The problem that an error of the database is; none where it is a defect of ours."""
    why = _why(error)
    return None if why is None else DatabaseAway(why)


def _why(error: BaseException) -> Why | None:
    if isinstance(error, NoConnectionFreeError):
        return Why.BUSY
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _SQLITE.get((getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF)
    if isinstance(cause, psycopg.Error):
        if cause.sqlstate:
            return _POSTGRESQL.get(cause.sqlstate, _POSTGRESQL.get(cause.sqlstate[:2]))
        # What the driver says itself, and not the server: there is no connection (any more).
        broken = isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
        return Why.SILENT if broken else None
    return None
