"""Copies of a real PostgreSQL server, taken while it is written to, and proven."""

import json
import tarfile
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from app.backup.postgres import BASE, DUMP, Origin, PostgresBackup
from app.backup.postgres_tools import Tools
from app.commands import Refused
from app.db import Database
from app.intake.models import Response
from app.settings import Settings
from app.setup import prepare
from tests.backup.cluster import Cluster
from tests.conftest import serving
from tests.small_province import SmallProvince, body

URL = "/api/v1/responses"
DEBIANS = Path("/usr/lib/postgresql/15/bin")

#: They share servers, and the second of them goes on where the first has ended.
pytestmark = pytest.mark.xdist_group("backup-postgres")


@pytest.fixture(scope="module")
def cluster():
    with closing(Cluster()) as cluster:
        with closing(Database(cluster.settings.database_url)) as database:
            prepare(database, cluster.settings)
        yield cluster


@pytest.fixture(scope="module")
def province(cluster):
    with closing(Database(cluster.settings.database_url)) as database:
        yield SmallProvince.found(database)


class Load:
    """Posts without end from a thread; ids of what was acknowledged."""

    def __init__(self, client, headers):
        self.acknowledged, self._over = set(), threading.Event()
        self._client, self._headers = client, headers
        self._thread = threading.Thread(target=self._post)

    def _post(self):
        while not self._over.is_set():
            bodies = [body() for _ in range(5)]
            answer = self._client.post(URL, json={"responses": bodies}, headers=self._headers)
            assert answer.status_code == 200, answer.text
            self.acknowledged |= {each["id"] for each in answer.json()["responses"]}

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._over.set()
        self._thread.join(30)


def stored(database):
    with database.reading() as session:
        return set(session.scalars(select(Response.id)))


@pytest.fixture(scope="module", params=[BASE, DUMP])
def copy(request, cluster, province, tmp_path_factory):
    """A copy under load: its folder, and what had been acknowledged before it began."""
    folder = tmp_path_factory.mktemp("copy")
    told = []
    settings = cluster.settings
    if request.param == DUMP:
        cluster.run("CREATE ROLE managed LOGIN IN ROLE pg_read_all_data, pg_write_all_data")
        url = settings.database_url.replace("postgres@", "managed@")
        settings = settings.model_copy(update={"database_url": url})
    with serving(cluster.settings) as client, Load(client, province.device()) as load:
        while len(load.acknowledged) < 50:
            pass
        before = set(load.acknowledged)
        PostgresBackup(settings, tell=told.append).take(folder)
        during = set(load.acknowledged)
    assert len(during) > len(before)
    return folder, before, told, settings


def test_what_was_acknowledged_before_a_copy_began_is_in_it(copy):
    folder, before, told, settings = copy
    backup = PostgresBackup(settings)
    checked = backup.check(folder)
    assert checked.faults == ()
    with backup.restored(folder) as database:
        found = stored(database)
        assert before <= found and checked.responses == len(found)
    origin = Origin.read(folder)
    assert (origin.way == DUMP) == bool(told) == bool(origin.why)
    if told:
        assert "not brought to a later moment" in told[0] and "replication" in told[0].lower()


def test_of_a_damaged_copy_it_is_said(copy, tmp_path):
    folder, _, _, settings = copy
    origin = Origin.read(folder)
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    name = "base.tar" if origin.way == BASE else "database.dump"
    content = bytearray((tmp_path / name).read_bytes())
    if origin.way == BASE:
        with tarfile.open(tmp_path / name) as packed:
            place = next(m for m in packed if m.name.startswith("base/") and m.size > 40_000)
            content[place.offset_data + place.size // 2] ^= 1
    else:
        del content[len(content) // 2 :]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Refused, match=r"damaged|pg_restore"):
        PostgresBackup(settings).check(tmp_path)


@pytest.mark.skipif(not DEBIANS.is_dir(), reason="Debian's PostgreSQL 15 is not installed here")
def test_a_copy_by_debians_programs(tmp_path):
    with closing(Cluster(15, postgres_bin=DEBIANS, postgres_user="postgres")) as cluster:
        with closing(Database(cluster.settings.database_url)) as database:
            prepare(database, cluster.settings)
            place = SmallProvince.found(database)
        with serving(cluster.settings) as client:
            client.post(URL, json=body(), headers=place.device())
        backup = PostgresBackup(cluster.settings)
        backup.take(tmp_path)
        assert Tools.of(15, "postgres", cluster.settings).works("pg_verifybackup")
        assert Origin.read(tmp_path).way == BASE
        checked = backup.check(tmp_path)
        assert (checked.responses, checked.faults) == (1, ())


def test_what_is_no_backup_is_refused(cluster, tmp_path):
    with pytest.raises(Refused, match="no backup of PostgreSQL"):
        PostgresBackup(cluster.settings).check(tmp_path)
    (tmp_path / "postgres.json").write_text(json.dumps({"way": "base"}))
    with pytest.raises(Refused, match="no backup of PostgreSQL"):
        PostgresBackup(cluster.settings).check(tmp_path)


def test_a_check_finds_cells_that_are_wrong(cluster, province, tmp_path):
    with serving(cluster.settings) as client:
        client.post(URL, json=body(), headers=province.device("D1"))
    cluster.run("UPDATE rollup_cell SET packed = set_byte(packed, 0, get_byte(packed, 0) + 1)")
    try:
        backup = PostgresBackup(cluster.settings)
        backup.take(tmp_path)
        assert any("cells differ" in fault for fault in backup.check(tmp_path).faults)
    finally:
        cluster.run("UPDATE rollup_cell SET packed = set_byte(packed, 0, get_byte(packed, 0) - 1)")


def test_programs_of_another_version_are_refused_in_a_sentence():
    with pytest.raises(Refused, match=r"of PostgreSQL 99 is needed.*install postgresql-99"):
        Tools.of(99, "pg_ctl", Settings())
    with pytest.raises(Refused, match=r"HAILONG_POSTGRES_BIN"):
        Tools.of(18, "pg_ctl", Settings(postgres_bin=Path("/nowhere")))


def test_programs_of_the_servers_version_are_found(cluster):
    assert Tools.of(18, "pg_ctl", cluster.settings).folder == cluster.settings.postgres_bin


def test_a_dump_is_put_into_an_empty_database_only(copy, cluster):
    folder, before, _, _ = copy
    if Origin.read(folder).way == BASE:
        pytest.skip("base backups are put back in tests/backup/test_recovery.py")
    with pytest.raises(Refused, match="is not empty"):
        PostgresBackup(cluster.settings).put_back(folder, None)
    cluster.run("CREATE DATABASE other")
    other = cluster.settings.database_url.replace("/hailong?", "/other?")
    backup = PostgresBackup(cluster.settings.model_copy(update={"database_url": other}))
    backup.put_back(folder, None)
    with closing(Database(other)) as database:
        assert before <= stored(database)
