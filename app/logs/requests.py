"""Which request a line of the log is about, and what of addresses may stand in it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

#: The request that is being answered here; threads that it starts inherit it.
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
#: What a proxy makes: 32 hexadecimal signs, or a UUID. Nothing that a person writes fits.
_SAFE = re.compile(
    rb"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII
)


def identified(given: bytes | None) -> str:
    """The id of a request: the one given where it has a safe shape, else a new one."""
    if given is not None and _SAFE.fullmatch(given):
        return given.decode()
    return secrets.token_hex(8)


def route_of(scope: Mapping[str, Any]) -> str:
    """The template of the route that answers: the path itself holds codes and tokens."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "no route"


def server_of(url: str) -> str:
    """Scheme and host of an address that is called: path and query may hold a token."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname}"
    except ValueError:
        return "an address that is none"
