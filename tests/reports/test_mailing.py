"""Mailing reports: an address that is refused, a server that hangs or is gone holds up no other."""

import asyncio
import json
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app import mail
from app.background import Supervisor
from app.clock import ServerClock
from app.dead_letters import MOST_TRIES
from app.reports.documents import mailing, schedule
from app.reports.documents.files import Kind, Order, Outcome
from app.reports.documents.mailing import ConnectionLostError, MailServerError
from app.settings import Settings

NOW = datetime.now(UTC)
GOOD, BAD = "ubnd@tinh.vn", "khong-con@tinh.vn"


class Mailbox:
    """A real mail server that refuses some addresses, or some mails, or goes away over them."""

    def __init__(self, refuses=(), over=None):
        self.mails, self.refuses, self.over, self.tried = [], set(refuses), over, 0

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address in self.refuses:
            return f"550 5.1.1 <{address}> unknown"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.tried += 1
        mail = message_from_bytes(envelope.content, policy=default)
        if self.over and self.over[0] in mail["Subject"]:
            if self.over[1] == "lost":
                server.transport.abort()
            return self.over[1]
        self.mails.append((envelope.rcpt_tos, mail))
        return "250 taken"


@contextmanager
def served(mailbox, **options):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


def to(server, folder, *addresses):
    return Settings(
        report_folder=folder, report_mail=", ".join(addresses), mail_server=server,
        mail_from="hailong@tinh.vn", report_schedule="month",
    )  # fmt: skip


def report(folder, unit="77"):
    order = Order(unit, "sipas-desk", "2026-10", [Kind.PDF])
    file = order.file(folder, Kind.PDF)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"%PDF-1.7")
    return order, [file]


def make_due(folder):
    """Let the time come at which those who had no mail are tried again."""
    for file in folder.rglob("*.unmailed"):
        said = json.loads(file.read_text())
        for each in said.values():
            each["again_at"] = each["again_at"] and NOW.isoformat()
        file.write_text(json.dumps(said))


def test_one_that_is_refused_keeps_nobody_from_having_it_once(tmp_path):
    order, files = report(tmp_path)
    mailbox = Mailbox(refuses=[BAD])
    with served(mailbox) as server:
        settings = to(server, tmp_path, BAD, GOOD, "no address", "tên@tinh.vn", "x@y\n.vn")
        failed = {each.address: each for each in mailing.mail(settings, order, files)}
        assert set(failed) == {BAD, "no address", "tên@tinh.vn", "x@y\n.vn"}
        assert failed[BAD].reason.startswith("550") and failed[BAD].tries == 1
        wait = failed[BAD].again_at - datetime.now(UTC)
        assert timedelta(minutes=59) < wait <= timedelta(hours=1)
        assert mailing.mail(settings, order, files) == []  # not before its time
        for tries in range(2, MOST_TRIES + 1):
            make_due(tmp_path)
            again = {each.address: each for each in mailing.mail(settings, order, files)}
            assert again[BAD].tries == tries
        assert again[BAD].again_at is None
        make_due(tmp_path)
        assert mailing.mail(settings, order, files) == []
        assert [each.address for each in mailing.undelivered(tmp_path) if "khong" in each.address]
        assert [rcpt for rcpt, _ in mailbox.mails] == [[GOOD]]
        # The operator mends the address, or has it tried anew.
        settings = to(server, tmp_path, "moi@tinh.vn", GOOD)
        assert mailing.mail(settings, order, files) == []
        assert [rcpt for rcpt, _ in mailbox.mails] == [[GOOD], ["moi@tinh.vn"]]
        assert mailing.undelivered(tmp_path) == []
        assert mailing.mail(settings, order, files) == []


def test_what_a_former_version_mailed_is_not_mailed_again(tmp_path):
    order, files = report(tmp_path)
    files[0].with_suffix(".mailed").touch()
    settings = to("smtp://127.0.0.1:1", tmp_path, GOOD)
    assert mailing.mail(settings, order, files) == []


def test_a_file_that_cannot_be_read_has_all_tried_again(tmp_path):
    order, files = report(tmp_path)
    mailbox = Mailbox(refuses=[BAD])
    with served(mailbox) as server:
        settings = to(server, tmp_path, GOOD, BAD)
        mailing.mail(settings, order, files)
        for content in ("{", "[]", '{"a": {}}', '{"a": 1}'):
            files[0].with_suffix(".unmailed").write_text(content)
            assert mailing.undelivered(tmp_path) == []
            (failed,) = mailing.mail(settings, order, files)
            assert (failed.address, failed.tries) == (BAD, 1)
    assert len(mailbox.mails) == 1


@contextmanager
def silent():
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("server", ["smtp://127.0.0.1:1", "smtp://[x", "smtp://h:x", "silent"])
def test_a_server_that_is_gone_or_hangs_counts_against_nobody(tmp_path, server, monkeypatch):
    monkeypatch.setattr(mail, "_TIMEOUT_S", 0.3)
    order, files = report(tmp_path)
    with silent() as hanging:
        settings = to(hanging if server == "silent" else server, tmp_path, GOOD)
        with pytest.raises(MailServerError):
            mailing.mail(settings, order, files)
    assert not files[0].with_suffix(".mailed").exists() and mailing.undelivered(tmp_path) == []


def test_a_server_that_goes_away_over_one_mail_is_noted_there(tmp_path):
    order, files = report(tmp_path)
    with served(Mailbox(over=("77", "lost"))) as server:
        settings = to(server, tmp_path, GOOD)
        with pytest.raises(ConnectionLostError):
            mailing.mail(settings, order, files)
        assert mailing.mail(settings, order, files) == []
    (failed,) = mailing.undelivered(tmp_path)
    assert (failed.address, failed.tries) == (GOOD, 1)


def test_nothing_is_told_in_plain_to_a_server_that_nobody_vouches_for(tmp_path):
    """It offers encryption, with a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    order, files = report(tmp_path)
    mailbox = Mailbox()
    with (
        served(mailbox, tls_context=context) as server,
        pytest.raises(MailServerError, match="certificate"),
    ):
        mailing.mail(to(server, tmp_path, GOOD), order, files)
    assert mailbox.tried == 0


# --- a round ---------------------------------------------------------------------------------


@pytest.fixture
def round_of(monkeypatch, tmp_path, own_database):
    """A round over reports that stand there; those of some units cannot be made."""

    def run(server, units, *addresses, broken=()):
        def make(database, who, settings, orders, folder):
            for unit in units:
                if unit in broken:
                    order = Order(unit, "sipas-desk", "2026-10", [Kind.PDF])
                    yield Outcome(order, [], [], error=OSError("disk full"))
                else:
                    order, files = report(tmp_path, unit)
                    yield Outcome(order, files, [])

        monkeypatch.setattr(schedule, "make", make)
        told = []
        schedule.run(
            own_database, to(server, tmp_path, *addresses), lambda *said: told.append(said)
        )
        return told

    return run


def test_the_round_goes_on_after_one_mail_or_report_that_fails(round_of):
    mailbox = Mailbox(refuses=[BAD], over=("B,", "554 no"))
    with served(mailbox) as server:
        told = round_of(server, "ABCD", GOOD, BAD, broken="C")
    assert [mail["Subject"][-40:] for _, mail in mailbox.mails] and len(mailbox.mails) == 2
    assert len(told) == 4 and [reason for _, reason in told][2] == "OSError: disk full"
    # The log is no place for addresses.
    assert "tinh.vn" not in str(told)


def test_a_mail_over_which_the_server_goes_away_is_passed_by(round_of):
    mailbox = Mailbox(over=("B,", "lost"))
    with served(mailbox) as server:
        told = round_of(server, "ABCD", GOOD)
        assert len(mailbox.mails) == 3 and len(told) == 1
        mailbox.over = ("sipas", "lost")
        told = round_of(server, "EFGHIJ", GOOD)
        assert len(told) == 3 == mailbox.tried - 4  # then it is the server's fault
        mailbox.over = None
        assert round_of(server, "EFGHIJ", GOOD) == []
        assert len(mailbox.mails) == 6


def test_a_server_that_hangs_holds_the_round_up_once(round_of, monkeypatch):
    monkeypatch.setattr(mail, "_TIMEOUT_S", 0.5)
    with silent() as server:
        begun = time.monotonic()
        told = round_of(server, "ABCDEFGH", GOOD)
        assert time.monotonic() - begun < 3
    assert [what for what, _ in told] == ["mail server"]
    mailbox = Mailbox()
    with served(mailbox) as server:
        assert round_of(server, "ABCDEFGH", GOOD) == [] and len(mailbox.mails) == 8


def test_a_sender_that_is_no_address_ends_no_round(round_of, monkeypatch):
    monkeypatch.setattr(mailing, "_message", lambda *_: {}["no such header"])
    with served(Mailbox()) as server:
        told = round_of(server, "AB", GOOD)
    assert [reason.partition(":")[0] for _, reason in told] == ["KeyError"] * 2


def test_each_failure_is_counted_at_the_task_and_the_task_goes_on(
    monkeypatch, tmp_path, own_database
):
    rounds = threading.Event()

    def make(*_):
        rounds.set()
        yield Outcome(*report(tmp_path), [])

    monkeypatch.setattr(schedule, "make", make)
    settings = to("smtp://127.0.0.1:1", tmp_path, GOOD)
    clock = ServerClock(own_database, 120, 30)

    async def scenario():
        supervisor = Supervisor()
        supervisor.keep("reporting", lambda: schedule.keep_reporting(own_database, settings, clock))
        while not supervisor.states()[0].items_failed:
            await asyncio.sleep(0.02)
        (state,) = supervisor.states()
        await supervisor.stop()
        return state

    state = asyncio.run(asyncio.wait_for(scenario(), 30))
    assert rounds.is_set() and (state.failures, state.items_failed) == (0, 1)
    assert state.last_item_failure.kind == "ConnectionRefusedError"
