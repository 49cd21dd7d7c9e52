"""The site of nginx and the unit of systemd that docs/deploy ships, as they are shipped."""

import json
import re
import socket
import ssl
import subprocess
import time

import httpx
import pytest

from app.db import Database
from app.intake.writer import Busy
from app.messages import say
from app.problems import BodyTooLarge
from app.settings import Settings
from tests.databases import copy_sqlite
from tests.deployment import DEPLOY, NGINX, SYSTEMD, Nginx, needs_nginx, needs_systemd, unit_of
from tests.server import ServerProcess
from tests.small_province import SmallProvince, body

NAME = "hailong.example.vn"
#: A client whom no log may name, and what others claim to be.
PLANTED, CLAIMED = "127.0.0.77", "203.0.113.9"

pytestmark = pytest.mark.xdist_group("deployment")


def site():
    return (DEPLOY / "nginx.conf").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def world(templates, tmp_path_factory):
    """The service behind nginx: nginx, the service, its province."""
    folder = tmp_path_factory.mktemp("deployment")
    url = f"sqlite:///{copy_sqlite(templates('sqlite'), folder / 'hailong.db').database}"
    database = Database(url)
    province = SmallProvince.found(database)
    server = ServerProcess(
        url, folder / "service.log", public_url=f"https://{NAME}", public_rate="2 per 1 hour",
        cache_s=0,
    ).wait_until_ready()  # fmt: skip
    nginx = Nginx(folder / "nginx", server.port)
    nginx.site.write_text(nginx.adapted(site()), encoding="utf-8")
    nginx.start()
    yield nginx, server, province, folder, url
    nginx.stop()
    server.stop()
    database.close()


def caller(nginx, address="127.0.0.1"):
    """A client at an address, who believes the certificate."""
    transport = httpx.HTTPTransport(local_address=address, verify=nginx.trusted())
    return httpx.Client(
        base_url=f"https://127.0.0.1:{nginx.https}",
        headers={"Host": NAME},
        transport=transport,
        timeout=30,
    )


def ask(client, method, path, **given):
    return client.request(method, path, extensions={"sni_hostname": NAME}, **given)


@needs_nginx
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_the_form_is_answered_over_https_alone(world):
    nginx, _, province, *_ = world
    code = province.points["C1", "sipas-desk"]
    with caller(nginx) as client:
        form = ask(client, "GET", f"/q/{code}")
        assert form.status_code == 200 and "Đơn vị C1" in form.text
        assert form.headers["strict-transport-security"] == "max-age=31536000"
        for path in ("/healthz", "/readyz"):
            assert ask(client, "GET", path).status_code == 404
    away = httpx.get(f"http://127.0.0.1:{nginx.http}/q/{code}", headers={"Host": NAME})
    assert (away.status_code, away.headers["location"]) == (308, f"https://{NAME}/q/{code}")
    # Another name is no name of ours.
    with caller(nginx) as client, pytest.raises(httpx.ConnectError):
        client.get("/", extensions={"sni_hostname": "other.example.vn"})
    old = nginx.trusted()
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", nginx.https)) as raw,
        pytest.raises(ssl.SSLError, match=r"(?i)protocol|version|alert"),
    ):
        old.wrap_socket(raw, server_hostname=NAME)


@needs_nginx
def test_limits_count_the_true_address_whatever_is_claimed(world):
    nginx, _, province, *_ = world
    code = province.points["C2", "sipas-desk"]

    def sent(client, claimed):
        headers = {
            "X-Forwarded-For": claimed, "X-Real-IP": claimed, "Forwarded": f"for={claimed}"
        }  # fmt: skip
        answer = ask(client, "POST", "/api/v1/responses", json=body(point=code), headers=headers)
        return answer.status_code

    with caller(nginx, "127.0.0.2") as one, caller(nginx, "127.0.0.3") as other:
        assert [sent(one, f"203.0.113.{i}") for i in range(3)] == [201, 201, 429]
        assert sent(other, "203.0.113.0") == 201
    with caller(nginx, "127.0.0.4") as client:
        seen = ask(client, "GET", "/connection", headers={"X-Forwarded-For": CLAIMED}).json()
    assert seen == {"address": "127.0.0.4", "scheme": "https", "host": NAME}


@needs_nginx
def test_figures_stream_through_without_waiting(world):
    nginx, _, province, *_ = world
    with (
        caller(nginx) as client,
        client.stream(
            "GET", "/api/v1/stream?unit=C1", headers=province.reader(),
            extensions={"sni_hostname": NAME},
        ) as stream,
    ):  # fmt: skip
        assert stream.headers["content-type"].startswith("text/event-stream")
        began = time.monotonic()
        assert any(line.startswith("event: figure") for line in stream.iter_lines())
        assert time.monotonic() - began < 10


@needs_nginx
@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_is_too_large_is_the_services_own_problem(world, language):
    nginx, *_ = world
    limit = Settings().body_limit
    with caller(nginx) as client:
        answer = ask(
            client, "POST", "/api/v1/responses", content=b"x" * (limit + 1),
            headers={"Accept-Language": language, "Content-Type": "application/json"},
        )  # fmt: skip
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == BodyTooLarge(limit=limit).document(language)


@needs_nginx
@pytest.mark.parametrize(
    ("language", "lost"), [("vi", "Không có trang này"), ("en", "no such page")]
)
def test_what_nginx_answers_by_itself_is_a_page_in_the_readers_language(world, language, lost):
    nginx, *_ = world
    asked = {"Accept": "text/html", "Accept-Language": language}
    with caller(nginx) as client:
        answers = [
            ask(client, "GET", "/healthz", headers=asked),
            ask(client, "POST", "/q/ABCDEFG", content=b"x" * 3_000_000, headers=asked),
            ask(client, "TRACE", "/q/ABCDEFG", headers=asked),
        ]
        # Before its end nothing of such a head is known, not what is wanted either.
        endless = ask(client, "GET", "/q/" + "x" * 40_000, headers=asked)
        problem = ask(client, "GET", "/readyz", headers={"Accept-Language": language})
    assert [answer.status_code for answer in (*answers, endless)] == [404, 413, 400, 400]
    assert endless.json()["type"] == "/problems/malformed-request"
    for answer in answers:
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert f'lang="{language}"' in answer.text and "viewport" in answer.text
        assert "nginx" not in answer.text.lower()
    assert lost in answers[0].text
    assert problem.json()["type"] == "/problems/not-found" and problem.status_code == 404


@needs_nginx
def test_while_the_service_is_away_kiosks_are_told_to_come_again(world):
    nginx, server, province, folder, url = world
    code = province.points["C1", "sipas-desk"]
    server.stop()
    with caller(nginx) as client:
        for language in ("vi", "en"):
            answer = ask(
                client, "POST", "/api/v1/responses", json=body(point=code),
                headers={"Accept-Language": language},
            )  # fmt: skip
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert answer.headers["content-type"] == "application/problem+json"
            problem = answer.json()
            assert problem["type"] == f"/problems/{Busy.code}" and problem["retry"] is True
            assert problem["title"] == say("problem.busy.title", language)
        page = ask(client, "GET", f"/q/{code}", headers={"Accept": "text/html"})
        assert page.status_code == 503 and 'lang="vi"' in page.text
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        again = ServerProcess(
            url, folder / "service.log", port=server.port, public_url=f"https://{NAME}", cache_s=0,
            public_rate="2 per 1 hour",
        )  # fmt: skip
        server.process = again.process
        again.wait_until_ready()
        # At once: nginx does not leave it alone for some seconds because it failed before.
        taken = ask(client, "POST", "/api/v1/responses", json=body(point=code))
        assert taken.status_code == 201, taken.text


@needs_nginx
def test_no_log_names_a_client_whatever_goes_wrong(world):
    nginx, server, province, folder, _ = world
    code = province.points["C1", "sipas-desk"]
    with caller(nginx, PLANTED) as client:
        claims = {"X-Forwarded-For": CLAIMED}
        ask(client, "GET", f"/q/{code}", headers=claims)
        ask(client, "GET", "/sign-in", headers=claims)
        for _ in range(4):  # the last ones refused
            ask(client, "POST", "/api/v1/responses", json=body(point=code), headers=claims)
        ask(client, "POST", f"/q/{code}", content=b"x" * 3_000_000, headers=claims)
        ask(client, "GET", "/static/../../etc/passwd", headers=claims)
    for port, sent in (
        (nginx.https, b"no handshake at all\r\n\r\n"),
        (nginx.https, b"\x16\x03\x01\x00\x05hello"),
        (nginx.http, b"GARBAGE\r\n\r\n"),
        (nginx.http, b"GET /q/x HTTP/1.1\r\nHost: nobody\r\n\r\n"),
        (nginx.http, b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n"),
    ):
        with socket.create_connection(("127.0.0.1", port), 10, (PLANTED, 0)) as raw:
            raw.sendall(sent)
            raw.settimeout(2)
            try:
                while raw.recv(4096):
                    pass
            except OSError:
                pass
    server.process.send_signal(19)  # a service that hangs, and clients that go
    try:
        with caller(nginx, PLANTED) as client, pytest.raises(httpx.TimeoutException):
            ask(client, "GET", f"/q/{code}", timeout=1)
    finally:
        server.process.send_signal(18)
    time.sleep(1)
    logs = [*nginx.logs.iterdir(), folder / "service.log", nginx.folder / "stderr.txt"]
    counted = (nginx.logs / "hailong.log").read_text()
    assert re.search(r"200 GET", counted), "the pages of staff are counted"
    for log in logs:
        written = log.read_text(encoding="utf-8", errors="replace")
        for secret in (PLANTED, CLAIMED, code):
            assert secret not in written, (log, secret, written[-2000:])


@needs_nginx
def test_the_shipped_site_is_well_formed_as_it_is(tmp_path):
    """With its own paths but the certificate's: what an operator's ``nginx -t`` says."""
    nginx = Nginx(tmp_path / "nginx", 8000)
    nginx.site.write_text(nginx.adapted(site()), encoding="utf-8")
    done = subprocess.run(
        [NGINX, "-t", "-p", str(nginx.folder), "-c", str(nginx.main)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


# --- systemd


def shipped_unit():
    return (DEPLOY / "hailong.service").read_text(encoding="utf-8")


@needs_systemd
def test_systemd_takes_the_unit_and_finds_it_closed(tmp_path):
    program = tmp_path / "hailong"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "hailong.service"
    text = shipped_unit().replace("/opt/hailong/venv/bin/hailong", str(program))
    unit.write_text(text.replace("/opt/hailong/code/docs/operator.md", "/dev/null"))
    done = subprocess.run(
        [SYSTEMD, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    about = [line for line in done.stderr.splitlines() if "hailong" in line]
    assert not about, about
    done = subprocess.run(
        [SYSTEMD, "security", "--offline=true", "--no-pager", "--threshold=20", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-500:]
    level = float(re.search(r"exposure level for hailong\.service: ([\d.]+)", done.stdout)[1])
    assert level <= 2.0


def test_the_unit_leaves_the_service_time_to_end_and_starts_it_for_ever():
    unit = unit_of(shipped_unit())
    assert int(unit["TimeoutStopSec"][0]) > 15 + 10  # uvicorn's own, and what hangs after it
    assert unit["Restart"] == ["always"] and "StartLimitIntervalSec=0" in shipped_unit()
    assert unit["UMask"] == ["0077"] and unit["StateDirectoryMode"] == ["0700"]
    assert json.loads(unit["LimitNOFILE"][0]) >= 65536
