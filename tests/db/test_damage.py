"""Damage of pages is seen in time, told, and nothing is acknowledged once it is known."""

import logging
import re
import shutil
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.damage_watch import EVERY_S, DamageWatch
from app.db import Database
from app.db.damage import DatabaseDamaged, damage_of_file, damage_of_journal
from app.settings import Settings
from tests.conftest import serving
from tests.databases import copy_sqlite, overwrite
from tests.server import ServerProcess
from tests.small_province import SmallProvince, body

NIGHT, DAY = datetime(2026, 11, 27, 19, 30, tzinfo=UTC), datetime(2026, 11, 28, 5, tzinfo=UTC)


@pytest.fixture
def file(templates, tmp_path):
    return Path(str(copy_sqlite(templates("sqlite"), tmp_path / "hailong.db").database))


def test_a_whole_file_is_well_and_one_with_noise_is_not(file):
    assert damage_of_file(file) is None and damage_of_file(file, whole=True) is None
    overwrite(file, 4096 * 5, 4096 * 40)
    assert damage_of_file(file)
    overwrite(file, 0, 4096)
    assert "not a database" in damage_of_file(file)


def test_what_would_take_too_long_is_left_to_the_running_server(file):
    overwrite(file, 4096 * 5, 4096 * 40)
    assert damage_of_file(file, within_s=0) is None
    assert damage_of_file(file, within_s=2)


def test_a_journal_is_whole_until_a_committed_page_of_it_is_not(file):
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        for number in range(20):
            with connection:
                connection.execute(f"CREATE TABLE t{number} (it INTEGER)")
        copy = file.with_name("copy.db")
        for end in ("", "-wal", "-shm"):
            shutil.copyfile(f"{file}{end}", f"{copy}{end}")
        assert damage_of_journal(copy, 2) is None
        wal = Path(f"{copy}-wal")
        with wal.open("ab") as stream:  # of a transaction that was not committed: no loss
            stream.write(b"\0" * 500)
        assert damage_of_journal(copy, 2) is None
        overwrite(wal, 32 + 5 * (24 + 4096) + 100, 32 + 5 * (24 + 4096) + 200)
        assert re.match(r"\d+ pages that were committed are damaged", damage_of_journal(copy, 2))
        assert damage_of_journal(copy, 0) is None
        # Once all of it stands in the file, it is of no use any more.
        connection.execute("PRAGMA wal_checkpoint(FULL)")
        for end in ("", "-shm"):
            shutil.copyfile(f"{file}{end}", f"{copy}{end}")
        assert damage_of_journal(copy, 2) is None


def test_what_hangs_together_and_is_wrong_is_found_by_night(file):
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE b (a_id INTEGER REFERENCES a)")
        connection.execute("INSERT INTO b VALUES (7)")
    assert damage_of_file(file) is None
    assert damage_of_file(file, whole=True) == "a row of b names one of a that is not there"
    with closing(Database(f"sqlite:///{file}")) as database:
        watch = DamageWatch(database, Settings(database_url=f"sqlite:///{file}"))
        assert watch.look(DAY) == EVERY_S and database.damage.found is None
        watch.look(NIGHT)
        assert database.damage.found
        with pytest.raises(DatabaseDamaged):
            database.damage.check()


def test_a_file_that_went_away_is_damage(file):
    with closing(Database(f"sqlite:///{file}")) as database:
        watch = DamageWatch(database, Settings(database_url=f"sqlite:///{file}"))
        file.unlink()
        watch.look(DAY)
        assert "is gone" in database.damage.found


def test_any_statement_may_find_it_and_then_nothing_is_written(database, caplog):
    with caplog.at_level(logging.CRITICAL), pytest.raises(DatabaseDamaged), database.writing() as s:
        if database.locks_whole_database:
            s.execute(text("PRAGMA writable_schema = ON"))
            s.execute(text("UPDATE sqlite_master SET rootpage = 99999 WHERE name = 'account'"))
            s.execute(text("PRAGMA writable_schema = RESET"))
            s.execute(text("SELECT * FROM account"))
        else:
            s.execute(text("DO $$ BEGIN RAISE 'invalid page' USING ERRCODE = 'XX001'; END $$"))
    assert database.damage.found
    with pytest.raises(DatabaseDamaged), database.writing():
        raise AssertionError("nothing is begun")
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    with database.reading() as session:  # what can be read is read
        assert session.execute(text("SELECT 1")).scalar() == 1


def test_what_becomes_known_while_writing_is_not_committed(database):
    with pytest.raises(DatabaseDamaged), database.writing() as session:
        session.execute(text("CREATE TABLE meanwhile (it INTEGER)"))
        database.damage.tell("seen by another thread")
    with pytest.raises(DBAPIError, match="meanwhile"), database.reading() as session:
        session.execute(text("SELECT * FROM meanwhile"))


@pytest.mark.parametrize("damaged", [False, True])
def test_postgresql_is_looked_through_by_night(database, caplog, damaged):
    """With a function in the place of amcheck's, which not every server comes with."""
    if database.locks_whole_database:
        pytest.skip("of PostgreSQL alone")
    raised = "RAISE 'item order invariant violated' USING ERRCODE = 'XX002'" if damaged else "NULL"
    with database.writing() as session:
        session.execute(
            text(
                "CREATE FUNCTION bt_index_check(index regclass) RETURNS void LANGUAGE plpgsql AS "
                f"$$ BEGIN {raised}; END $$"
            )
        )
    watch = DamageWatch(database, Settings())
    with caplog.at_level(logging.INFO, "hailong.db"):
        watch.look(DAY)
        assert not caplog.records
        if damaged:
            with pytest.raises(DatabaseDamaged):
                watch.look(NIGHT)
            assert "invariant violated" in database.damage.found
            return
        watch.look(NIGHT)
    assert int(re.search(r"looked through: (\d+) indexes", caplog.text)[1]) > 20
    with database.reading() as session:
        kept = session.execute(text("SHOW data_checksums")).scalar_one() == "on"
    assert ("keeps no checksums" in caplog.text) is not kept and database.damage.found is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_start_page_names_the_last_good_copy(province, settings, monkeypatch):
    made = []
    monkeypatch.setattr(
        "app.main.Database", lambda *given: made.append(Database(*given)) or made[-1]
    )
    with serving(settings) as client:
        cookies = province.person((Role.OPERATOR, None)).headers | {"Accept": "text/html"}
        assert "bị hỏng" not in client.get("/", headers=cookies).text
        made[-1].damage.tell("pages are torn")
        made[-1].damage.last_good = "/srv/copies/2026-11-27"
        page = client.get("/", headers=cookies).text
        assert "Cơ sở dữ liệu bị hỏng" in page and "/srv/copies/2026-11-27" in page


@pytest.mark.parametrize("part", ["", "-wal"])
def test_a_running_server_stops_taking_within_a_minute(file, tmp_path, part):
    with closing(Database(f"sqlite:///{file}")) as database:
        device = SmallProvince.found(database).device()
    server = ServerProcess(f"sqlite:///{file}", tmp_path / "log.txt").wait_until_ready()

    def send(client):
        return client.post("/api/v1/responses", json=body(), headers=device)

    try:
        with httpx.Client(base_url=server.address, timeout=30) as client:
            for _ in range(50):
                assert send(client).status_code == 201
            broken = Path(f"{file}{part}")
            overwrite(broken, 4096 * 2 if part == "" else 32 + 24)  # its headers stay
            began = time.monotonic()
            while (answer := send(client)).status_code == 201:
                assert time.monotonic() - began < 60, "damage is not seen"
                time.sleep(0.05)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "600")
            assert answer.json()["type"] == "/problems/database-damaged" and answer.json()["retry"]
            for _ in range(20):
                assert send(client).status_code == 503
            assert client.get("/readyz").status_code == 503
            assert client.get("/healthz").status_code == 200
            assert client.get("/kiosk").status_code == 200
        log = server.log.read_text()
        assert log.count("THE DATABASE IS DAMAGED") == 1
    finally:
        server.kill()
    again = ServerProcess(f"sqlite:///{file}", tmp_path / "again.txt")
    assert again.process.wait(60) == 1
    said = (tmp_path / "again.txt").read_text()
    assert "Traceback" not in said and "is damaged" in said and len(said.strip().splitlines()) == 1
