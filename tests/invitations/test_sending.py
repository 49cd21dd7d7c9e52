"""SMS: each fails alone, none is sent twice, and what could not be sent is kept with its reason."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select, update

from app import dead_letters
from app.audit.log import entries
from app.dead_letters import MOST_TRIES, Fate
from app.invitations import gateways, sending
from app.invitations.gateways import FileOutbox, HttpGateway, NotTakenError
from app.invitations.models import SmsMessage
from tests.conftest import serving
from tests.databases import cut_off
from tests.listening import dripping, listening, wait_for

NOW = datetime.now(UTC)
PHONE = "+84912345678"


@pytest.fixture
def sms(database):
    """Makes messages that are due, the first the longest; tells what is in the queue."""

    class Queue:
        def add(self, *phones, **changes):
            with database.writing() as session:
                for n, phone in enumerate(phones):
                    due = NOW - timedelta(hours=1) + timedelta(seconds=n)
                    values = {"phone": phone, "body": f"to {phone}", "due_at": due} | changes
                    session.add(SmsMessage(**values))

        def all(self):
            with database.reading() as session:
                return list(session.scalars(select(SmsMessage).order_by(SmsMessage.id)))

        def make_due(self):
            with database.writing() as session:
                session.execute(
                    update(SmsMessage).where(SmsMessage.due_at.is_not(None)).values(due_at=NOW)
                )

    return Queue()


def send_all(database, gateway):
    sent = 0
    while sending.send_sms(database, gateway):
        sent += 1
        assert sent < 100
    return sent


def test_a_gateway_that_refuses_for_now_is_asked_again(database, sms):
    sms.add(PHONE)
    with listening((503, 429, 500, 408, 200)) as (url, taken):
        gateway = HttpGateway(url, "", "x")
        for tries, status in enumerate((503, 429, 500, 408), 1):
            assert sending.send_sms(database, gateway) is True
            assert sending.send_sms(database, gateway) is False  # not before its time
            (message,) = sms.all()
            assert (message.tries, message.reason, message.fate) == (tries, f"HTTP {status}", None)
            wait = message.due_at - datetime.now(UTC)
            assert timedelta(seconds=5 * 2**tries - 5) < wait <= timedelta(seconds=5 * 2**tries)
            sms.make_due()
        assert sending.send_sms(database, gateway) is True
        assert len(taken) == 5 and sms.all() == []


@pytest.mark.parametrize("status", [400, 401, 404, 422, 302])
def test_what_the_gateway_refuses_for_good_is_kept_with_the_status(database, sms, status):
    sms.add(PHONE, "+84912345670")
    with listening((status, 200), Location="http://127.0.0.1:9/") as (url, taken):
        assert send_all(database, HttpGateway(url, "", "x")) == 2
    (message,) = sms.all()
    assert (message.phone, message.fate, message.reason) == (PHONE, "refused", f"HTTP {status}")
    assert message.due_at is None and message.failed_at >= NOW and message.tries == 1
    assert [json.loads(content)["to"] for _, content in taken] == [PHONE, "+84912345670"]


def test_what_may_have_been_sent_is_never_sent_again_by_itself(database, sms, monkeypatch):
    monkeypatch.setattr(gateways, "_TIMEOUT_S", 0.3)
    release = threading.Event()
    sms.add(PHONE)
    with listening(wait=lambda: release.wait(20)) as (url, taken):
        assert send_all(database, HttpGateway(url, "", "x")) == 1
        sms.make_due()
        assert send_all(database, HttpGateway(url, "", "x")) == 0
        release.set()
    assert len(taken) == 1
    (message,) = sms.all()
    assert (message.fate, message.reason.partition(":")[0]) == ("unsure", "ReadTimeout")
    assert dead_letters_of(database) == [message.id]
    with listening((504,)) as (url, taken), database.writing() as session:
        session.execute(update(SmsMessage).values(due_at=NOW, failed_at=None, fate=None))
        session.commit()
        send_all(database, HttpGateway(url, "", "x"))
    (message,) = sms.all()
    assert (message.fate, len(taken)) == ("unsure", 1)


def test_an_answer_without_an_end_holds_up_no_other_message(database, sms, monkeypatch):
    monkeypatch.setattr(gateways, "DEADLINE_S", 0.5)
    sms.add(PHONE)
    with dripping() as url:
        began = time.monotonic()
        assert send_all(database, HttpGateway(url, "", "x")) == 1
        assert time.monotonic() - began < 10
    assert [(m.fate, m.reason) for m in sms.all()] == [("unsure", "TimeoutError")]


def dead_letters_of(database):
    with database.reading() as session:
        return [each.id for each in dead_letters.listed(session, SmsMessage, 9)]


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",  # InvalidURL
        "gateway.example.vn/send",  # UnsupportedProtocol
        "ftp://gateway.example.vn/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:9/",  # nobody listens
        f"http://{'a' * 70}.vn/",  # a label too long for the resolver
        "http://\ud800.vn/",
        "http://exa\0mple.vn/",
        "",
    ],
)
def test_an_address_that_cannot_be_called_ends_no_round(database, sms, url):
    sms.add(PHONE, "+84912345670")
    assert send_all(database, HttpGateway(url, "", "x")) == 2
    assert [(m.tries, m.fate, m.failed_at) for m in sms.all()] == [(1, None, None)] * 2
    assert all(m.reason and m.phone not in m.reason for m in sms.all())


def test_a_token_that_is_no_header_is_not_written_anywhere(database, sms, caplog):
    sms.add(PHONE)
    with listening() as (url, taken):
        assert send_all(database, HttpGateway(url, "t0ken-ệ\n", "x")) == 1
    assert taken == []
    (message,) = sms.all()
    assert message.due_at and "t0ken" not in message.reason + caplog.text
    assert PHONE not in caplog.text


def test_the_outbox_on_a_full_disk_loses_nothing_and_stops_nobody(database, sms, tmp_path):
    sms.add(PHONE)
    assert send_all(database, FileOutbox(tmp_path)) == 1  # a directory
    (message,) = sms.all()
    assert message.due_at and "IsADirectoryError" in message.reason
    sms.make_due()
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    assert send_all(database, FileOutbox(full)) == 1
    (message,) = sms.all()
    assert message.due_at and "No space left" in message.reason and message.tries == 2
    sms.make_due()
    assert send_all(database, FileOutbox(tmp_path / "new/outbox.jsonl")) == 1
    (line,) = (tmp_path / "new/outbox.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line) == {"to": PHONE, "text": f"to {PHONE}"} and sms.all() == []


def test_a_body_that_does_not_encode_counts_against_itself_alone(database, sms, tmp_path):
    class Odd:
        """As a store gives a text back that nobody can write."""

        def __init__(self, gateway):
            self.gateway = gateway

        def send(self, phone, body):
            self.gateway.send(phone, body + ("\ud800" if phone == PHONE else ""))

    with listening() as (url, taken):
        for n, gateway in enumerate((HttpGateway(url, "", "x"), FileOutbox(tmp_path / "x"))):
            sms.add(PHONE, f"+8491234567{n}")
            assert send_all(database, Odd(gateway)) == 2
    assert [m.phone for m in sms.all()] == [PHONE] * 2 and all(m.due_at for m in sms.all())
    assert len(taken) == 1 and (tmp_path / "x").read_text().count("\n") == 1


def test_an_exception_that_nobody_knows_leaves_others_alone(database, sms):
    class Broken:
        def send(self, phone, body):
            if phone == PHONE:
                raise ZeroDivisionError(f"{phone} \n failed")

    sms.add(PHONE, "+84912345670")
    assert send_all(database, Broken()) == 2
    (message,) = sms.all()
    assert (message.fate, message.reason) == ("unsure", "ZeroDivisionError: …   failed")


def test_what_was_decided_meanwhile_stays_so(database, sms):
    """As by another process, after this one was asleep for minutes with the message in hand."""

    class Asleep:
        def send(self, phone, body):
            with database.writing() as session:
                session.execute(update(SmsMessage).values(fate=Fate.REFUSED, reason="HTTP 400"))
            raise NotTakenError("HTTP 503")

    sms.add(PHONE)
    assert send_all(database, Asleep()) == 1
    (message,) = sms.all()
    assert (message.due_at, message.fate, message.reason) == (None, "refused", "HTTP 400")


def test_what_was_tried_too_often_is_given_up(database, sms):
    sms.add(PHONE)
    gateway = HttpGateway("http://127.0.0.1:9/", "", "x")
    for _ in range(MOST_TRIES):
        assert send_all(database, gateway) == 1
        sms.make_due()
    (message,) = sms.all()
    assert (message.tries, message.fate, message.due_at) == (MOST_TRIES, "given-up", None)
    assert "ConnectError" in message.reason


def test_one_in_hand_is_no_dead_letter_and_one_left_behind_is(database, sms):
    class Dying:
        def send(self, phone, body):
            assert dead_letters_of(database) == []
            raise KeyboardInterrupt  # as if the process were killed

    sms.add(PHONE)
    with pytest.raises(KeyboardInterrupt):
        sending.send_sms(database, Dying())
    (message,) = sms.all()
    assert message.fate == Fate.UNCONFIRMED and dead_letters_of(database) == []
    with database.writing() as session:
        session.execute(update(SmsMessage).values(failed_at=NOW - timedelta(minutes=3)))
    assert dead_letters_of(database) == [message.id]
    assert sending.send_sms(database, Dying()) is False


def test_what_a_person_decided_meanwhile_holds(database, sms):
    class Slow:
        def send(self, phone, body):
            with database.writing() as session:
                session.execute(update(SmsMessage).values(failed_at=NOW - timedelta(minutes=3)))
            with database.writing() as session:
                dead_letters.drop(session, SmsMessage, 1)
            raise gateways.NotTakenError("late")

    sms.add(PHONE)
    assert send_all(database, Slow()) == 1
    assert sms.all() == []


def test_old_ones_are_forgotten_with_their_numbers(database, sms):
    sms.add(PHONE, due_at=None, failed_at=NOW - timedelta(days=31), fate="refused")
    sms.add("+84912345670", due_at=None, failed_at=NOW - timedelta(days=29), fate="refused")
    sms.add("+84912345671")
    assert dead_letters.forget_old(database, SmsMessage, 30) == 1
    assert dead_letters.forget_old(database, SmsMessage, 30) == 0
    assert [m.phone for m in sms.all()] == ["+84912345670", "+84912345671"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_goes_away_while_one_is_sent_has_none_sent_twice(
    settings, database_url, database, sms
):
    sms.add(PHONE, "+84912345670", "+84912345671")
    database.close()
    cuts = iter([True])

    def cut_once():
        if next(cuts, False):
            cut_off(database_url)

    with (
        listening(wait=cut_once) as (url, taken),
        serving(settings.model_copy(update={"sms_url": url})) as client,
    ):
        wait_for(lambda: len(taken) == 3)
        wait_for(lambda: len(sms.all()) == 1)
        wait_for(lambda: client.get("/readyz").status_code == 200)
    assert [json.loads(content)["to"] for _, content in taken] == [
        PHONE, "+84912345670", "+84912345671",
    ]  # fmt: skip
    # What became of the first nobody could note: a person decides.
    (message,) = sms.all()
    assert (message.phone, message.fate, message.due_at) == (PHONE, "unconfirmed", None)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_running_server_goes_on_after_a_bad_item_and_forgets_old_ones(
    settings, database, sms, tmp_path
):
    sms.add(PHONE, due_at=None, failed_at=NOW - timedelta(days=31), fate="refused")
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    sms.add("+84912345670")
    with serving(settings.model_copy(update={"sms_outbox": outbox})) as client:
        wait_for(lambda: [m.tries for m in sms.all()] == [1])
        outbox.rmdir()  # the disk is mended
        sms.make_due()
        sms.add("+84912345671")
        wait_for(lambda: sms.all() == [])
        assert client.get("/readyz").status_code == 200
    sent = [json.loads(line)["to"] for line in outbox.read_text().splitlines()]
    assert sorted(sent) == ["+84912345670", "+84912345671"]


def test_commands_list_send_again_and_drop(hailong, database, sms):
    dead = {"due_at": None, "failed_at": NOW - timedelta(minutes=5), "tries": 1}
    sms.add(PHONE, tries=0)
    sms.add("+84912345679", **dead, fate="unconfirmed")
    sms.add("+84912345670", **dead, fate="unconfirmed")
    sms.add("+84912345671", **dead, fate="refused", reason="HTTP 400")
    sms.add("+84912345672", **dead, fate="given-up", reason="HTTP 503")
    said = hailong("sms", "list")
    assert said.count("unconfirmed") == 2 and "…679" in said and "12345" not in said
    assert "HTTP 400" in said and "given-up" in said
    assert "no dead letter 1" in hailong("sms", "retry", 1, code=1)
    assert "no dead letter 9" in hailong("sms", "drop", 9, code=1)
    assert "--all" in hailong("sms", "retry", code=1)
    hailong("sms", "retry", 2)
    hailong("sms", "drop", 3)
    said = hailong("sms", "list")
    assert "unconfirmed" not in said and "…679" in said and "…670" not in said
    # All that surely never arrived, and no other.
    sms.add("+84912345673", **dead, fate="unsure", reason="ReadTimeout")
    assert hailong("sms", "retry", "--all").startswith("2 SMS")
    assert [(m.id, m.due_at is None) for m in sms.all()] == [
        (1, False), (2, False), (4, False), (5, False), (6, True),
    ]  # fmt: skip
    with database.reading() as session:
        log = [(e.action, e.subject, e.details) for e in entries(session) if "sms" in e.action]
    assert [each[:2] for each in log] == [
        ("sms.retry", "2"), ("sms.drop", "3"), ("sms.retry", "all"),
    ]  # fmt: skip
    assert "12345" not in str(log) and '"count": 2' in log[2][2]
    hailong("audit", "verify")


def test_the_timeouts_end_before_a_message_counts_as_left_behind():
    # Connecting, sending and receiving one after another; and all of it, however it comes.
    assert 3 * gateways._TIMEOUT_S <= gateways.DEADLINE_S
    assert timedelta(seconds=gateways.DEADLINE_S) < dead_letters.IN_HAND


def test_httpx_still_raises_what_is_told_apart():
    for kind in gateways._NEVER_ARRIVED:
        assert issubclass(kind, httpx.HTTPError | UnicodeError)
    assert not issubclass(httpx.ReadTimeout, gateways._NEVER_ARRIVED)
