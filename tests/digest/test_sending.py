"""Digests are mailed once an account and month, by one of several, whatever dies or is away."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.access import accounts
from app.access.models import Account
from app.access.roles import Role
from app.audit.models import AuditEntry
from app.digest import schedule
from app.digest.models import DigestMail
from app.digest.sending import IN_HAND, Sent, due, is_time, send_due
from app.doctor.findings import Severity
from app.doctor.sending import digests
from app.settings import Settings
from tests.conftest import serving
from tests.digest.conftest import COMMENT, NOW, SEPTEMBER, answered
from tests.server import ROOT


@pytest.fixture
def heads(database, province, old):
    """Heads of C1, C2 and D1, in this order; and some who head nothing."""
    answered(database, province.units["C1"], SEPTEMBER, 30, 6)
    found = [province.person((Role.UNIT_HEAD, unit)) for unit in ("C1", "C2", "D1")]
    province.person((Role.CARE_DESK, "C1"), (Role.DESK_STAFF, "C2"))
    province.person((Role.OPERATOR, None), (Role.AUDITOR, None))
    province.person()
    old()
    return [each.email for each in found]


def to_whom(box):
    return sorted(mail["To"] for mail in box.mails)


def rows(database):
    with database.reading() as session:
        found = list(session.scalars(select(DigestMail).order_by(DigestMail.account_id)))
        session.expunge_all()
        return found


def test_each_head_has_one_mail_a_month_and_it_is_noted(database, settings, box, heads):
    assert send_due(database, settings, NOW - timedelta(days=1)) == Sent()
    assert send_due(database, settings, NOW) == Sent(taken=3)
    assert to_whom(box) == sorted(heads)
    for mail in box.mails:
        plain, page = mail.iter_parts()
        assert "tháng 9 năm 2026" in plain.get_content() and "<h2" in page.get_content()
        assert COMMENT not in str(mail) and COMMENT not in plain.get_content()
    for later in (timedelta(), timedelta(hours=1), timedelta(days=15)):
        assert send_due(database, settings, NOW + later) == Sent()
    assert all(row.done_at and row.in_hand_until is None for row in rows(database))
    with database.reading() as session:
        noted = session.scalars(select(AuditEntry).where(AuditEntry.action == "digest.mail")).all()
        assert [each.subject for each in noted] == ["2026-09"]
    # The next month anew; notes of two months ago go.
    assert send_due(database, settings, NOW + timedelta(days=31)).taken == 3
    assert send_due(database, settings, NOW + timedelta(days=61)).taken == 3
    assert {row.month.month for row in rows(database)} == {10, 11}


def test_several_servers_at_once_send_each_once(database, settings, box, heads):
    begin = threading.Barrier(3)

    def one():
        begin.wait()
        return send_due(database, settings, NOW)

    with ThreadPoolExecutor(3) as pool:
        done = [each.result() for each in [pool.submit(one) for _ in range(3)]]
    assert sum(each.taken for each in done) == 3
    assert to_whom(box) == sorted(heads)


def test_while_the_mail_server_is_away_all_wait_and_go_out_the_next_day(
    database, settings, box, heads
):
    away = settings.model_copy(update={"mail_server": "smtp://127.0.0.1:9"})
    assert send_due(database, away, NOW) == Sent(away=True)
    (row,) = rows(database)
    assert (row.tries, row.done_at, row.in_hand_until) == (0, None, None)
    assert send_due(database, settings, NOW + timedelta(days=1)) == Sent(taken=3)
    assert to_whom(box) == sorted(heads)


def test_an_address_that_is_refused_holds_up_nobody_and_is_tried_again(
    database, settings, box, heads
):
    box.refuses.add(heads[0])
    assert send_due(database, settings, NOW) == Sent(taken=2, refused=1)
    row = rows(database)[0]
    assert row.tries == 1 and heads[0] not in row.reason and "550" in row.reason
    assert send_due(database, settings, NOW + timedelta(minutes=5)) == Sent()
    box.refuses.clear()
    assert send_due(database, settings, NOW + timedelta(days=1)) == Sent(taken=1)
    assert to_whom(box) == sorted(heads)


def test_killed_between_two_mails_the_rest_is_sent_and_nobody_twice(
    database, database_url, settings, box, heads
):
    arrived, go_on = threading.Event(), threading.Event()
    taken = box.handle_DATA
    count = iter(range(100))

    async def slow(server, session, envelope):
        if next(count) == 1:  # the second is never taken
            arrived.set()
            go_on.wait(60)
            return "451 later"
        return await taken(server, session, envelope)

    box.handle_DATA = slow
    names = ("mail_server", "public_url", "mail_from")
    env = {f"HAILONG_{name.upper()}": getattr(settings, name) for name in names}
    env |= {"HAILONG_DATABASE_URL": database_url, "HAILONG_DIGEST_DAY": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "digest", "send"], cwd=ROOT,
        env=os.environ | env | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert arrived.wait(120)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    finally:
        process.kill()
        go_on.set()
    box.handle_DATA = taken
    assert to_whom(box) == heads[:1]
    first, second = rows(database)
    assert first.done_at is not None
    assert second.done_at is None and second.in_hand_until is not None
    # Nobody takes up what may still be in hand; then all that is left goes out.
    settings = settings.model_copy(update={"digest_day": 1})
    now = datetime.now(UTC)
    assert send_due(database, settings, now) == Sent(taken=1)
    assert send_due(database, settings, now + IN_HAND) == Sent(taken=1)
    assert to_whom(box) == sorted(heads)


def test_who_does_not_want_it_is_disabled_or_is_new_has_none(
    database, province, settings, box, old
):
    names = ("wants none", "disabled", "new", "wants it")
    who = {name: province.person((Role.UNIT_HEAD, "C1")) for name in names}
    old()
    not_wanting = who["wants none"]
    with serving(Settings(database_url=settings.database_url, cache_s=0)) as client:
        page = client.get("/profile", headers=not_wanting.headers).text
        assert 'name="digest"' in page
        changed = {"name": "An", "language": "en", "digest": "no"} | not_wanting.csrf
        answer = client.post("/profile", data=changed, headers=not_wanting.headers)
        assert answer.status_code == 303
        page = client.get("/profile", headers=not_wanting.headers).text
        assert '<option value="no" selected>' in " ".join(page.split())
        other = province.person((Role.CARE_DESK, "C1"))
        assert 'name="digest"' not in client.get("/profile", headers=other.headers).text
    with database.writing() as session:
        accounts.disable(session, accounts.find(session, who["disabled"].email))
        new = session.get_one(Account, who["new"].account_id)
        new.created_at = NOW + timedelta(minutes=1)
    with database.reading() as session:
        changes = select(AuditEntry).where(AuditEntry.action == "account.digest")
        assert session.scalars(changes).one().subject == not_wanting.email
    # Of a unit that nobody answered about that is told.
    assert send_due(database, settings, NOW + timedelta(days=1)) == Sent(taken=1)
    assert to_whom(box) == [who["wants it"].email]


def test_it_is_sent_from_a_day_of_the_month_on_in_the_morning(database, settings, heads):
    assert schedule.waits(database, settings, NOW)  # nine o'clock
    assert not schedule.waits(database, settings, NOW - timedelta(hours=3))
    assert not schedule.waits(database, settings, NOW - timedelta(days=1))
    for off in ({"digest_day": 0}, {"mail_server": None}):
        unset = settings.model_copy(update=off)
        assert not is_time(unset, NOW.date()) and not schedule.waits(database, unset, NOW)
        assert send_due(database, unset, NOW) == Sent()
    with database.reading() as session:
        assert len(due(session, settings, NOW)) == 3


def test_the_command_shows_what_would_be_sent_and_sends(
    database, hailong, settings, box, heads, monkeypatch
):
    said = hailong("digest", "--preview", "C1", "--month", "2026-09", "--language", "en")
    assert said.startswith("Subject: Hài Lòng September 2026: Unit C1") and "83" in said
    said = hailong("digest", "--preview", heads[2], "--month", "2026-09")
    assert "ĐƠN VỊ D1" in said
    assert rows(database) == [] and box.mails == []
    ahead = f"{datetime.now(settings.zone):%Y-%m}"
    assert f"{ahead} is not over" in hailong("digest", "--preview", "C1", "--month", ahead, code=1)
    for wrong in (["--preview", "none"], ["--preview", "a@b.vn"], [],
                  ["--preview", "C1", "--month", "2026-13"],
                  ["--preview", "C1", "--language", "fr"]):  # fmt: skip
        hailong("digest", *wrong, code=1)
    assert "no mail server" in hailong("digest", "send", code=1)
    monkeypatch.setenv("HAILONG_MAIL_SERVER", box.server)
    monkeypatch.setenv("HAILONG_DIGEST_DAY", "1")
    assert "3 digests mailed" in hailong("digest", "send")
    assert "0 digests mailed" in hailong("digest", "send")
    assert to_whom(box) == sorted(heads)


def test_the_doctor_says_who_has_none(database, settings, box, heads):
    def found(now):
        return [(each.severity, each.what) for each in digests(settings, now)]

    day = timedelta(days=1)
    assert found(NOW - day) == []
    assert found(NOW + day) == [(Severity.LOOK, "3 have not had the digest of the last month")]
    box.refuses.add(heads[0])
    send_due(database, settings, NOW)
    assert found(NOW)[0] == (Severity.LOOK, "the mail server refuses 1 addresses")
    box.refuses.clear()
    send_due(database, settings, NOW + day)
    assert found(NOW + day) == [(Severity.WELL, "all of the last month were mailed")]


def test_the_day_is_one_that_every_month_has():
    for day in (-1, 29):
        with pytest.raises(ValueError, match="digest_day"):
            Settings(digest_day=day)
    assert Settings().digest_day == 12
