"""What an error of the database means: that it is away, and why, or a defect of ours."""

import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError

from app.db.away import Why, away


def sqlite_error(code):
    error = sqlite3.OperationalError("said")
    error.sqlite_errorcode = code
    return OperationalError("SELECT", {}, error)


def postgres_error(kind):
    return OperationalError("SELECT", {}, kind("said"))


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL), Why.FULL),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), Why.BUSY),
        (sqlite_error(sqlite3.SQLITE_READONLY_DBMOVED), Why.READ_ONLY),
        (sqlite_error(sqlite3.SQLITE_IOERR_FSYNC), Why.DISK),
        (sqlite_error(sqlite3.SQLITE_ERROR), None),  # no such table
        (IntegrityError("INSERT", {}, sqlite3.IntegrityError("twice")), None),
        (postgres_error(psycopg.OperationalError), Why.SILENT),
        (postgres_error(psycopg.errors.AdminShutdown), Why.SILENT),
        (postgres_error(psycopg.errors.TooManyConnections), Why.BUSY),
        (postgres_error(psycopg.errors.DeadlockDetected), Why.BUSY),
        (postgres_error(psycopg.errors.QueryCanceled), Why.BUSY),
        (postgres_error(psycopg.errors.DiskFull), Why.FULL),
        (postgres_error(psycopg.errors.ReadOnlySqlTransaction), Why.READ_ONLY),
        (ProgrammingError("SELECT", {}, psycopg.errors.UndefinedTable("none")), None),
        (NoConnectionFreeError("all in use"), Why.BUSY),
        (ValueError("a defect"), None),
    ],
)
def test_what_passes_is_told_from_defects(error, why):
    found = away(error)
    assert (found and found.why) == why
    if found:
        assert found.status == 503 and found.headers["Retry-After"]
        assert found.detail("vi") != found.detail("en")
