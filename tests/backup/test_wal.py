"""The archive of PostgreSQL's journal: kept once, given back whole, thinned by rule."""

import os
import re
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pyrage
import pytest

from app.backup.wal import AbsentError, DamagedError, WalArchive, archive_lag
from app.backup.wal_commands import ABSENT, GIVE_UP
from app.commands import Refused
from app.settings import Settings
from tests.backup.cluster import Cluster
from tests.server import ROOT

NAME = "0000000100000000000000A7"
CONTENT = b"the words of one citizen" * 1000


@pytest.fixture
def archive(tmp_path):
    return WalArchive(Settings(wal_folder=tmp_path / "archive"))


@pytest.fixture
def segment(tmp_path):
    file = tmp_path / NAME
    file.write_bytes(CONTENT)
    return file


@pytest.fixture
def key(tmp_path):
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(f"# of a test\n{identity}\n")
    return tmp_path / "key", str(identity.to_public())


def test_a_segment_is_kept_packed_and_given_back(archive, segment, tmp_path):
    kept = archive.keep(segment)
    assert kept.stat().st_size < len(CONTENT) and kept.stat().st_mode & 0o077 == 0
    archive.fetch(NAME, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == CONTENT
    assert archive.segments() == [NAME]


def test_the_same_is_kept_once_and_another_never_in_its_place(archive, segment, tmp_path):
    kept = archive.keep(segment)
    assert archive.keep(segment) == kept
    segment.write_bytes(CONTENT[::-1])
    with pytest.raises(Refused, match="keeps another file"):
        archive.keep(segment)
    archive.fetch(NAME, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == CONTENT
    assert [file.name for file in kept.parent.iterdir()] == [kept.name]


def test_sealed_it_is_opened_by_the_private_key_alone(tmp_path, segment, key):
    file, public = key
    archive = WalArchive(Settings(wal_folder=tmp_path / "archive", backup_keys=public))
    kept = archive.keep(segment)
    assert kept.suffix == ".age" and b"citizen" not in kept.read_bytes()
    assert archive.keep(segment) == kept  # known again without a key
    with pytest.raises(DamagedError, match="--key"):
        archive.fetch(NAME, tmp_path / "back")
    other = tmp_path / "other"
    other.write_text(str(pyrage.x25519.Identity.generate()))
    with pytest.raises(DamagedError):
        archive.fetch(NAME, tmp_path / "back", other)
    assert not (tmp_path / "back").exists()
    archive.fetch(NAME, tmp_path / "back", file)
    assert (tmp_path / "back").read_bytes() == CONTENT


def test_what_is_damaged_is_never_taken_for_the_end(archive, segment, tmp_path):
    kept = archive.keep(segment)
    whole = kept.read_bytes()
    for content in (whole[:-9], whole[:20] + bytes([whole[20] ^ 1]) + whole[21:], b""):
        kept.write_bytes(content)
        with pytest.raises(DamagedError):
            archive.fetch(NAME, tmp_path / "back")
    with pytest.raises(AbsentError):
        archive.fetch("0000000100000000000000A8", tmp_path / "back")


@pytest.mark.parametrize("name", ["postgresql.conf", "00000001000000000000A7", "x" * 24, ".."])
def test_what_is_no_file_of_the_journal_is_refused(archive, tmp_path, name):
    with pytest.raises(Refused, match="no name"):
        archive.keep(tmp_path / name)


def test_what_cannot_be_kept_is_not_said_to_be(tmp_path, segment):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="cannot be kept"):
        WalArchive(Settings(wal_folder=tmp_path / "file")).keep(segment)
    with pytest.raises(Refused, match="cannot be kept"):
        WalArchive(Settings(wal_folder=tmp_path)).keep(tmp_path / NAME.replace("A", "B"))
    with pytest.raises(Refused, match="HAILONG_BACKUP_KEYS"):
        WalArchive(Settings(wal_folder=tmp_path / "a", backup_keys="age1wrong")).keep(segment)
    with pytest.raises(Refused, match="HAILONG_WAL_FOLDER"):
        WalArchive(Settings())


def test_the_commands_end_as_postgresql_understands_them(hailong, segment, tmp_path, monkeypatch):
    monkeypatch.setenv("HAILONG_WAL_FOLDER", str(tmp_path / "archive"))
    hailong("backup", "keep-wal", segment)
    hailong("backup", "keep-wal", segment)
    hailong("backup", "fetch-wal", NAME, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == CONTENT
    hailong("backup", "fetch-wal", "00000002.history", tmp_path / "back", code=ABSENT)
    segment.write_bytes(b"another")
    assert "another file" in hailong("backup", "keep-wal", segment, code=1)
    next((tmp_path / "archive").iterdir()).write_bytes(b"")
    assert "given back" in hailong("backup", "fetch-wal", NAME, tmp_path / "back", code=GIVE_UP)


def test_the_program_that_postgresql_calls_loads_only_what_it_uses(segment, tmp_path):
    program = [sys.executable, "-X", "importtime", "-m", "app.backup.wal_commands"]
    chosen = os.environ | {"HAILONG_WAL_FOLDER": str(tmp_path / "archive")}
    for words in (["keep-wal", segment], ["fetch-wal", NAME, tmp_path / "back"]):
        run = subprocess.run(
            [*program, *words], cwd=ROOT, env=chosen, capture_output=True, text=True, check=True
        )
        loaded = {name.split(".")[0] for name in re.findall(r"\|\s*([\w.]+)$", run.stderr, re.M)}
        assert {"zstandard", "pydantic_settings"} <= loaded  # it did its work
        assert not loaded & {"alembic", "fastapi", "numpy", "openpyxl", "psycopg", "sqlalchemy"}
    assert (tmp_path / "back").read_bytes() == CONTENT


def test_what_no_base_backup_wants_any_more_goes(archive, tmp_path):
    names = [f"0000000{line}00000000000000{n:02X}" for line, n in ((1, 1), (1, 2), (1, 3), (2, 3))]
    extra = ["00000002.history", "000000010000000000000002.00000028.backup"]
    for name in names + extra:
        (tmp_path / name).write_bytes(name.encode())
        archive.keep(tmp_path / name)
    day = datetime(2026, 11, 28, 16, 40, tzinfo=UTC)
    assert archive.tidy(day) == []  # no base backup is known: nothing may go
    archive.note_base(day, names[0])
    archive.note_base(day + timedelta(days=1), names[2])
    assert archive.tidy(day - timedelta(seconds=1)) == []
    assert archive.tidy(day + timedelta(hours=23)) == []
    gone = archive.tidy(day + timedelta(days=1))
    assert gone == [names[0], names[1], extra[1]]
    assert archive.segments() == names[2:]
    archive.fetch("00000002.history", tmp_path / "back")
    assert archive.tidy(day + timedelta(days=9)) == []


def test_how_far_the_archive_is_behind_is_told(tmp_path):
    with closing(Cluster()) as cluster:
        for _ in range(2):
            cluster.run("CREATE TABLE IF NOT EXISTS a (b int)")
            cluster.run("INSERT INTO a VALUES (1)")
            cluster.run("SELECT pg_switch_wal()")
        wait_for(lambda: archive_lag(cluster.settings).last_archived is not None)
        wait_for(lambda: archive_lag(cluster.settings).waiting == 0)
        lag = archive_lag(cluster.settings)
        assert lag.archives and not lag.failing
        assert lag.waiting_since is None
        kept = cluster.archive
        kept.rename(kept.with_name("away"))
        kept.write_text("a file where the folder was")
        cluster.run("INSERT INTO a VALUES (1)")
        cluster.run("SELECT pg_switch_wal()")
        cluster.run("INSERT INTO a VALUES (1)")
        wait_for(lambda: archive_lag(cluster.settings).failing)
        lag = archive_lag(cluster.settings)
        assert lag.waiting == 1 and lag.waiting_since is not None
        assert lag.last_failed > lag.last_archived
        kept.unlink()
        kept.with_name("away").rename(kept)
        wait_for(lambda: not archive_lag(cluster.settings).failing)
        assert archive_lag(cluster.settings).waiting == 0
        cluster.run("ALTER SYSTEM SET archive_mode = off")
        cluster.stop()
        cluster.start()
        assert not archive_lag(cluster.settings).archives


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_a_segment_that_is_killed_half_way_is_not_there(tmp_path, segment):
    """The name is given last: whatever is found under it is whole."""
    folder = tmp_path / "archive"
    program = (
        "import os, pathlib, sys; from app.backup import wal; from app.settings import Settings; "
        "wal.os.fsync = lambda descriptor: os._exit(9); "
        f"wal.WalArchive(Settings(wal_folder={str(folder)!r})).keep(pathlib.Path(sys.argv[1]))"
    )
    ended = subprocess.run([sys.executable, "-c", program, segment], cwd=ROOT)
    assert ended.returncode == 9 and any(folder.iterdir())
    archive = WalArchive(Settings(wal_folder=folder))
    with pytest.raises(AbsentError):
        archive.fetch(NAME, tmp_path / "back")
    archive.keep(segment)
    archive.fetch(NAME, tmp_path / "back")
