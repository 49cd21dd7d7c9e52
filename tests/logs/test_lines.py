"""From records to lines: what is told, in which form, and what never is."""

import io
import json
import logging
import sqlite3
import sys
import threading
import traceback
import warnings
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from app.logs import lines
from app.logs.failures import described, place_of, traced
from app.logs.folding import Folding
from app.logs.requests import REQUEST_ID, identified, server_of

SECRET = "0912345678"


@pytest.fixture
def logged():
    """A logger of ours and one of a library with a handler of the service; what it wrote."""
    stream = io.StringIO()
    handler = lines.Lines(stream)
    handler.setFormatter(lines.formatter("json", stream))
    names = ("hailong.test", "library", "asyncio", "uvicorn.error", "py.warnings")
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    for logger, _ in before:
        logger.addHandler(handler)
        logger.setLevel("DEBUG")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    for logger, level in before:
        logger.removeHandler(handler)
        logger.setLevel(level)
    handler.close()


def failing(value=SECRET):
    try:
        int(f"no number: {value}")
    except ValueError as error:
        try:
            raise RuntimeError(f"cannot take {value}") from error
        except RuntimeError as second:
            return second


def test_a_line_is_one_object_with_time_level_logger_event_and_request(logged):
    bound = REQUEST_ID.set("ab" * 8)
    logging.getLogger("hailong.test").info("đã gửi %d\nSMS", 3)
    REQUEST_ID.reset(bound)
    logging.getLogger("hailong.test").info("again")
    first, second = logged()
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "info", "logger": "hailong.test", "event": "đã gửi 3\nSMS",
        "request_id": "ab" * 8,
    }  # fmt: skip
    assert "request_id" not in second


def test_a_thread_tells_the_request_that_started_it():
    import asyncio

    async def answer():
        REQUEST_ID.set("cd" * 8)
        return await asyncio.to_thread(REQUEST_ID.get)

    assert asyncio.run(answer()) == "cd" * 8


def test_a_failure_is_told_by_kind_place_and_path_without_what_it_says(logged):
    logging.getLogger("hailong.test").error("defect", exc_info=failing())
    (line,) = logged()
    assert line["failure"] == "RuntimeError, from ValueError"
    assert line["place"].endswith(" failing")
    assert line["traceback"].count("test_lines.py") == 2 and "int(f" in line["traceback"]
    assert SECRET not in json.dumps(line)


def test_an_exception_among_the_values_of_a_line_is_told_the_same_way(logged):
    request = httpx.Request("POST", f"https://sms.vn/send?to={SECRET}&token=hl_x")
    answer = httpx.Response(404, request=request)
    with pytest.raises(httpx.HTTPStatusError) as raised:
        answer.raise_for_status()
    assert SECRET in str(raised.value)
    logging.getLogger("hailong.test").warning("SMS %d is left: %s", 5, raised.value)
    (line,) = logged()
    assert line["event"] == "SMS 5 is left: httpx.HTTPStatusError 404"


def test_what_speaks_of_the_machine_is_told_and_values_are_not():
    locked = sqlite3.OperationalError("database is locked")
    gone = psycopg.OperationalError("server closed the connection\nDETAIL: 0912345678")
    assert described(locked) == "sqlite3.OperationalError: database is locked"
    assert described(sqlite3.OperationalError(f'near "{SECRET}"')) == "sqlite3.OperationalError"
    assert described(gone) == "psycopg.OperationalError: server closed the connection"
    over = OperationalError(f"SELECT '{SECRET}'", {"phone": SECRET}, gone)
    over.__cause__ = gone
    assert SECRET not in described(over) and "server closed" in described(over)
    assert described(FileNotFoundError(2, "x", f"/tmp/{SECRET}")).endswith(
        "No such file or directory"
    )
    assert described(psycopg.errors.UniqueViolation(f"Key (phone)=({SECRET})")) == (
        "psycopg.errors.UniqueViolation 23505"
    )
    group = ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)])
    assert described(group) == "ExceptionGroup of ValueError, KeyError"


def test_an_endless_recursion_is_told_by_its_end():
    def deeper():
        deeper()

    with pytest.raises(RecursionError) as raised:
        deeper()
    assert traced(raised.value).count("deeper()") <= 45
    assert place_of(ValueError()) == "?"


def test_of_a_librarys_sentence_only_what_does_not_vary_is_told(logged):
    library = logging.getLogger("library")
    library.warning("%.1f bytes, %s", Decimal(1), SECRET)
    library.warning("cannot send to %s, try %d: %r", SECRET, 2, ValueError(SECRET))
    logging.getLogger("asyncio").error(
        f"Task exception was never retrieved\nfuture: <Task exception=ValueError('{SECRET}')>"
    )
    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" 403', SECRET, f"/p/{SECRET}")
    told = [line["event"] for line in logged()]
    assert told == [
        "%.1f bytes, %s",
        "cannot send to …, try 2: …",
        "Task exception was never retrieved",
    ]


def test_of_a_start_that_failed_what_it_says_is_not_told(logged):
    error = failing(f"x\nkind{SECRET}: y")
    said = "".join(traceback.format_exception(error))
    assert SECRET in said
    logging.getLogger("uvicorn.error").error(said)
    (line,) = logged()
    assert SECRET not in line["event"] and line["event"].startswith("RuntimeError\n")
    assert line["event"].count("in failing") == 2


def test_a_warning_is_told_by_its_place(logged):
    handler, logging._warnings_showwarning = warnings.showwarning, None
    try:
        logging.captureWarnings(True)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning(f"odd value {SECRET}", UserWarning, "app/x.py", 12)
    finally:
        logging.captureWarnings(False)
        warnings.showwarning = handler
    assert [line["event"] for line in logged()] == ["app/x.py:12: UserWarning"]


def test_a_line_that_cannot_be_made_is_left_out_and_fails_nobody(capsys):
    stream = io.StringIO()
    handler = lines.Lines(stream)
    for level in (logging.INFO, logging.WARNING):
        handler.handle(record("%d answers", None, level, SECRET))
    handler.handle(record("after it", None, logging.INFO))
    handler.close()
    assert stream.getvalue() == "after it\n"
    assert "".join(capsys.readouterr()) == ""


def test_a_log_that_cannot_be_written_fails_nobody(capsys):
    with suppress(OSError), Path("/dev/full").open("w") as full:
        handler = lines.Lines(full)
        handler.handle(record("a", failing()))
        handler.handle(record("a", failing()))
        handler.tell_rest()
        told = True
    assert told
    assert "".join(capsys.readouterr()) == ""


@pytest.mark.parametrize(("form", "terminal"), [("text", False), ("auto", True)])
def test_on_a_terminal_a_line_is_readable(form, terminal):
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    record = logging.makeLogRecord(
        {"name": "hailong.x", "levelname": "ERROR", "levelno": 40, "msg": "defect",
         "exc_info": (RuntimeError, failing(), None), "status": 500}
    )  # fmt: skip
    first, *path = lines.formatter(form, stream).format(record).splitlines()
    assert " error   hailong.x: defect [status=500 failure=RuntimeError, from ValueError" in first
    assert path[-1] == "RuntimeError"


def test_elsewhere_a_line_is_json():
    record = logging.makeLogRecord({"name": "hailong.x", "msg": "x", "levelname": "INFO"})
    assert json.loads(lines.formatter("auto", io.StringIO()).format(record))["event"] == "x"


class Clocked(Folding):
    """A folding whose clock is set by hand."""

    def __init__(self):
        self.at = 0.0
        super().__init__(60, lambda: self.at)


def record(message, error=None, level=logging.ERROR, *values):
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("hailong.test", level, __file__, 1, message, values, info)


def test_a_repeated_failure_is_told_at_once_then_each_minute_and_at_its_end():
    folding = Clocked()
    assert folding.passes(first := record("cannot tidy", failing()))
    assert not first.path_told
    assert not any(folding.passes(record("cannot tidy", failing(n))) for n in range(3218))
    assert folding.due() == []
    folding.at = 60
    assert not folding.passes(record("cannot tidy", failing()))
    (line,) = folding.due()
    assert line.getMessage() == "… 3,219 times more in 60 s: cannot tidy" and line.times == 3219
    folding.at = 121
    (line,) = folding.due()
    assert line.getMessage() == "over: cannot tidy (3,220 times in 60 s)"
    assert not folding.waits
    assert folding.passes(again := record("cannot tidy", failing())) and again.path_told
    folding.at = 4000
    assert folding.due() == []
    assert folding.passes(late := record("cannot tidy", failing())) and not late.path_told


def test_other_failures_are_told_beside_it():
    folding = Clocked()
    errors = [failing(), KeyError("x"), None]
    assert [folding.passes(record("a", each)) for each in errors] == [True] * 3
    assert folding.passes(record("b", failing()))
    assert all(folding.passes(record("a", None, logging.INFO)) for _ in range(100))


def test_a_database_that_is_away_is_one_failure_wherever_it_is_asked():
    def asked(depth):
        try:
            if depth:
                return asked(0)
            raise OperationalError("SELECT", {}, psycopg.OperationalError("refused"))
        except OperationalError as error:
            return error

    folding = Clocked()
    assert folding.passes(record("a", asked(0)))
    assert not folding.passes(record("a", asked(1)))
    assert folding.passes(other := record("b", asked(1))) and other.path_told


def test_lines_without_a_path_are_told_some_times_before_they_are_counted():
    folding = Clocked()
    told = [folding.passes(record("SMS %d is left", None, 30, n)) for n in range(20)]
    assert told == [True] * 5 + [False] * 15
    (rest,) = folding.rest()
    assert rest.getMessage() == "… 15 times more in 0 s: SMS 0 is left"


def test_kinds_are_forgotten_before_they_fill_the_memory():
    folding = Clocked()
    for n in range(1200):
        assert folding.passes(record(f"kind {n}", failing()))
    assert len(folding._kinds) == 500


def test_what_was_counted_is_told_by_itself_and_at_the_end():
    stream = io.StringIO()
    handler = lines.Lines(stream, every_s=0.06)
    handler.setFormatter(lines.formatter("json", stream))
    for _ in range(10):
        handler.handle(record("cannot tidy", failing()))
    until = threading.Event()
    for _ in range(200):
        if "over: cannot tidy (10 times" in stream.getvalue():
            break
        until.wait(0.02)
    told = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert told[0] == "cannot tidy" and told[-1].startswith("over: ") and len(told) <= 3
    for _ in range(3):
        handler.handle(record("cannot send", failing()))
    handler.close()
    assert "… 2 times more" in stream.getvalue()


def test_a_thread_that_breaks_is_logged_without_what_it_says(monkeypatch, capfd):
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    handler = lines.handler("json")
    logging.captureWarnings(False)
    root, level = logging.getLogger("hailong"), logging.getLogger("hailong").level
    root.addHandler(handler)
    try:
        thread = threading.Thread(target=lambda: int(SECRET + "x"))
        thread.start()
        thread.join()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    printed = capfd.readouterr().err
    assert '"event": "defect in a thread", "failure": "ValueError"' in printed
    assert SECRET not in printed


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (b"0123456789abcdef0123456789abcdef", True),
        (b"0190163d-8694-739b-aea5-966c26f8ad90", True),
        (b"0912345678", False), (b"an@tinh.gov.vn", False), (b"", False), (None, False),
        (b"0123456789abcdef0123456789abcdef\n", False), ("é".encode() * 16, False),
    ],
)  # fmt: skip
def test_a_request_id_is_taken_only_in_a_shape_that_nobody_writes(given, taken):
    id = identified(given)
    assert (id.encode() == given) is taken
    assert taken or len(id) == 16


def test_of_an_address_scheme_and_host_are_told():
    assert server_of("https://an:pass@hooks.vn:8443/t/secret?k=1") == "https://hooks.vn"
    assert server_of("http://[::1") == "an address that is none"
