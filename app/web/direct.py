"""The way of responses past the framework's layers, which cost as much as what they are there for.

A request to the intake has one route, one door and a body that the room reads itself: it needs no
routing, no dependencies and no stack for what they opened. Whatever goes wrong is answered by the
very handlers that every other route has, called by the framework itself. (A citizen's form that
stands ready goes past the layers of the service, too: ``app.web.citizen.opening``.)
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


def past_layers(app: FastAPI, layers: ASGIApp, route: APIRoute) -> ASGIApp:
    """The application with its layers, and past these what comes to one route without values."""
    answer_directly = route.get_route_handler()
    path, methods = route.path, route.methods or set()
    handlers = cast(dict[int | type[Exception], Handler], dict(app.exception_handlers))
    defects = handlers.pop(Exception)

    async def take(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != path or scope["method"] not in methods:
            await layers(scope, receive, send)
            return
        scope["app"], scope["route"] = app, route
        try:
            response = await answer_directly(Request(scope, receive, send))
        except Exception as error:  # noqa: BLE001 - whatever it is, the framework has its answer
            await _failing(error, handlers, defects)(scope, receive, send)
        else:
            await response(scope, receive, send)

    return take


def _failing(
    error: Exception, handlers: Mapping[int | type[Exception], Handler], defects: Handler
) -> ASGIApp:
    """The framework's answer to an error, and to whoever asks what a defect was."""

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    return ServerErrorMiddleware(ExceptionMiddleware(fail, handlers), defects)
