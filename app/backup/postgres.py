"""Copies of a PostgreSQL database, taken and put back by its own programs.

A **base backup** is the server's data as they lie on its disk, with the journal (WAL) that makes
them whole; with the archive of the journal it can be brought to any later moment. It wants a role
that may replicate. Where none is to be had, as on a managed server, a **dump** is taken instead:
all rows as they were at one moment, and no other moment can be reached from it.
"""

from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from app.backup import manifest
from app.backup.postgres_tools import (
    ToolFailedError,
    Tools,
    connect,
    for_tools,
    temporary_server,
)
from app.backup.recovery import recover_into
from app.backup.stores import Checked, look
from app.backup.unpacking import unpack as unpacked
from app.backup.wal import WalArchive
from app.commands import Refused
from app.db import Database
from app.db.migrate import migrate
from app.settings import Settings

BASE, DUMP = "base", "dump"
_NOTE, _DUMPED, _MANIFEST = "postgres.json", "database.dump", manifest.NAME
_SEGMENT = 24


@dataclass(frozen=True)
class Origin:
    """Where a copy comes from; it stands in the copy."""

    way: str
    major: int
    database: str
    user: str
    #: The copy holds whatever had been committed by this moment, and more.
    began_at: datetime
    #: The first file of the journal that its recovery wants; later ones lead to later moments.
    first_wal: str | None
    #: Why it is no base backup.
    why: str | None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """From a folder with a copy.

        Raises
        ------
        Refused
            For one that is none of ours.
        """
        try:
            given = json.loads((folder / _NOTE).read_text())
            return cls(**given | {"began_at": datetime.fromisoformat(given["began_at"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise Refused(f"{folder} is no backup of PostgreSQL: {error}") from error

    def write(self, folder: Path) -> None:
        """Into the folder of the copy."""
        told = asdict(self) | {"began_at": self.began_at.isoformat()}
        (folder / _NOTE).write_text(json.dumps(told, indent=1))


class PostgresBackup:
    """``app.backup.stores.StoreBackup`` for PostgreSQL."""

    def __init__(
        self,
        settings: Settings,
        *,
        key: Path | None = None,
        start: bool = False,
        tell: Callable[[str], None] = print,
    ) -> None:
        self._settings = settings
        self._url = make_url(settings.database_url)
        #: The file of the private key, where the archive of the journal is sealed.
        self._key = key
        self._start, self._tell = start, tell

    def take(self, folder: Path) -> None:
        """Copy the live database into an empty folder: a base backup if it may be, or a dump."""
        began_at = datetime.now(UTC)
        major, why = reason_against_base(self._url)
        connection, environment = for_tools(self._url)
        if why is None:
            Tools.of(major, "pg_basebackup", self._settings).run(
                "pg_basebackup", "-d", connection, "-D", folder, "-F", "tar", "-X", "stream",
                "-c", "fast", "-l", "hailong", "--manifest-checksums=SHA256", "--no-password",
                environment=environment,
            )  # fmt: skip
            first_wal = _first_wal(folder)
            self._note_in_archive(began_at, first_wal)
        else:
            first_wal = None
            self._tell(
                f"no base backup is possible ({why}), so this is a dump: it can be put back as it "
                "is, but not brought to a later moment"
            )
            # Packed by whoever seals it, which packs better.
            Tools.of(major, "pg_dump", self._settings).run(
                "pg_dump", "-d", connection, "-F", "custom", "-Z", "0", "--no-password",
                "-f", folder / _DUMPED,
                environment=environment,
            )  # fmt: skip
        way = BASE if why is None else DUMP
        Origin(
            way, major, self._url.database or "", self._url.username or "", began_at, first_wal, why
        ).write(folder)

    def _note_in_archive(self, began_at: datetime, first_wal: str) -> None:
        """Have the archive know what this backup wants of it, so that the rest may go one day."""
        if self._settings.wal_folder is None:
            return
        try:
            WalArchive(self._settings).note_base(began_at, first_wal)
        except OSError as error:
            # The backup is good all the same; the archive only keeps more than it must.
            self._tell(f"the archive of the journal cannot be thinned: {error}")

    def check(self, folder: Path) -> Checked:
        """Start a server of its own on the copy, for a while, and recount there."""
        with self.restored(folder) as database:
            migrate(database)  # an older one is recounted by this software, too
            return look(database)

    @contextmanager
    def restored(self, folder: Path) -> Iterator[Database]:
        """The copy as a database on a server of its own, which ends with this."""
        origin = Origin.read(folder)
        # The path of a socket is short, and another user's server must come through to it.
        with tempfile.TemporaryDirectory(prefix="hl-") as name:
            room = Path(name)
            tools = Tools.of(origin.major, "postgres", self._settings)
            data = room / "data"
            address = self._url.set(database=origin.database, username=origin.user)
            if origin.way == BASE:
                unpack(tools, folder, data)
            else:
                _initialised(tools, room, data, origin.user)
            reached = address if origin.way == BASE else address.set(database="postgres")
            with temporary_server(tools, data, room, reached) as server:
                found = server.address(address)
                if origin.way == DUMP:
                    _create(server.address(reached), origin.database)
                    _load(tools, folder, found)
                database = Database(found.render_as_string(hide_password=False))
                try:
                    yield database
                finally:
                    database.close()

    def put_back(self, folder: Path, until: datetime | None = None) -> None:
        """Make the copy the live database, as it was at a moment if one is given.

        A base backup becomes the folder of data that HAILONG_POSTGRES_DATA names; what lies there
        is set aside, and its server must have been stopped. Without a moment, all of the journal
        that was archived is replayed. A dump is loaded into the database of the settings, which
        must be empty.
        """
        origin = Origin.read(folder)
        if origin.way == BASE:
            tools = Tools.of(origin.major, "postgres", self._settings)
            recover_into(
                tools,
                self._settings,
                lambda data: unpack(tools, folder, data),
                since=origin.began_at,
                until=until,
                key=self._key,
                start_it=self._start,
                tell=self._tell,
            )
            return
        if until is not None:
            raise Refused(
                "this backup is a dump, which knows no other moment than its own: leave --until out"
            )
        major, tables = _asked(
            self._url,
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'",
        )
        if tables:
            raise Refused(
                f"the database {self._url.database} is not empty, and a dump is only put into an "
                "empty one: make a new one (createdb) and name it in HAILONG_DATABASE_URL"
            )
        _load(Tools.of(major, "pg_restore", self._settings), folder, self._url)


def reason_against_base(url: URL) -> tuple[int, str | None]:
    """The server's major version, and why no base backup of it can be taken; None if it can."""
    major, elsewhere = _asked(
        url, "SELECT count(*) FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')"
    )
    if elsewhere:
        return major, "parts of the database lie in tablespaces of their own"
    try:
        connect(url, replication="true").close()
    except psycopg.OperationalError as error:
        return major, str(error).strip().splitlines()[-1]
    return major, None


def unpack(tools: Tools, folder: Path, data: Path) -> None:
    """Unpack a base backup into a new folder of data, and hold each file against its checksum."""
    try:
        for name, place in (("base.tar", data), ("pg_wal.tar", data / "pg_wal")):
            with tarfile.open(folder / name) as packed:
                for _ in unpacked(packed, place):
                    pass
        shutil.copyfile(folder / _MANIFEST, data / _MANIFEST)
    except (OSError, tarfile.TarError) as error:
        raise Refused(f"the base backup in {folder} cannot be unpacked: {error}") from error
    data.chmod(0o700)
    for fault in manifest.faults(data):
        raise Refused(f"the base backup is damaged: {fault}")
    if tools.works("pg_verifybackup"):
        try:
            tools.run("pg_verifybackup", "-q", data)  # reads the journal, too
        except ToolFailedError as error:
            raise Refused(f"the base backup is damaged: {error}") from error


def _asked(url: URL, question: str) -> tuple[int, int]:
    """The server's major version, and the number that it answers."""
    try:
        with connect(url) as server:
            row = server.execute(question.encode()).fetchone()
            return server.info.server_version // 10_000, row[0] if row else 0
    except psycopg.OperationalError as error:
        raise Refused(f"the database does not answer: {error}") from error


def _first_wal(folder: Path) -> str:
    """The first file of the journal that a base backup wants, by its manifest."""
    told = json.loads((folder / _MANIFEST).read_text())
    with tarfile.open(folder / "pg_wal.tar") as packed:
        names = sorted(name for name in packed.getnames() if len(name) == _SEGMENT)
    if not names or not told["WAL-Ranges"]:
        raise Refused("pg_basebackup brought no journal with the data")
    return names[0]


def _initialised(tools: Tools, room: Path, data: Path, user: str) -> None:
    """New, empty data of a server whose owner is ``user``."""
    tools.own(room)
    tools.run(
        "initdb", "-D", data, "-U", user, "--auth=trust", "-E", "UTF8", "--locale=C", "-N",
        as_server=True,
    )  # fmt: skip


def _create(server: URL, database: str) -> None:
    with connect(server) as session:
        there = session.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
        if there.fetchone() is None:
            session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def _load(tools: Tools, folder: Path, into: URL) -> None:
    connection, environment = for_tools(into)
    tools.run(
        "pg_restore", "-d", connection, "--single-transaction", "--exit-on-error", "--no-owner",
        "--no-privileges", "--no-password", folder / _DUMPED,
        environment=environment,
    )  # fmt: skip
