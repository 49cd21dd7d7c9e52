"""A set in the database's place: the same figures, what is lost is said, nothing comes back."""

import json
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
from sqlalchemy import delete, func, select

from app.access import accounts, credentials
from app.access.models import Account, AccountSession, Credential, PairingCode, Right, RoleGrant
from app.access.roles import Role
from app.audit import signing
from app.audit.log import verify
from app.audit.models import AuditEntry
from app.backup import sets
from app.backup.sqlite import SqliteBackup
from app.db import Database
from app.db.migrate import migrate
from app.dead_letters import Fate
from app.intake.models import Response
from app.intake.rollup_rebuild import verify as verify_cells
from app.invitations.models import SmsMessage
from app.registry.models import PointCode
from app.registry.points import find_by_code, reprint
from app.rollups.version import version
from app.webhooks.models import Delivery, Webhook
from tests.backup.sqlite.repacking import repacked
from tests.conftest import serving
from tests.server import ServerProcess
from tests.small_province import body

URL = "/api/v1/responses"
FIGURES = (
    "/api/v1/satisfaction?by=unit&questionnaire=sipas-desk",
    "/api/v1/satisfaction?by=day&by=channel&questionnaire=sipas-desk",
    "/api/v1/satisfaction/trend?questionnaire=sipas-desk&unit=C1",
)


def send(client, headers, bodies):
    answer = client.post(URL, json={"responses": bodies}, headers=headers)
    assert answer.status_code == 200, answer.text
    return [each["status"] for each in answer.json()["responses"]]


def some(number):
    return [body(answers={"A1": 1 + n % 5, "B1": 4, "C1": 3}) for n in range(number)]


def figures(client, headers):
    answers = [client.get(address, headers=headers) for address in FIGURES]
    assert {answer.status_code for answer in answers} == {200}, [a.text for a in answers]
    return [answer.content for answer in answers]


def test_it_serves_the_same_figures_and_says_what_is_lost(
    hailong, settings, province, key, only_set, tmp_path
):
    device, reader = province.device(), province.reader()
    kept, lost = some(60), some(7)
    with serving(settings) as client:
        send(client, device, kept)
        told = figures(client, reader)
        hailong("backup")
        send(client, device, lost)
        assert figures(client, reader) != told
        seen = client.get(FIGURES[0], headers=reader).headers["ETag"]
    province.database.close()
    assert "67 answers: --replace" in hailong("restore", only_set(), "--key", key, code=1)
    said = hailong("restore", only_set(), "--key", key, "--replace")
    assert "Lost are 7 answers" in said
    hour = datetime.now(settings.zone)
    assert f"{hour:%d/%m/%Y %H}:00  C1, C1 sipas-desk: 7" in said
    (aside,) = (tmp_path / "var").glob("hailong.db.before-*")
    with closing(sqlite3.connect(aside)) as before:
        assert before.execute("SELECT count(*) FROM response").fetchone() == (67,)
    with serving(settings) as client:
        assert figures(client, reader) == told
        # What a browser was shown before is never taken for what there is now.
        assert client.get(FIGURES[0], headers=reader).headers["ETag"] != seen
        # Devices send again what they kept, and more.
        assert send(client, device, kept + lost) == ["duplicate"] * 60 + ["accepted"] * 7
    with closing(Database(settings.database_url)) as database:
        assert verify_cells(database) == []
        with database.reading() as session:
            assert verify(session).breach is None


def test_the_audit_log_explains_it(hailong, settings, province, key, only_set, folder, database):
    hailong("backup")
    held = sets.sets_in(folder)[0].contents
    database.close()
    hailong("restore", only_set(), "--key", key)
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "restore")).one()
    told = json.loads(entry.details)
    assert entry.subject == only_set().name and entry.actor.startswith("command:")
    assert told["head_entry"] == held.audit_entries == entry.id - 1
    assert told["head"] == held.audit_head and told["lost"] == 0
    assert told["sha256"].startswith(only_set().name.split(".")[1])


def test_its_entry_is_signed(hailong, province, key, only_set, database, tmp_path, monkeypatch):
    file = tmp_path / "audit.pem"
    public = signing.make_key(file)
    monkeypatch.setenv("HAILONG_AUDIT_KEY", str(file))
    hailong("backup")
    database.close()
    file.chmod(0o644)
    assert "others may read" in hailong("restore", only_set(), "--key", key, code=1)
    file.chmod(0o600)
    hailong("restore", only_set(), "--key", key)
    with database.reading() as session:
        *_, before, entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        assert entry.action == "restore" and signing.signed_by(entry, before.hash, [public])


def test_onto_a_machine_where_there_is_none(
    hailong, settings, province, key, only_set, tmp_path, monkeypatch
):
    with serving(settings) as client:
        send(client, province.device(), some(5))
    hailong("backup")
    monkeypatch.setenv("HAILONG_DATABASE_URL", f"sqlite:///{tmp_path}/new/place/hailong.db")
    said = hailong("restore", only_set(), "--key", key)
    with province.database.reading() as session:
        last = session.scalar(select(func.max(Response.received_at)))
    assert f"everything after {last.astimezone(settings.zone):%d/%m/%Y %H:%M:%S}" in said
    assert "good again" in said  # what was revoked since, nobody knows here
    restored = tmp_path / "new" / "place" / "hailong.db"
    assert restored.stat().st_mode & 0o777 == 0o600
    with closing(Database(f"sqlite:///{restored}")) as database, database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Response)) == 5


def test_a_database_that_was_overwritten_is_set_aside(
    hailong, settings, province, key, only_set, tmp_path
):
    hailong("backup")
    province.database.close()
    file = SqliteBackup(settings).file
    content = file.read_bytes()
    file.write_bytes(b"\xff" * 40_000 + content[40_000:])
    said = hailong("restore", only_set(), "--key", key, code=1)
    assert "cannot be read" in said and "--replace" in said
    said = hailong("restore", only_set(), "--key", key, "--replace")
    assert "cannot be read" in said and "Lost is everything after" in said
    (aside,) = (tmp_path / "var").glob("hailong.db.before-*")
    assert aside.read_bytes() == b"\xff" * 40_000 + content[40_000:]
    with closing(Database(settings.database_url)) as database:
        assert verify_cells(database) == []


def test_a_journal_goes_with_its_database(settings, tmp_path):
    store = SqliteBackup(settings)
    for ending in ("-wal", "-shm"):
        store.file.with_name(store.file.name + ending).write_bytes(ending.encode())
    aside = store.set_aside()
    assert {f.name for f in (tmp_path / "var").iterdir()} == {
        aside.name + ending for ending in ("", "-wal", "-shm")
    }
    assert store.set_aside() is None


def test_what_had_ended_by_now_does_not_begin_again(
    hailong, settings, province, key, only_set, database
):
    person = province.person((Role.OPERATOR, None), password="một mật khẩu rất dài và lạ")
    other = province.person((Role.UNIT_HEAD, "C1"), (Role.DESK_STAFF, "C1"))
    stays = province.credential(Right.READ_FIGURES)
    gone = province.credential(Right.READ_FIGURES)
    code = province.points["C1", "sipas-desk"]
    with database.writing() as session:
        hook = Webhook(url="https://x.vn", secret="s" * 64, made_at=datetime.now(UTC))
        session.add(hook)
        session.flush()
        now = datetime.now(UTC)
        session.add_all(
            [
                SmsMessage(phone="0901", body="sent since", due_at=now),
                SmsMessage(phone="0902", body="still waits", due_at=now),
                Delivery(webhook_id=hook.id, body="{}", due_at=now),
                PairingCode(
                    code_hash="c" * 64, point_id=1, name="Quầy", pin="1234",
                    expires_at=now + timedelta(hours=1),
                ),
                SmsMessage(
                    phone="0903", body="forgotten since", failed_at=now - timedelta(days=400),
                    fate=Fate.REFUSED,
                ),
            ]
        )  # fmt: skip
    hailong("backup")
    with database.writing() as session:
        session.execute(delete(SmsMessage).where(SmsMessage.phone != "0902"))
        newest = select(func.max(Credential.id))
        credentials.revoke(session, session.scalar(newest))
        accounts.disable(session, session.get_one(Account, other.account_id))
        accounts.set_password(
            session, session.get_one(Account, person.account_id), *["một câu khác hẳn, dài"] * 2
        )
        session.execute(delete(RoleGrant).where(RoleGrant.role == Role.DESK_STAFF))
        reprint(session, find_by_code(session, code))
    database.close()
    said = hailong("restore", only_set(), "--key", key, "--replace")
    for told in (
        "1 keys revoked", "1 accounts ended", "1 passwords taken away", "1 roles taken away",
        "1 codes of points replaced", "2 SMS sent or dropped",
        "1 SMS that waited", "1 tellings of webhooks that waited",
    ):  # fmt: skip
        assert told in said, said
    with database.reading() as session:
        assert session.scalars(select(AccountSession)).all() == []
        assert session.scalars(select(PairingCode)).all() == []
        (message,) = session.scalars(select(SmsMessage))
        assert (message.phone, message.due_at, message.fate) == ("0902", None, Fate.UNSURE)
        assert session.scalars(select(Delivery.fate)).all() == [Fate.UNSURE]
        assert session.get_one(Account, person.account_id).password_hash is None
        assert session.get_one(PointCode, code).replaced_at is not None
    with serving(settings) as client:
        assert client.get(FIGURES[0], headers=gone).status_code == 401
        assert client.get(FIGURES[0], headers=stays).status_code == 200


def test_without_the_database_before_all_that_waited_waits_for_a_person(
    hailong, settings, province, key, only_set, database, tmp_path, monkeypatch
):
    with database.writing() as session:
        session.add_all(
            [
                SmsMessage(phone="0901", body="perhaps sent", due_at=datetime.now(UTC)),
                SmsMessage(
                    phone="0903", body="forgotten since", fate=Fate.REFUSED,
                    failed_at=datetime.now(UTC) - timedelta(days=400),
                ),
            ]
        )  # fmt: skip
    hailong("backup")
    url = f"sqlite:///{tmp_path}/new.db"
    monkeypatch.setenv("HAILONG_DATABASE_URL", url)
    assert "1 SMS that waited" in hailong("restore", only_set(), "--key", key)
    with closing(Database(url)) as new, new.reading() as session:
        assert session.scalars(select(SmsMessage.fate)).all() == [Fate.UNSURE]


def test_of_another_database_nothing_is_withdrawn(
    hailong, settings, province, key, only_set, database, templates, tmp_path
):
    """One that was begun anew has no roles, and is no reason to take any away."""
    person = province.person((Role.OPERATOR, None))
    hailong("backup")
    database.close()
    file = SqliteBackup(settings).file
    with closing(sqlite3.connect(file)) as anew:
        anew.executescript(
            "DROP TRIGGER IF EXISTS audit_entry_no_update;"
            "DELETE FROM role_grant; DELETE FROM sms_message;"
        )
        for (name,) in anew.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_entry'"
        ).fetchall():
            anew.execute(f"DROP TRIGGER {name}")
        anew.execute("UPDATE audit_entry SET hash = 'another' WHERE id = 1")
        anew.commit()
    hailong("restore", only_set(), "--key", key)
    with database.reading() as session:
        assert session.get_one(Account, person.account_id).grants


def test_an_older_schema_is_migrated(hailong, settings, key, only_set, tmp_path, database):
    hailong("migrate")
    with database.writing() as session:
        session.execute(delete(SmsMessage))
    migrate(database, "-1")
    database.close()
    hailong("backup")
    assert "is good" in hailong("backup", "check", only_set(), "--key", key)
    assert "brought to the schema" in hailong("restore", only_set(), "--key", key)


def test_of_an_old_one_it_says_that_the_clock_will_be_in_doubt(
    hailong, database, key, only_set, tmp_path
):
    hailong("backup")
    database.close()
    old = (datetime.now(UTC) - timedelta(days=60)).isoformat()
    file = repacked(only_set(), key, tmp_path, lambda told, copy: told.update(made_at=old))
    assert "hailong clock confirm" in hailong("restore", file)
    assert "hailong clock confirm" not in hailong("restore", only_set(), "--key", key)


def test_the_version_of_the_figures_is_one_that_was_never_told(
    hailong, settings, province, key, only_set, database
):
    with database.reading() as session:
        before = version(session)
    hailong("backup")
    database.close()
    hailong("restore", only_set(), "--key", key)
    with database.reading() as session:
        assert version(session) > before + 1_000_000_000


def test_devices_of_a_real_server_lose_nothing_that_they_kept(
    hailong, settings, province, key, only_set, tmp_path
):
    device, bodies = province.device(), some(120)
    server = ServerProcess(settings.database_url, tmp_path / "log").wait_until_ready()
    with httpx.Client(base_url=server.address, timeout=30) as http:
        send(http, device, bodies[:80])
        hailong("backup")
        send(http, device, bodies[80:])
    server.kill()
    time.sleep(0.2)
    assert "Lost are 40 answers" in hailong("restore", only_set(), "--key", key, "--replace")
    server = ServerProcess(settings.database_url, tmp_path / "log").wait_until_ready()
    try:
        with httpx.Client(base_url=server.address, timeout=30) as http:
            assert send(http, device, bodies) == ["duplicate"] * 80 + ["accepted"] * 40
    finally:
        server.stop()
