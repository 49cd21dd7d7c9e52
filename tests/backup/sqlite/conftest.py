"""A SQLite database of a test's own, keys that its backups are sealed for, and their folder."""

import pytest

from app.backup.sealing import make_key
from app.settings import Settings
from tests.databases import address, copy_sqlite


@pytest.fixture
def database_url(templates, tmp_path):
    (tmp_path / "var").mkdir()
    return address(copy_sqlite(templates("sqlite"), tmp_path / "var" / "hailong.db"))


@pytest.fixture
def key(tmp_path, monkeypatch):
    """The file of the private key; backups are sealed for its public half."""
    public, private = make_key()
    file = tmp_path / "private.key"
    file.write_text(f"# on paper\n{private}\n")
    monkeypatch.setenv("HAILONG_BACKUP_KEYS", public)
    return file


@pytest.fixture
def folder(tmp_path, monkeypatch, key):
    folder = tmp_path / "backups"
    monkeypatch.setenv("HAILONG_BACKUP_FOLDER", str(folder))
    monkeypatch.setenv("HAILONG_BACKUP_KEEP", "")
    return folder


@pytest.fixture
def settings(database_url, folder):
    return Settings(database_url=database_url, cache_s=0)


@pytest.fixture
def only_set(folder):
    """The set that the folder holds, of which there is one."""

    def found():
        (file,) = folder.glob("hailong-*")
        return file

    return found
