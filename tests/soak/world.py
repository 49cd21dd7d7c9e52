"""A service to be broken: the real server process, its store, and what stands between them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import psutil

from app.db import Database
from app.settings import Settings
from app.setup import prepare
from tests.faults import OwnPostgres, Proxy
from tests.server import ServerProcess, free_port
from tests.small_province import SmallProvince
from tests.soak.clients import Ledger


class World:
    """One store, one server, a small province, and the ledger of all clients."""

    figures = "/api/v1/satisfaction?questionnaire=sipas-desk"

    def __init__(self, store: str, folder: Path) -> None:
        self.store, self.ledger, self._folder = store, Ledger(), folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._offset = folder / "clock-offset"
        self.set_clock(timedelta(0))
        if store == "postgresql":
            self.postgres = OwnPostgres()
            self.postgres.start()
            #: Past all that stands between, for those who look after it.
            self.database_url = self.postgres.url
            self.proxy = Proxy(self.postgres.port)
            self._server_url = self.postgres.url_by(self.proxy.port)
        else:
            self.database_url = self._server_url = f"sqlite:///{folder / 'hailong.db'}"
        with closing(Database(self.database_url)) as database:
            prepare(database, Settings(database_url=self.database_url))
            province = SmallProvince.found(database)
            self._senders = [province.device(unit) for unit in ("A1", "D1", "C1")]
            self.reader_headers = province.reader()
            self.form = f"/q/{province.points['A1', 'sipas-desk']}"
        self._next = itertools.cycle(self._senders)
        self._server: ServerProcess | None = None

    def sender(self) -> dict[str, str]:
        """The headers of one device after the other."""
        return next(self._next)

    @property
    def log(self) -> Path:
        """What the servers printed."""
        return self._folder / "server.log"

    def set_clock(self, offset: timedelta) -> None:
        """Let the server's calendar be off by this much."""
        self._offset.write_text(str(offset.total_seconds()))

    def start_server(self) -> None:
        """Start a server, and wait until its process answers."""
        self._server = ServerProcess(
            self._server_url,
            self.log,
            port=self.port,
            command=("tests.soak.served", "serve"),
            soak_clock_offset=self._offset,
        ).wait_until_ready("/healthz")

    def kill_server(self) -> None:
        """SIGKILL."""
        assert self._server is not None
        self._server.kill()

    def stop_server(self) -> None:
        """SIGTERM, and wait for the end."""
        assert self._server is not None
        self._server.stop()

    def start_what_ended(self) -> None:
        """What whoever watches over services does: start what is no longer there."""
        if self.store == "postgresql" and not self.postgres.runs:
            self.postgres.start()
        if self._server is not None and self._server.process.poll() is not None:
            self.start_server()

    def pids_that_write(self) -> list[int]:
        """The processes that write the database's files."""
        assert self._server is not None
        return self.postgres.pids() if self.store == "postgresql" else [self._server.process.pid]

    def memory_mb(self) -> float:
        """What the server's process holds now, in MB; 0 while there is none."""
        if self._server is None or self._server.process.poll() is not None:
            return 0.0
        try:
            return float(psutil.Process(self._server.process.pid).memory_info().rss) / 1e6
        except psutil.NoSuchProcess:
            return 0.0

    def end(self) -> None:
        """End the server; the store stays, to be looked at."""
        if self._server is not None:
            self._server.stop()

    def close(self) -> None:
        """End what is left."""
        if self._server is not None and self._server.process.poll() is None:
            self._server.kill()
        if self.store == "postgresql":
            self.proxy.close()
            self.postgres.close()


@contextmanager
def world_of(store: str, folder: Path) -> Iterator[World]:
    """A world that ends with its block."""
    with closing(World(store, folder)) as world:
        world.start_server()
        yield world
