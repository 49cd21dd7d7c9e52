"""Nothing about a person is in the log, whatever is asked for and whatever fails."""

import json
import re
import socket
import threading
from contextlib import closing, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep
from urllib.parse import quote, quote_plus

import httpx
import pytest

from app.access import accounts, devices
from app.access.models import Right
from app.access.roles import Role
from app.db import Database
from app.registry.points import find_by_code
from app.webhooks.service import add_webhook
from tests.server import ServerProcess, free_port
from tests.small_province import SmallProvince, body

NAME, PHONE, EMAIL = "Nguyễn Thị Kín", "0987650001", "kin.nguyen@congdan.vn"
PERSON, ADDRESS, ADDRESS6 = "canbo.kin@tinh.vn", "203.0.113.77", "2001:db8:77::1"
COMMENT, PASSWORD = "Cán bộ Kín rất tốt", "mật-khẩu-Kín-81"
HOOK_PATH, HOOK_QUERY, SMS_TOKEN, SMS_QUERY = "hookpath7f", "hookquery7f", "smstoken7f", "smsq7f"
CASE, AGENT, GUESS = "H05.KIN.77", "KinBrowser/77", "hl_doan7f"
SORTS = (
    "message", "key", "group", "statement", "kept_twice", "task", "thread", "warning", "logged",
    "library", "stream",
)  # fmt: skip


class Refusing:
    """A gateway and a webhook's receiver: takes nothing, each time in another way."""

    def __enter__(self):
        came = self.came = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                came.append(self.path.partition("?")[0])
                self.rfile.read(int(self.headers["Content-Length"]))
                if len(came) % 3 == 0:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response((500, 400)[len(came) % 2])
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def planted(database, port):
    """A province with a person, keys, a pairing code and webhooks; what of them is secret."""
    province = SmallProvince.found(database)
    signed_in = province.person(
        (Role.OPERATOR, None), (Role.PROVINCIAL_ANALYST, None), email=PERSON, password=PASSWORD
    )
    keys = {
        "device": province.device(),
        "software": province.credential(Right.INVITE),
        "comments": province.credential(Right.READ_COMMENTS),
        "reader": province.reader(),
    }
    with database.writing() as session:
        point = find_by_code(session, province.points[("C1", "sipas-desk")])
        pairing = devices.new_code(session, point, NAME)
        link = accounts.add(session, EMAIL, NAME)
        for address in (f"http://127.0.0.1:{port}", "http://127.0.0.1:9", "http://kín\x7f.vn"):
            add_webhook(session, f"{address}/{HOOK_PATH}?key={HOOK_QUERY}", None)
    del link
    secrets = [each["Authorization"].removeprefix("Bearer ") for each in keys.values()]
    secrets += [pairing.code, *province.points.values(), *signed_in.cookies.values()]
    return province, signed_in, keys, secrets


def fill(client, path, values):
    form = dict(re.findall(r'name="(id|opened)" value="([^"]+)"', client.get(path).text))
    return client.post(path, data=form | values)


def ask_everything(client, province, signed_in, keys):
    """Requests of every kind, right and wrong ones; the secrets that they brought to light."""
    code, secrets = province.points[("C1", "sipas-desk")], []
    fill(client, f"/q/{code}", {"a.A1": "5", "a.comment": COMMENT, "a.A2": PHONE})
    assert fill(client, f"/q/{code}", {"a.A1": "5", "a.comment": COMMENT}).status_code == 303
    client.post(f"/q/{code}", content=f'--x\r\n{COMMENT}'.encode(), headers={
        "Content-Type": "multipart/form-data; boundary=x"})  # fmt: skip
    for answers in ({"A1": 4, "comment": COMMENT}, {"A1": COMMENT}, {COMMENT: 1}):
        client.post("/api/v1/responses", json=body(answers=answers), headers=keys["device"])
    client.post("/api/v1/responses", content=f'{{"{PHONE}'.encode(), headers=keys["device"])
    client.post("/api/v1/responses", json=body(), headers={"Authorization": f"Bearer {GUESS}"})
    client.post("/api/v1/kiosk/status", json={"x": NAME}, headers=keys["device"])
    client.get("/kiosk", params={"code": PHONE})
    for n, phone in enumerate((PHONE, PHONE, "x" + PHONE)):
        case = {
            "case": f"{CASE}{n}", "unit": "C1", "point": code, "phone": phone,
            "finished_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        answer = client.post("/api/v1/invitations?qr=true", json=case, headers=keys["software"])
        if answer.status_code == 201:
            secrets.append(answer.json()["link"].rpartition("/")[2])
            fill(client, f"/i/{secrets[-1]}", {"a.A1": "5", "a.comment": COMMENT})
    client.get(f"/i/{GUESS}")
    for password, status in ((PASSWORD + "x", 401), (PASSWORD, 303)):
        form = {"email": PERSON, "password": password, "next": f"/?{PHONE}"}
        assert client.post("/sign-in", data=form).status_code == status
    secrets += [each.value for each in client.cookies.jar if each.value]
    client.cookies.clear()
    client.post("/api/v1/pairings", json={"code": GUESS})
    client.get("/dashboard/comments", params={"unit": NAME}, headers=signed_in.headers)
    client.get("/audit", params={"actor": EMAIL}, headers=signed_in.headers)
    client.post("/accounts/new", data=signed_in.csrf | {"email": EMAIL, "name": NAME},
                headers=signed_in.headers)  # fmt: skip
    client.get(f"/password/{GUESS}")
    month = f"{datetime.now():%Y-%m}"
    client.get("/api/v1/comments", params={"month": month, "unit": NAME}, headers=keys["comments"])
    client.get("/api/v1/rates", params={"period": PHONE}, headers=keys["reader"])
    client.get(f"/{PHONE}", params={"email": EMAIL}, headers={"X-Request-ID": PHONE})
    client.request("PROPFIND", f"/healthz?{PHONE}")
    for sort in SORTS:
        for said in (PHONE, f"{NAME} {COMMENT} {EMAIL} {ADDRESS} {ADDRESS6} {PASSWORD}"):
            try:
                client.get(f"/defect/{sort}/{said}")
            except httpx.RemoteProtocolError:
                assert sort == "stream"
    return secrets


def speak_badly(port):
    """What is no HTTP, and what asks for a WebSocket."""
    for said in (
        f"{PHONE} /{EMAIL} HTTP/1.1\r\n\r\n",
        f"GET /{PHONE} HTTP/9.{PHONE}\r\nX: {EMAIL}\r\n\r\n",
        f"GET /q/{PHONE}?{EMAIL} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket"
        f"\r\nX-Forwarded-For: {ADDRESS}\r\nSec-WebSocket-Version: 13"
        "\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        f"POST /q/{PHONE} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{COMMENT}",
    ):
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(said.encode())
            raw.settimeout(0.3)
            with suppress(TimeoutError):
                raw.recv(4096)


def written(secret):
    """The ways in which a secret may stand in a line."""
    escaped = json.dumps(secret)[1:-1]
    return {secret, quote(secret), quote_plus(secret), escaped, ascii(secret)[1:-1], secret.lower()}


# All that any level lets through comes at "debug", on either store; of what less is let through,
# the store is no part, so each of the others has one.
@pytest.mark.parametrize(
    ("database_url", "level", "form"),
    [
        ("sqlite", "debug", "json"), ("postgresql", "debug", "json"),
        ("sqlite", "info", "text"), ("postgresql", "error", "text"),
        ("postgresql", "warning", "json"),
    ],
    indirect=["database_url"],
)  # fmt: skip
def test_nothing_that_was_planted_is_in_the_log(database_url, tmp_path, level, form):
    log = tmp_path / "server.log"
    with Refusing() as refusing, closing(Database(database_url)) as database:
        port = free_port()
        province, signed_in, keys, secrets = planted(database, refusing.port)
        server = ServerProcess(
            database_url, log, command=("tests.logs.defective", "serve"), log_level=level,
            log_format=form, access_log=True, webhook_delay_s=0, cache_s=0, port=port,
            public_url=f"http://127.0.0.1:{port}",
            sms_url=f"http://127.0.0.1:{refusing.port}/sms?key={SMS_QUERY}", sms_token=SMS_TOKEN,
        )  # fmt: skip
        try:
            server.wait_until_ready()
            headers = {"X-Forwarded-For": ADDRESS, "User-Agent": AGENT}
            with httpx.Client(base_url=server.address, timeout=30, headers=headers) as client:
                secrets += ask_everything(client, province, signed_in, keys)
                client.get("/healthz", headers={"X-Forwarded-For": ADDRESS6})
            speak_badly(server.port)
            until = monotonic() + 30
            while len(set(refusing.came)) < 2 and monotonic() < until:
                sleep(0.1)
            sleep(0.5)  # what it makes of the answers, it logs after they came
        finally:
            server.stop()
    told = log.read_text(encoding="utf-8")
    secrets += [
        NAME, PHONE, EMAIL, PERSON, ADDRESS, ADDRESS6, COMMENT, PASSWORD, HOOK_PATH, HOOK_QUERY,
        SMS_TOKEN, SMS_QUERY, CASE, AGENT, GUESS,
    ]  # fmt: skip
    found = {each for secret in secrets for each in written(secret) if each in told}
    assert not found, told
    assert set(refusing.came) == {"/sms", f"/{HOOK_PATH}"}
    assert "defect while answering GET /defect/{sort}/{said}" in told
    assert "ValueError" in told and "IntegrityError" in told and "defect in a thread" in told
    if level in ("debug", "info"):
        assert "/q/{token}" in told and "was not told: HTTP" in told
