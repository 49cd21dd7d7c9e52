"""Damage of the database's own pages: seen, told, and nothing acknowledged once it is known.

A failing disk, a copy put back by halves or another program that writes into the file leave pages
that are none. SQLite keeps what it has read in memory, and goes on for long; so the file itself is
looked at, quickly while a server runs and whole by night.
"""

from __future__ import annotations

import logging
import sqlite3
import struct
import sys
from array import array
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.problems import Problem
from app.settings import Settings

log = logging.getLogger("hailong.db")

RETRY_AFTER_S = 600
#: What sets are called; `app/backup/sets.py` names them.
_SETS = "hailong-*Z.*.tar.zst*"
#: SQLITE_CORRUPT and SQLITE_NOTADB; the higher bits of a code tell more.
_SQLITE = (11, 26)
#: PostgreSQL's data_corrupted and index_corrupted.
_POSTGRESQL = ("XX001", "XX002")
#: Bytes that are looked through in a second: quickly, and of the journal, whose sums Python forms.
_QUICK, _JOURNAL = 300 << 20, 20 << 20
#: A journal that another process is about to fold into the file is waited for.
_LOCK_S = 10


class DatabaseDamaged(Problem):
    """Pages of the database are damaged: nothing is taken, so that devices keep what they have."""

    code, status, passing = "database-damaged", 503, True

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(RETRY_AFTER_S)}, retry_after=RETRY_AFTER_S)


class Damage:
    """What one process knows of its database's damage; once known it stays so until a restart."""

    def __init__(self) -> None:
        #: What the store said, in its words.
        self.found: str | None = None
        #: The newest copy that was proven, as whoever started the server knows it.
        self.last_good: str | None = None

    def check(self) -> None:
        """Raise ``DatabaseDamaged`` once damage is known."""
        if self.found is not None:
            raise DatabaseDamaged

    def problem(self) -> DatabaseDamaged | None:
        """What to tell once damage is known."""
        return None if self.found is None else DatabaseDamaged()

    def tell(self, found: str) -> None:
        """Remember damage, and say so once."""
        if self.found is None:
            self.found = found
            log.critical("%s", self.sentence("THE DATABASE IS DAMAGED"))

    def sentence(self, beginning: str) -> str:
        """What is known, and what to do about it."""
        copy = f"the last good copy, {self.last_good}," if self.last_good else "the last good copy"
        return f"{beginning} ({self.found}). Nothing is taken; stop the service, put {copy} back"

    def see(self, error: BaseException | None) -> bool:
        """Look whether a driver's error tells of damage; if so, it is remembered."""
        if error is None or not tells_of_damage(error):
            return False
        self.tell(" ".join(str(error).split()))
        return True


def tells_of_damage(error: BaseException) -> bool:
    """Whether a driver's error says that pages are damaged."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE
    return getattr(error, "sqlstate", None) in _POSTGRESQL


def damage_of_file(file: Path, *, within_s: float | None = None, whole: bool = False) -> str | None:
    """What is wrong with the pages of a SQLite file; None where nothing was found.

    Quick is whether every page is one and hangs together (350 MB a second); ``whole`` also holds
    the indexes against their tables and rows against those that they name, and takes ten times
    as long. A file that takes longer than ``within_s`` is not looked at.
    """
    if within_s is not None and file.stat().st_size > within_s * _QUICK:
        return None
    with closing(sqlite3.connect(file, timeout=_LOCK_S)) as connection:
        try:
            if whole:
                return _told(connection, "integrity_check(3)") or _orphans(connection)
            return _told(connection, "quick_check(1)")
        except sqlite3.DatabaseError as error:
            if tells_of_damage(error):
                return str(error)
            if isinstance(error, sqlite3.OperationalError):  # busy, say: whoever opens it is told
                return None
            raise


def damage_of_journal(file: Path, within_s: float) -> str | None:
    """Whether SQLite would lose what was committed, because its journal (-wal) is damaged.

    After a kill SQLite reads the journal up to the first frame whose sum is wrong, and forgets the
    rest without a word. How many were durable stands in the file beside it (-shm), if it is of
    the same journal. Call before anybody opens the database.
    """
    try:
        with Path(f"{file}-shm").open("rb") as stream:
            index = stream.read(_INDEX_BYTES)
        wal = Path(f"{file}-wal")
        if wal.stat().st_size > within_s * _JOURNAL:
            return None
        journal = wal.read_bytes()
        with Path(f"{file}-shm").open("rb") as stream:
            if stream.read(_INDEX_BYTES)[:_HEADER_BYTES] != index[:_HEADER_BYTES]:
                return None  # a server writes at this moment, and looks itself
    except OSError:
        return None
    if len(index) < _INDEX_BYTES or index[:48] != index[48:96] or index[32:40] != journal[16:24]:
        return None
    (durable,), (folded,) = struct.unpack("=I", index[16:20]), struct.unpack("=I", index[96:100])
    found = 0 if folded >= durable else durable - _whole_frames(journal, durable)
    return f"{found} pages that were committed are damaged in its journal" if found else None


#: Of the file that indexes the journal: its header twice, then how much was folded into the file.
_HEADER_BYTES, _INDEX_BYTES = 48, 100


def _whole_frames(journal: bytes, most: int) -> int:
    """How many frames follow from the beginning of a journal with right sums.

    The format is https://www.sqlite.org/fileformat2.html#the_write_ahead_log.
    """
    magic, _, page, _, salt, pepper, *sums = struct.unpack(">8I", journal[:32])
    swapped = (magic & 1 == 1) != (sys.byteorder == "big")
    given = _sums(journal[:24], (0, 0), swapped=swapped)
    if given != tuple(sums):
        return 0
    for number in range(most):
        begin = 32 + number * (24 + page)
        frame = journal[begin : begin + 24 + page]
        if len(frame) < 24 + page:
            return number
        _, _, *salts, first, second = struct.unpack(">6I", frame[:24])
        given = _sums(frame[:8] + frame[24:], given, swapped=swapped)
        if salts != [salt, pepper] or given != (first, second):
            return number
    return most


def _sums(content: bytes, before: tuple[int, int], *, swapped: bool) -> tuple[int, int]:
    words = array("I", content)
    if swapped:
        words.byteswap()
    first, second = before
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def _told(connection: sqlite3.Connection, pragma: str) -> str | None:
    found = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}")]
    return None if found == ["ok"] else " ".join("; ".join(found).split())


def _orphans(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("PRAGMA foreign_key_check").fetchone()
    return None if row is None else f"a row of {row[0]} names one of {row[2]} that is not there"


def last_good_backup(settings: Settings) -> str | None:
    """The newest set in the folder of backups; None where there is none to be seen.

    Sets get their names, which begin with the moment, once they are proven. One that was made while
    the clock was ahead is not the newest.
    """
    if settings.backup_folder is None:
        return None
    latest = f"hailong-{datetime.now(UTC) + timedelta(hours=1):%Y%m%dT%H%M%SZ}"
    try:
        found = [each for each in settings.backup_folder.glob(_SETS) if each.name <= latest]
    except OSError:
        return None
    return str(max(found)) if found else None
