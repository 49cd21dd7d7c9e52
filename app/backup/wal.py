"""The archive of PostgreSQL's journal (WAL): from which any moment can be reached again.

A file ``000000010000000000000007`` is kept as ``000000010000000000000007.<SHA-256>.zst``, with
``.age`` behind it where it is sealed. By the sum in its name a file is known again without a key:
PostgreSQL hands one in twice after a crash, and what differs must never take its place.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

import pyrage
import zstandard

from app.commands import Refused
from app.settings import Settings

#: Names that the server gives: segments, histories of timelines, notes on base backups.
_NAME = re.compile(r"^(?:[0-9A-F]{24}(?:\.[0-9A-F]{8}\.backup|\.partial)?|[0-9A-F]{8}\.history)$")
_KEPT = re.compile(r"^(?P<name>.+)\.(?P<sum>[0-9a-f]{64})\.zst(?P<sealed>\.age)?$")
_SEGMENT = re.compile(r"^[0-9A-F]{24}")
#: Of a segment's name, what numbers its timeline.
_TIMELINE = 8
_BASES = "%Y%m%dT%H%M%S.%fZ"


class AbsentError(Refused):
    """The archive has no such file: the journal may end here."""


class DamagedError(Refused):
    """The archive has the file, and cannot give it: recovery must not go on as if it ended."""


class WalArchive:
    """The folder of HAILONG_WAL_FOLDER."""

    def __init__(self, settings: Settings) -> None:
        if settings.wal_folder is None:
            raise Refused("HAILONG_WAL_FOLDER names no folder for the archive of the journal")
        self._folder = settings.wal_folder
        self._recipients = settings.backup_keys

    def keep(self, file: Path) -> Path:
        """Keep a file of the journal, durably; again, if it is there already and the same.

        Raises
        ------
        Refused
            Where another one of the same name is kept, and for what is no file of the journal.
        """
        if not _NAME.match(file.name):
            raise Refused(f"{file.name} is no name of a file of the journal")
        try:
            content = file.read_bytes()
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = hashlib.sha256(content).hexdigest()
            for other in self._kept(file.name):
                if _parts(other)["sum"] != found:
                    raise Refused(
                        f"{self._folder} keeps another file named {file.name}: does a second "
                        "server write to this archive?"
                    )
                _sync(other)
                _sync(self._folder)
                return other
            packed = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(content)
            ending = ".zst"
            if self._recipients:
                packed, ending = _sealed(packed, self._recipients), ".zst.age"
            place = self._folder / f"{file.name}.{found}{ending}"
            with NamedTemporaryFile(dir=self._folder, prefix=".keeping-", delete=False) as stream:
                new = Path(stream.name)
                try:
                    stream.write(packed)
                    stream.flush()
                    os.fsync(stream.fileno())
                    new.replace(place)
                except BaseException:
                    new.unlink(missing_ok=True)
                    raise
            _sync(self._folder)
        except OSError as error:
            raise Refused(f"{file.name} cannot be kept: {error}") from error
        return place

    def fetch(self, name: str, destination: Path, key: Path | None = None) -> None:
        """Give a file of the journal back.

        Raises
        ------
        AbsentError
            Where there is none: the server takes it for the end of the journal.
        DamagedError
            Where it cannot be opened, or is not what was kept.
        """
        kept = self._kept(name)
        if not kept:
            raise AbsentError(f"the archive has no {name}")
        if len(kept) > 1:
            raise DamagedError(f"the archive has {len(kept)} files named {name}")
        try:
            packed = kept[0].read_bytes()
            if _parts(kept[0])["sealed"]:
                packed = _opened(packed, key)
            content = zstandard.ZstdDecompressor().decompress(packed)
            if hashlib.sha256(content).hexdigest() != _parts(kept[0])["sum"]:
                raise DamagedError(f"{name} in the archive is not what was kept")
            destination.write_bytes(content)
            _sync(destination)
        except (OSError, zstandard.ZstdError, pyrage.DecryptError) as error:
            raise DamagedError(f"{name} in the archive cannot be given back: {error}") from error

    def segments(self) -> list[str]:
        """Names of the segments that are kept, in order."""
        names = [_parts(file)["name"] for file in self._files()]
        return sorted(name for name in names if _SEGMENT.fullmatch(name))

    def note_base(self, moment: datetime, first_wal: str) -> None:
        """Note from which file on a base backup wants the journal; ``tidy`` asks for it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        note = self._folder / f"{moment.astimezone(UTC):{_BASES}}.base"
        note.write_text(first_wal)
        _sync(note)
        _sync(self._folder)

    def tidy(self, oldest_kept: datetime) -> list[str]:
        """Remove what no base backup wants since the oldest that is kept; names of what went.

        By the rule of ``pg_archivecleanup``: segments before the first that this backup wants, on
        whatever timeline; histories of timelines stay. Nothing goes where no base backup is
        known that is as old: its segments may be the only way to a moment.
        """
        bases = sorted(self._folder.glob("*.base"))
        older = [note for note in bases if _moment(note) <= oldest_kept]
        if not older:
            return []
        first = older[-1].read_text().strip()
        gone = []
        for file in self._files():
            name = _parts(file)["name"]
            if _SEGMENT.match(name) and name[_TIMELINE:24] < first[_TIMELINE:24]:
                file.unlink()
                gone.append(name)
        for note in older[:-1]:
            note.unlink()
        _sync(self._folder)
        return sorted(gone)

    def _files(self) -> list[Path]:
        return [file for file in self._folder.iterdir() if _KEPT.match(file.name)]

    def _kept(self, name: str) -> list[Path]:
        return [file for file in self._folder.glob(f"{name}.*") if _parts(file)["name"] == name]


@dataclass(frozen=True)
class ArchiveLag:
    """How far the archive is behind, by the server's own account."""

    #: Whether the server archives at all.
    archives: bool
    last_archived: str | None
    last_archived_at: datetime | None
    last_failed: str | None
    last_failed_at: datetime | None
    #: Full segments that wait; after a crash they are all that could be lost.
    waiting: int
    #: Since when the oldest of them waits, as far as is known.
    waiting_since: datetime | None

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        if self.last_failed_at is None:
            return False
        return self.last_archived_at is None or self.last_failed_at > self.last_archived_at


def archive_lag(settings: Settings) -> ArchiveLag:
    """Ask the server of the settings how its archive does; any role may."""
    # Whoever keeps a file of the journal, once every few seconds, has no use for these.
    from sqlalchemy.engine import make_url

    from app.backup.postgres_tools import connect

    with connect(make_url(settings.database_url)) as server:
        row = server.execute(
            "SELECT last_archived_wal, last_archived_time, last_failed_wal, last_failed_time, "
            "stats_reset, current_setting('archive_mode') <> 'off', "
            "pg_walfile_name(pg_current_wal_lsn()), "
            "pg_size_bytes(current_setting('wal_segment_size')) FROM pg_stat_archiver"
        ).fetchone()
    assert row is not None
    archived, archived_at, failed, failed_at, reset_at, on, current, size = row
    last = _SEGMENT.match(archived or "")
    # The segment that is being written is not full yet. A server that never archived any has
    # known of those since its count began.
    before = _number(last[0], size) if last else _number(failed, size) - 1 if failed else None
    waiting = max(0, _number(current, size) - 1 - before) if on and before is not None else 0
    since = (archived_at or failed_at or reset_at) if waiting else None
    return ArchiveLag(on, archived, archived_at, failed, failed_at, waiting, since)


def _number(segment: str, size: int) -> int:
    """Which segment it is, counted from the first of all."""
    return int(segment[8:16], 16) * (0x1_0000_0000 // size) + int(segment[16:24], 16)


def _parts(file: Path) -> dict[str, str]:
    found = _KEPT.match(file.name)
    return found.groupdict(default="") if found else {"name": "", "sum": "", "sealed": ""}


def _moment(note: Path) -> datetime:
    return datetime.strptime(note.stem, _BASES).replace(tzinfo=UTC)


def _sealed(content: bytes, recipients: tuple[str, ...]) -> bytes:
    try:
        keys = [pyrage.x25519.Recipient.from_str(each) for each in recipients]
        sealed: bytes = pyrage.encrypt(content, keys)
        return sealed
    except pyrage.RecipientError as error:
        raise Refused(f"HAILONG_BACKUP_KEYS: {error}") from error


def _opened(content: bytes, key: Path | None) -> bytes:
    if key is None:
        raise DamagedError("the archive is sealed: name the file of the private key with --key")
    lines = key.read_text().split()
    found = [line for line in lines if line.startswith("AGE-SECRET-KEY-")]
    try:
        identities = [pyrage.x25519.Identity.from_str(line) for line in found]
    except pyrage.IdentityError as error:
        raise DamagedError(f"{key} holds no private key: {error}") from error
    opened: bytes = pyrage.decrypt(content, identities)
    return opened


def _sync(path: Path) -> None:
    """Have a file's content, or a folder's names, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
