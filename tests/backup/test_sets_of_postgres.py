"""Sets of a real PostgreSQL server: made, thinned with the archive, checked and put back."""

import json
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from app.access.models import AccountSession
from app.audit.models import AuditEntry
from app.backup import recovery, sets
from app.backup.erasures import ErasureFile, chain_of
from app.backup.restoring import check_set, restore
from app.backup.sealing import make_key
from app.backup.taking import make_set
from app.commands import Refused
from app.db import Database
from app.intake.rollup_rebuild import verify
from app.retention.repeating import Repeated
from app.retention.withdrawing import Withdrawal, withdraw_texts
from app.setup import prepare
from tests.backup.cluster import Cluster, wal_commands
from tests.conftest import serving
from tests.retention.history import History, months_ago
from tests.small_province import SmallProvince, body

URL = "/api/v1/responses"
FIGURES = "/api/v1/satisfaction?by=unit&questionnaire=sipas-desk"


@pytest.fixture
def key():
    public, private = make_key()
    with tempfile.TemporaryDirectory(prefix="hlk-") as name:
        Path(name).chmod(0o755)  # the server's user reads it while it recovers
        (Path(name) / "private").write_text(private)
        yield Path(name) / "private", public


@pytest.fixture
def cluster(key, monkeypatch):
    monkeypatch.setattr(recovery, "wal_commands", wal_commands)
    with closing(Cluster(backup_keys=(key[1],), cache_s=0, backup_keep="1 daily")) as cluster:
        with closing(Database(cluster.settings.database_url)) as database:
            prepare(database, cluster.settings)
        yield cluster


def send(client, headers, number):
    bodies = [body() for _ in range(number)]
    answer = client.post(URL, json={"responses": bodies}, headers=headers)
    assert answer.status_code == 200, answer.text
    return bodies


def test_a_server_is_backed_up_and_put_back_with_the_same_figures(cluster, key, tmp_path):
    settings, folder, said = cluster.settings, tmp_path / "backups", []
    with closing(Database(settings.database_url)) as database:
        province = SmallProvince.found(database)
        device, reader = province.device(), province.reader()
        province.person()
        history = History(database)
        words = history.came(months_ago(2), 3, text="xin rút lại")
        old = history.came(months_ago(5), 12, text="xưa")
    with serving(settings) as client:
        send(client, device, 30)
        first = make_set(settings, folder, said.append)
        assert not make_set(settings, folder, said.append).is_new
        bodies = send(client, device, 20)
        made = make_set(settings, folder, said.append)
        figures = client.get(FIGURES, headers=reader).content
    assert (made.is_new, made.gone, made.contents.responses) == (True, (first.file,), 65)
    assert made.contents.store == "postgresql" and sets.sets_in(folder)[0].is_whole()
    assert len(list(cluster.archive.glob("*.base"))) == 1  # of the one that went, none is kept
    contents, checked = check_set(made.file, settings, key[0], said.append)
    assert contents == made.contents and checked.responses == 65
    with pytest.raises(Refused, match="--replace"):
        restore(made.file, settings, "command:an", key=key[0], tell=said.append)
    with pytest.raises(Refused, match="stop it first"):
        restore(made.file, settings, "command:an", key=key[0], replace_it=True, tell=said.append)
    time.sleep(0.1)
    moment = datetime.now(UTC)
    time.sleep(0.1)
    withdrawn = [each["id"] for each in bodies[:4]]
    after = erase_meanwhile(settings, folder, withdrawn, words, device)
    cluster.stop()
    # Whatever had been erased after that moment, the server's journal brings back.
    done = restore(
        made.file, settings, "command:an", key=key[0], until=moment, replace_it=True, start=True,
        tell=said.append,
    )  # fmt: skip
    assert done.lost is None and done.checked.responses == 65 and done.erasures_known
    assert done.erased == {
        Repeated.WITHDRAWN: 4, Repeated.TEXTS_WITHDRAWN: 1, Repeated.RESPONSES: 12,
        Repeated.TEXTS: 12,
    }  # fmt: skip
    with closing(Database(settings.database_url)) as database:
        assert verify(database) == []
        history = History(database)
        assert not history.ids() & {*withdrawn, *(each.row.id for each in old)}
        assert history.texts() == ["xin rút lại"] * 2 and history.waiting() == 4
        with database.reading() as session:
            entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "restore")).one()
            assert session.scalars(select(AccountSession)).all() == []
        assert json.loads(entry.details)["head_entry"] == entry.id - 1
    with serving(settings) as client:
        assert client.get(FIGURES, headers=reader).content == figures
        # Also one that came and was withdrawn after the backup.
        answer = client.post(URL, json={"responses": [*bodies, after]}, headers=device)
        assert {each["status"] for each in answer.json()["responses"]} == {"duplicate"}


def erase_meanwhile(settings, folder, ids, words, device):
    """Withdraw and delete after the backup, until a server has noted it beside the sets; a
    response that came and was withdrawn since.
    """
    own = settings.model_copy(update={"backup_folder": folder, "backup_at": "23:59"})
    with serving(own) as client, closing(Database(settings.database_url)) as database:
        (after,) = send(client, device, 1)
        history = History(database)
        assert set(history.withdraw([*ids, after["id"]])) == {Withdrawal.DONE}
        with database.writing("test") as session:
            assert withdraw_texts(session, words[0].row.id) is Withdrawal.DONE
        history.delete(months_ago(3), texts=months_ago(3))
    with serving(own), closing(Database(settings.database_url)) as database:
        until = time.monotonic() + 60
        while ErasureFile(folder).read(contents_chain(database)) is None:
            assert time.monotonic() < until
            time.sleep(0.1)
    return after


def contents_chain(database):
    with database.reading() as session:
        return chain_of(session)
