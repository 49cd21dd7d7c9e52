"""Connections to PostgreSQL: how they are made, and for how long anybody waits for an answer.

A connection can fall silent without an end: in a failover without a reset, behind a firewall that
has forgotten it, or when the server's machine is stopped. TCP notices some of that after minutes
and some of it never, so every wait has an end of its own here; then the connection is given up,
and with it all others that were there before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import Format
from sqlalchemy import Engine, event

T = TypeVar("T")

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


class _BinaryCursor(psycopg.Cursor[Any]):
    """Receives results in PostgreSQL's binary format: cells arrive as bytes, not hexadecimal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.format = Format.BINARY


class _Connection(psycopg.Connection[Any]):
    """A connection that ends when its server does not answer for too long."""

    patience_s: float | None = None
    fell_silent: Callable[[], None] | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for the server as psycopg does, and give the connection up when it is silent.

        Raises
        ------
        psycopg.OperationalError
            The server did not answer in time. What it was asked for it may do nevertheless.
        """
        if timeout is not None or self.patience_s is None:
            return super().wait(gen, interval, timeout)
        until = time.monotonic() + self.patience_s
        try:
            return super().wait(gen, interval, self.patience_s)
        except psycopg.OperationalError:
            if time.monotonic() >= until and not self.closed:
                self.close()
                if self.fell_silent is not None:
                    self.fell_silent()
            raise


def use(
    engine: Engine, patience: Patience | None, waits: str, fell_silent: Callable[[], None]
) -> None:
    """Let an engine connect so; ``waits`` names the patience that its statements have."""

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, args: tuple[Any, ...], given: dict[str, Any]) -> Any:
        if patience is None:
            return _Connection.connect(*args, cursor_factory=_BinaryCursor, **given)
        patience_s: float = getattr(patience, waits)
        connection = _Connection.connect(
            *args,
            **{
                "cursor_factory": _BinaryCursor,
                "connect_timeout": max(1, round(patience.connect_s)),
                "tcp_user_timeout": round(patience_s * 1000),
                "keepalives_idle": 10,
                "keepalives_interval": 3,
                "keepalives_count": 3,
                "options": _options(patience, waits),
                **given,
            },
        )
        connection.patience_s, connection.fell_silent = patience_s, fell_silent
        return connection


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
    return " ".join(f"-c {name}={round(seconds * 1000)}" for name, seconds in limits.items())
