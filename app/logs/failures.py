"""What may be told of a failure: kind, place and path, and not what it says.

An exception's message quotes what could not be taken: a telephone number, a comment, an address
with a token in it. So only messages of sorts that speak of the machine are told.
"""

from __future__ import annotations

import os
import sqlite3
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType

import psycopg

_HERE = Path(__file__).parents[2]
#: Folders whose files are ours.
_OURS = tuple(str(_HERE / name) + os.sep for name in ("app", "analysis", "surveys", "migrations"))
#: The last steps that are told of a long path, as of an endless recursion, and failures in a row.
_MOST_STEPS, _MOST_CAUSES = 40, 6
#: Speak of files, locks, space and connections, never of values.
_OF_THE_MACHINE = (sqlite3.OperationalError, psycopg.OperationalError)
_LONGEST = 200
#: What SQLite puts around words of a statement.
_QUOTES = set("\"'[")


def kind_of(error: BaseException) -> str:
    """The full name of a failure's class."""
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"


def described(error: BaseException) -> str:
    """A failure in one line: kind, numbers that it carries, and what it rests on."""
    told = [_alone(error)]
    for cause in _causes(error):
        told.append(_alone(cause))
    return ", from ".join(told)


def place_of(error: BaseException) -> str:
    """Where a failure arose: the last step in code of ours, or the last one at all."""
    last: tuple[FrameType, int] | None = None
    ours = False
    for frame, line in traceback.walk_tb(error.__traceback__):
        if (of_us := frame.f_code.co_filename.startswith(_OURS)) or not ours:
            last, ours = (frame, line), of_us
    if last is None:
        return "?"
    code = last[0].f_code
    return f"{shortened(code.co_filename)}:{last[1]} {code.co_name}"


def traced(error: BaseException) -> str:
    """The path to a failure, and to those that it rests on, first causes first."""
    parts = []
    for each in [*reversed(list(_causes(error))), error]:
        parts.append(_path(each.__traceback__) + _alone(each))
    return "\n\nand from that:\n".join(parts)


def shortened(file: str) -> str:
    """A file of ours by its place in the source, another one by its last two names."""
    if file.startswith(_OURS):
        return str(Path(file).relative_to(_HERE))
    return "/".join(Path(file).parts[-2:])


def _path(steps: TracebackType | None) -> str:
    told = ""
    for step in traceback.extract_tb(steps, limit=-_MOST_STEPS):
        told += f"  {shortened(step.filename)}:{step.lineno} {step.name}\n"
        told += f"    {step.line}\n" if step.line else ""
    return told


def _alone(error: BaseException) -> str:
    said = kind_of(error)
    # What the class is known by; an instance's own "code" may be somebody's.
    known_by = getattr(type(error), "code", None), getattr(error, "sqlstate", None)
    status = getattr(getattr(error, "response", error), "status_code", None)
    said += "".join(f" {each}" for each in known_by if isinstance(each, str))
    said += f" {status}" if isinstance(status, int) else ""
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return f"{said}: {os.strerror(error.errno)}"
    message = str(error).partition("\n")[0] if isinstance(error, _OF_THE_MACHINE) else ""
    if isinstance(error, psycopg.OperationalError) or (message and not _QUOTES & set(message)):
        return f"{said}: {message[:_LONGEST]}"
    if isinstance(error, BaseExceptionGroup):
        return f"{said} of " + ", ".join(_alone(each) for each in error.exceptions[:_MOST_CAUSES])
    return said


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What a failure rests on, the nearest first."""
    seen = {id(error)}
    while len(seen) <= _MOST_CAUSES:
        cause = error.__cause__
        if cause is None and not error.__suppress_context__:
            cause = error.__context__
        if cause is None or id(cause) in seen:
            return
        seen.add(id(cause))
        yield cause
        error = cause
