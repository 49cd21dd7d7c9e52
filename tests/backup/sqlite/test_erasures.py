"""A restore brings back nothing that was withdrawn, or kept too long, since the backup."""

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.backup import erasures
from app.backup.erasures import ErasureFile
from app.backup.schedule import _keep_erasures
from app.commands import Refused
from app.db import Database
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from tests.conftest import serving
from tests.retention.history import History, months_ago

OLD, NEW = months_ago(5), months_ago(2)


@pytest.fixture
def history(database, province):
    history = History(database)
    history.came(OLD, 11)
    history.made = [each.row.id for each in history.came(NEW, 12, text="xin rút lại")]
    return history


def restored(settings):
    with closing(Database(settings.database_url)) as database:
        history = History(database)
        assert verify(database) == []
        return history.count(Response), len(history.texts()), history.waiting()


def test_by_the_database_that_is_replaced(hailong, settings, history, key, only_set, monkeypatch):
    hailong("backup")
    history.withdraw(history.made[:3])
    history.delete(months_ago(3))
    history.database.close()
    said = hailong("restore", only_set(), "--key", key, "--replace")
    assert "Erased again, as by now: 3 responses that their citizens had withdrawn" in said
    assert "11 responses kept no longer" in said and "nobody knows" not in said
    # Nor are those lost that wait under another id.
    assert "No answer is lost" in said
    assert restored(settings) == (12, 9, 3)


def test_by_the_file_beside_the_backups(hailong, settings, history, key, only_set, folder):
    hailong("backup")
    beside = ErasureFile(folder)
    with history.database.reading() as session:
        assert beside.keep(session) and not (folder / erasures.NAME).exists()
    history.withdraw(history.made[:10])
    with history.database.reading() as session:
        assert beside.keep(session) and not beside.keep(session)
    file = folder / erasures.NAME
    assert file.stat().st_mode & 0o777 == 0o600
    assert not any(id in file.read_text() for id in history.made)
    history.database.close()
    Path(history.database.url.database).unlink()
    said = hailong("restore", only_set(), "--key", key)
    assert "10 responses that their citizens had withdrawn" in said
    assert restored(settings) == (13, 2, 0)
    # What a restored one does not know of is not forgotten.
    told = json.loads(file.read_text())
    with closing(Database(settings.database_url)) as database, database.reading() as session:
        assert ErasureFile(folder).keep(session)
    assert json.loads(file.read_text())["withdrawn"] == told["withdrawn"]


def test_what_another_tool_brings_back_is_erased_before_it_is_served(
    settings, history, folder, tmp_path, caplog
):
    """The database's file is put back by hand, under the eyes of nobody; then under a server."""
    file = Path(history.database.url.database)
    own = settings.model_copy(update={"backup_folder": folder})
    history.database.close()
    copy = file.read_bytes()
    history.withdraw(history.made[:10])
    history.delete(months_ago(3))
    with history.database.reading() as session:
        ErasureFile(folder).keep(session)
    history.database.close()
    file.write_bytes(copy)
    with serving(own):
        assert history.count(Response) == 2 and history.waiting() == 0
        history.database.close()
    file.write_bytes(copy)
    beside = ErasureFile(folder)
    _keep_erasures(history.database, beside, own, datetime.now(UTC))
    assert history.count(Response) == 2 and verify(history.database) == []
    (folder / erasures.NAME).write_text("{")
    with serving(own):
        assert "MAY HAVE COME BACK" in caplog.text


def test_where_nobody_knows_it_is_said(hailong, settings, history, key, only_set, folder, tmp_path):
    hailong("backup")
    history.withdraw(history.made[:1])
    history.database.close()
    Path(history.database.url.database).unlink()
    said = hailong("restore", only_set(), "--key", key)
    assert "nobody knows here what it was" in said and restored(settings)[0] == 23
    (folder / erasures.NAME).write_text("{")
    with pytest.raises(Refused, match="cannot be read"):
        ErasureFile(folder).read("x")
    (folder / erasures.NAME).write_text(json.dumps({
        "chain": "another", "responses_from": "2026-01-01", "texts_from": None, "withdrawn": [],
        "texts": [],
    }))  # fmt: skip
    assert ErasureFile(folder).read("x") is None
