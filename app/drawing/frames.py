"""What the two ends of a drawing process say to each other, each time with its length."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import TypeAlias

#: What is to be drawn: its kind, and what that needs.
Job: TypeAlias = dict[str, object]

_HEAD = struct.Struct("!?II")
_LENGTH = struct.Struct("!I")


def send_job(end: socket.socket, job: Job) -> None:
    """Say what is to be drawn."""
    content = json.dumps(job).encode()
    end.sendall(_LENGTH.pack(len(content)) + content)


def next_job(end: socket.socket) -> Job | None:
    """What is to be drawn next; None once nobody is there any more to ask for it."""
    try:
        (length,) = _LENGTH.unpack(_exactly(end, _LENGTH.size, None))
        job: Job = json.loads(_exactly(end, length, None))
    except EOFError:
        return None
    return job


def send_answer(end: socket.socket, *, drawn: bool, content: bytes, held_kb: int) -> None:
    """Hand over what was drawn, or why it could not be; and how much the process holds by now."""
    end.sendall(_HEAD.pack(drawn, held_kb, len(content)) + content)


def read_answer(end: socket.socket, patience_s: float) -> tuple[bool, bytes, int]:
    """Whether it was drawn, the picture or why not, and how much the process holds.

    Raises
    ------
    OSError, EOFError
        Where the process is not there any more, or takes longer.
    """
    until = time.monotonic() + patience_s
    drawn, held_kb, length = _HEAD.unpack(_exactly(end, _HEAD.size, until))
    return drawn, _exactly(end, length, until), held_kb


def _exactly(end: socket.socket, count: int, until: float | None) -> bytes:
    parts, missing = [], count
    while missing:
        if until is not None:
            end.settimeout(max(0.001, until - time.monotonic()))
        part = end.recv(min(missing, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
