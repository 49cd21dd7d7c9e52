"""What holds for every request and answer: headers for browsers, and a limit on bodies."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import BodyTooLarge
from app.serving.bodies import SMALL, Bodies
from app.serving.problems import RequestCutOff, RequestTooSlow
from app.serving.protocol import TOO_SLOW

#: Scripts, styles and everything else from this server alone, nothing inline, in no frame.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # To other servers nothing; among our own pages a browser then tells a form's origin, too.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class SecurityHeaders:
    """Adds the headers at the start of every answer, those of failures too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
        self._names = frozenset(name for name, _ in self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given, more = message.get("headers", []), self._headers
                own = self._names.intersection([name.lower() for name, _ in given])
                if own:  # a page that inlines its styles names their hash in a policy of its own
                    more = [header for header in more if header[0] not in own]
                message["headers"] = [*given, *more]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class BodyLimit:
    """Reads no body further than a limit, whatever its headers say, and not too many at once.

    Raises ``BodyTooLarge``, or that it does not come, to whoever reads the body, within the
    application, so that the refusal is a problem like any other.
    """

    def __init__(self, app: ASGIApp, limit: int, bodies: Bodies) -> None:
        self._app, self._limit, self._bodies = app, limit, bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        declared = next((v for name, v in scope["headers"] if name == b"content-length"), b"0")
        too_long = declared.isdigit() and (len(declared) > 15 or int(declared) > self._limit)
        received, whole = 0, False

        async def limited() -> Message:
            nonlocal received, whole
            if too_long:
                raise BodyTooLarge(limit=self._limit)
            message = await receive()
            if whole:  # what comes after a body: that the caller has gone
                return message
            if message["type"] == "http.disconnect":
                raise RequestCutOff
            received += len(message.get("body", b""))
            if received > self._limit:
                raise BodyTooLarge(limit=self._limit)
            if received > SMALL:
                self._bodies.hold(scope, received)
            whole = not message.get("more_body", False)
            if not whole and scope.get("state", {}).get(TOO_SLOW):
                raise RequestTooSlow
            return message

        try:
            await self._app(scope, limited, send)
        finally:
            if received > SMALL:
                self._bodies.let_go(scope)
