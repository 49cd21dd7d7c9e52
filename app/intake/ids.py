"""Ids of responses: UUIDs of version 7, which begin with a moment."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from uuid import UUID

#: The least and the greatest that there can be.
FIRST_ID, LAST_ID = str(UUID(int=0)), str(UUID(int=(1 << 128) - 1))


def new_id(now: datetime | None = None) -> str:
    """An id for a response that begins now, for a browser that makes none itself."""
    shown = f"{_uuid7(now or datetime.now(UTC), secrets.token_bytes(10)):032x}"
    return f"{shown[:8]}-{shown[8:12]}-{shown[12:16]}-{shown[16:20]}-{shown[20:]}"


def made_uuid7(moment: datetime, digest: bytes) -> UUID:
    """A UUID of version 7 from a moment and 10 bytes that tell it from others.

    A moment that none can hold counts as the nearest: whoever takes the response refuses it.
    """
    return UUID(int=_uuid7(moment, digest))


def _uuid7(moment: datetime, digest: bytes) -> int:
    ms = min(max(int(moment.timestamp() * 1000), 0), (1 << 48) - 1)
    value = ms << 80 | int.from_bytes(digest, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return value & ~(0x3 << 62) | 0x2 << 62


def least_id(moment: datetime) -> str:
    """What no id that begins with a moment or later comes before; no response has it."""
    return str(UUID(int=max(int(moment.timestamp() * 1000), 0) << 80))


def ms_of(id: str) -> int:
    """The moment with which an id begins, in milliseconds since 1970."""
    return int(id[:8] + id[9:13], 16)
