"""The database: reached, written, of our schema, whole, with room for our connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from app.audit.log import verify as verify_audit
from app.db import Database
from app.db.damage import damage_of_file, last_good_backup
from app.db.opening import DatabaseUnusableError, opened, sqlite_file
from app.doctor.findings import Finding, look, well, wrong
from app.intake.rollup_rebuild import verify as verify_cells
from app.settings import Settings

#: What one server process may hold open: two pools of SQLAlchemy's usual size.
_CONNECTIONS_A_PROCESS = 30


def reached(settings: Settings) -> Iterator[Finding]:
    """Whether the database answers, takes what is written, and has the schema of this version."""
    try:
        database = opened(settings.database_url)
    except DatabaseUnusableError as error:
        remedy = "Do what it says as the service's user, and run this again."
        yield wrong("database", str(error), put_back(settings) if error.damaged else remedy)
        return
    with closing(database):
        yield well("database", f"{database.url.render_as_string()} answers")
        yield from _writable(database)
        if not database.locks_whole_database:
            yield from _postgres(database, settings)


def put_back(settings: Settings) -> str:
    """What to do where pages are damaged."""
    copy = last_good_backup(settings)
    if copy is None:
        return "Stop the service, and put the last good copy back: hailong restore FILE --replace"
    return f"Stop the service, and put the last good copy back: hailong restore {copy} --replace"


def whole(settings: Settings) -> Iterator[Finding]:
    """Whether all pages are whole, and indexes and tables say the same: minutes, where it is large.

    The database was looked at quickly before, unless that takes more than some seconds.
    """
    file = sqlite_file(make_url(settings.database_url))
    if file is None:  # PostgreSQL's server looks by night
        return
    found = damage_of_file(file, whole=True)
    if found is not None:
        yield wrong("pages", f"{file} is damaged ({found})", put_back(settings))
    else:
        yield well("pages", f"{file} is whole")


def _writable(database: Database) -> Iterator[Finding]:
    try:
        with database.writing(unasked=True) as session:
            session.execute(text("CREATE TABLE doctor_was_here (it INTEGER)"))
            session.execute(text("DROP TABLE doctor_was_here"))
    except SQLAlchemyError as error:
        yield wrong(
            "database", f"cannot be written: {_told(error)}",
            "Make room on its disk, mend its owner and mode, or use the primary server: answers "
            "wait on the devices.",
        )  # fmt: skip
    else:
        yield well("database", "can be written")


def _postgres(database: Database, settings: Settings) -> Iterator[Finding]:
    with database.reading() as session:
        most = int(session.execute(text("SHOW max_connections")).scalar_one())
        version = str(session.execute(text("SHOW server_version")).scalar_one())
        zone = str(session.execute(text("SHOW timezone")).scalar_one())
        durable = str(session.execute(text("SHOW synchronous_commit")).scalar_one())
        flushed = str(session.execute(text("SHOW fsync")).scalar_one())
        checked = str(session.execute(text("SHOW data_checksums")).scalar_one())
    yield well("versions", f"PostgreSQL {version}, time zone {zone}")
    wanted = settings.workers * _CONNECTIONS_A_PROCESS
    if wanted > most:
        yield wrong(
            "database",
            f"{settings.workers} processes may open {wanted} connections, PostgreSQL allows {most}",
            "Raise max_connections, or lower HAILONG_WORKERS.",
        )
    if durable == "off" or flushed == "off":
        yield wrong(
            "database", f"fsync is {flushed}, synchronous_commit is {durable}",
            "Set both on: what is acknowledged may be lost when the machine stops.",
        )  # fmt: skip
    if checked == "off":
        yield look(
            "database", "PostgreSQL keeps no checksums of its pages",
            "pg_checksums --enable (with the server stopped): a failing disk is noticed at once.",
        )  # fmt: skip


def counted(settings: Settings) -> Iterator[Finding]:
    """Whether the cells equal a recount of all responses: minutes, where there are millions."""
    with closing(Database(settings.database_url)) as database:
        differences = verify_cells(database)
    if differences:
        yield wrong(
            "cells", f"{len(differences)} cells differ from a recount", "hailong rollups rebuild"
        )
    else:
        yield well("cells", "equal a recount of all responses")


def chained(settings: Settings) -> Iterator[Finding]:
    """Whether the audit log follows from its beginning."""
    with closing(Database(settings.database_url)) as database, database.reading() as session:
        verdict = verify_audit(session)
    if verdict.breach:
        yield wrong(
            "audit log", f"breaks at entry {verdict.breach.entry}: {verdict.breach.reason}",
            "Somebody changed the database past the service: hailong audit verify",
        )  # fmt: skip
    else:
        yield well("audit log", f"{verdict.entries} entries follow from one another")


def _told(error: SQLAlchemyError) -> str:
    return (str(getattr(error, "orig", None) or error).strip().splitlines() or ["no reason"])[0]
