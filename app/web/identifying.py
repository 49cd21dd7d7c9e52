"""Gives each request an id, by which its lines in the log are found, and logs accesses."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs.requests import REQUEST_ID, identified, route_of
from app.problems import TOLD

log = logging.getLogger("hailong.access_log")
defects = logging.getLogger("hailong")

HEADER = "X-Request-ID"
_NAME = HEADER.lower().encode()
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class RequestIds:
    """Binds the id while a request is answered, and gives it back with every answer.

    With an access log each answer is a line: method, route without its values, status, time. Who
    asked, and for what in particular, is not in it.
    """

    def __init__(self, app: ASGIApp, access_log: bool = False) -> None:
        self._app, self._access_log = app, access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = None
        for name, value in scope["headers"]:
            if name == _NAME:
                given = value
                break
        id = identified(given)
        header = (_NAME, id.encode())
        begun, status, ended = time.perf_counter(), 0, False

        async def send_with_id(message: Message) -> None:
            nonlocal status, ended
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), header]
            await send(message)
            ended = message["type"] == "http.response.body" and not message.get("more_body")

        bound = REQUEST_ID.set(id)
        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            # The framework hands on what it has answered, for the server to log once more and to
            # close the connection, on which the next request may be on its way.
            if not ended:
                raise
            if TOLD not in scope:
                defects.error("defect after an answer of %s", route_of(scope), exc_info=error)
        finally:
            if self._access_log:
                _log_access(scope, status, time.perf_counter() - begun)
            REQUEST_ID.reset(bound)


def _log_access(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in _METHODS else "other"
    log.info(
        "answered",
        extra={
            "method": method,
            "route": route_of(scope),
            "status": status,
            "ms": round(1000 * seconds, 1),
        },
    )
