"""Where heads go to: a file, mail, syslog, or an address that is called."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from app.audit.heads import Head
from app.calling import status_of
from app.logs.requests import server_of
from app.mail import send_mail
from app.settings import Settings

#: What a destination may fail with; each is counted and tried again.
FAILURES = (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL)
#: For each step, and for all of a call: an answer may come a byte at a time, and is not to keep
#: heads from leaving by the other ways.
_TIMEOUT_S, _DEADLINE_S = 15, 30
#: Of RFC 5424: log audit (13), notice (5).
_PRIORITY = 13 * 8 + 5
_PORTS = {"syslog+udp": 514, "syslog+tcp": 601, "syslog+tls": 6514}


class Destination(Protocol):
    """One place; ``name`` is what may be told of it."""

    @property
    def name(self) -> str:
        """What it is called, without names of persons and without secrets."""

    def send(self, head: Head) -> None:
        """Have a head there. Raises one of ``FAILURES`` where it did not arrive."""


@dataclass(frozen=True)
class File:
    """Heads are appended, each durably."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name."""
        return f"file {self.path.name}"

    def send(self, head: Head) -> None:
        """Append a line, on a line of its own also after one that a full disk broke off."""
        new = not self.path.exists()
        end = os.O_RDWR | os.O_APPEND | os.O_CREAT
        with os.fdopen(os.open(self.path, end, 0o600), "r+b") as stream:
            size = os.fstat(stream.fileno()).st_size
            broken = size > 0 and os.pread(stream.fileno(), 1, size - 1) != b"\n"
            stream.write((b"\n" if broken else b"") + head.line.encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        if new:
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


@dataclass(frozen=True)
class Mail:
    """A mail a head; the mailbox keeps them in order of time."""

    address: str
    settings: Settings

    @property
    def name(self) -> str:
        """That it is mail; whose, the settings tell."""
        return "mail"

    def send(self, head: Head) -> None:
        """Hand a mail to the mail server."""
        if not self.settings.mail_server:
            raise ValueError("no mail server is set")
        message = EmailMessage()
        message["Subject"] = f"Hài Lòng: audit log at entry {head.entry}"
        message["From"] = self.settings.mail_from
        message["To"] = self.address
        message.set_content(
            "Keep this mail. It proves what the audit log was when it was sent:\n"
            f"hailong audit verify --heads FILE\n\n{head.line}\n",
            cte="7bit",  # no line is broken
        )
        send_mail(self.settings, message)


@dataclass(frozen=True)
class Syslog:
    """A message by RFC 5424; over TCP and TLS each is counted (RFC 6587, 5425)."""

    place: SplitResult

    @property
    def name(self) -> str:
        """The way, and the host."""
        return f"{self.place.scheme} {self.place.hostname or self.place.path}"

    def send(self, head: Head) -> None:
        """Send a message. Over UDP nobody tells whether it arrived."""
        if self.place.scheme == "syslog":
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as local:
                local.settimeout(_TIMEOUT_S)
                local.connect(self.place.path)
                local.send(f"<{_PRIORITY}>hailong[{os.getpid()}]: {head.line}".encode())
            return
        host, port = self.place.hostname or "", self.place.port or _PORTS[self.place.scheme]
        said = f"<{_PRIORITY}>1 {head.told_at.isoformat()} {socket.gethostname() or '-'} hailong "
        message = f"{said}{os.getpid()} audit-head - {head.line}".encode()
        if self.place.scheme == "syslog+udp":
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_DGRAM
            )[0]
            with socket.socket(family, kind, protocol) as sender:
                sender.sendto(message, address)
            return
        with socket.create_connection((host, port), timeout=_TIMEOUT_S) as plain:
            counted = f"{len(message)} ".encode() + message
            if self.place.scheme == "syslog+tcp":
                plain.sendall(counted)
                return
            context = ssl.create_default_context()
            with context.wrap_socket(plain, server_hostname=host) as sealed:
                sealed.sendall(counted)


@dataclass(frozen=True)
class Webhook:
    """A call with the head as its body."""

    url: str

    @property
    def name(self) -> str:
        """Scheme and host: the rest may hold a token."""
        return server_of(self.url)

    def send(self, head: Head) -> None:
        """Make the call; only an answer of success counts."""
        headers = {"Content-Type": "application/json"}
        request = httpx.Request("POST", self.url, content=head.line, headers=headers)
        trusted = httpx.create_ssl_context()
        # Within a thread of its own, which has no event loop.
        status = asyncio.run(status_of(request, trusted, _TIMEOUT_S, _DEADLINE_S))
        if not httpx.codes.is_success(status):
            raise httpx.HTTPStatusError("", request=request, response=httpx.Response(status))


def destinations(settings: Settings) -> Sequence[Destination]:
    """The places of the settings, in their order."""
    return [_destination(place, settings) for place in settings.audit_heads.split()]


def kept_here(settings: Settings) -> list[Path]:
    """The files on this machine that heads are appended to."""
    return [each.path for each in destinations(settings) if isinstance(each, File)]


def _destination(place: str, settings: Settings) -> Destination:
    parts = urlsplit(place)
    if parts.scheme == "file":
        return File(Path(unquote(parts.path)))
    if parts.scheme == "mailto":
        return Mail(unquote(parts.path), settings)
    if parts.scheme.startswith("syslog"):
        return Syslog(parts)
    return Webhook(place)
