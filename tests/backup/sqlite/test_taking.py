"""Sets of a SQLite database that is written to: all that was acknowledged, sealed, and proven."""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from app.access import sessions
from app.access.models import Account
from app.access.tidying import tidy
from app.backup import sealing, sets, taking
from app.backup.sqlite import NAME, SqliteBackup, opened
from app.backup.taking import make_set, on_one_disk
from app.commands import Refused
from app.db import Database
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from app.rollups.models import RollupCell
from tests.server import ServerProcess
from tests.small_province import body

URL = "/api/v1/responses"


class Load:
    """Clients that post batches without end, and know what was acknowledged."""

    def __init__(self, server, headers, clients=3):
        self.acknowledged, self.stop = set(), threading.Event()
        self._threads = [
            threading.Thread(target=self._post, args=(server.address, headers))
            for _ in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def _post(self, address, headers):
        with httpx.Client(base_url=address, timeout=30) as http:
            while not self.stop.is_set():
                bodies = [body() for _ in range(10)]
                answer = http.post(URL, json={"responses": bodies}, headers=headers)
                assert answer.status_code == 200, answer.text
                self.acknowledged |= {each["id"] for each in answer.json()["responses"]}

    def end(self):
        self.stop.set()
        for thread in self._threads:
            thread.join(30)


def ids_in(database):
    with database.reading() as session:
        return set(session.scalars(select(Response.id)))


def test_all_that_was_acknowledged_before_is_in_it_though_it_is_written_to(
    hailong, settings, province, database, key, only_set, tmp_path
):
    headers = province.device()
    server = ServerProcess(settings.database_url, tmp_path / "log").wait_until_ready()
    try:
        load = Load(server, headers)
        while len(load.acknowledged) < 200:
            time.sleep(0.01)
        before = set(load.acknowledged)
        said = hailong("backup")
        during = len(load.acknowledged)
        load.end()
    finally:
        server.stop()
    assert during > len(before)  # it was written to meanwhile
    copy = tmp_path / "opened"
    copy.mkdir()
    contents = sets.read_contents(copy, sealing.unseal(only_set(), copy, key))
    with opened(copy) as restored:
        found = ids_in(restored)
        assert verify(restored) == []
    assert before <= found <= ids_in(database)
    assert contents.responses == len(found) and f"{len(found)} responses" in said
    assert contents.made_at <= datetime.now(UTC)


def test_a_copy_does_not_begin_anew_with_every_write(settings, database, province, tmp_path):
    """Without its transaction the copy is as long under way as somebody writes."""
    with closing(sqlite3.connect(SqliteBackup(settings).file)) as large:
        large.execute("CREATE TABLE ballast (it BLOB)")
        large.executemany("INSERT INTO ballast VALUES (?)", [(os.urandom(4000),)] * 20_000)
        large.commit()
    ended = threading.Event()

    def write():
        with closing(sqlite3.connect(SqliteBackup(settings).file, 30)) as writer:
            while not ended.is_set():
                writer.execute("INSERT INTO ballast VALUES (x'00')")
                writer.commit()

    thread = threading.Thread(target=write)
    thread.start()
    copying = threading.Thread(target=SqliteBackup(settings).take, args=(tmp_path,))
    try:
        copying.start()
        copying.join(60)
        assert not copying.is_alive()
    finally:
        ended.set()
        thread.join()
    with closing(sqlite3.connect(tmp_path / NAME)) as copy:
        assert copy.execute("SELECT count(*) FROM ballast").fetchone()[0] >= 20_000


def test_one_that_is_made_is_not_lost_to_older_ones_that_cannot_go(
    hailong, database, only_set, monkeypatch
):
    def forbidden(*_):
        raise OSError("no right")

    monkeypatch.setattr(taking, "superfluous", forbidden)
    said = hailong("backup", code=1)
    assert "is made, and good" in said and "no right" in said and only_set().exists()


def test_where_nothing_changed_no_new_one_is_made(hailong, settings, province, client, folder):
    hailong("backup")
    assert "Nothing has changed" in hailong("backup")
    assert len(list(folder.glob("hailong-*"))) == 1
    first = sets.Notes.read(folder).good_at
    answer = client.post(URL, json={"responses": [body()]}, headers=province.device())
    assert answer.status_code == 200
    assert "1 responses" in hailong("backup")
    assert len(list(folder.glob("hailong-*"))) == 2
    assert sets.Notes.read(folder).good_at > first
    # What the audit log tells of is a change; that sessions end by themselves is none.
    person = province.person()
    assert "Nothing has changed" not in hailong("backup")
    with province.database.writing() as session:
        account = session.get_one(Account, person.account_id)
        sessions.begin(session, account, "a test", settings, by="test")
    assert "Nothing has changed" not in hailong("backup")
    with province.database.writing() as session:
        tidy(session, datetime.now(UTC) + timedelta(days=9))
    assert "Nothing has changed" in hailong("backup")


def test_a_new_key_wants_a_new_one_though_nothing_else_changed(
    hailong, database, folder, monkeypatch, tmp_path
):
    """What lies there the new key does not open; or it is not sealed at all, and would stay so."""
    assert "Nothing has changed" not in hailong("backup")
    assert "Nothing has changed" in hailong("backup")
    public, private = sealing.make_key()
    (tmp_path / "new.key").write_text(private)
    monkeypatch.setenv("HAILONG_BACKUP_KEYS", public)
    assert "Nothing has changed" not in hailong("backup")
    newest = sets.sets_in(folder)[0].file
    assert "is good" in hailong("backup", "check", newest, "--key", tmp_path / "new.key")


def test_a_damaged_newest_one_is_no_reason_not_to_make_another(hailong, database, folder, only_set):
    hailong("backup")
    with only_set().open("r+b") as stream:
        stream.seek(500)
        stream.write(b"\0\0\0\0")
    assert "Nothing has changed" not in hailong("backup")
    listed = hailong("backup", "list").splitlines()
    assert ["DAMAGED" in line for line in listed] == [False, True]


def test_a_disk_that_gives_back_other_bytes_is_not_trusted(hailong, database, folder, monkeypatch):
    true_sum = sealing.sum_of
    monkeypatch.setattr(sealing, "sum_of", lambda file: true_sum(file)[::-1])
    assert "other bytes than were written" in hailong("backup", code=1)
    assert sets.sets_in(folder) == [] and list(folder.glob(".part*")) == []


def test_a_copy_that_is_not_good_is_not_kept(hailong, province, client, folder, database):
    answer = client.post(URL, json={"responses": [body()]}, headers=province.device())
    assert answer.status_code == 200
    with database.writing() as session:
        kept = session.scalars(select(RollupCell)).one()
        kept.packed = bytes(kept.packed)[:-8] + b"\1\0\0\0\0\0\0\0"
    said = hailong("backup", code=1)
    assert "1 cells differ" in said and not list(folder.glob("hailong-*"))
    notes = sets.Notes.read(folder)
    assert notes.failed_at and "1 cells differ" in notes.failure and notes.good_at is None


def test_pages_that_were_overwritten_are_found(settings, database, province, tmp_path):
    with closing(sqlite3.connect(SqliteBackup(settings).file)) as own:
        own.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (tmp_path / "copy").mkdir()
    SqliteBackup(settings).take(tmp_path / "copy")
    copy = tmp_path / "copy" / NAME
    sound = copy.read_bytes()
    assert SqliteBackup(settings).check(tmp_path / "copy").faults == ()
    copy.write_bytes(sound[:8192] + b"\xff" * 20_000 + sound[28_192:])
    assert SqliteBackup(settings).check(tmp_path / "copy").faults
    copy.write_bytes(sound[:-4096])
    assert "shorter" in SqliteBackup(settings).check(tmp_path / "copy").faults[0]
    copy.write_bytes(b"something else")
    assert "no database" in SqliteBackup(settings).check(tmp_path / "copy").faults[0]


def test_the_second_of_two_refuses(hailong, database, folder):
    folder.mkdir()
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "is under way" in hailong("backup", code=1)
    hailong("backup")


def test_what_a_killed_one_left_is_removed_by_the_next(hailong, database, folder, tmp_path):
    folder.mkdir()
    (folder / ".part-1234").write_bytes(b"half a set")
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = tmp_path / "var" / f"hailong-backup-{dead.pid}-abc"
    left.mkdir()
    (left / "hailong.db").write_bytes(b"not sealed")
    living = tmp_path / "var" / f"hailong-backup-{os.getpid()}-abc"
    living.mkdir()
    hailong("backup")
    assert not left.exists() and living.exists() and not list(folder.glob(".part-*"))


def test_a_full_disk_leaves_no_half_and_the_older_ones_as_they_were(
    hailong, province, database, folder, only_set, monkeypatch
):
    hailong("backup")
    older = only_set().read_bytes()
    province.person()

    class Full:
        def __init__(self, stream):
            self.stream, self.left = stream, 3000

        def write(self, content):
            self.left -= len(content)
            if self.left < 0:
                raise OSError(28, "No space left on device")
            return self.stream.write(content)

        def flush(self):
            self.stream.flush()

    seal = sealing.seal
    monkeypatch.setattr(
        sealing, "seal", lambda copy, names, out, keys: seal(copy, names, Full(out), keys)
    )
    for keys in (os.environ["HAILONG_BACKUP_KEYS"], ""):
        monkeypatch.setenv("HAILONG_BACKUP_KEYS", keys)
        monkeypatch.setenv("HAILONG_BACKUP_UNSEALED", "true")
        said = hailong("backup", code=1)
        assert "No space left on device" in said and "no half of one" in said
        assert only_set().read_bytes() == older and not list(folder.glob(".part-*"))


def test_a_real_full_disk_is_one_sentence(hailong, database, folder, province):
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root mounts a disk that is full")
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", folder])
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        said = hailong("backup", code=1)
        assert "No space left on device" in said
        assert not list(folder.glob("hailong-*")) and not list(folder.glob(".part-*"))
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_copy_takes_no_room_that_the_intake_wants(hailong, settings, database, monkeypatch):
    monkeypatch.setattr("app.backup.sqlite._ROOM", 1 << 60)
    assert "HAILONG_BACKUP_WORK" in hailong("backup", code=1)


def test_a_folder_that_cannot_be_written_is_said(hailong, database, key, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be written" in hailong("backup", tmp_path / "file" / "below", code=1)


def test_without_a_folder_one_is_asked_for(hailong, database, monkeypatch):
    monkeypatch.delenv("HAILONG_BACKUP_FOLDER", raising=False)
    assert "HAILONG_BACKUP_FOLDER" in hailong("backup", "list", code=1)
    assert "HAILONG_BACKUP_FOLDER" in hailong("backup", code=1)


def test_a_database_that_is_not_there_is_not_made(hailong, folder, monkeypatch, tmp_path):
    monkeypatch.setenv("HAILONG_DATABASE_URL", f"sqlite:///{tmp_path}/absent.db")
    assert "no such file" in hailong("backup", code=1)
    assert not (tmp_path / "absent.db").exists()
    (tmp_path / "text.db").write_text("no database at all, " * 100)
    monkeypatch.setenv("HAILONG_DATABASE_URL", f"sqlite:///{tmp_path}/text.db")
    assert "no database of SQLite" in hailong("backup", code=1)


def test_old_ones_go_by_the_rule_and_those_of_another_database_stay(
    settings, database, province, folder, monkeypatch
):
    rule = settings.model_copy(update={"backup_keep": "1 daily"})
    first = make_set(rule, folder).file
    strange = folder / first.name.replace("2026", "2025")
    strange.write_bytes(first.read_bytes())  # nothing is noted about it: whose it is, nobody knows
    notes = sets.Notes.read(folder)
    other = dict(notes.contents[first.name], chain="ab" * 32)
    elsewhere = folder / first.name.replace("2026", "2024")
    elsewhere.write_bytes(first.read_bytes())
    notes.contents[elsewhere.name] = other
    notes.write(folder)
    province.person()
    made = make_set(rule, folder)
    assert made.gone == (first,) and not first.exists()
    assert {f.name for f in folder.glob("hailong-*")} == {
        made.file.name, strange.name, elsewhere.name,
    }  # fmt: skip


def test_lost_notes_do_no_harm(hailong, database, folder, only_set, key):
    hailong("backup")
    (folder / sets.NOTES).write_text("{broken")
    assert "what it holds is not noted" in hailong("backup", "list")
    assert "is good" in hailong("backup", "check", only_set(), "--key", key)
    assert "Nothing has changed" not in hailong("backup")


def test_the_name_tells_when_it_was_made(settings, database, folder):
    made = make_set(settings, folder)
    (listed,) = sets.sets_in(folder)
    assert listed.contents == made.contents and listed.sealed and listed.is_whole()
    assert abs(listed.made_at - datetime.now(UTC)) < timedelta(minutes=1)
    with closing(Database(settings.database_url)) as same, same.reading() as session:
        assert taking.state_of(session, settings.backup_keys) == made.contents.state


def test_nothing_is_taken_from_memory(folder):
    from app.settings import Settings

    with pytest.raises(Refused, match="in memory"):
        SqliteBackup(Settings(database_url="sqlite://"))


def test_that_it_lies_on_the_databases_own_disk_is_known(settings, database, folder):
    assert not on_one_disk(settings, folder)  # it is not there yet
    make_set(settings, folder)
    assert on_one_disk(settings, folder)
    elsewhere = Path("/proc")
    assert elsewhere.stat().st_dev != folder.stat().st_dev
    assert not on_one_disk(settings, elsewhere)
