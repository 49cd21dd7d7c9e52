"""What holds what people said is its owner's alone, also where it was open before."""

import os
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from app.db import Database
from app.invitations.gateways import FileOutbox
from app.private_files import keep_private, open_to_others
from app.settings import Settings
from tests.databases import copy_sqlite
from tests.server import ROOT, ServerProcess
from tests.small_province import SmallProvince, body


def mode(path):
    return stat.S_IMODE(Path(path).stat().st_mode)


def test_a_new_database_and_its_journal_are_their_owners_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        with closing(Database(f"sqlite:///{tmp_path / 'new' / 'hailong.db'}")) as database:
            with database.writing() as session:
                session.connection().exec_driver_sql("CREATE TABLE t (i INTEGER)")
            files = sorted((tmp_path / "new").iterdir())
            assert [file.name for file in files] == [
                "hailong.db", "hailong.db-shm", "hailong.db-wal"
            ]  # fmt: skip
            assert {mode(file) for file in files} == {0o600} and mode(tmp_path / "new") == 0o700
    finally:
        os.umask(before)


def test_what_was_open_is_mended_and_what_cannot_be_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outbox, reports = tmp_path / "sms.jsonl", tmp_path / "reports"
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'hailong.db'}",
        sms_outbox=outbox,
        report_folder=reports,
    )
    reports.mkdir()
    reports.chmod(0o755)
    files = [tmp_path / "hailong.db", tmp_path / "hailong.db-wal", tmp_path / ".env", outbox]
    for file in files:
        file.touch()
        file.chmod(0o644)
    assert keep_private(settings) == []
    assert {mode(file) for file in files} == {0o600} and mode(reports) == 0o700
    outbox.chmod(0o640)

    def refuse(path, mode):
        raise PermissionError(1, "not yours", str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    assert keep_private(settings) == [outbox] and open_to_others(outbox)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_command_names_what_it_cannot_mend(hailong, tmp_path, monkeypatch):
    monkeypatch.setattr("app.private_files.keep_private", lambda _: [tmp_path / "hailong.db"])
    said = hailong("points", "pause", "none", code=1)
    assert f"others may read {tmp_path / 'hailong.db'}" in said and "chmod go=" in said


def test_a_server_and_a_command_make_files_for_their_owner_alone(templates, tmp_path):
    file = Path(str(copy_sqlite(templates("sqlite"), tmp_path / "hailong.db").database))
    with closing(Database(f"sqlite:///{file}")) as database:
        device = SmallProvince.found(database).device()
    file.chmod(0o644)
    server = ServerProcess(f"sqlite:///{file}", tmp_path / "log.txt")
    try:
        server.wait_until_ready()
        sent = httpx.post(f"{server.address}/api/v1/responses", json=body(), headers=device)
        assert sent.status_code == 201, sent.text
        assert {mode(f"{file}{end}") for end in ("", "-wal", "-shm")} == {0o600}
    finally:
        server.stop()
    out = tmp_path / "template.xlsx"
    subprocess.run(
        [sys.executable, "-m", "app.cli", "import", "template", "sipas-desk", "--out", str(out)],
        cwd=ROOT, env=os.environ | {"HAILONG_DATABASE_URL": f"sqlite:///{file}"}, check=True,
        capture_output=True, umask=0,
    )  # fmt: skip
    assert mode(out) == 0o600


def test_sms_that_are_written_out_are_their_owners(tmp_path):
    before = os.umask(0)
    try:
        FileOutbox(tmp_path / "sms" / "out.jsonl").send("+84900000000", "Kính mời")
    finally:
        os.umask(before)
    assert mode(tmp_path / "sms" / "out.jsonl") == 0o600 and mode(tmp_path / "sms") == 0o700
