"""Carries a whole SQLite database over to PostgreSQL: all tables, in one transaction.

What is written is the schema, then every row of every table of the models, then what a database
draws numbers from. Before the transaction commits, all rows are read again and compared with
those of the source, the cells are recounted and the chain of the audit log is walked: the other
database holds all of it and is proven, or it stays empty.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql
from sqlalchemy import (
    Connection,
    String,
    Table,
    Text,
    create_engine,
    event,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from app.audit import log
from app.commands import Refused
from app.db import Base, Database
from app.db.migrate import upgrade
from app.db.unreadable import NUL, UNREADABLE
from app.intake import partitions
from app.intake.rollup_rebuild import verify_in

#: Rows that are read, sent or compared at a time; memory does not grow with their number.
_BATCH = 2000
#: Of tables with texts of any length: a device's refused body may have two megabytes.
_BATCH_OF_TEXTS = 50
#: Seconds that a writer who is just ending is waited for.
_PATIENCE_S = 5
_VERSION = "alembic_version"
_FOREIGN_KEYS = (
    "SELECT format('ALTER TABLE %s ALTER CONSTRAINT %I ', conrelid::regclass, conname) "
    "FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 "
    "AND connamespace = current_schema()::regnamespace"
)

#: Called with a table's name and how many of its rows are done since the last call.
Tell = Callable[[str, int], None]


@dataclass(frozen=True)
class Moved:
    """What was moved, as it was found in the other database."""

    rows: Mapping[str, int]
    audit_entries: int
    audit_head: str
    #: Texts with a NUL, which PostgreSQL keeps as the sign for what cannot be read.
    unreadable: int


@contextmanager
def alone(file: Path) -> Iterator[Connection]:
    """A SQLite database that nobody else has open, and nobody can open meanwhile.

    Raises
    ------
    Refused
        Where somebody has: what a server took after this would be lost.
    """

    def opened() -> sqlite3.Connection:
        address = f"file:{quote(str(file))}?mode=rw"
        return sqlite3.connect(address, _PATIENCE_S, uri=True, check_same_thread=False)

    engine = create_engine("sqlite://", creator=opened, poolclass=StaticPool)

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        # Before anything is read: so the whole file is locked, not its next writer alone.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.connect() as connection:
            yield connection
    except OperationalError as error:
        if not isinstance(error.orig, sqlite3.OperationalError):
            raise
        if "locked" not in str(error.orig):
            raise Refused(f"{file} cannot be read: {error.orig}") from error
        raise Refused(
            f"{file} is open in another program: stop the server first, for what it takes from "
            "now on would stay behind"
        ) from error
    except DatabaseError as error:
        if not isinstance(error.orig, sqlite3.DatabaseError):
            raise
        raise Refused(f"{file} cannot be read: {error.orig}") from error
    finally:
        engine.dispose()


def tables(source: Connection) -> list[Table]:
    """All tables of the models, those first that others refer to.

    Raises
    ------
    Refused
        Where the source has a table that is none of ours, or lacks one of ours.
    """
    there = set(inspect(source).get_table_names())
    if _VERSION not in there:
        raise Refused("the SQLite database has no schema of Hài Lòng")
    known = set(Base.metadata.tables)
    strange = sorted(there - known - {_VERSION})
    if strange:
        raise Refused(f"of these tables nothing is known, so they cannot go: {', '.join(strange)}")
    if known - there:
        raise Refused(
            f"the SQLite database lacks {', '.join(sorted(known - there))}: run hailong migrate "
            "on it first"
        )
    return Base.metadata.sorted_tables


def count(source: Connection) -> int:
    """How many rows all tables have together."""
    counts = (source.scalar(select(func.count()).select_from(t)) for t in tables(source))
    return sum(number or 0 for number in counts)


def move(
    source: Connection,
    name: str,
    target: Database,
    actor: str,
    tell: Tell = lambda table, rows: None,
) -> Moved:
    """Carry everything over into an empty database and prove it there, or change nothing.

    ``name`` is what the audit log of the target calls the source; ``tell`` is called for each
    row twice, when it was sent and when it was compared.

    Raises
    ------
    Refused
        Where the target is not empty, versions differ, or a row is not taken.
    """
    with target.writing(actor) as session:
        connection = session.connection()
        _check_empty(connection)
        upgrade(connection)
        versions = [_version(each) for each in (source, connection)]
        if versions[0] != versions[1]:
            raise Refused(
                f"the SQLite database has the schema {versions[0]}, this software makes "
                f"{versions[1]}: run hailong migrate on it first, with this software"
            )
        moving = tables(source)
        partitions.ensure(connection, datetime.now(UTC).date())
        with _references_checked_last(connection):
            rows, unreadable = {}, 0
            for table in moving:
                rows[table.name], replaced = _copy(source, connection, table, tell)
                unreadable += replaced
        for table in moving:
            _go_on_counting(connection, table)
        for table in moving:
            _compare(source, connection, table, tell)
        verdict = _prove(session)
        log.record(
            session,
            "database.move",
            name,
            schema=versions[1],
            rows=rows,
            audit_head=verdict.head,
            unreadable_texts=unreadable,
        )
        connection.execute(text("ANALYZE"))
    return Moved(rows, verdict.entries, verdict.head, unreadable)


def _check_empty(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        raise Refused("a database is moved to PostgreSQL only: postgresql://user@host/name")
    there = inspect(connection).get_table_names()
    if there:
        raise Refused(
            f"the database {connection.engine.url.database} is not empty "
            f"({', '.join(sorted(there)[:3])}, …): make a new one, as by createdb"
        )


def _version(connection: Connection) -> str:
    return str(connection.scalar(text(f"SELECT version_num FROM {_VERSION}")))


@contextmanager
def _references_checked_last(connection: Connection) -> Iterator[None]:
    """Rows may refer to what comes later, as units do to units; in the end all is checked."""
    constraints = connection.scalars(text(_FOREIGN_KEYS)).all()
    for each in constraints:
        connection.exec_driver_sql(f"{each} DEFERRABLE INITIALLY DEFERRED")
    yield
    try:
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    except DatabaseError as error:
        raise Refused(f"the SQLite database refers to what it has not: {error.orig}") from error
    for each in constraints:
        connection.exec_driver_sql(f"{each} NOT DEFERRABLE")


def _copy(source: Connection, target: Connection, table: Table, tell: Tell) -> tuple[int, int]:
    """Send all rows of a table; how many, and in how many of their texts a NUL was replaced."""
    if _has_rows(target, table):
        target.execute(table.delete())
    names = [column.name for column in table.columns]
    processors = [
        column.type.dialect_impl(target.dialect).bind_processor(target.dialect)
        for column in table.columns
    ]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    driver: psycopg.Connection[Any] = target.connection.driver_connection  # type: ignore[assignment]
    rows = unreadable = 0
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for batch in _batches(source, table):
                for row in batch:
                    unreadable += sum(isinstance(v, str) and NUL in v for v in row)
                    copy.write_row(
                        [
                            process(value) if process else value
                            for process, value in zip(processors, map(_kept, row), strict=True)
                        ]
                    )
                rows += len(batch)
                tell(table.name, len(batch))
    except psycopg.Error as error:
        raise Refused(
            f"PostgreSQL does not take {table.name}: {str(error).strip()}; nothing was moved"
        ) from error
    return rows, unreadable


def _has_rows(connection: Connection, table: Table) -> bool:
    """Whether the migrations put rows into it, which the source has itself."""
    return connection.execute(select(table).limit(1)).first() is not None


def _batches(
    connection: Connection, table: Table, *, ordered: bool = False
) -> Iterator[Sequence[Any]]:
    query = select(table)
    if ordered:
        query = query.order_by(*_order(connection, table))
    long = any(isinstance(column.type, Text) for column in table.columns)
    size = _BATCH_OF_TEXTS if long else _BATCH
    rows = connection.execute(query, execution_options={"yield_per": size})
    try:
        yield from rows.partitions()
    finally:
        rows.close()


def _order(connection: Connection, table: Table) -> Iterator[Any]:
    """By key, or by everything; texts by their bytes, which both stores agree on."""
    binary = "C" if connection.dialect.name == "postgresql" else "BINARY"
    for column in table.primary_key.columns or table.columns:
        yield column.collate(binary) if isinstance(column.type, String) else column


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Have the numbers that the database draws begin after those that are there."""
    for column in table.primary_key.columns:
        sequence = connection.scalar(
            text("SELECT pg_get_serial_sequence(quote_ident(:table), :column)"),
            {"table": table.name, "column": column.name},
        )
        if sequence is not None:
            last = connection.scalar(select(func.max(column)))
            connection.execute(
                text("SELECT setval(:sequence, :last, :used)"),
                {"sequence": sequence, "last": last or 1, "used": last is not None},
            )


def _compare(source: Connection, target: Connection, table: Table, tell: Tell) -> None:
    """Read all rows of both, and hold them against one another, value for value."""
    pairs = zip_longest(
        _batches(source, table, ordered=True), _batches(target, table, ordered=True), fillvalue=()
    )
    for ours, theirs in pairs:
        if [tuple(map(_kept, row)) for row in ours] != [tuple(map(_kept, row)) for row in theirs]:
            raise Refused(f"{table.name} arrived otherwise than it was sent; nothing was moved")
        tell(table.name, len(ours))


def _kept(value: Any) -> Any:
    """A value as PostgreSQL keeps it."""
    if isinstance(value, str):
        return value.replace(NUL, UNREADABLE) if NUL in value else value
    return bytes(value) if isinstance(value, memoryview) else value


def _prove(session: Session) -> log.Verdict:
    """Recount the cells and walk the chain, where they are now.

    Raises
    ------
    Refused
        For what was wrong in the source already: it is mended there, or looked into.
    """
    differences = verify_in(session)
    if differences:
        raise Refused(
            f"{len(differences)} cells of the SQLite database differ from their recount: run "
            "hailong rollups rebuild on it first; nothing was moved"
        )
    verdict = log.verify(session)
    if verdict.breach is not None:
        raise Refused(
            f"the audit log of the SQLite database breaks at entry {verdict.breach.entry} "
            f"({verdict.breach.reason}): find out why first; nothing was moved"
        )
    return verdict
