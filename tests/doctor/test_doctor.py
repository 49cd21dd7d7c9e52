"""Each check finds what was broken, and is content with what is whole."""

import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event, text

from app.clock import note
from app.doctor import commands, keeping, machine, service, store
from app.doctor.findings import Check, Severity, examine
from app.settings import Settings
from tests.doctor.looking import NOW, severities, worst
from tests.server import free_port
from tests.small_province import body

# --- how checks are run


def test_a_check_that_breaks_is_a_finding_and_the_next_one_is_made(settings):
    def broken(_):
        raise RuntimeError("no such thing\nand more")

    first, second = examine((Check("a", broken), Check("b", machine.versions)), settings)
    assert (first.severity, first.check) == (Severity.WRONG, "a") and "no such thing" in first.what
    assert second.severity is Severity.WELL


def test_what_stands_on_something_wrong_is_not_asked(settings):
    def broken(_):
        raise RuntimeError("gone")

    checks = (Check("a", broken), Check("b", broken, ("a",)))
    assert [f.severity for f in examine(checks, settings)] == [Severity.WRONG, Severity.UNKNOWN]


def test_every_finding_that_is_bad_says_what_to_do(hailong, tmp_path, monkeypatch):
    monkeypatch.setenv("HAILONG_PUBLIC_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("HAILONG_PORT", str(free_port()))
    told = hailong("doctor", "--json", code=1)
    findings = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert {f["check"] for f in findings if f["severity"] == "wrong"} >= {
        "service",
        "public address",
    }
    assert all(f["do"] for f in findings if f["severity"] in ("wrong", "look"))
    assert "to be mended" in told


def test_a_whole_installation_is_content(database_url, settings, province, client, monkeypatch):
    port = client.base_url.port
    sound = Settings(database_url=database_url, port=port, public_url=f"http://127.0.0.1:{port}")
    if database_url.startswith("sqlite"):
        machine.database_file(sound).chmod(0o600)
        for end in ("-wal", "-shm"):
            Path(f"{machine.database_file(sound)}{end}").chmod(0o600)
    # Without encryption, a proxy and backups, as a test is: said, and the only things said.
    expected = {"certificate", "proxy"}
    if not database_url.startswith("sqlite"):
        expected.add("database")  # a server for tests does not wait for its disk
    found = list(examine(commands.CHECKS + commands.THOROUGH, sound))
    assert {f.check for f in found if f.severity is Severity.WRONG} == expected, found
    assert {f.check for f in found} >= {"service", "printed codes", "cells", "audit log", "clock"}


# --- the machine


def test_little_space_is_seen_before_there_is_none(settings, tmp_path, monkeypatch):
    given = Settings(database_url=settings.database_url, report_folder=tmp_path / "reports")
    assert severities(machine.space, given) == {Severity.WELL}
    for least, severity in (("_LITTLE_SPACE", Severity.LOOK), ("_NO_SPACE", Severity.WRONG)):
        monkeypatch.setattr(machine, least, 1 << 60)
        assert severity in severities(machine.space, given)


def test_files_that_others_may_read_are_named(tmp_path):
    file = tmp_path / "hailong.db"
    file.write_bytes(b"")
    given = Settings(database_url=f"sqlite:///{file}")
    file.chmod(0o644)
    assert f"others may read {file} (mode 0644)" in worst(machine.permissions, given)
    file.chmod(0o600)
    assert severities(machine.permissions, given) == {Severity.WELL}


def test_a_folder_that_is_not_there_is_named(tmp_path):
    given = Settings(
        database_url=f"sqlite:///{tmp_path / 'hailong.db'}", report_folder=tmp_path / "no" / "such"
    )
    assert "is not there" in worst(machine.permissions, given)


def test_a_zone_that_is_none_and_one_that_is_not_ours(settings):
    assert severities(machine.time_zone, settings) <= {Severity.WELL, Severity.UNKNOWN}
    for zone, told in (("Asia/Hanoi", "is no zone"), ("Europe/Paris", "Europe/Paris")):
        assert told in worst(machine.time_zone, settings.model_copy(update={"timezone": zone}))


# --- the database


def test_a_database_that_is_not_there(tmp_path):
    given = Settings(database_url=f"sqlite:///{tmp_path / 'none.db'}")
    assert "there is no" in worst(store.reached, given)
    assert not (tmp_path / "none.db").exists()
    nobody = Settings(database_url=f"postgresql+psycopg://x@127.0.0.1:{free_port()}/x")
    assert "nothing answers as PostgreSQL" in worst(store.reached, nobody)


def test_a_database_that_cannot_be_written(database, settings, province):
    assert Severity.WRONG not in severities(store._writable, database)
    if database.locks_whole_database:
        database.close()
        event.listen(database.engine, "connect", lambda c, _: c.execute("PRAGMA query_only=ON"))
    else:
        with database.writing() as session:
            name = database.url.database
            session.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        database.close()
    assert "cannot be written" in worst(store._writable, database)


def test_more_processes_than_the_database_has_room_for(database, settings):
    if not database.locks_whole_database:
        many = settings.model_copy(update={"workers": 1000})
        assert "1000 processes may open" in worst(store.reached, many)


def test_cells_that_somebody_changed(database, settings, province, client):
    client.post("/api/v1/responses", json=body(), headers=province.device())
    assert severities(store.counted, settings) == {Severity.WELL}
    with database.writing() as session:
        session.execute(text("DELETE FROM rollup_cell"))
    assert "differ from a recount" in worst(store.counted, settings)


# --- the clock and the running service


def test_a_clock_that_went_back_and_one_that_was_away_for_long(database, settings):
    for moment, told in (
        (NOW + timedelta(days=1), "already"),
        (NOW - timedelta(days=400), "no server ran since"),
        (NOW, ""),
    ):
        with database.writing() as session:
            session.execute(text("DELETE FROM clock_note"))
            note(session, moment)
        found = worst(service.clock, settings)
        assert told in found and bool(told) == bool(found)


# --- what is kept elsewhere


def test_the_journal_that_is_not_archived(database, settings):
    if database.locks_whole_database:
        assert list(keeping.journal(settings)) == []
    else:
        assert "can be lost" in worst(keeping.journal, settings)


def test_fewer_open_files_than_connections(settings):
    assert severities(machine.files, settings) == {Severity.WELL}
    many = settings.model_copy(update={"connection_limit": 1 << 30})
    assert "HAILONG_CONNECTION_LIMIT" in worst(machine.files, many)
