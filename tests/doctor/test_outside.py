"""Checks of what stands outside the process: service, proxy, certificate, mail, SMS."""

import datetime as dt
import ipaddress
import json
import ssl
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.audit.leaving import send_now
from app.audit.signing import make_key
from app.doctor import keeping, outside, sending, service
from app.doctor.findings import Severity
from app.invitations.models import SmsMessage
from app.web.routes import Connection
from app.webhooks.models import Delivery, Webhook
from tests.conftest import serving
from tests.doctor.looking import NOW, severities, worst
from tests.server import free_port

# --- the clock and the running service


def test_a_service_that_does_not_run_and_one_that_is_not_ready(settings, client, monkeypatch):
    here = settings.model_copy(update={"port": client.base_url.port})
    assert severities(service.runs, here) == {Severity.WELL}
    there = settings.model_copy(update={"port": free_port()})
    assert "does not answer" in worst(service.runs, there)
    with answering(503, {"detail": "The database cannot be written."}) as port:
        ill = settings.model_copy(update={"port": port})
        assert "The database cannot be written." in worst(service.runs, ill)


# --- outside


@contextmanager
def answering(status, document, context=None):
    """A server that gives one answer to everybody, perhaps with a certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/problem+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def test_a_public_address_that_leads_elsewhere(settings):
    nowhere = settings.model_copy(update={"public_url": f"http://127.0.0.1:{free_port()}"})
    assert "does not answer" in worst(outside.public_address, nowhere)
    with answering(404, {}) as port:
        other = settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"})
        assert "not as this service" in worst(outside.public_address, other)
    assert "is not set" in worst(outside.public_address, settings)


def test_codes_that_lead_to_another_database(settings, province, templates, tmp_path):
    with answering(404, {}) as port:
        given = settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"})
        assert "answers 404" in worst(outside.printed_codes, given)
    with serving(settings) as client:
        given = settings.model_copy(update={"public_url": str(client.base_url).rstrip("/")})
        assert severities(outside.printed_codes, given) == {Severity.WELL}


def test_the_service_is_asked_what_it_sees_of_a_connection(settings, client):
    """Without a proxy, on one machine, the service believes what is claimed; and that is told."""
    given = settings.model_copy(update={"public_url": str(client.base_url).rstrip("/")})
    assert "whatever address a client claims" in worst(outside.proxy, given)
    seen = client.get("/connection").json()
    assert seen == {
        "address": "127.0.0.1",
        "scheme": "http",
        "host": client.base_url.netloc.decode(),
    }


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (Connection("203.0.113.9", "https", "h.vn"), ""),
        (Connection(outside.CLAIMED, "https", "h.vn"), "claims"),
        (Connection("127.0.0.1", "https", "h.vn"), "for the proxy itself"),
        (Connection("203.0.113.9", "http", "h.vn"), "HTTPS"),
        (Connection("203.0.113.9", "https", "127.0.0.1:8000"), "not h.vn"),
    ],
)
def test_what_a_proxy_may_do_wrong(settings, seen, told):
    given = settings.model_copy(update={"public_url": "https://h.vn"})
    found = worst(lambda s: outside.judged(seen, "203.0.113.9", s), given)
    assert told in found and bool(told) == bool(found)


def certificate(folder, ends, name="127.0.0.1"):
    """A certificate of one's own, and a context that serves it."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=90))
        .not_valid_after(ends)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file, private = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, private)
    return file, context


@pytest.mark.parametrize(
    ("days", "believed", "told"),
    [(200, True, ""), (3, True, "it ends on"), (-1, True, "expired"), (200, False, "self-signed")],
)
def test_a_certificate(settings, tmp_path, monkeypatch, days, believed, told):
    file, context = certificate(tmp_path, NOW + dt.timedelta(days=days))
    if believed:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with answering(200, {"address": "127.0.0.1", "scheme": "https", "host": "x"}, context) as port:
        given = settings.model_copy(update={"public_url": f"https://127.0.0.1:{port}"})
        found = worst(outside.certificate, given)
        assert told in found.replace("self signed", "self-signed") and bool(told) == bool(found)
        if not told:
            assert severities(outside.public_address, given) == {Severity.WELL}


# --- what is sent


class Inbox:
    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        raise AssertionError("nothing is sent by looking")


@contextmanager
def mail_server(password=None):
    def authenticate(server, session, envelope, mechanism, data):
        right = data.password == (password or "").encode()
        return AuthResult(success=right, handled=right)

    port = free_port()
    controller = Controller(
        Inbox(), hostname="127.0.0.1", port=port,
        authenticator=authenticate if password else None, auth_require_tls=False,
    )  # fmt: skip
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def test_mail(settings):
    def given(address, to=""):
        return settings.model_copy(update={"mail_server": address, "report_mail": to})

    assert severities(sending.mail, given(None)) == {Severity.UNKNOWN}
    assert "no HAILONG_MAIL_SERVER" in worst(sending.mail, given(None, "a@b.vn"))
    assert "does not answer" in worst(sending.mail, given(f"smtp://127.0.0.1:{free_port()}"))
    with mail_server("right") as port:
        assert severities(sending.mail, given(f"smtp://u:right@127.0.0.1:{port}")) == {
            Severity.WELL
        }
        wrong = f"smtp://u:false@127.0.0.1:{port}"
        assert "name and password" in worst(sending.mail, given(wrong))


def test_sms_and_webhooks_that_wait_in_vain(database, settings, province):
    assert (
        severities(sending.sms, settings)
        == severities(sending.webhooks, settings)
        == {Severity.WELL}
    )
    gone = settings.model_copy(update={"sms_url": f"http://127.0.0.1:{free_port()}/send"})
    assert "cannot be reached" in worst(sending.sms, gone)
    with database.writing() as session:
        hook = Webhook(url="https://x.vn", secret="s", made_at=NOW)
        session.add(hook)
        session.flush()
        early = NOW - timedelta(hours=2)
        session.add(Delivery(webhook_id=hook.id, body="{}", due_at=early))
        session.add(SmsMessage(phone="0", body="x", due_at=early))
    assert "no gateway is set" in worst(sending.sms, settings)
    outbox = settings.model_copy(update={"sms_outbox": Path("/tmp/out")})
    assert "should have left" in worst(sending.sms, outbox)
    assert "not sent" in worst(sending.sms, outbox)
    assert "an hour ago" in worst(sending.webhooks, settings)


# --- what is kept elsewhere


def test_heads_of_the_audit_log(database, settings, province, tmp_path):
    assert "no head of it leaves" in worst(keeping.heads, settings)
    kept, key = tmp_path / "heads.jsonl", tmp_path / "key.pem"
    make_key(key)
    given = settings.model_copy(update={"audit_heads": f"file://{kept}", "audit_key": key})
    province.device()  # noted in the log
    head, _ = send_now(database, given)
    assert head is not None
    assert severities(keeping.heads, given) == {Severity.WELL}
    unsigned = given.model_copy(update={"audit_key": None})
    assert "unsigned" in worst(keeping.heads, unsigned)
    lost = given.model_copy(update={"audit_key": tmp_path / "none.pem"})
    assert worst(keeping.heads, lost)
    kept.write_text(kept.read_text().replace(head.hash, "0" * 64))
    assert Severity.WRONG in severities(keeping.heads, given)
