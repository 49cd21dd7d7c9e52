"""Copies of a SQLite database, taken while it is written to.

The file and its journal cannot be copied one after the other: what is moved from the one into the
other meanwhile is in neither copy. So SQLite copies page by page, all as of one moment: a read
transaction is held open, writers go on in the journal, and no write begins the copy anew.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from sqlalchemy.engine import make_url

from app.backup.durable import sync
from app.backup.stores import Checked, look
from app.commands import Refused
from app.db import Database
from app.db.migrate import migrate
from app.settings import Settings

#: The name of the database in a copy.
NAME = "hailong.db"
#: Pages (of 4 kB) that are copied at a time, and the pause after them: the disk is the intake's.
_PAGES, _PAUSE_S = 2000, 0.002
#: What SQLite keeps beside a database.
_BESIDE = ("-wal", "-shm", "-journal")
#: Of a database's file, the bytes on which SQLite locks: whoever has it open holds some of them.
_SHARED_FIRST, _SHARED_SIZE = 0x4000_0002, 510
_HEADER = b"SQLite format 3\0"
_PATIENCE_S = 60
#: What is left to others on the disk where a copy is made.
_ROOM = 64 << 20


class SqliteBackup:
    """``app.backup.stores.StoreBackup`` for SQLite."""

    def __init__(self, settings: Settings, *, tell: Callable[[str], None] = print) -> None:
        name = make_url(settings.database_url).database
        if not name or name == ":memory:":
            raise Refused("a database in memory cannot be backed up")
        self.file = Path(name).resolve()
        self._tell = tell

    def take(self, folder: Path) -> None:
        """Write all that was committed when this begins, and perhaps more, into a folder."""
        if not self.file.is_file():
            raise Refused(f"{self.file}: no such file")
        self._check_room(folder)
        address = f"file:{quote(str(self.file))}?mode=rw"
        copy = folder / NAME
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with (
                closing(sqlite3.connect(address, _PATIENCE_S, uri=True)) as live,
                closing(sqlite3.connect(copy)) as new,
            ):
                live.isolation_level = None
                new.execute("PRAGMA synchronous = OFF")  # it is not what is kept
                live.execute("BEGIN")
                # The transaction begins with what is first read.
                live.execute("SELECT count(*) FROM sqlite_master").fetchone()
                live.backup(new, pages=_PAGES, progress=lambda *_: time.sleep(_PAUSE_S))
                live.execute("ROLLBACK")
                # One plain file, which needs nothing beside it.
                new.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise Refused(f"{self.file} cannot be copied: {error}") from error

    def _check_room(self, folder: Path) -> None:
        """A copy and its check must not take the room that the intake wants."""
        wanted = 2 * self.file.stat().st_size + _ROOM
        free = shutil.disk_usage(folder).free
        if free < wanted:
            raise Refused(
                f"{folder.parent} has room for {free >> 20} MB, and the copy with its check wants "
                f"{wanted >> 20}: name a folder on another disk in HAILONG_BACKUP_WORK"
            )

    def check(self, folder: Path) -> Checked:
        """Have a copy of the copy read page by page, brought to our schema, and recounted."""
        with TemporaryDirectory(prefix="check-", dir=folder.parent) as name:
            try:
                shutil.copyfile(folder / NAME, Path(name) / NAME)
            except OSError as error:
                raise Refused(f"the copy cannot be restored for its check: {error}") from error
            faults = _faults_of_file(Path(name) / NAME)
            if faults:
                return Checked(0, None, 0, "", faults)
            with opened(Path(name)) as database:
                migrate(database)
                return look(database)

    def put_back(self, folder: Path, until: datetime | None = None) -> None:
        """Put the copy in the database's place; what lies there is set aside, never deleted."""
        if until is not None:
            raise Refused(
                "a backup of SQLite knows no other moment than its own: leave --until out"
            )
        new = folder / NAME
        sync(new)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        aside = self.set_aside()
        new.rename(self.file)
        sync(self.file.parent)
        if aside is not None:
            self._tell(f"what lay in {self.file} is kept as {aside}")

    def set_aside(self) -> Path | None:
        """Give the database that is there another name, its journal too; none is there: none."""
        if not self.file.exists():
            return None
        self.check_nobody_has_it()
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
        aside = self.file.with_name(f"{self.file.name}.before-{stamp}")
        # The journal first: a database without its journal would seem whole and be too short.
        for ending in (*_BESIDE, ""):
            part = self.file.with_name(self.file.name + ending)
            if part.exists():
                part.rename(aside.with_name(aside.name + ending))
        return aside

    def check_nobody_has_it(self) -> None:
        """Raise ``Refused`` while another process has the database open, readable or not."""
        try:
            with self.file.open("rb+") as stream:
                fcntl.lockf(
                    stream, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST, os.SEEK_SET
                )
        except FileNotFoundError:
            return
        except BlockingIOError as error:
            raise Refused(
                f"{self.file} is open in another program: stop the server first, for what it "
                "takes from now on would be lost"
            ) from error
        except OSError as error:
            raise Refused(f"{self.file} cannot be set aside: {error}") from error


@contextmanager
def opened(folder: Path) -> Iterator[Database]:
    """The database of a copy; when this ends it is one file again."""
    database = Database(f"sqlite:///{folder / NAME}")
    try:
        yield database
    finally:
        database.close()
        with closing(sqlite3.connect(folder / NAME)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")


def _faults_of_file(file: Path) -> tuple[str, ...]:
    """In words, what SQLite finds wrong with the pages of a file."""
    with file.open("rb") as stream:
        header = stream.read(100)
    if not header.startswith(_HEADER) or len(header) < 100:
        return ("it is no database of SQLite",)
    page: int = struct.unpack(">H", header[16:18])[0]
    pages: int = struct.unpack(">I", header[28:32])[0]
    if file.stat().st_size != (65536 if page == 1 else page) * pages:
        return ("it is shorter or longer than it says itself",)
    try:
        with closing(sqlite3.connect(file)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
            found = [] if found == ["ok"] else found
            found += [
                f"a row of {table} refers to a {parent} that is not there"
                for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check")
            ][:5]
    except sqlite3.DatabaseError as error:
        return (str(error),)
    return tuple(found)
