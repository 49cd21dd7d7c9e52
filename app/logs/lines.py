"""From records of the standard library's logging to lines: readable, or JSON, by structlog."""

from __future__ import annotations

import copy
import logging
import re
import sys
import threading
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

from app.logs.failures import described, place_of, traced
from app.logs.folding import EVERY_S, Folding
from app.logs.requests import REQUEST_ID

Form = Literal["auto", "json", "text"]
Level = Literal["debug", "info", "warning", "error"]

#: Fields that lines of ours may carry besides the event.
FIELDS = ("method", "route", "status", "ms", "times", "task", "destination")
#: Whose sentences are known; of all others' only those parts that do not vary are told.
_KNOWN = ("hailong", "uvicorn", "alembic")
#: How a failure begins where it comes as text.
_TRACEBACK = "Traceback (most recent call last):"
_MOST_STEPS = 10
_WARNED = re.compile(r"^(.*?:\d+: \w+):", re.DOTALL)


class Lines(logging.StreamHandler[TextIO]):
    """Writes records as lines, without what may be about a person, repeated failures folded."""

    def __init__(self, stream: TextIO | None = None, every_s: float = EVERY_S) -> None:
        super().__init__(stream or sys.stderr)
        self._folding = Folding(every_s)
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record now, or count it."""
        try:
            shown = _without_values(record)
            passes = shown is not None and self._folding.passes(shown)
        except Exception:  # noqa: BLE001 - a line that cannot be made must not fail its writer
            self.handleError(record)
            return
        if shown is not None and passes:
            super().emit(shown)
        self._look_again()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's word
        """Leave the line out; the library would write out what was to be in it."""

    def tell_due(self) -> None:
        """Tell what was counted, if its minute is over."""
        with self.lock or threading.RLock():
            self._timer = None
            for line in self._folding.due():
                super().emit(line)
            self._look_again()

    def tell_rest(self) -> None:
        """Tell what was counted so far."""
        with self.lock or threading.RLock():
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            for line in self._folding.rest():
                super().emit(line)

    def close(self) -> None:
        """Tell what was counted so far, then end."""
        self.tell_rest()
        super().close()

    def _look_again(self) -> None:
        if self._timer is None and self._folding.waits:
            self._timer = threading.Timer(self._folding.every_s / 6, self.tell_due)
            self._timer.daemon = True
            self._timer.start()


def handler(form: Form = "auto", every_s: float = EVERY_S) -> Lines:
    """The handler of a process; from here on, what breaks outside of requests goes by it, too."""
    lines = Lines(every_s=every_s)
    lines.setFormatter(formatter(form, lines.stream))
    threading.excepthook = _of_thread
    sys.unraisablehook = _unraisable
    logging.captureWarnings(True)
    return lines


def formatter(form: Form, stream: TextIO) -> logging.Formatter:
    """How a record becomes a line; by itself readable on a terminal, and JSON elsewhere."""
    if form == "auto":
        form = "text" if stream.isatty() else "json"
    render: list[Any] = (
        [structlog.processors.JSONRenderer(ensure_ascii=False, default=_unknown)]
        if form == "json"
        else [_as_text]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(FIELDS)],
        processors=[_fields, structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
    )


def config(form: Form, level: Level) -> dict[str, Any]:
    """What ``logging.config.dictConfig`` takes, here and in every process of the server.

    Only our own loggers speak at the level that is asked for: others tell headers and addresses
    where they tell much.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"lines": {"()": "app.logs.lines.handler", "form": form}},
        "root": {"handlers": ["lines"], "level": "WARNING"},
        "loggers": {
            "hailong": {"level": level.upper()},
            "alembic": {"level": at_least_info(level).upper()},
            "uvicorn": {"level": at_least_info(level).upper()},
            "uvicorn.access": {"level": "CRITICAL", "propagate": False},
            # At INFO it writes out every address that it calls.
            "httpx": {"level": "WARNING"},
        },
    }


def at_least_info(level: Level) -> Literal["info", "warning", "error"]:
    """A level for others' loggers."""
    return "info" if level == "debug" else level


def tell_rest() -> None:
    """Tell what was counted, for the process is about to end."""
    for each in logging.getLogger().handlers:
        if isinstance(each, Lines):
            each.tell_rest()


def _without_values(record: logging.LogRecord) -> logging.LogRecord | None:
    """The record as it may be told; None where it tells nothing that may be."""
    if record.name == "uvicorn.error" and '"WebSocket' in str(record.msg):
        return None  # an address, a path and a query
    shown = copy.copy(record)
    arguments = record.args if isinstance(record.args, tuple) else ()
    if record.name.partition(".")[0] in _KNOWN:
        shown.args = tuple(
            described(each) if isinstance(each, BaseException) else each for each in arguments
        )
        shown.msg = described(record.msg) if isinstance(record.msg, BaseException) else record.msg
        if isinstance(shown.msg, str) and _TRACEBACK in shown.msg:
            shown.msg = _without_message(shown.msg)
        return shown
    if record.name == "py.warnings":
        warned = _WARNED.match(str(arguments[0] if arguments else record.msg))
        shown.msg, shown.args = warned[1] if warned else "a warning", None
        return shown
    # Sentences of libraries: further lines describe objects, and what stands in them may be theirs.
    shown.msg = str(record.msg).partition("\n")[0]
    shown.args = tuple(each if isinstance(each, int | float) else _Hidden() for each in arguments)
    try:
        shown.getMessage()
    except (TypeError, ValueError):  # it wants numbers
        shown.args = None
    return shown


def _without_message(traceback: str) -> str:
    """A traceback that came as text, as of a start that failed: its steps, and the last kind."""
    steps, kind = [], ""
    for line in traceback.splitlines():
        if line.startswith('  File "'):
            steps.append(line.strip())
            kind = ""
        elif steps and not kind and line[:1].isidentifier():  # the first line after the last step
            kind = line.partition(":")[0]
    return "\n".join([kind or "a failure", *steps[-_MOST_STEPS:]])


class _Hidden:
    """Stands for a value that is not told."""

    def __str__(self) -> str:
        return "…"

    __repr__ = __str__


def _fields(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The fields of a line, in their order."""
    record: logging.LogRecord = event["_record"]
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")
    line: dict[str, Any] = dict(stamp(None, "", {}))
    line |= {"level": record.levelname.lower(), "logger": record.name, "event": event["event"]}
    request = REQUEST_ID.get()
    if request is not None:
        line["request_id"] = request
    line |= {name: event[name] for name in FIELDS if name in event}
    error = event["exc_info"][1] if event.get("exc_info") else None
    if error is not None:
        line |= {"failure": described(error), "place": place_of(error)}
        if not getattr(record, "path_told", False):
            line["traceback"] = traced(error)
    return line | {name: event[name] for name in ("_record", "_from_structlog")}


def _as_text(_logger: object, _name: str, event: MutableMapping[str, Any]) -> str:
    """A line as a person reads it; a failure's path stands below."""
    line = f"{event.pop('time')} {event.pop('level'):<7} {event.pop('logger')}: "
    line += str(event.pop("event")).replace("\n", " ")
    path = event.pop("traceback", None)
    rest = " ".join(f"{name}={value}" for name, value in event.items())
    return line + (f" [{rest}]" if rest else "") + (f"\n{path}" if path else "")


def _unknown(value: object) -> str:
    return type(value).__name__


def _of_thread(arguments: threading.ExceptHookArgs) -> None:
    error = arguments.exc_value
    if error is not None and not isinstance(error, SystemExit):
        logging.getLogger("hailong").error("defect in a thread", exc_info=error)


def _unraisable(arguments: Any) -> None:
    logging.getLogger("hailong").error(
        "defect where nobody could be told", exc_info=arguments.exc_value
    )
