"""Connections to PostgreSQL: how they are made, and for how long anybody waits for an answer.

A connection can fall silent without an end: in a failover without a reset, behind a firewall that
has forgotten it, or when the server's machine is stopped. TCP notices some of that after minutes
and some of it never, so every wait has an end of its own here; then the connection is given up,
and with it all others that were there before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event

from app.db.pipelined import LaterConnection, LaterCursor

#: After so many seconds without a word either side asks whether the other is still there, so often.
_KEEPALIVES = {"keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3}
#: After so many seconds it is taken for gone.
_GONE_S = 10 + 3 * 3
#: So much earlier the server gives a statement up by itself: what is slow is not silent.
_EARLIER_S = 1.0
#: So long a report may compute from what it has read before it reads on; it holds no lock.
_READING_S = 300.0


@dataclass(frozen=True)
class Patience:
    """Seconds that a server process waits for its database; commands wait as long as it takes."""

    #: For a new connection, or a free one of those that there are.
    connect_s: float = 3.0
    #: For what one statement reads.
    read_s: float = 8.0
    #: For what one statement writes, or a commit.
    write_s: float = 5.0
    #: For a lock that another transaction holds; on SQLite for the file.
    lock_s: float = 3.0


def use(
    engine: Engine, patience: Patience | None, waits: str, fell_silent: Callable[[], None]
) -> None:
    """Let an engine connect so; ``waits`` names the patience that its statements have."""

    writes = waits == "write_s"

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, args: tuple[Any, ...], given: dict[str, Any]) -> Any:
        given = {"cursor_factory": LaterCursor, "autocommit": writes, **given}
        if patience is None:
            return LaterConnection.connect(*args, **given)
        patience_s: float = getattr(patience, waits)
        connection = LaterConnection.connect(
            *args,
            **{
                "connect_timeout": max(1, round(patience.connect_s)),
                "tcp_user_timeout": round(patience_s * 1000),
                **_KEEPALIVES,
                "options": _options(patience, waits),
                **given,
            },
        )
        connection.patience_s, connection.fell_silent = patience_s, fell_silent
        return connection

    if writes:
        # The driver would wait for the beginning alone. Another level of isolation it is told by
        # SQLAlchemy, with whether it is to begin; which stays with it when the level goes.
        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            if "isolation_level" not in connection.get_execution_options():
                driver = driver_of(connection)
                if not driver.autocommit:
                    driver.autocommit = True
                driver.begin()


def driver_of(connection: Connection) -> LaterConnection:
    """The driver's connection behind one of a ``Database``'s."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, LaterConnection)
    return driver


def _options(patience: Patience, waits: str) -> str:
    """What the server gives up by itself, in milliseconds."""
    patience_s: float = getattr(patience, waits)
    limits = {
        "statement_timeout": max(0.5, patience_s - _EARLIER_S),
        "lock_timeout": patience.lock_s,
        # A transaction that we gave up is still there for a server that has not heard of it, and
        # its locks would hold up all that comes by new connections.
        "idle_in_transaction_session_timeout": patience_s if waits == "write_s" else _READING_S,
    }
    given = {name: round(seconds * 1000) for name, seconds in limits.items()}
    # The server waits for hours else, with what is locked, for one whose machine is gone amid a
    # message.
    given |= {f"tcp_{name}": number for name, number in _KEEPALIVES.items()}
    # While an answer is under way, nobody asks: TCP sends it again, for a quarter of an hour.
    given["tcp_user_timeout"] = _GONE_S * 1000
    return " ".join(f"-c {name}={number}" for name, number in given.items())
