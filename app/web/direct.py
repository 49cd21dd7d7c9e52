"""The way of responses past the framework's layers, which cost as much as what they are there for.

A request to the intake has one route, one door and a body that the room reads itself: it needs no
routing, no dependencies and no stack for what they opened. Nor does a citizen's form that stands
ready, which anybody may open. Whatever goes wrong is answered by the
very handlers that every other route has, called by the framework itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request, Exception], Awaitable[Response]]


#: Answers a request where all that it takes is at hand, as its route would; else None.
AtOnce = Callable[[Request], Response | None]


def past_layers(
    app: FastAPI, layers: ASGIApp, route: APIRoute, page: APIRoute, at_once: AtOnce
) -> ASGIApp:
    """The application with its layers, and past these what comes to one route without values.

    Besides what comes to a page that anybody may open, where ``at_once`` has an answer; the page's
    path begins as no other's, and ends with a value.
    """
    answer_directly = route.get_route_handler()
    path, methods = route.path, route.methods or set()
    pages = page.path.partition("{")[0]
    handlers = cast(dict[int | type[Exception], Handler], dict(app.exception_handlers))
    defects = handlers.pop(Exception)

    async def take(scope: Scope, receive: Receive, send: Send) -> None:
        directly: Callable[[Request], Awaitable[Response | None]]
        if scope["type"] != "http":
            await layers(scope, receive, send)
            return
        if scope["path"] == path and scope["method"] in methods:
            directly, scope["route"] = answer_directly, route
        elif scope["method"] == "GET" and scope["path"].startswith(pages):
            directly, scope["route"] = shown, page
        else:
            await layers(scope, receive, send)
            return
        scope["app"] = app
        try:
            response = await directly(Request(scope, receive, send))
        except Exception as error:  # noqa: BLE001 - whatever it is, the framework has its answer
            await _failing(error, handlers, defects)(scope, receive, send)
        else:
            await (layers if response is None else response)(scope, receive, send)

    async def shown(request: Request) -> Response | None:
        return at_once(request)

    return take


def _failing(
    error: Exception, handlers: Mapping[int | type[Exception], Handler], defects: Handler
) -> ASGIApp:
    """The framework's answer to an error, and to whoever asks what a defect was."""

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    return ServerErrorMiddleware(ExceptionMiddleware(fail, handlers), defects)
