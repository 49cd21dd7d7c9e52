"""Deadlines and bounds of one connection, with a real server and clients that are slow or odd."""

import json
import socket
import time
from contextlib import contextmanager

import pytest

from app.serving.problems import RequestTooSlow
from app.web.security import HEADERS
from tests.conftest import serving
from tests.serving.raw import HALF_BODY, HALF_HEAD, opened, read_to_end
from tests.small_province import body

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@contextmanager
def server(settings, **changes):
    with serving(settings.model_copy(update=changes)) as client:
        yield client, client.base_url.port


def problem_of(answer: bytes):
    head, _, document = answer.partition(b"\r\n\r\n")
    return head.decode(), json.loads(document)


def test_a_head_that_does_not_end_is_answered_408(settings):
    with server(settings, head_s=1) as (_, port):
        head, found = problem_of(read_to_end(opened(port, HALF_HEAD)))
        assert head.startswith("HTTP/1.1 408 Request Timeout\r\n")
        assert found["type"] == "/problems/request-too-slow" and found["retry"] is True
        assert "Connection: close" in head
        for name, value in HEADERS.items():
            assert f"{name}: {value}\r\n" in head


def test_a_browser_is_answered_by_a_page_in_its_language(settings):
    asked = b"GET /q/ABCDEFG HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nAccept-Language: vi\r\nX: "
    with server(settings, head_s=1) as (_, port):
        head, _, page = read_to_end(opened(port, asked)).decode().partition("\r\n\r\n")
        assert head.startswith("HTTP/1.1 408 ") and "text/html; charset=utf-8" in head
        assert f"<h1>{RequestTooSlow.title('vi')}</h1>" in page and 'lang="vi"' in page
        assert f"Content-Length: {len(page.encode())}\r\n" in head


def test_a_head_in_drops_has_the_same_time(settings):
    with server(settings, head_s=2) as (_, port):
        connection, began = opened(port), time.monotonic()
        connection.settimeout(0.2)
        with pytest.raises(OSError) as ended:
            while time.monotonic() < began + 30:
                connection.sendall(b"\r\n")  # not even the beginning of one
                time.sleep(0.1)
        assert not isinstance(ended.value, TimeoutError)


def test_who_never_sends_a_byte_is_closed_without_an_answer(settings):
    with server(settings, head_s=1) as (_, port):
        assert read_to_end(opened(port)) == b""


def test_empty_lines_after_an_answer_keep_no_connection_open(settings):
    with server(settings, head_s=1, idle_s=600) as (_, port):
        connection = opened(port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"\r\n")
        assert b" 408 " in read_to_end(connection)


def test_a_body_that_does_not_come_is_a_problem_in_the_callers_language(settings):
    with server(settings, body_s=1) as (client, port):
        head, found = problem_of(read_to_end(opened(port, HALF_BODY)))
        assert head.startswith("HTTP/1.1 408 ") and "connection: close" in head.lower()
        assert found["title"] == "The request came too slowly"
        assert found["instance"] == "/api/v1/responses"
        assert client.get("/healthz").status_code == 200


def test_a_body_that_nobody_reads_is_cut_off(settings):
    with server(settings, body_s=1) as (_, port):
        asked = HALF_BODY.replace(b"POST /api/v1/responses", b"GET /healthz")
        assert read_to_end(opened(port, asked)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("slow", ["a telephone", "a batch"])
def test_a_slow_line_passes(settings, province, slow):
    """Parts with pauses, in all more time than body_s; each pause is shorter."""
    point = province.points[("C1", "sipas-desk")]
    sent = {"responses": [body(point) for _ in range(40 if slow == "a batch" else 1)]}
    content = json.dumps(sent).encode()
    with server(settings, body_s=1, byte_rate=len(content) / 20) as (_, port):
        head = HALF_BODY.partition(b"\r\n\r\n")[0].replace(b"900", str(len(content)).encode())
        connection = opened(port, head + b"\r\nConnection: close\r\n\r\n")
        step = len(content) // 6 + 1
        for start in range(0, len(content), step):
            time.sleep(0.5)
            connection.sendall(content[start : start + step])
        assert read_to_end(connection).startswith(b"HTTP/1.1 200")


def test_a_body_in_drops_is_too_slow(settings):
    with server(settings, body_s=1, byte_rate=1000) as (_, port):
        connection, began = opened(port, HALF_BODY.replace(b"900", b"90000")), time.monotonic()
        while time.monotonic() < began + 30:
            try:
                connection.sendall(b" ")
            except OSError:
                break
            time.sleep(0.1)
        else:
            pytest.fail("a byte each tenth of a second was enough")


def test_heads_are_bounded(settings):
    with server(settings) as (_, port):
        long = opened(port, b"GET /healthz HTTP/1.1\r\nx: " + b"y" * 70_000)
        assert read_to_end(long).startswith(b"HTTP/1.1 431 ")


def test_what_is_no_http_is_told_so(settings):
    with server(settings) as (_, port):
        head, found = problem_of(read_to_end(opened(port, b"\x16\x03\x01\x02\x00\x01\r\n\r\n")))
        assert head.startswith("HTTP/1.1 400 ") and found["type"] == "/problems/malformed-request"


def test_no_websocket_is_opened(settings, caplog):
    asked = (
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"
    )
    with server(settings) as (_, port):
        answer = read_to_end(opened(port, asked))
    assert answer.startswith(b"HTTP/1.1 200") and b"onnection: close" in answer
    assert "websocket" not in caplog.text.lower()


def test_idle_connections_are_closed_and_requests_on_one_are_not(settings):
    with server(settings, idle_s=1, head_s=1) as (_, port):
        connection = opened(port)
        for _ in range(8):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = b""
            while b"}" not in answer:  # the head may come without the body
                answer += connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
            time.sleep(0.3)
        assert read_to_end(connection) == b""


def test_requests_one_behind_the_other_are_all_answered(settings):
    with server(settings, idle_s=1) as (_, port):
        one = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        assert read_to_end(opened(port, 5 * one)).count(b"HTTP/1.1 200") == 5


def test_a_reader_who_does_not_read_is_dropped_and_a_slow_one_is_not(settings):
    asked = b"GET /static/documentation/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n"
    with server(settings, reader_s=2, byte_rate=20_000) as (client, port):
        whole = len(client.get("/static/documentation/swagger-ui-bundle.js").content)

        def reader():
            made = socket.socket()
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            made.settimeout(60)
            made.connect(("127.0.0.1", port))
            made.sendall(6 * asked)  # more than the system holds by itself
            return made

        idle, slow = reader(), reader()
        began, got = time.monotonic(), 0
        while time.monotonic() < began + 6:
            got += len(slow.recv(16_384))
            time.sleep(0.05)
        while got < 6 * whole:
            part = slow.recv(1 << 20)
            assert part, "the slow reader was dropped"
            got += len(part)
        # The other one was closed: what the system had taken comes, and then no more.
        assert len(read_to_end(idle)) < 6 * whole
