"""What SMS are handed over to: an HTTP gateway, or a file for a trial."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Protocol

import httpx

from app.calling import status_of
from app.dead_letters import reason_of
from app.settings import Settings

#: For each step of a call, and for all of it: an answer may come a byte at a time.
_TIMEOUT_S, DEADLINE_S = 15, 45

#: With these nothing has left this machine.
_NEVER_ARRIVED = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
    httpx.PoolTimeout,
    httpx.ProxyError,
    # A name that cannot be looked up.
    UnicodeError,
)
#: The gateway says that it may take the message later.
_LATER = (408, 425, 429)
#: A proxy says that it waited in vain for the gateway, which may have taken it.
_PERHAPS = 504


class NotTakenError(Exception):
    """The gateway did not take the message, for sure: it may be tried again."""


class RefusedError(Exception):
    """The gateway will never take the message."""


class SmsGateway(Protocol):
    """Hands one message over."""

    def send(self, phone: str, body: str) -> None:
        """Send a message.

        Raises ``NotTakenError`` where it was surely not sent, ``RefusedError`` where it never will
        be, and anything else where nobody knows.
        """


class FileOutbox:
    """Writes messages to a file instead of sending them: for a trial."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def send(self, phone: str, body: str) -> None:
        """Append a line of JSON, all of it or nothing."""
        try:
            line = (json.dumps({"to": phone, "text": body}, ensure_ascii=False) + "\n").encode()
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(kept, "ab", buffering=0) as stream:
                before = stream.seek(0, 2) if stream.seekable() else 0
                try:
                    if stream.write(line) != len(line):
                        raise OSError("the disk is full")
                except OSError:
                    with suppress(OSError):
                        stream.truncate(before)
                    raise
        except (OSError, ValueError) as error:
            raise NotTakenError(reason_of(error, phone)) from error


class HttpGateway:
    """Posts ``{"to", "text", "from"}`` as JSON with a bearer token, as most gateways take it."""

    def __init__(self, url: str, token: str, sender: str) -> None:
        self._url, self._token, self._sender = url, token, sender

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        """Whose certificates are believed; to read them takes as long as a call."""
        return httpx.create_ssl_context()

    def send(self, phone: str, body: str) -> None:
        """Send a message; what the gateway refuses, or never received, was not taken."""
        try:
            request = httpx.Request(
                "POST",
                self._url,
                json={"to": phone, "text": body, "from": self._sender},
                headers={"Authorization": f"Bearer {self._token}"} if self._token else {},
            )
        except Exception as error:  # nothing has left this machine, whatever it is
            raise NotTakenError(reason_of(error, phone, self._token)) from error
        try:
            # Within a thread of its own, which has no event loop.
            status = asyncio.run(status_of(request, self._trusted, _TIMEOUT_S, DEADLINE_S))
        except _NEVER_ARRIVED as error:
            raise NotTakenError(reason_of(error, phone, self._token)) from error
        if status in _LATER or (status >= 500 and status != _PERHAPS):
            raise NotTakenError(f"HTTP {status}")
        if status == _PERHAPS:
            raise TimeoutError(f"HTTP {status}")
        if not httpx.codes.is_success(status):
            raise RefusedError(f"HTTP {status}")


def gateway(settings: Settings) -> SmsGateway | None:
    """The gateway of the settings; none where SMS wait for one to be set up."""
    if settings.sms_url:
        return HttpGateway(settings.sms_url, settings.sms_token, settings.sms_sender)
    return FileOutbox(settings.sms_outbox) if settings.sms_outbox else None
