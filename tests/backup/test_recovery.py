"""Recovery of a real PostgreSQL server to a point in time: all before it, nothing after it."""

import shlex
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest
from sqlalchemy import select

from app.backup import recovery
from app.backup.postgres import PostgresBackup
from app.backup.postgres_tools import stop
from app.backup.stores import look
from app.commands import Refused
from app.db import Database
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from app.setup import prepare
from tests.backup.cluster import Cluster, wal_commands
from tests.conftest import serving
from tests.small_province import SmallProvince, body

URL = "/api/v1/responses"
FIGURES = (
    "/api/v1/satisfaction?by=unit&questionnaire=sipas-desk",
    "/api/v1/satisfaction?by=day&by=channel&questionnaire=sipas-desk",
    "/api/v1/satisfaction/trend?questionnaire=sipas-desk&unit=C1",
)

#: They share servers, and the second of them goes on where the first has ended.
pytestmark = pytest.mark.xdist_group("recovery")


@pytest.fixture(scope="module")
def keys():
    """A private key's file that the server's user may read, and the public one."""
    identity = pyrage.x25519.Identity.generate()
    with tempfile.TemporaryDirectory(prefix="hlk-") as name:
        Path(name).chmod(0o755)
        file = Path(name) / "private"
        file.write_text(str(identity))
        file.chmod(0o644)
        yield file, str(identity.to_public())


@pytest.fixture(scope="module", autouse=True)
def callable_by_the_server():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recovery, "wal_commands", wal_commands)
        yield


@pytest.fixture(scope="module")
def cluster(keys):
    with closing(Cluster(backup_keys=(keys[1],), cache_s=0)) as cluster:
        with closing(Database(cluster.settings.database_url)) as database:
            prepare(database, cluster.settings)
        yield cluster


def stored(cluster):
    with closing(Database(cluster.settings.database_url)) as database, database.reading() as read:
        return set(read.scalars(select(Response.id)))


def send(client, headers, number):
    bodies = [body(answers={"A1": 1 + n % 5, "C1": 3}) for n in range(number)]
    answer = client.post(URL, json={"responses": bodies}, headers=headers)
    assert answer.status_code == 200, answer.text
    return {each["id"] for each in answer.json()["responses"]}


def figures(client, headers):
    answers = [client.get(address, headers=headers) for address in FIGURES]
    assert {answer.status_code for answer in answers} == {200}, [a.text for a in answers]
    return [answer.text for answer in answers]


@pytest.fixture(scope="module")
def history(cluster, tmp_path_factory):
    """A base backup, answers before a moment, the moment, and answers after it."""
    folder = tmp_path_factory.mktemp("base")
    with closing(Database(cluster.settings.database_url)) as database:
        province = SmallProvince.found(database)
        device, reader = province.device(), province.reader()
    with serving(cluster.settings) as client:
        before = send(client, device, 30)
        PostgresBackup(cluster.settings).take(folder)
        before |= send(client, device, 200)
        told = figures(client, reader)
        time.sleep(1.1)
        moment = datetime.now(UTC)
        time.sleep(1.1)
        after = send(client, device, 100)
        assert figures(client, reader) != told
    cluster.run("SELECT pg_switch_wal()")
    cluster.stop()  # which archives what is left
    waiting = list((cluster.data / "pg_wal/archive_status").glob("*.ready"))
    assert waiting == [], cluster.log.read_text()[-4000:]
    return folder, before, moment, after, told, reader, device


def test_recovered_to_a_moment_it_holds_all_before_and_nothing_after(cluster, keys, history):
    folder, before, moment, after, told, reader, device = history
    said = []
    PostgresBackup(cluster.settings, key=keys[0], start=True, tell=said.append).put_back(
        folder, moment
    )
    found = stored(cluster)
    assert before <= found and not after & found and found == before
    with closing(Database(cluster.settings.database_url)) as database:
        assert verify(database) == [] and look(database).faults == ()
    with serving(cluster.settings) as client:
        assert figures(client, reader) == told
        # It is a server as any other: it takes answers, and archives them on a line of its own.
        assert send(client, device, 1) <= stored(cluster)
    aside = [path for path in cluster.folder.iterdir() if ".before-" in path.name]
    assert len(aside) == 1 and str(aside[0]) in said[0]


def test_without_a_moment_all_that_was_archived_is_replayed(cluster, keys, history):
    folder, before, _, after, *_ = history
    cluster.stop()
    own = cluster.settings.model_copy(update={"postgres_data": cluster.folder / "second"})
    # The first line ends where the second began; the newest is followed, as after a real failure.
    PostgresBackup(own, key=keys[0], start=True, tell=lambda said: None).put_back(folder, None)
    try:
        found = stored(cluster)
        assert before <= found
        assert not after & found  # they are no part of the line that was chosen before
    finally:
        stop(cluster.tools, own.postgres_data)


@pytest.mark.parametrize(
    ("changes", "until", "said"),
    [
        ({}, timedelta(days=-1), "choose an older one"),
        ({}, timedelta(days=1), "has not come yet"),
        ({"wal_folder": None}, timedelta(), "HAILONG_WAL_FOLDER"),
        ({"postgres_data": None}, None, "HAILONG_POSTGRES_DATA"),
    ],
)
def test_what_cannot_be_reached_is_said_before_anything_moves(
    cluster, history, changes, until, said
):
    folder, _, moment, *_ = history
    backup = PostgresBackup(cluster.settings.model_copy(update=changes), start=True)
    there = sorted(path.name for path in cluster.folder.iterdir())
    with pytest.raises(Refused, match=said):
        backup.put_back(folder, None if until is None else moment + until)
    assert sorted(path.name for path in cluster.folder.iterdir()) == there


def test_a_server_that_runs_keeps_its_data(cluster, keys, history):
    if not (cluster.data / "postmaster.pid").exists():
        cluster.start()
    with pytest.raises(Refused, match="a server runs on"):
        PostgresBackup(cluster.settings, key=keys[0], start=True).put_back(history[0], None)


def test_a_moment_that_the_archive_does_not_reach_is_told(cluster, history, keys):
    folder = history[0]
    own = cluster.settings.model_copy(update={"postgres_data": cluster.folder / "third"})
    cluster.stop()
    with pytest.raises(Refused, match="archive ends before that moment"):
        PostgresBackup(own, key=keys[0], start=True).put_back(folder, datetime.now(UTC))
    # A key that opens nothing is no end of the journal either.
    wrong = keys[0].with_name("wrong")
    wrong.write_text(str(pyrage.x25519.Identity.generate()))
    own = own.model_copy(update={"postgres_data": cluster.folder / "fourth"})
    with pytest.raises(Refused, match=r"PostgreSQL (cannot recover|does not start)"):
        PostgresBackup(own, key=wrong, start=True).put_back(folder, None)


def test_a_program_that_cannot_be_loaded_is_not_the_end_of_the_journal(
    cluster, history, keys, monkeypatch
):
    cluster.stop()
    monkeypatch.setattr(
        recovery, "wal_commands", lambda: ["/usr/bin/python3", "-m", "no_such_module"]
    )
    own = cluster.settings.model_copy(update={"postgres_data": cluster.folder / "sixth"})
    with pytest.raises(
        Refused, match=r"PostgreSQL (cannot recover|does not start).*no_such_module"
    ):
        PostgresBackup(own, key=keys[0], start=True).put_back(history[0], None)


def test_a_key_that_the_server_may_not_read_is_told(cluster, history, keys):
    cluster.stop()
    mine = keys[0].with_name("mine")
    mine.write_text(keys[0].read_text())
    mine.chmod(0o600)
    own = cluster.settings.model_copy(update={"postgres_data": cluster.folder / "seventh"})
    with pytest.raises(Refused, match=r"PostgreSQL (cannot recover|does not start).*not readable"):
        PostgresBackup(own, key=mine, start=True).put_back(history[0], None)


def test_it_waits_for_a_server_that_somebody_else_starts(cluster, history, keys):
    folder, before, moment, *_ = history
    cluster.stop()
    own = cluster.settings.model_copy(update={"postgres_data": cluster.folder / "fifth"})
    said = []

    def tell(line):
        said.append(line)
        if line.startswith("This command goes on"):
            cluster.tools.run("pg_ctl", *shlex.split(said[-2])[1:-1], "-l", cluster.log, "start",
                              as_server=True)  # fmt: skip

    # Without a zone, a moment is one of ours.
    local = moment.astimezone(own.zone).replace(tzinfo=None)
    PostgresBackup(own, key=keys[0], tell=tell).put_back(folder, local)
    try:
        assert "systemctl start postgresql@18-fifth" in "".join(said)
        assert stored(cluster) == before
    finally:
        stop(cluster.tools, own.postgres_data)


def test_a_damaged_backup_moves_nothing(cluster, history, keys, tmp_path):
    for file in history[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    content = (tmp_path / "base.tar").read_bytes()
    (tmp_path / "base.tar").write_bytes(content[: len(content) // 2])
    own = cluster.settings.model_copy(update={"postgres_data": cluster.folder / "sixth"})
    there = sorted(path.name for path in cluster.folder.iterdir())
    with pytest.raises(Refused, match=r"damaged|cannot be unpacked"):
        PostgresBackup(own, key=keys[0], start=True).put_back(tmp_path, None)
    assert sorted(path.name for path in cluster.folder.iterdir()) == there
