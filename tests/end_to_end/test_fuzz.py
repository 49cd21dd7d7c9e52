"""Bodies and parameters drawn from the OpenAPI document, and some that people have attacked with:
never a 5xx, and every answer is what the document says.

What is drawn does not change with the day. Left to itself Schemathesis draws from what earlier
answers held, days among it, and from what its last run kept; schemathesis.toml forbids both.
"""

import json
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from sqlalchemy import select

from app.access.models import Right
from app.intake.models import ResponseText
from app.intake.rollup_rebuild import verify
from app.main import create_app
from app.web.openapi import door_of, routes_of
from tests.small_province import body

URL = "/api/v1/responses"
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


#: What each operation is asked: examples of the document, the bounds of every parameter and of
#: every field of a body one by one, and what is drawn.
ALL = "examples,coverage,fuzzing"


def schemathesis(address, *options, examples, cwd, phases=ALL):
    # Made by the first who wants it; Schemathesis waits for it ten seconds, which may be too few.
    assert httpx.get(f"{address}/openapi.json", timeout=120).status_code == 200
    return subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION),
            "run", f"{address}/openapi.json", "--phases", phases,
            "--max-examples", str(examples), "--seed", "2026", "--request-timeout", "120", *options,
        ],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


def open_to(credential):
    """Options for the operations whose doors let a device or nobody in; of other callers, for all.

    Whom a door refuses is refused whatever the parameters: every operation is asked by nobody
    below, and by a device in tests/access/test_rights.py.
    """
    if credential == "reader and importer":
        return []
    options = []
    for route in routes_of(create_app()):
        door = door_of(route) if route.include_in_schema else None
        if door and (door.strangers or (credential == "device" and Right.SUBMIT in door.rights)):
            options += ["--include-path", route.path_format]
    return options


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("database_url", "credential", "examples"),
    [("postgresql", "reader and importer", 6), ("sqlite", "device", 3), ("sqlite", "nobody", 2)],
    indirect=["database_url"],
)
def test_what_schemathesis_draws_finds_no_defect(
    serve, province, database, credential, examples, tmp_path
):
    options = open_to(credential)
    draw_and_check(serve, province, database, credential, examples, tmp_path, *options)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_nobody_draws_of_any_operation_finds_no_defect(serve, province, database, tmp_path):
    draw_and_check(serve, province, database, "nobody", 3, tmp_path, phases="examples,fuzzing")


def draw_and_check(serve, province, database, credential, examples, tmp_path, *options, phases=ALL):
    server = serve(public_rate="100000/minute", point_rate="100000/minute")
    headers = {
        "reader and importer": lambda: province.credential(
            Right.READ_FIGURES, Right.IMPORT_HISTORY
        ),
        "device": province.device,
        "nobody": dict,
    }[credential]()
    checks = (
        "not_a_server_error,status_code_conformance,content_type_conformance,"
        "response_schema_conformance"
    )
    done = schemathesis(
        server.address,
        "--checks", checks,
        # A stream of events has no end; tests/reports/test_feed.py reads it.
        "--exclude-path", "/api/v1/stream",
        *options,
        *[f"-H{name}: {value}" for name, value in headers.items()],
        examples=examples,
        phases=phases,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "passed" in done.stdout
    assert verify(database) == []


@contextmanager
def answering(day):
    """A server with the document, whose answers are full of a day; and what it was asked."""
    document = json.dumps(create_app().openapi()).encode()
    told = {"rows": [{"period": day[:7]}], "first": day, "last": day, "month": day[:7]}
    asked = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # A head and a body that are sent apart wait for each other, 40 ms a request.
        disable_nagle_algorithm = True

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content = document if self.path == "/openapi.json" else json.dumps(told).encode()
            if self.path != "/openapi.json":
                asked.append((self.command, self.path, body))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def __getattr__(self, name):
            if name.startswith("do_"):  # whatever the method
                return self.answer
            raise AttributeError(name)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_what_is_drawn_is_the_same_on_every_day(tmp_path):
    drawn = []
    for day in ("2026-11-27", "2031-03-01"):
        with answering(day) as (address, asked):
            # Statistics, and another operation whose answers may lend them their days.
            paths = ("/api/v1/satisfaction", "/api/v1/response-rates")
            only = [option for path in paths for option in ("--include-path", path)]
            done = schemathesis(
                address, "--checks", "not_a_server_error", *only, examples=3, cwd=tmp_path
            )
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        drawn.append(asked)
    assert len(drawn[0]) > 50
    assert drawn[0] == drawn[1]


OTHER_DAY = """
import datetime, json, time, types
import msgspec.json
# It takes no heir of a moment; nothing is read here.
msgspec.json.Decoder = lambda kind: types.SimpleNamespace(decode=None)
ahead, now = datetime.timedelta(40), time.time
time.time = lambda: now() + ahead.total_seconds()
class Day(datetime.date):
    today = classmethod(lambda cls: super().today() + ahead)
class Moment(datetime.datetime):
    now = classmethod(lambda cls, tz=None: super().now(tz) + ahead)
datetime.date, datetime.datetime = Day, Moment
from app.main import create_app
print(json.dumps(create_app().openapi()))
"""


def test_the_document_is_the_same_on_every_day():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OTHER_DAY], capture_output=True, check=True
    )
    assert json.loads(done.stdout) == create_app().openapi()


NASTY = {
    "deep": "[" * 100_000 + "]" * 100_000,
    "deep object": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "huge number": json.dumps(body()).replace('"version": 2', '"version": ' + "9" * 5000),
    "huge level": json.dumps(body(answers={"A1": 10**4000})),
    "exponent": json.dumps(body()).replace('"version": 2', '"version": 1e400'),
    "not a number": json.dumps(body()).replace('"version": 2', '"version": NaN'),
    "lone surrogate": json.dumps(body(answers={"comment": "x"})).replace('"x"', r'"\ud800"'),
    "key twice": json.dumps(body()).replace('"version": 2', '"version": 2, "version": 1'),
    "nul key": json.dumps(body(answers={"\x00": 1})),
    "byte order mark": "\ufeff" + json.dumps(body()),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_nasty_body_is_refused_or_taken_and_never_a_defect(serve, province, database):
    server = serve()
    device = province.device() | {"Content-Type": "application/json"}
    for name, content in NASTY.items():
        answer = httpx.post(server.address + URL, content=content.encode("utf-8"), headers=device)
        assert answer.status_code < 500, (name, answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", name
        assert httpx.get(server.address + "/readyz").status_code == 200, name
        assert verify(database) == [], name


@pytest.mark.parametrize(
    ("comment", "kept"),
    [
        ("\u202emoc.evil\u202c", "moc.evil"),
        ("Z" + "\u0301" * 500, "\u0179" + "\u0301" * 4),
        ("a\x00b\x1b[31m", "a b [31m"),
        ("=HYPERLINK(\"http://x\")", "=HYPERLINK(\"http://x\")"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("'; DROP TABLE response; --", "'; DROP TABLE response; --"),
        ("👩‍👩‍👧‍👦" * 50, "👩‍👩‍👧‍👦" * 50),
    ],
    ids=["bidi", "combining", "control", "formula", "script", "sql", "emoji"],
)  # fmt: skip
def test_any_comment_is_kept_as_text(client, province, database, comment, kept):
    """Without signs that nobody sees, and marks beyond what any language has on one letter."""
    sent = body(answers={"A1": 4, "comment": comment})
    answer = client.post(URL, json=sent, headers=province.device())
    assert answer.status_code == 201, answer.text
    with database.reading() as session:
        assert session.scalars(select(ResponseText.body)).all() == [kept]


def test_headers_that_carry_more_than_they_should(client):
    address = str(client.base_url).rstrip("/")
    for headers in (
        {"Authorization": "Bearer " + "x" * 20_000},
        {"Authorization": "Bearer \xff\xfe".encode("latin-1")},
        {"Accept-Language": "en;q=" + "9" * 5000},
        {"Content-Length": "-1"},
    ):
        try:
            answer = httpx.get(address + "/api/v1/satisfaction", headers=headers)
        except httpx.TransportError:
            continue  # the server refused to speak
        assert answer.status_code < 500
    answer = httpx.get(address + "/problems/x%0d%0aSet-Cookie:%20a=b")
    assert answer.status_code == 404 and "set-cookie" not in answer.headers
    assert httpx.get(address + "//evil.example/%2e%2e").status_code == 404
