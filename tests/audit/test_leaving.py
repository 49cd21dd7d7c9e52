"""Heads leave by themselves: to a file, a mailbox, syslog and a receiver, and back into verify."""

import asyncio
import socket
import ssl
import stat
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiosmtpd.controller import Controller
from pydantic import ValidationError
from sqlalchemy import text

from app.audit import destinations as ways
from app.audit import log, signing
from app.audit.destinations import Syslog, destinations
from app.audit.heads import present_head, read_heads
from app.audit.leaving import Heads, keep_heads_leaving
from app.audit.models import AuditEntry
from app.settings import Settings
from tests.listening import dripping
from tests.server import ServerProcess, free_port

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def place_heads(tmp_path):
    return tmp_path / "outside" / "heads.jsonl"


@pytest.fixture
def keyed(database_url, tmp_path):
    place_heads(tmp_path).parent.mkdir()
    file = tmp_path / "audit.pem"
    public = signing.make_key(file)
    return Settings(
        database_url=database_url, audit_key=file, audit_heads=f"file://{place_heads(tmp_path)}"
    ), public


def append(database, *names):
    for name in names:
        with database.writing(actor="command:an") as session:
            log.record(session, "test.change", name)


def last_entry(database):
    with database.reading() as session:
        return log.verify(session).entries


def heads_in(file):
    return list(read_heads(file.read_text()))


class Mailbox:
    """A mail server that keeps what it is handed."""

    def __init__(self):
        self.kept = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's word
        self.kept.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 kept"


@contextmanager
def receiver(status):
    came = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            came.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, came
    server.shutdown()
    server.server_close()


def read_counted(listening, came, context=None):
    """Take one connection, and what comes on it."""
    connection, _ = listening.accept()
    with connection:
        if context:
            connection = context.wrap_socket(connection, server_side=True)
        while part := connection.recv(65536):
            came.append(part)


def test_a_head_goes_each_way_and_verify_reads_what_arrived(
    database, keyed, tmp_path, hailong, monkeypatch
):
    settings, public = keyed
    mailbox, mail_port = Mailbox(), free_port()
    mail_server = Controller(mailbox, hostname="127.0.0.1", port=mail_port)
    mail_server.start()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    local = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    local.bind(str(tmp_path / "log.socket"))
    tcp, counted = socket.create_server(("127.0.0.1", 0)), []
    taking = threading.Thread(target=read_counted, args=(tcp, counted))
    taking.start()
    with receiver([204]) as (http_port, posted):
        ways = [
            "mailto:kiem.toan@tinh.vn",
            f"syslog+udp://127.0.0.1:{udp.getsockname()[1]}",
            f"syslog+tcp://127.0.0.1:{tcp.getsockname()[1]}",
            f"syslog://{tmp_path}/log.socket",
            f"http://127.0.0.1:{http_port}/heads?token=7f",
        ]
        settings = settings.model_copy(
            update={
                "audit_heads": " ".join([settings.audit_heads, *ways]),
                "mail_server": f"smtp://127.0.0.1:{mail_port}",
            }
        )
        append(database, 1, 2)
        assert len(Heads(database, settings, lambda: NOON).look()) == 6
    taking.join(10)
    mail_server.stop()
    ((to, mail),) = mailbox.kept
    assert to == ["kiem.toan@tinh.vn"]
    said = counted[0].decode()
    length, _, message = said.partition(" ")
    assert int(length) == len(message.encode()) and message.startswith("<109>1 2026-11-28T12:00")
    arrived = {
        "mail": mail, "udp": udp.recv(65536).decode(), "tcp": said, "posted": posted[0],
        "local": local.recv(65536).decode(),
    }  # fmt: skip
    for each in (udp, tcp, local):
        each.close()
    (head,) = heads_in(place_heads(tmp_path))
    assert head.entry == last_entry(database)
    for way, content in arrived.items():
        assert list(read_heads(content)) == [head], way
        (tmp_path / "outside" / way).write_text(content)
    place_heads(tmp_path).unlink()
    given = ["audit", "verify", "--heads", tmp_path / "outside", "--key", public]
    assert f"confirm the log up to entry {head.entry}" in hailong(*given)
    with database.writing() as session:
        if database.locks_whole_database:
            session.execute(text("DROP TRIGGER audit_entry_no_update"))
        else:
            session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))
        forged = session.get(AuditEntry, head.entry)
        forged.actor = "somebody else"
        forged.hash = log.hash_of(forged, session.get(AuditEntry, head.entry - 1).hash)
    assert "all in order" in hailong("audit", "verify")
    for way in arrived:
        one = ["audit", "verify", "--heads", tmp_path / "outside" / way, "--key", public]
        assert "rewritten" in hailong(*one, code=1)


def test_syslog_over_tls_trusts_no_stranger(tmp_path, monkeypatch, database, keyed):
    trusted, certificate, key = ssl.create_default_context, *certificate_of(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with database.reading() as session:
        head = present_head(session, keyed[0])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        place = f"syslog+tls://localhost:{listening.getsockname()[1]}"
        (tls,) = destinations(Settings(audit_heads=place))
        assert isinstance(tls, Syslog)

        def take(came):
            try:
                read_counted(listening, came, context)
            except ssl.SSLError as error:
                came.append(error)

        for knows in (False, True):
            came = []
            taking = threading.Thread(target=take, args=(came,))
            taking.start()
            if knows:
                monkeypatch.setattr(
                    ssl, "create_default_context", lambda: trusted(cafile=str(certificate))
                )
                tls.send(head)
            else:
                with pytest.raises(ssl.SSLCertVerificationError):
                    tls.send(head)
            taking.join(10)
        assert list(read_heads(b"".join(came).decode())) == [head]


def certificate_of(folder):
    """A certificate of its own for localhost, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    (folder / "tls.crt").write_bytes(made.public_bytes(form))
    (folder / "tls.key").write_bytes(
        key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "tls.crt", folder / "tls.key"


def test_a_head_leaves_when_the_log_has_grown_and_once_a_day(database, keyed, tmp_path):
    settings, _ = keyed
    at = [NOON]
    heads = Heads(database, settings, lambda: at[0])

    def left(minutes, *changes):
        append(database, *changes)
        at[0] += timedelta(minutes=minutes)
        return len(heads.look())

    assert left(0, "a") == 1
    assert left(14, "b") == 0  # grown, and too soon
    assert left(1) == 1
    assert left(60) == 0  # nothing new
    assert left(24 * 60 - 61) == 0
    assert left(1) == 1
    assert [head.entry for head in heads_in(place_heads(tmp_path))][1:] == [
        last_entry(database)
    ] * 2
    assert stat.S_IMODE(place_heads(tmp_path).stat().st_mode) == 0o600


def test_a_line_that_was_broken_off_spoils_no_other(database, keyed, tmp_path):
    file = place_heads(tmp_path)
    file.write_text('{"hailong_head": 1, "chain": "ab')
    Heads(database, keyed[0]).look()
    assert file.read_text().count("\n") == 2 and len(heads_in(file)) == 1


def test_what_fails_is_counted_tried_again_and_told_without_holding_up_others(
    database, keyed, tmp_path, caplog
):
    status, at = [503], [NOON]
    with receiver(status) as (port, posted):
        hook = f"http://127.0.0.1:{port}/heads?token=geheim7f"
        settings = keyed[0].model_copy(
            update={
                "audit_heads": f"{hook} https://127.0.0.1:9/x http://x\x7f/ mailto:a@b.vn "
                + keyed[0].audit_heads
            }
        )
        heads = Heads(database, settings, lambda: at[0])
        append(database, 1)
        (left,) = heads.look()
        assert left.name == "file heads.jsonl"
        first, *others, _ = heads.each
        assert [each.failures for each in (first, *others)] == [1] * 4
        assert first.failure.startswith("httpx.HTTPStatusError 503")
        assert heads.look() == [] and len(posted) == 1  # not before its time
        at[0] += timedelta(minutes=1)
        assert heads.look() == [] and len(posted) == 2 and first.failures == 2
        assert first.again_at == at[0] + timedelta(minutes=2)
        status[0] = 200
        at[0] += timedelta(minutes=2)
        assert first in heads.look()
        assert (first.failures, first.failure, first.entry) == (0, None, last_entry(database))
    told = [record.getMessage() for record in caplog.records if record.name == "hailong.audit"]
    assert any("heads leave by http://127.0.0.1 again, after 2 tries" in each for each in told)
    assert "geheim7f" not in " ".join(each for each in told if "again" in each)


def test_an_answer_without_an_end_holds_up_no_other_way(database, keyed, monkeypatch):
    monkeypatch.setattr(ways, "_DEADLINE_S", 0.5)
    append(database, 1)
    with dripping() as url:
        settings = keyed[0].model_copy(update={"audit_heads": f"{url} {keyed[0].audit_heads}"})
        heads, began = Heads(database, settings), time.monotonic()
        (left,) = heads.look()
        assert left.name == "file heads.jsonl" and time.monotonic() - began < 10
        assert heads.each[0].failure.startswith("TimeoutError")


def test_a_key_that_cannot_be_used_lets_no_unsigned_head_out(database, keyed, tmp_path):
    keyed[0].audit_key.chmod(0o644)
    append(database, 1)
    with pytest.raises(signing.WrongKeyError):
        Heads(database, keyed[0]).look()
    assert not place_heads(tmp_path).exists()


def test_of_two_processes_one_tells_and_the_other_takes_over(database, keyed, tmp_path):
    settings = keyed[0]
    append(database, 1)

    async def both():
        tasks = [
            asyncio.create_task(keep_heads_leaving(database, settings, look_every_s=0.05))
            for _ in range(2)
        ]
        await asyncio.sleep(1)
        assert len(heads_in(place_heads(tmp_path))) == 1
        tasks[0].cancel()
        await asyncio.sleep(1)
        assert len(heads_in(place_heads(tmp_path))) == 2
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(both())


def test_a_running_server_lets_a_head_leave(database_url, keyed, tmp_path, monkeypatch):
    settings = keyed[0]
    server = ServerProcess(
        database_url, tmp_path / "server.log", audit_heads=settings.audit_heads,
        audit_key=settings.audit_key, command=("tests.audit.impatient", "serve"),
    )  # fmt: skip
    try:
        server.wait_until_ready()
        until = time.monotonic() + 20
        while not place_heads(tmp_path).exists() and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        server.stop()
    (head, *_) = heads_in(place_heads(tmp_path))
    assert signing.holds(head.payload, head.signature, keyed[1])


@pytest.mark.parametrize(
    "place",
    ["heads.jsonl", "file:heads", "mailto:nobody", "syslog+udp://", "ftp://x/y", "https://",
     "syslog+tcp://x:99999999", "syslog:"],
)  # fmt: skip
def test_what_is_no_place_for_heads_is_refused_in_words(place):
    with pytest.raises(ValidationError, match="heads go to"):
        Settings(audit_heads=place)


def test_the_commands_make_a_key_once_and_send_a_head(
    database, keyed, tmp_path, hailong, monkeypatch
):
    file = tmp_path / "new" / "audit.pem"
    assert "set HAILONG_AUDIT_KEY" in hailong("audit", "key", code=1)
    monkeypatch.setenv("HAILONG_AUDIT_KEY", str(file))
    public = hailong("audit", "key")
    assert public.startswith("hailong-audit-") and hailong("audit", "key") == public
    assert "nobody outside could confirm" in hailong("audit", "verify")
    monkeypatch.setenv("HAILONG_AUDIT_HEADS", f"file://{place_heads(tmp_path)}")
    (head,) = read_heads(hailong("audit", "heads", "--send"))
    assert heads_in(place_heads(tmp_path)) == [head]
    said = hailong("audit", "verify")
    assert f"up to entry {head.entry}" in said and "key was read from this machine" in said
    (tmp_path / "public.txt").write_text(public)
    assert "was read" not in hailong("audit", "verify", "--key", tmp_path / "public.txt")
    assert "no public key" in hailong("audit", "verify", "--key", "hailong-audit-x", code=1)
    assert "no such file" in hailong("audit", "verify", "--heads", tmp_path / "none", code=1)
    assert "at least 12" in hailong("audit", "verify", "--apart", "a", code=1)
    monkeypatch.setenv("HAILONG_AUDIT_HEADS", f"file://{tmp_path}/none/heads https://127.0.0.1:9/")
    said = hailong("audit", "heads", "--send", code=1)
    assert "file heads: did not leave: FileNotFoundError" in said and "2 of 2 ways failed" in said
