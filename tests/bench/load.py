"""A load generator that needs no tool from outside: keep-alive connections that each send their
next request when the last one is answered, and check every answer.

It speaks just enough HTTP/1.1 to be several times faster than the server that it loads.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import cast

import uvloop


@dataclass(frozen=True)
class Load:
    """What came of a run: how many requests were answered as expected in how many seconds."""

    requests: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def request(path: str, body: bytes, secret: str | None) -> bytes:
    """One POST as it goes over the wire."""
    authorization = f"Authorization: Bearer {secret}\r\n" if secret else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"{authorization}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def opening(path: str) -> bytes:
    """One GET of a page, as a browser asks for it."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n"
        "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: vi\r\n\r\n"
    ).encode()


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._rest = b""
        self._lines: deque[bytes] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by class
        self._next()

    def data_received(self, data: bytes) -> None:
        self._rest += data
        end = self._rest.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._rest[:end].lower()
        start = head.index(b"content-length:") + 15
        stop = head.find(b"\r\n", start)
        length = int(head[start : stop if stop > 0 else len(head)])
        if len(self._rest) < end + 4 + length:
            return
        body, self._rest = self._rest[end + 4 : end + 4 + length], b""
        if head[9:10] != b"2" or b"refused" in body:
            self._run.failed(f"{head.decode()}\n{body[:500].decode()}")
            return
        self._run.answered += 1
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        self._run.closed()

    def _next(self) -> None:
        if self._run.requests and not self._run.over:
            self._transport.write(self._run.requests.popleft())
        else:
            self._transport.close()


class _Run:
    def __init__(self, requests: deque[bytes], connections: int, seconds: float) -> None:
        self.requests, self._open = requests, connections
        self.answered = 0
        self.until = time.perf_counter() + seconds
        self.done = asyncio.get_running_loop().create_future()

    @property
    def over(self) -> bool:
        return time.perf_counter() >= self.until

    def failed(self, answer: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(f"an unexpected answer:\n{answer}"))

    def closed(self) -> None:
        self._open -= 1
        if self._open == 0 and not self.done.done():
            self.done.set_result(None)


def run(port: int, requests: deque[bytes], *, connections: int, seconds: float) -> Load:
    """Send requests over so many connections for so long, or until all are answered.

    Raises
    ------
    RuntimeError
        For an answer that is no success.
    """

    async def load() -> Load:
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        state = _Run(requests, connections, seconds)
        for _ in range(connections):
            await loop.create_connection(lambda: _Connection(state), "127.0.0.1", port)
        await state.done
        return Load(state.answered, time.perf_counter() - began)

    if sys.version_info >= (3, 12):
        return asyncio.run(load(), loop_factory=uvloop.new_event_loop)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(load())
