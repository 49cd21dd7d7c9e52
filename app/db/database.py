"""The one place that knows which store is behind the models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import Format
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

_WRITES = "hailong_writes"
#: Key of ``Session.info``: whose doing the changes of a session are.
ACTOR = "hailong_actor"
#: What no text of PostgreSQL holds, and what stands in its place.
NUL, UNREADABLE = "\0", "\N{REPLACEMENT CHARACTER}"


class _BinaryCursor(psycopg.Cursor[Any]):
    """Receives results in PostgreSQL's binary format: cells arrive as bytes, not hexadecimal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.format = Format.BINARY


class Database:
    """An engine with our conventions, and sessions that read or write.

    On SQLite a writing session takes the write lock at its begin (``BEGIN IMMEDIATE``), so what
    it reads stays true until it commits; commits are durable (WAL, ``synchronous=FULL``). On
    PostgreSQL transactions are READ COMMITTED and rows must be locked where that matters.
    """

    def __init__(self, url: str) -> None:
        #: Called before each writing session; what it raises keeps the session from beginning.
        self.before_writing: Callable[[], None] | None = None
        self.url = make_url(url)
        if self.url.get_backend_name() == "sqlite":
            self.engine = _sqlite(self.url.render_as_string(hide_password=False))
            self._writing_engine: Engine = self.engine.execution_options(**{_WRITES: True})
        else:
            arguments = {"cursor_factory": _BinaryCursor}
            self.engine = create_engine(self.url, connect_args=arguments, pool_pre_ping=True)
            # Writers do not ask first whether the server is still there, which costs as much as
            # a small write: they take failure for what it is and are called again.
            self._writing_engine = create_engine(self.url, connect_args=arguments)
            for engine in (self.engine, self._writing_engine):
                event.listen(engine, "before_cursor_execute", _without_nul, retval=True)

    @property
    def locks_whole_database(self) -> bool:
        """Whether a writing session excludes every other one."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading; nothing is committed."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self, actor: str = "system", *, unasked: bool = False) -> Iterator[Session]:
        """A session that commits at its end, durably, or not at all.

        ``actor`` stands in the audit log beside what the session changes. ``unasked`` is for what
        is written of that which keeps others from writing.
        """
        if self.before_writing is not None and not unasked:
            self.before_writing()
        with Session(self._writing_engine, info={ACTOR: actor}) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()
        self._writing_engine.dispose()


def _without_nul(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    """PostgreSQL keeps no NUL in a text, and refuses the statement that has one.

    Anybody may send one, as a code or an address: it is looked up, or kept, as the sign for what
    cannot be read, so that nothing is found by it and nobody else's responses wait for it.
    """
    return statement, _readable(parameters)


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(NUL, UNREADABLE) if NUL in value else value
    if isinstance(value, dict):
        return {name: _readable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_readable, value))
    return value


def _sqlite(url: str) -> Engine:
    file = make_url(url).database
    if file and file != ":memory:":
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 60, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # The driver would begin transactions by itself, and too late; we begin them (below).
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-65536",
            "wal_autocheckpoint=4000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
