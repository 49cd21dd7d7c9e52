"""Heads of answers, of which nearly every line was sent before.

Uvicorn looks at each header of each answer, by two expressions, and puts it together from four
pieces. Seven of ours are the same with every answer, and looking at them takes as long as reading
a whole response. So such a line is remembered once it was found to be good, and the date as long as
it is sent; what says how a body ends, and whatever is unusual, is left to uvicorn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent, HTTPResponseBodyEvent, HTTPResponseStartEvent

_LENGTH = b"content-length"
#: What uvicorn has to look at: by these it knows how a body ends and whether the connection stays.
_UVICORNS = frozenset((b"transfer-encoding", b"connection"))
#: What has few values, whoever asks for what.
_OF_FEW_VALUES = frozenset((
    b"cache-control", b"content-encoding", b"content-language", b"content-security-policy",
    b"content-type",
    b"cross-origin-opener-policy", b"cross-origin-resource-policy", b"permissions-policy",
    b"referrer-policy", b"server", b"vary", b"x-content-type-options", b"x-frame-options",
))  # fmt: skip
_MOST_LINES = 200
_lines: dict[tuple[bytes, bytes], bytes] = {}
#: Names that were found to be good, and how they are sent.
_names: dict[bytes, bytes] = {}
_DATE = b"date"


class QuickCycle(RequestResponseCycle):
    """One request and its answer, which leaves as a whole where it is one: with its head apart it
    would be given to the system twice.
    """

    #: The head that waits for its body.
    _held = b""

    async def send(self, message: ASGISendEvent) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start" and not self.response_started:
            head = self._head(message)
            if head is not None:
                self.response_started, self.waiting_for_100_continue = True, False
                self.chunked_encoding, self._held = False, head
                return
        if self._held:
            head, self._held = self._held, b""
            if message["type"] == "http.response.body" and self._is_whole(message):
                self.expected_content_length = 0
                self.transport.write(head + message.get("body", b""))
                self.response_complete = True
                self.message_event.set()
                self.on_response()
                return
            if not self.disconnected:
                self.transport.write(head)
        await super().send(message)

    def _is_whole(self, message: HTTPResponseBodyEvent) -> bool:
        """Whether this is all of the body, and the connection goes on."""
        return (
            not message.get("more_body", False)
            and len(message.get("body", b"")) == self.expected_content_length
            and self.keep_alive
            and not self.disconnected
            and not self.flow.write_paused
        )

    def _head(self, message: HTTPResponseStartEvent) -> bytes | None:
        """The head as uvicorn would send it; None where it has to look itself."""
        if not self.keep_alive or self.access_log or self.scope["method"] == "HEAD":
            return None
        if self.disconnected or self.flow.write_paused:
            return None
        length = None
        made = [STATUS_LINE[message["status"]]]
        for header in (*self.default_headers, *message.get("headers", ())):
            line = _lines.get(header if type(header) is tuple else (header[0], header[1]))
            if line is None:
                name, value = header
                small = _names.get(name) or _checked(name)
                if small is None or not _is_good(value):
                    return None
                line = b"%b: %b\r\n" % (small, value)
                if small == _LENGTH:
                    if length is not None:
                        return None
                    length = int(value)
                else:
                    _remember(name, value, small, line)
            made.append(line)
        if length is None:
            return None
        self.expected_content_length = length
        made.append(b"\r\n")
        return b"".join(made)


def _checked(name: bytes) -> bytes | None:
    """A header's name as it is sent; None where uvicorn has to look itself."""
    small = name.lower()
    if small in _UVICORNS or HEADER_RE.search(name):
        return None
    if len(_names) < _MOST_LINES:
        _names[name] = small
    return small


def _is_good(value: bytes) -> bool:
    """Whether uvicorn sends a value; of what can be printed it need not be asked."""
    return (value.isascii() and value.decode().isprintable()) or not HEADER_VALUE_RE.search(value)


def _remember(name: bytes, value: bytes, small: bytes, line: bytes) -> None:
    """Keep a line that is sent again; of dates the one of now."""
    if small == _DATE:
        for past in [each for each in _lines if each[0] == name]:
            del _lines[past]
        _lines[name, value] = line
    elif small in _OF_FEW_VALUES and len(_lines) < _MOST_LINES:
        _lines[name, value] = line
