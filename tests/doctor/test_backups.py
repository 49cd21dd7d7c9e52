"""Backups that are not made, failed, grew old or whose folder is gone are named."""

from datetime import UTC, datetime, timedelta

import pytest

from app.backup.schedule import Notes, sets_in
from app.backup.taking import make_set
from app.doctor import keeping
from app.doctor.findings import Severity
from tests.doctor.looking import severities, worst
from tests.serving.raw import wait_for

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def kept(settings, database, tmp_path):
    folder = tmp_path / "copies"
    folder.mkdir()
    return settings.model_copy(update={"backup_folder": folder, "backup_unsealed": True})


def test_who_makes_none_is_told_so(settings):
    assert "none are made" in worst(keeping.backups, settings)


def test_a_good_one_is_well_and_none_yet_is_not(kept):
    assert "too old: none" in worst(keeping.backups, kept)
    make_set(kept, kept.backup_folder)
    assert severities(keeping.backups, kept) == {Severity.WELL}


def test_a_failure_after_it_is_told_with_the_last_good_one(kept):
    make_set(kept, kept.backup_folder)
    (made,) = sets_in(kept.backup_folder)
    notes = Notes.read(kept.backup_folder)
    # Sets have whole seconds in their names: later than that, and not in the future.
    wait_for(lambda: datetime.now(UTC) > made.made_at + timedelta(seconds=1))
    notes.failed_at, notes.failure = datetime.now(UTC), "no space"
    notes.write(kept.backup_folder)
    told = worst(keeping.backups, kept)
    assert "no space" in told and f"{made.made_at:%Y-%m-%d %H:%M}" in told


def test_one_that_is_too_old_is_told(kept):
    make_set(kept, kept.backup_folder)
    old = kept.model_copy(update={"backup_most_age_h": 0})
    assert "too old" in worst(keeping.backups, old)


def test_a_folder_that_is_gone_is_told(kept):
    kept.backup_folder.rmdir()
    kept.backup_folder.write_text("no folder")
    assert Severity.WRONG in severities(keeping.backups, kept)
