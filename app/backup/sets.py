"""Sets: one file each, in the folder of backups, and what is noted about them beside them.

A set is ``hailong-20261128T170000Z.<SHA-256>.tar.zst``, with ``.age`` behind it where it is sealed.
By the sum in its name it is known without a key whether it is still what was written. What each
holds stands in the set, and again in ``sets.json``, so that listing wants no key; that file can be
lost without harm.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from app.backup.durable import write_whole
from app.backup.sealing import sum_of
from app.commands import Refused

#: The first file of a set, and what is kept beside all of them.
CONTENTS, NOTES = "hailong-backup.json", "sets.json"
FORMAT = 1
_NAME = re.compile(
    r"^hailong-(?P<at>\d{8}T\d{6}Z)\.(?P<sum>[0-9a-f]{16})\.tar\.zst(?P<sealed>\.age)?$"
)
_MOMENT = "%Y%m%dT%H%M%SZ"
_SIGNS = 16
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Contents:
    """What a set holds, as it was found in a store that was restored from it."""

    format: int
    #: ``sqlite`` or ``postgresql``.
    store: str
    #: The version of the software, and of its schema.
    software: str
    schema: str
    #: Whatever had been acknowledged by this moment is in the set.
    made_at: datetime
    responses: int
    last_response: datetime | None
    audit_entries: int
    audit_head: str
    #: The hash of the audit log's first entry: which database it is.
    chain: str
    #: A sum over what can change: the same one means that nothing did.
    state: str
    #: Files and their SHA-256.
    files: Mapping[str, str]
    #: What was found right, in words.
    checked: tuple[str, ...]

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """From what stands in a file.

        Raises
        ------
        Refused
            For what a later version wrote, or is none of ours.
        """
        try:
            if given["format"] > FORMAT:
                raise Refused(
                    f"the backup was made by a later version ({given['software']}): install it "
                    "first"
                )
            last = given["last_response"]
            return cls(
                **{
                    **given,
                    "made_at": datetime.fromisoformat(given["made_at"]),
                    "last_response": datetime.fromisoformat(last) if last else None,
                    "checked": tuple(given["checked"]),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"{CONTENTS} in the backup is none of ours: {error}") from error

    def written(self) -> dict[str, Any]:
        """As it stands in a file."""
        last = self.last_response
        return asdict(self) | {
            "made_at": self.made_at.isoformat(),
            "last_response": last.isoformat() if last else None,
        }


@dataclass(frozen=True)
class BackupSet:
    """One file in the folder of backups."""

    file: Path
    made_at: datetime
    sealed: bool
    #: What is noted about it; none where the notes were lost.
    contents: Contents | None = field(default=None, compare=False)

    def is_whole(self) -> bool:
        """Whether it is still what was written: its bytes are summed up."""
        try:
            return self.file.name.split(".")[1] == sum_of(self.file)[:_SIGNS]
        except OSError:
            return False


@dataclass
class Notes:
    """What is noted in a folder of backups beside the sets."""

    contents: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: When the newest set was last found to hold all that there is.
    good_at: datetime | None = None
    failed_at: datetime | None = None
    failure: str = ""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Of a folder; nothing where nothing legible is noted."""
        try:
            given = json.loads((folder / NOTES).read_text(encoding="utf-8"))
            return cls(
                dict(given["contents"]), _moment(given["good_at"]), _moment(given["failed_at"]),
                str(given["failure"]),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def write(self, folder: Path) -> None:
        """Into a folder, the whole of it or not at all."""
        given = asdict(self) | {
            name: moment.isoformat() if moment else None
            for name, moment in (("good_at", self.good_at), ("failed_at", self.failed_at))
        }
        write_whole(folder / NOTES, json.dumps(given, indent=1, ensure_ascii=False))


def name_of(made_at: datetime, digest: str, *, sealed: bool) -> str:
    """What a set is called."""
    ending = ".tar.zst.age" if sealed else ".tar.zst"
    return f"hailong-{made_at.astimezone(UTC):{_MOMENT}}.{digest[:_SIGNS]}{ending}"


def sets_in(folder: Path) -> list[BackupSet]:
    """The sets of a folder, the newest first.

    Raises
    ------
    Refused
        Where the folder cannot be read.
    """
    notes = Notes.read(folder).contents
    found = []
    try:
        files = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Refused(f"the folder of backups cannot be read: {error}") from error
    for file in files:
        parts = _NAME.match(file.name)
        if parts is not None and file.is_file():
            made_at = datetime.strptime(parts["at"], _MOMENT).replace(tzinfo=UTC)
            contents = Contents.read(notes[file.name]) if file.name in notes else None
            if contents is not None:
                made_at = contents.made_at  # to the microsecond
            found.append(BackupSet(file, made_at, parts["sealed"] is not None, contents))
    return sorted(found, key=lambda each: (each.made_at, each.file.name), reverse=True)


def changed_since_written(file: Path) -> bool:
    """Whether a file has a name that we gave it, and is not what it was then."""
    parts = _NAME.match(file.name)
    return parts is not None and sum_of(file)[:_SIGNS] != parts["sum"]


def sums_of(folder: Path) -> dict[str, str]:
    """The files of a copy and their SHA-256; in a set they follow one another in this order."""
    return {file.name: _plain_sum(file) for file in sorted(folder.iterdir())}


def read_contents(folder: Path, names: Sequence[str]) -> Contents:
    """What an unpacked set says about itself, after its files were held against it.

    Raises
    ------
    Refused
        Where it is none of ours, or a file is not what it was.
    """
    if CONTENTS not in names:
        raise Refused(f"it holds no {CONTENTS}: it is no backup of Hài Lòng")
    try:
        given = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refused(f"{CONTENTS} in the backup is none of ours: {error}") from error
    contents = Contents.read(given)
    (folder / CONTENTS).unlink()
    found = sums_of(folder)
    wrong = sorted(
        name for name in {*found, *contents.files} if found.get(name) != contents.files.get(name)
    )
    if wrong:
        raise Refused(f"the backup is damaged: {wrong[0]} is not what was written")
    return contents


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only one that makes backups in a folder.

    Raises
    ------
    Refused
        While somebody else does, and where the folder cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.fdopen(os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT, 0o600), "w")
    except OSError as error:
        raise Refused(f"the folder of backups cannot be written: {error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(f"another backup into {folder} is under way") from error
        yield


def is_busy(folder: Path) -> bool:
    """Whether somebody makes a backup in a folder at this moment."""
    try:
        with alone(folder):
            return False
    except Refused:
        return True


def _plain_sum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _moment(given: str | None) -> datetime | None:
    return datetime.fromisoformat(given) if given else None
