"""Heads that are put together quickly: to the byte what uvicorn sends."""

import asyncio
import logging
from types import SimpleNamespace

from hypothesis import example, given
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.serving import heads
from app.serving.heads import QuickCycle
from tests.conftest import serving
from tests.serving.raw import opened, read_to_end

NAMES = ["content-type", "Content-Type", "x-request-id", "vary", "set-cookie",
         "connection", "transfer-encoding", "x bad", "ETag"]  # fmt: skip
LENGTH = ("content-length", "3")
VALUES = ["text/html", "close", "keep-alive", "chunked", "a\r\nb: c", "Vary, Accept", "", "3",
          "a\tb", "a\x7f", "ấ", "a\0"]  # fmt: skip


DATE = b"Mon, 30 Nov 2026 05:53:20 GMT"


def answer(
    kind, headers, body=(b"abc",), *, date=DATE, status=200, method="GET", keep_alive=True,
    write_paused=False,
):  # fmt: skip
    """What a cycle writes for an answer of three bytes, what it is then, and what it raised."""
    written = []
    transport = SimpleNamespace(write=written.append, close=lambda: written.append(b"<closed>"))

    async def drain():
        written.append(b"<waited>")

    cycle = kind(
        scope={"method": method, "http_version": "1.1", "path": "/", "query_string": b""},
        transport=transport,
        flow=SimpleNamespace(write_paused=write_paused, drain=drain),
        logger=logging.getLogger("hailong.test"),
        access_logger=logging.getLogger("hailong.test"),
        access_log=False,
        default_headers=[(b"date", date), (b"server", b"uvicorn")],
        message_event=asyncio.Event(),
        expect_100_continue=True,
        keep_alive=keep_alive,
        on_response=lambda: None,
    )

    async def send():
        await cycle.send({"type": "http.response.start", "status": status, "headers": headers})
        for n, part in enumerate(body, start=1):
            more = {"more_body": True} if n < len(body) else {}
            await cycle.send({"type": "http.response.body", "body": part} | more)

    raised = None
    try:
        asyncio.run(send())
    except (RuntimeError, ValueError) as error:
        raised = repr(error)
    state = {
        name: getattr(cycle, name)
        for name in ("response_started", "response_complete", "keep_alive", "chunked_encoding",
                     "expected_content_length", "waiting_for_100_continue")
    }  # fmt: skip
    return b"".join(written), state, raised


@example(
    [("content-type", "text/html"), ("content-length", "3")], 200, "GET", True, False, [b"abc"]
)
@example([("content-type", "text/html")], 200, "GET", True, False, [b"abc"])
@example([("content-length", "3"), ("content-length", "3")], 200, "GET", True, False, [b"abc"])
@example([("content-length", "3"), ("connection", "close")], 201, "POST", True, False, [b"abc"])
@example([("content-length", "3"), ("vary", "a\r\nb: c")], 200, "GET", True, False, [b"abc"])
@given(
    st.tuples(
        st.sampled_from([[], [LENGTH], [LENGTH], [LENGTH, LENGTH], [("Content-Length", "3")]]),
        st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=3),
    ).map(lambda drawn: drawn[0] + drawn[1]),
    st.sampled_from([200, 201, 204, 304, 404, 503]),
    st.sampled_from(["GET", "POST", "HEAD"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([[b"abc"], [b"a", b"bc"], [b"abc", b""], [b"ab"], [b"abcd"], [b""]]),
)
def test_it_is_what_uvicorn_sends(pairs, status, method, keep_alive, paused, body):
    headers = [(name.encode(), value.encode()) for name, value in pairs]
    more = {"status": status, "method": method, "keep_alive": keep_alive, "write_paused": paused}
    theirs = answer(RequestResponseCycle, headers, body, **more)
    assert answer(QuickCycle, headers, body, **more) == theirs
    assert answer(QuickCycle, headers, body, **more) == theirs  # with lines that are remembered


def test_headers_may_be_lists():
    headers = [[b"Content-Type", b"text/html"], [b"content-length", b"3"]]
    assert answer(QuickCycle, headers) == answer(RequestResponseCycle, headers)


def test_a_date_is_remembered_as_long_as_it_is_sent():
    for second in range(300):
        date = b"Mon, 30 Nov 2026 05:%02d:%02d GMT" % divmod(second, 60)
        written, _, _ = answer(QuickCycle, [(b"content-length", b"3")], date=date)
        assert b"date: %b\r\n" % date in written
        assert [value for name, value in heads._lines if name == b"date"] == [date]


def test_nearly_every_answer_of_the_server_goes_that_way(monkeypatch, settings):
    quick, made = QuickCycle._head, []
    monkeypatch.setattr(QuickCycle, "_head", lambda *given: made.append(quick(*given)) or made[-1])
    with serving(settings) as client:
        assert client.get("/healthz").status_code == 200
        assert client.post("/api/v1/responses", json={}).status_code == 422
        assert client.get("/sign-in").status_code == 200
    assert len(made) == 3
    assert all(head.startswith(b"HTTP/1.1 ") and head.endswith(b"\r\n\r\n") for head in made)


def test_who_asks_for_the_end_of_the_connection_is_told_of_it(settings):
    with serving(settings) as client:
        asked = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        answer = read_to_end(opened(client.base_url.port, asked))
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(b'{"status":"ok"}')
