"""Connections that send what no client sends: half of a request, or nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress

HALF_HEAD = b"POST /api/v1/responses HTTP/1.1\r\nHost: a\r\nContent-"
HALF_BODY = (
    b"POST /api/v1/responses HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b"Accept-Language: en\r\nContent-Length: 900\r\n\r\n" + b" " * 400
)


def opened(port: int, sent: bytes = b"", *, seconds: float = 60) -> socket.socket:
    """A connection that has sent something."""
    made = socket.create_connection(("127.0.0.1", port), timeout=seconds)
    if sent:
        made.sendall(sent)
    return made


def read_to_end(connection: socket.socket) -> bytes:
    """What comes until the server closes; it is an error if it does not."""
    found = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            found += part
    return found


def is_open(connection: socket.socket) -> bool:
    """Whether the server has not closed it."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
        return False
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Return once it is true; it is an error if that takes too long."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise AssertionError("waited in vain")
        time.sleep(0.02)
