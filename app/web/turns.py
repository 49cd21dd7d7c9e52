"""Turns: figures wait for figures, the pages of staff for one another, and nobody else for them.

Functions of routes run in forty threads that all routes share, and hold the interpreter's lock
while they compute. Sixty who ask for figures without end would have all of them, and the lock, and
the form, the kiosks and the intake would wait. So few figures are computed at once, and so many
pages that threads are left for everybody else, in any case; who finds too many before them is told
when to come again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from enum import StrEnum, auto

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import Problem
from app.serving.connections import network_of
from app.serving.places import Full, Places, Who, processors
from app.serving.problems import FiguresBusy, Overloaded
from app.settings import Settings

Answer = Callable[[Request, Problem], Awaitable[Response]]

#: Threads that pages may have at once, of forty; figures have some, and all others the rest.
PAGES_AT_ONCE = 16
#: Files of single responses at once, which have a thread as they leave.
EXPORTS_AT_ONCE = 4
#: Requests that wait for a place: of figures for each place, of pages and of exports in all.
_WAITING_FIGURES, _WAITING_PAGES, _WAITING_EXPORTS = 16, 200, 32


class Kind(StrEnum):
    """Kinds of requests that take turns."""

    FIGURES = auto()
    PAGES = auto()
    EXPORTS = auto()


#: Where figures are computed or drawn.
FIGURES = (
    "/api/v1/satisfaction", "/api/v1/response-rates", "/api/v1/views", "/api/v1/comments",
    "/api/v1/feed.csv", "/api/v1/exports", "/api/v1/reports", "/api/v1/stream", "/api/v1/posters",
    "/posters",
    "/dashboard", "/charts/", "/exports", "/public", "/wall/",
)  # fmt: skip
#: Where single responses leave as they are read; pages of them are there whole.
_EXPORTS = ("/api/v1/exports", "/api/v1/exports/anonymous")
#: What is always answered: the intake, form and kiosk, health, and what a browser needs for these.
#: Where a password is looked at there is a queue of its own.
FREE = (
    "/api/v1/responses", "/api/v1/fhir", "/api/v1/invitations", "/api/v1/pairings",
    "/api/v1/kiosk", "/oauth/", "/q/", "/i/", "/kiosk", "/static/", "/healthz", "/readyz",
    "/connection", "/problems/", "/language/",
    "/docs", "/openapi.json", "/sign-in", "/password/", "/profile/password",
)  # fmt: skip
#: The page of a citizen's reply, whose address other pages' begin with.
_REPLY = "/c"
_STREAM = "/stream"


def kind_of(path: str) -> Kind | None:
    """What a request takes turns with; None where it is always answered."""
    if path.startswith((*FREE, f"{_REPLY}/")) or path == _REPLY:
        return None
    if path.rstrip("/") in _EXPORTS:
        return Kind.EXPORTS
    return Kind.FIGURES if path.startswith(FIGURES) else Kind.PAGES


class Turns:
    """Has requests take turns, before the application looks at them.

    A place is given back once the answer begins, for then all is computed: whoever reads slowly
    keeps nobody waiting. Streams are counted besides until they end. Of exports the work begins
    with the answer: they have places of their own, until all of it has left.
    """

    def __init__(self, settings: Settings) -> None:
        at_once = settings.figures_at_once or max(2, processors())
        self.places = {
            Kind.FIGURES: Places(at_once, _WAITING_FIGURES * at_once, settings.figures_wait_s),
            Kind.PAGES: Places(PAGES_AT_ONCE, _WAITING_PAGES, settings.figures_wait_s),
            Kind.EXPORTS: Places(EXPORTS_AT_ONCE, _WAITING_EXPORTS, settings.figures_wait_s),
        }
        self._most_streams = settings.stream_limit
        self._streams: Counter[str] = Counter()
        self._cookie = f"{settings.session_cookie}=".encode()

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return self._streams.total()

    def around(self, app: ASGIApp, answer: Answer) -> ASGIApp:
        """The application with turns before it; ``answer`` shows a refusal."""

        async def take_turns(scope: Scope, receive: Receive, send: Send) -> None:
            kind = kind_of(scope["path"]) if scope["type"] == "http" else None
            if kind is None:
                await app(scope, receive, send)
                return
            try:
                if scope["path"].endswith(_STREAM):
                    await self._stream(app, scope, receive, send)
                else:
                    await self._in_turn(app, kind, scope, receive, send)
            except Full as full:
                problem = Overloaded if kind is Kind.PAGES else FiguresBusy
                response = await answer(Request(scope), problem(full.expected_s))
                await response(scope, receive, send)

        return take_turns

    async def _stream(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        network = self._who(scope).network
        # A hall of screens is one network.
        if self.streams >= self._most_streams or self._streams[network] * 2 >= self._most_streams:
            raise Full(expected_s=30)
        self._streams[network] += 1
        try:
            await self._in_turn(app, Kind.FIGURES, scope, receive, send)
        finally:
            self._streams[network] -= 1
            if not self._streams[network]:
                del self._streams[network]

    async def _in_turn(
        self, app: ASGIApp, kind: Kind, scope: Scope, receive: Receive, send: Send
    ) -> None:
        places = self.places[kind]
        turn = places.ask(self._who(scope))

        async def send_and_leave(message: Message) -> None:
            if message["type"] == "http.response.start" and kind is not Kind.EXPORTS:
                places.end(turn)
            await send(message)

        try:
            if not turn.given.done() and scope["method"] in ("GET", "HEAD"):
                receive = await _until_turn(turn.given, receive)
                if not turn.given.done():  # nobody is there any more
                    return
            await turn.given
            await app(scope, receive, send_and_leave)
        finally:
            places.end(turn)

    def _who(self, scope: Scope) -> Who:
        client = scope.get("client")
        network = network_of(client[0]) if client else ""
        for name, value in scope["headers"]:
            if name == b"authorization" or (name == b"cookie" and self._cookie in value):
                return Who(value, network)
        return Who(network, network)


async def _until_turn(given: asyncio.Future[None], receive: Receive) -> Receive:
    """Wait for the turn, or for the caller to go; what was read meanwhile is read again."""
    read: list[Message] = []

    async def look() -> None:
        while not read or not read[-1].get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            read.append(message)
        return await asyncio.Future()  # a body to a question: it is not read ahead

    gone = asyncio.create_task(look())
    try:
        await asyncio.wait({given, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()

    async def again() -> Message:
        return read.pop(0) if read else await receive()

    return again
