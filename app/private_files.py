"""Files that hold what people said, or what opens the service: their owner's alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.db.opening import sqlite_file
from app.settings import Settings
from app.text_keys import key_file

#: What a process of ours takes from the mode of each file that it makes.
UMASK = 0o077
_OTHERS = 0o077


def private_files(settings: Settings) -> Iterator[Path]:
    """Those that are there: the database, its journal, keys, SMS written out, the settings."""
    try:
        file = sqlite_file(make_url(settings.database_url))
    except ArgumentError:  # told by whoever opens it
        file = None
    named = [Path(f"{file}{end}") for end in ("", "-wal", "-shm")] if file else []
    yield from (
        each
        for each in (*named, key_file(settings), Path(".env"), settings.sms_outbox)
        if each and each.is_file()
    )


def private_folders(settings: Settings) -> Iterator[Path]:
    """Those that are there and hold nothing else: the folder of reports."""
    if settings.report_folder and settings.report_folder.is_dir():
        yield settings.report_folder


def open_to_others(path: Path) -> bool:
    """Whether others than its owner may do anything with it."""
    return bool(stat.S_IMODE(path.stat().st_mode) & _OTHERS)


def keep_private(settings: Settings) -> list[Path]:
    """Take from others what they may do with our files and folders; those that we cannot change.

    A copy or an older version may have left them open.
    """
    left = []
    for path in (*private_files(settings), *private_folders(settings)):
        try:
            if open_to_others(path):
                path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS)
        except FileNotFoundError:  # the journal goes when the last process closes it
            continue
        except OSError:
            left.append(path)
    return left


def make_private() -> None:
    """Let this process, and those that it starts, make files that are their owner's alone."""
    os.umask(UMASK)
