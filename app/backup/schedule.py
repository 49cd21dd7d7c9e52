"""When a backup is due by the settings, and the task of a server that has it made.

It is made by a process of its own, which is nice to others and can be ended: to recount a large
database takes memory and minutes that no server has to give.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from app.apart import run_apart
from app.background import beat, item_failed
from app.backup.erasures import ErasureFile, erase_again
from app.backup.sets import Notes, is_busy, sets_in
from app.backup.taking import check_keys
from app.backup.thinning import read_rule
from app.commands import Refused
from app.db import Database
from app.settings import Settings

log = logging.getLogger("hailong.backup")

EVERY_S = 20
#: A backup that failed is not tried again before so long: the disk is still full.
_AGAIN_AFTER = timedelta(minutes=10)
#: So far ahead of the server's clock the one of its machine may be.
_AHEAD = timedelta(hours=1)
_EVERY = re.compile(r"^every (\d{1,3}) ?h(?:ours?)?$")
#: What the process runs.
_MODULE = ("app.cli", "backup", "take", "--gently")


@dataclass(frozen=True)
class Times:
    """At which local times of day backups are made, or after how many hours."""

    of_day: tuple[time, ...] = ()
    every: timedelta | None = None

    @classmethod
    def read(cls, text: str) -> Times:
        """From ``02:30``, ``02:30, 14:30`` or ``every 6 hours``; from nothing: never.

        Raises
        ------
        Refused
            For anything else.
        """
        found = _EVERY.match(text.strip())
        if found and int(found[1]):
            return cls(every=timedelta(hours=int(found[1])))
        try:
            parts = [each.strip() for each in text.split(",") if each.strip()]
            return cls(tuple(sorted(datetime.strptime(each, "%H:%M").time() for each in parts)))
        except ValueError as error:
            raise Refused(
                f"HAILONG_BACKUP_AT: “{text}” is neither times like 02:30, 14:30 nor every 6 hours"
            ) from error

    def due(self, last: datetime | None, now: datetime, zone: ZoneInfo) -> bool:
        """Whether one should have been made since the last; also one that was slept through."""
        if self.every is not None:
            return last is None or now - last >= self.every
        today = now.astimezone(zone).date()
        planned = [
            datetime.combine(today - timedelta(days=back), at, zone)
            for back in (0, 1)
            for at in self.of_day
        ]
        past = [moment for moment in planned if moment <= now]
        return bool(past) and (last is None or last < max(past))


@dataclass(frozen=True)
class BackupState:
    """How backups are, for whoever asks: is this well?"""

    #: When the newest set was made, or last found to hold all that there is.
    last_good: datetime | None
    newest: Path | None
    failed_at: datetime | None
    failure: str
    #: Whether the last good one is older than HAILONG_BACKUP_MOST_AGE_H allows.
    too_old: bool


def backup_state(settings: Settings, now: datetime) -> BackupState | None:
    """How backups are; none where no folder is set.

    Raises
    ------
    Refused
        Where the folder cannot be read.
    """
    folder = settings.backup_folder
    if folder is None:
        return None
    notes = Notes.read(folder)
    newest = next((each for each in sets_in(folder) if _has_been(each.made_at, now)), None)
    good = newest.made_at if newest else None
    if good is not None and notes.good_at is not None and _has_been(notes.good_at, now):
        good = max(good, notes.good_at)
    most = timedelta(hours=settings.backup_most_age_h)
    failed_at = notes.failed_at
    failing = (
        failed_at is not None
        and _has_been(failed_at, now)
        and (good is None or failed_at > good)
    )  # fmt: skip
    return BackupState(
        good, newest.file if newest else None, failed_at if failing else None,
        notes.failure if failing else "", good is None or now - good > most,
    )  # fmt: skip


def _has_been(moment: datetime, now: datetime) -> bool:
    """Whether a moment that was noted has come.

    One that was noted while the machine's clock was years ahead would keep every backup from being
    due for years, and the last one from ever being too old.
    """
    return moment <= now + _AHEAD


def last_good_set(settings: Settings) -> Path | None:
    """The newest set in the folder that is still what was written: what to restore from.

    Raises
    ------
    Refused
        Where the folder cannot be read.
    """
    if settings.backup_folder is None:
        return None
    return next((each.file for each in sets_in(settings.backup_folder) if each.is_whole()), None)


def check_settings(settings: Settings) -> None:
    """Raise ``Refused`` for settings by which no backup would ever be made."""
    Times.read(settings.backup_at)
    read_rule(settings.backup_keep)
    if settings.backup_folder is None:
        raise Refused("HAILONG_BACKUP_AT is set, and HAILONG_BACKUP_FOLDER is not")
    check_keys(settings)


async def keep_backing_up(
    database: Database, settings: Settings, now: Callable[[], datetime]
) -> None:
    """Have backups made when they are due, for ever; of several server processes one does it."""
    folder, times = settings.backup_folder, Times.read(settings.backup_at)
    if folder is None:
        raise Refused("there is no folder of backups")
    told = ""
    erasures = ErasureFile(folder)
    while True:
        try:
            await asyncio.to_thread(_keep_erasures, database, erasures, settings, now())
            state = await asyncio.to_thread(backup_state, settings, now())
        except Refused as refused:  # a folder on another machine, which is away
            state, why = None, f"BACKUPS CANNOT BE MADE: {refused}"
        else:
            assert state is not None
            old = f"THE LAST GOOD BACKUP IS TOO OLD: {_told(state.last_good)}"
            why = old if state.too_old else ""
        if why and why != told:
            item_failed("backup")
            log.error("%s", why)
        told = why
        due = state is not None and _is_due(state, times, now(), settings)
        if due and not await asyncio.to_thread(is_busy, folder):
            await _make(settings)
        beat()
        await asyncio.sleep(EVERY_S)


def _keep_erasures(
    database: Database, file: ErasureFile, settings: Settings, now: datetime
) -> None:
    """Note beside the sets what was erased since: a backup of before must not bring it back.

    What the database does not know of any more came back under a server that ran on.

    Raises
    ------
    Refused
        Where it cannot be written.
    """
    try:
        with database.reading() as session:
            changed = file.keep(session)
        if changed:
            erase_again(settings, now)
    except OSError as error:
        raise Refused(f"what was erased cannot be noted beside them: {error}") from error


def _is_due(state: BackupState, times: Times, now: datetime, settings: Settings) -> bool:
    if state.failed_at is not None and now - state.failed_at < _AGAIN_AFTER:
        return False
    return times.due(state.last_good, now, settings.zone)


async def _make(settings: Settings) -> None:
    """Have one made beside this process; ended with it."""
    given = {
        "database_url": settings.database_url,
        "timezone": settings.timezone,
        "backup_keys": ",".join(settings.backup_keys),
        "backup_unsealed": settings.backup_unsealed,
        "backup_keep": settings.backup_keep,
    }
    paths = ("backup_folder", "backup_work", "wal_folder", "postgres_bin", "postgres_data")
    ended = await run_apart(
        _MODULE, given | {name: getattr(settings, name) or None for name in paths}
    )
    if ended.well:
        log.info("backup: %s", ended.said)
    elif "is under way" not in ended.said:  # another process of this server was first
        item_failed("backup")
        log.error("BACKUP FAILED: %s", ended.said)


def _told(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else "there is none"
