"""When a backup is due, whether backups are well, and the server that has them made."""

import asyncio
import fcntl
import json
import logging
import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from app.backup import schedule
from app.backup.schedule import (
    Times,
    _is_due,
    backup_state,
    check_settings,
    keep_backing_up,
    last_good_set,
)
from app.backup.sealing import make_key
from app.backup.sets import Notes, name_of, sets_in
from app.backup.taking import make_set
from app.commands import Refused
from app.db.damage import last_good_backup
from app.settings import Settings
from tests.databases import address, copy_sqlite
from tests.server import ServerProcess

ZONE = Settings().zone


def at(hour, minute=0, day=28):
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


@pytest.fixture
def settings(templates, tmp_path):
    url = address(copy_sqlite(templates("sqlite"), tmp_path / "hailong.db"))
    return Settings(
        database_url=url,
        backup_folder=tmp_path / "backups",
        backup_keys=(make_key()[0],),
        backup_at="every 1 hour",
    )


def test_at_times_of_day():
    times = Times.read("14:30, 02:30")
    assert not times.due(at(2, 31), at(14, 29), ZONE)
    assert times.due(at(2, 31), at(14, 30), ZONE)
    assert not times.due(at(14, 30), at(23), ZONE)
    # The clock of the machine says nothing of the local day.
    assert times.due(at(14, 31), at(2, 30, day=29).astimezone(UTC), ZONE)
    assert times.due(None, at(0, 1), ZONE)


def test_what_was_slept_through_is_caught_up_once():
    times = Times.read("02:30")
    assert times.due(at(2, 30, day=20), at(1), ZONE)
    assert not times.due(at(1), at(2, 29), ZONE)


def test_every_so_many_hours():
    times = Times.read("every 6 hours")
    assert times.due(None, at(1), ZONE)
    assert not times.due(at(1), at(6, 59), ZONE) and times.due(at(1), at(7), ZONE)


def test_without_times_never():
    assert not Times.read("").due(None, at(1), ZONE)


@pytest.mark.parametrize("wrong", ["noon", "25:00", "every 0 hours", "every day", "2.30"])
def test_what_is_no_time_is_refused(wrong):
    with pytest.raises(Refused, match="HAILONG_BACKUP_AT"):
        Times.read(wrong)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"backup_folder": None}, "HAILONG_BACKUP_FOLDER"),
        ({"backup_keys": ()}, "no key to seal"),
        ({"backup_keep": "some"}, "HAILONG_BACKUP_KEEP"),
        ({"backup_at": "some time"}, "HAILONG_BACKUP_AT"),
    ],
)
def test_settings_by_which_none_would_be_made_stop_the_start(settings, changes, says):
    check_settings(settings)
    with pytest.raises(Refused, match=says):
        check_settings(settings.model_copy(update=changes))


def test_a_server_makes_them_and_says_how_they_are(settings, tmp_path):
    assert backup_state(settings, datetime.now(UTC)).too_old
    server = ServerProcess(
        settings.database_url, tmp_path / "log", backup_folder=settings.backup_folder,
        backup_keys=settings.backup_keys[0], backup_at="every 1 hour",
    )  # fmt: skip
    try:
        server.wait_until_ready()
        until = time.monotonic() + 60
        while not Notes.read(settings.backup_folder).good_at and time.monotonic() < until:
            time.sleep(0.1)
    finally:
        server.stop()
    (made,) = sets_in(settings.backup_folder)
    state = backup_state(settings, datetime.now(UTC))
    assert (state.newest, state.last_good, state.too_old) == (made.file, made.made_at, False)
    assert last_good_set(settings) == made.file
    later = datetime.now(UTC) + timedelta(hours=settings.backup_most_age_h + 1)
    assert backup_state(settings, later).too_old
    made.file.write_bytes(b"damaged")
    assert last_good_set(settings) is None


def ran(work, enough=lambda: False, seconds=60):
    """Let a task for ever run until it has done enough, or for some time."""

    async def run():
        task = asyncio.create_task(work)
        until = time.monotonic() + seconds
        while not task.done() and not enough() and time.monotonic() < until:
            await asyncio.sleep(0.02)
        if task.done():
            task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def said(caplog, words):
    return [r.message for r in caplog.records if words in r.message]


def test_a_failure_is_told_and_not_tried_at_once_again(database, settings, caplog, monkeypatch):
    monkeypatch.setattr(schedule, "EVERY_S", 0.05)
    (settings.backup_folder / "sets.json").parent.mkdir()
    broken = settings.model_copy(update={"backup_work": settings.backup_folder / ".lock" / "x"})
    with caplog.at_level(logging.INFO, "hailong.backup"):
        ran(
            keep_backing_up(database, broken, lambda: datetime.now(UTC)),
            lambda: said(caplog, "BACKUP FAILED"),
        )
        ran(keep_backing_up(database, broken, lambda: datetime.now(UTC)), seconds=1)
    (failure,) = said(caplog, "BACKUP FAILED")
    assert "no place to work in" in failure and "none" in said(caplog, "TOO OLD")[0]
    state = backup_state(settings, datetime.now(UTC))
    assert state.last_good is None and "no place to work in" in state.failure
    # It is over once one is made.
    notes = Notes.read(settings.backup_folder)
    notes.failed_at -= timedelta(hours=1)
    notes.write(settings.backup_folder)
    caplog.clear()
    with caplog.at_level(logging.INFO, "hailong.backup"):
        ran(
            keep_backing_up(database, settings, lambda: datetime.now(UTC)),
            lambda: said(caplog, "restored, recounted"),
        )
    assert said(caplog, "restored, recounted")
    assert backup_state(settings, datetime.now(UTC)).failed_at is None


def test_what_was_noted_while_the_clock_was_years_ahead_keeps_no_backup_from_being_made(settings):
    folder, now, later = settings.backup_folder, datetime.now(UTC), timedelta(days=900)
    made = make_set(settings, folder)
    ahead = made.file.rename(
        folder / name_of(now + later, made.file.name.split(".")[1], sealed=True)
    )
    notes = Notes.read(folder)
    notes.contents = {}
    notes.good_at, notes.failed_at, notes.failure = now + later, now + later, "no space"
    notes.write(folder)
    state = backup_state(settings, now)
    assert (state.last_good, state.newest, state.failed_at) == (None, None, None)
    assert state.too_old and _is_due(state, Times.read(settings.backup_at), now, settings)
    assert last_good_backup(settings) is None
    # The next one is the newest, though its name is the smaller one.
    made = make_set(settings, folder)
    assert made.is_new and ahead.exists()
    state = backup_state(settings, datetime.now(UTC))
    assert state.newest == made.file and not state.too_old and state.failed_at is None
    assert last_good_backup(settings) == str(made.file)


def test_while_another_process_makes_one_nothing_is_done_nor_told(
    database, settings, caplog, monkeypatch
):
    monkeypatch.setattr(schedule, "EVERY_S", 0.05)
    settings.backup_folder.mkdir()
    with (settings.backup_folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran(keep_backing_up(database, settings, lambda: datetime.now(UTC)), seconds=1)
    assert not sets_in(settings.backup_folder)
    assert not said(caplog, "BACKUP FAILED")


def test_a_folder_that_is_away_is_told_once_and_ends_no_task(
    database, settings, caplog, monkeypatch
):
    monkeypatch.setattr(schedule, "EVERY_S", 0.05)
    settings.backup_folder.write_text("no folder")
    ran(keep_backing_up(database, settings, lambda: datetime.now(UTC)), seconds=0.5)
    told = [r.message for r in caplog.records if r.name == "hailong.backup"]
    assert len(told) == 1 and "BACKUPS CANNOT BE MADE" in told[0]


def test_one_that_is_under_way_ends_with_the_server(database, settings, monkeypatch):
    monkeypatch.setattr(schedule, "_MODULE", ("tests.backup.asleep",))
    marker = settings.backup_folder / "pid"
    settings.backup_folder.mkdir()
    ran(keep_backing_up(database, settings, lambda: datetime.now(UTC)), lambda: marker.exists())
    pid = json.loads(marker.read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_without_a_folder_there_is_no_state():
    assert backup_state(Settings(), datetime.now(UTC)) is None
    assert last_good_set(Settings()) is None
