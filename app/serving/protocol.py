"""HTTP on one connection, with an end to everybody's patience.

Uvicorn waits for ever for the rest of a head or a body, and for a reader who does not read: some
hundred such connections take all files of the process, and with them its health check and the
intake. A proxy would keep them off; this server stands without one, too. So uvicorn's own
protocol is given deadlines here, a bound for heads, a place among ``Connections``, and problems
as answers; what it does with whole requests is left as it is.
"""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios
from enum import Enum, auto
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from app.problems import Problem
from app.serving.connections import Connections, network_of
from app.serving.heads import QuickCycle
from app.serving.problems import (
    HeadTooLarge,
    MalformedRequest,
    Overloaded,
    RequestTooSlow,
    as_bytes,
)

#: Under this name the process's connections stand in the state of its lifespan.
CONNECTIONS = "connections"
#: What tells whoever reads the body that it will not come; stands in the state of the request.
TOO_SLOW = "request_too_slow"
MOST_HEAD = 64 * 1024
#: Time to answer a body that is late; whoever has not read it by then is cut off.
_LAST_S = 5.0


class _State(Enum):
    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    #: The body is overdue, and whoever reads it was told.
    LATE = auto()
    WHOLE = auto()


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with deadlines and bounds; given to it as ``http``."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all: Connections = app_state[CONNECTIONS]
        self._limits = self._all.limits
        self.network = ""
        self.since = self.loop.time()
        self._state = _State.HEAD
        self._received = 0
        # Since when a reader has been waited for, and how much it had not taken then.
        self._writing_since: float | None = None
        self._left = 0

    # --- what uvicorn's event loop calls ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place, or refuse at once."""
        super().connection_made(transport)
        self.network = network_of(self.client[0]) if self.client else ""
        if not self._all.admit(self):
            self._refuse(Overloaded())

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._all.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count a head's bytes; whatever comes after an answer begins one, empty lines too."""
        if self.transport.is_closing():
            return
        if self._state is _State.IDLE:
            self._begin(_State.HEAD)
        if self._state is _State.HEAD:
            self._received += len(data)
        super().data_received(data)
        if self._state is _State.HEAD and self._received > MOST_HEAD:
            self._refuse(HeadTooLarge(limit=MOST_HEAD))

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        if self._state is not _State.HEAD:
            self._begin(_State.HEAD)

    def on_headers_complete(self) -> None:
        """The head is there, the body begins."""
        self._begin(_State.BODY)
        super().on_headers_complete()
        self.cycle.__class__ = QuickCycle
        if self.parser.should_upgrade():  # to nothing: it is answered as if it had not asked
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Count a body's bytes."""
        self._received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there as a whole."""
        self._state = _State.WHOLE
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it has come already."""
        waits = not self.pipeline
        super().on_response_complete()
        if waits and self._state is _State.WHOLE:
            self._begin(_State.IDLE)

    # --- what uvicorn would answer by itself ---

    def send_400_response(self, msg: str) -> None:
        """Answer by a problem, unless another answer is under way."""
        self._refuse(MalformedRequest())

    def _unsupported_upgrade_warning(self) -> None:
        """Nothing: anybody could fill the log by asking."""

    def resume_writing(self) -> None:
        """The reader has taken what there was."""
        self._writing_since = None
        super().resume_writing()

    # --- what Connections calls ---

    def place_in_leaving(self) -> int | None:
        """First who waits between requests or has not told one, then whose body is missing."""
        if self._state in (_State.BODY, _State.LATE) or self._writing_since is not None:
            return 1
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        return 0

    def look(self, now: float) -> str | None:
        """End what is overdue, and say what for."""
        if self.flow.write_paused or self.transport.is_closing():
            return self._look_at_reader(now)
        if self._state is _State.HEAD and now - self.since > self._limits.head_s:
            if self._received:
                self._refuse(RequestTooSlow())
            else:  # never a byte: there is nothing to answer
                self.transport.close()
            return "without a head"
        if self._state is _State.BODY:
            return self._look_at_body(now)
        if self._state is _State.LATE and now - self.since > _LAST_S:
            self.abort()
        return None

    def unread(self) -> int:
        """Bytes in memory that the reader has not taken."""
        if self._writing_since is None:
            return 0
        return self.transport.get_write_buffer_size()

    def abort(self) -> None:
        """Close at once, whatever was to be sent."""
        self.transport.abort()

    # ---

    def _begin(self, state: _State) -> None:
        self._state, self.since, self._received = state, self.loop.time(), 0

    def _look_at_body(self, now: float) -> str | None:
        if self.flow.read_paused:  # it waits for us
            self.since, self._received = now, 0
            return None
        if now - self.since <= self._limits.body_s + self._received / self._limits.byte_rate:
            return None
        self._state, self.since = _State.LATE, now
        self.scope["state"][TOO_SLOW] = True
        self.cycle.message_event.set()
        return "without a body"

    def _look_at_reader(self, now: float) -> str | None:
        left = self.transport.get_write_buffer_size() + self._on_the_way()
        if self._writing_since is None:
            self._writing_since, self._left = now, left
            return None
        taken = max(0, self._left - left)
        if now - self._writing_since <= self._limits.reader_s + taken / self._limits.byte_rate:
            return None
        self.abort()
        return "not read"

    def _on_the_way(self) -> int:
        """Bytes that the system holds for the reader: they tell of one that reads slowly."""
        socket = self.transport.get_extra_info("socket")
        try:
            found = fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
        except (OSError, ValueError, AttributeError):  # closed meanwhile, or no socket
            return 0
        return int(struct.unpack("i", found)[0])

    def _refuse(self, problem: Problem) -> None:
        """Answer by a problem, where no answer has begun, and close."""
        if self.cycle is None or self.cycle.response_complete:
            page = "text/html" in (self._header(b"accept") or "")
            language = self._header(b"accept-language")
            self.transport.write(as_bytes(problem, language, self._all.headers, page=page))
        self.transport.close()

    def _header(self, asked: bytes) -> str | None:
        """A header of the request, as far as its head has been read."""
        for name, value in self.headers or ():
            if name == asked:
                return value.decode("latin-1")
        return None
