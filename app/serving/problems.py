"""What is refused before anything is looked at, and as which bytes without an application."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from random import SystemRandom

from app.messages import preferred
from app.problems import MEDIA_TYPE, Problem

_chance = SystemRandom()
#: Within these seconds whoever was refused is told to come again.
_LEAST_S, _MOST_S = 2, 60
#: A server that is started again takes requests within these seconds, mostly.
_AFTER_START_S = 10


class RequestTooSlow(Problem):
    """The request did not arrive whole in time; nothing was done, send it again."""

    code, status, passing = "request-too-slow", 408, True

    def __init__(self) -> None:
        super().__init__(headers={"Connection": "close"})


class RequestCutOff(Problem):
    """The connection ended before the body was complete; nothing was done, send it again."""

    code, status, passing = "request-cut-off", 400, True


class MalformedRequest(Problem):
    """What arrived is no request of HTTP."""

    code, status = "malformed-request", 400


class HeadTooLarge(Problem):
    """The head of the request has more bytes than the server takes."""

    code, status = "head-too-large", 431


class Overloaded(Problem):
    """The server holds as many requests as it can; nothing was looked at, come again."""

    code, status, passing = "overloaded", 503, True

    def __init__(self, expected_s: float = 0) -> None:
        seconds = retry_after(expected_s)
        super().__init__(headers={"Retry-After": str(seconds)}, retry_after=seconds)


class FiguresBusy(Overloaded):
    """Many ask for figures at this moment; nothing was computed, come again."""

    code = "figures-busy"


class ServerEnding(Problem):
    """The server is being stopped; whether anything was done is not known, send the same again."""

    code, status, passing = "server-ending", 503, True

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(_AFTER_START_S)}, retry_after=_AFTER_START_S)


def retry_after(expected_s: float) -> int:
    """Seconds to come again after: what the queue will take, spread over as long again.

    Those who are refused in one moment do not come back in one.
    """
    begins = min(max(expected_s, _LEAST_S), _MOST_S)
    return math.ceil(_chance.uniform(begins, 2 * begins))


#: What a browser shows without any other file; styles the policy of all pages forbids here.
_PAGE = (
    '<!DOCTYPE html><html lang="{language}"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>{title}</title>'
    "<h1>{title}</h1><p>{detail}</p></html>\n"
)


def as_bytes(
    problem: Problem, accept_language: str | None, headers: Mapping[str, str], *, page: bool = False
) -> bytes:
    """The whole answer that carries a problem, after which the connection is closed.

    As a ``page`` for who reads it, else as JSON.
    """
    language = preferred(accept_language)
    if page:
        values = {"title": problem.title(language), "detail": problem.detail(language)}
        text = _PAGE.format(language=language, **{k: escape(v) for k, v in values.items()})
    else:
        text = json.dumps(problem.document(language), ensure_ascii=False)
    body = text.encode()
    lines = {
        "Content-Type": "text/html; charset=utf-8" if page else MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Content-Language": language,
        "Cache-Control": "no-store",
        **headers,
        **problem.headers,
        "Connection": "close",
    }
    status = HTTPStatus(problem.status)
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n{head}\r\n".encode() + body
