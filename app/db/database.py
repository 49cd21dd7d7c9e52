"""The one place that knows which store is behind the models."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.db import connections
from app.db.connections import Patience
from app.db.damage import Damage, DatabaseDamaged, tells_of_damage
from app.db.unreadable import without_nul

_WRITES = "hailong_writes"
#: Key of ``Session.info``: whose doing the changes of a session are.
ACTOR = "hailong_actor"


class Database:
    """An engine with our conventions, and sessions that read or write.

    On SQLite a writing session takes the write lock at its begin (``BEGIN IMMEDIATE``), so what
    it reads stays true until it commits; commits are durable (WAL, ``synchronous=FULL``). On
    PostgreSQL transactions are READ COMMITTED and rows must be locked where that matters.
    """

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        self._patience = patience
        #: Called before each writing session; what it raises keeps the session from beginning.
        self.before_writing: Callable[[], None] | None = None
        self.damage = Damage()
        self.url = make_url(url)
        if self.url.get_backend_name() == "sqlite":
            self.engine = _sqlite(self.url.render_as_string(hide_password=False), patience)
            self._writing_engine: Engine = self.engine.execution_options(**{_WRITES: True})
        else:
            given: dict[str, Any] = {"hide_parameters": True}
            if patience is not None:
                given["pool_timeout"] = patience.connect_s
            self.engine = create_engine(self.url, pool_pre_ping=True, **given)
            # Writers do not ask first whether the server is still there, which costs as much as
            # a small write: they take failure for what it is and are called again.
            self._writing_engine = create_engine(self.url, **given)
            for engine, waits in ((self.engine, "read_s"), (self._writing_engine, "write_s")):
                connections.use(engine, patience, waits, self._renew)
                event.listen(engine, "before_cursor_execute", without_nul, retval=True)
        for engine in {self.engine, self._writing_engine}:
            event.listen(engine, "handle_error", self._look_for_damage)

    def _renew(self) -> None:
        """Use no connection any more that was there when one of them fell silent."""
        self.engine.dispose()
        self._writing_engine.dispose()

    @property
    def locks_whole_database(self) -> bool:
        """Whether a writing session excludes every other one."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading; nothing is committed."""
        with self._told_apart(), Session(self.engine) as session:
            yield session

    @contextmanager
    def reading_one_moment(self) -> Iterator[Session]:
        """A session for reading to which all is as it was at one moment, on PostgreSQL too."""
        with self.reading() as session:
            if not self.locks_whole_database:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    @contextmanager
    def writing(self, actor: str = "system", *, unasked: bool = False) -> Iterator[Session]:
        """A session that commits at its end, durably, or not at all.

        ``actor`` stands in the audit log beside what the session changes. ``unasked`` is for what
        is written of that which keeps others from writing.
        """
        self.damage.check()
        if self.before_writing is not None and not unasked:
            self.before_writing()
        info = {ACTOR: actor}
        with (
            self._told_apart(),
            Session(self._writing_engine, info=info) as session,
            session.begin(),
        ):
            yield session
            self.damage.check()  # it may have become known meanwhile; nothing is committed then

    def _look_for_damage(self, context: ExceptionContext) -> None:
        self.damage.see(context.original_exception)

    @contextmanager
    def _told_apart(self) -> Iterator[None]:
        """What comes of damage is told as that, and is no defect of ours."""
        try:
            yield
        except DBAPIError as error:
            if error.orig is not None and tells_of_damage(error.orig):
                raise DatabaseDamaged from error
            raise

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()
        self._writing_engine.dispose()


#: How long a command waits for the lock of a SQLite file, in seconds.
_LOCK_S = 60.0


def _sqlite(url: str, patience: Patience | None) -> Engine:
    file = make_url(url).database
    if file and file != ":memory:":
        Path(file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock_s = _LOCK_S if patience is None else patience.lock_s
    engine = create_engine(
        url,
        connect_args={"timeout": lock_s, "check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "do_connect")
    def _make(*_: Any) -> None:
        # SQLite would make it readable to all whom the process allows; its journal is like it.
        if file and file != ":memory:" and not Path(file).exists():
            with contextlib.suppress(OSError):  # told by SQLite
                os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # The driver would begin transactions by itself, and too late; we begin them (below).
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-8192",
            "wal_autocheckpoint=4000",
            # What is changed or deleted is overwritten: a number of a telephone would else stay
            # in a page that is free, or beside the row that says its SMS could not be sent.
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
