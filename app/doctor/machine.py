"""The machine: space, permissions, time zone, versions."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.db.opening import sqlite_file
from app.doctor.findings import Finding, look, unknown, well, wrong
from app.private_files import open_to_others, private_files
from app.serving.files import connections_that_fit
from app.settings import Settings

#: With less free space the next night may not be survived; with a tenth of it, not the next hour.
_LITTLE_SPACE, _NO_SPACE = 2 << 30, 200 << 20
_SQLITE_LEAST = (3, 35)


def database_file(settings: Settings) -> Path | None:
    """The file of a database on SQLite."""
    try:
        return sqlite_file(make_url(settings.database_url))
    except ArgumentError:  # told by the database's own check
        return None


def _folders(settings: Settings) -> dict[Path, str]:
    """The folders that the service writes to, and what for."""
    named: dict[Path, str] = {}
    if file := database_file(settings):
        named[file.parent] = "the database"
    for folder, what in _written(settings):
        named.setdefault(folder.absolute(), what)
    return named


def _written(settings: Settings) -> Iterator[tuple[Path, str]]:
    if settings.report_folder:
        yield settings.report_folder, "reports"
    if settings.sms_outbox:
        yield settings.sms_outbox.parent, "the outbox of SMS"
    if settings.backup_folder:
        yield settings.backup_folder, "backups"
    if settings.wal_folder:
        yield settings.wal_folder, "the archive of the journal"


def space(settings: Settings) -> Iterator[Finding]:
    """Free space where the service writes."""
    for folder, what in _folders(settings).items():
        there = next(each for each in (folder, *folder.parents) if each.exists())
        free = shutil.disk_usage(there).free
        told = f"{free / 1e9:.1f} GB free for {what} ({folder})"
        do = "Make room: while the disk is full, devices keep their answers and nothing is taken."
        if free < _NO_SPACE:
            yield wrong("space", told, do)
        elif free < _LITTLE_SPACE:
            yield look("space", told, do)
        else:
            yield well("space", told)


def permissions(settings: Settings) -> Iterator[Finding]:
    """Whether the service may write where it must, and nobody else may read what it keeps."""
    for folder, what in _folders(settings).items():
        if not folder.exists():
            yield look(
                "permissions", f"{folder}, for {what}, is not there",
                "Make it, owned by the service's user, or start the service, which makes it.",
            )  # fmt: skip
        elif not os.access(folder, os.W_OK | os.X_OK):
            yield wrong(
                "permissions", f"{folder}, for {what}, cannot be written by this user",
                f"chown the folder to the service's user, or run this as that user: {folder}",
            )  # fmt: skip
        else:
            yield well("permissions", f"{folder}, for {what}, can be written")
    for file in private_files(settings):
        mode = stat.S_IMODE(file.stat().st_mode)
        if not os.access(file, os.R_OK | os.W_OK):
            yield wrong(
                "permissions", f"{file} cannot be read and written by this user",
                f"chown it to the service's user: {file}",
            )  # fmt: skip
        elif open_to_others(file):
            yield wrong(
                "permissions", f"others may read {file} (mode {mode:04o})", f"chmod 600 {file}"
            )
        else:
            yield well("permissions", f"{file} is its owner's alone")


def files(settings: Settings) -> Iterator[Finding]:
    """Whether as many connections may be open as the settings allow."""
    fit = connections_that_fit(settings.connection_limit)
    if fit < settings.connection_limit:
        yield look(
            "open files",
            f"this user may open files for {fit} connections, HAILONG_CONNECTION_LIMIT is "
            f"{settings.connection_limit}",
            "Raise the limit (LimitNOFILE in the unit, ulimit -n).",
        )
    else:
        yield well("open files", f"there is room for {fit} connections")


def time_zone(settings: Settings) -> Iterator[Finding]:
    """Whether days are counted in a zone that there is, and in which one people expect."""
    try:
        zone = ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield wrong(
            "time zone", f"HAILONG_TIMEZONE={settings.timezone} is no zone",
            "Set it to Asia/Ho_Chi_Minh.",
        )  # fmt: skip
        return
    offset = datetime.now(zone).strftime("%z")
    if offset != "+0700":
        yield look(
            "time zone", f"days are counted in {settings.timezone} (now {offset})",
            "Vietnam's days are Asia/Ho_Chi_Minh's: answers of the evening would change their day.",
        )  # fmt: skip
    else:
        yield well("time zone", f"days are counted in {settings.timezone}")
    if time.timezone != -7 * 3600 and not time.daylight:
        yield unknown(
            "time zone",
            f"the machine itself shows {time.strftime('%z')}: figures do not depend on it, "
            "times in its own logs do",
        )


def versions(settings: Settings) -> Iterator[Finding]:
    """Of what the service stands on."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield well("versions", f"hailong {version('hailong')}, Python {python}")
    if database_file(settings) and sqlite3.sqlite_version_info < _SQLITE_LEAST:
        yield wrong(
            "versions", f"SQLite {sqlite3.sqlite_version} is older than 3.35",
            "Use a Python with a newer SQLite, or PostgreSQL.",
        )  # fmt: skip
