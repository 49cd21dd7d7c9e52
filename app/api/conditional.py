"""Whether figures changed since a caller last had them: ETag and 304.

An answer's tag is the edition of the figures with who asks and what they ask for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from fastapi import Depends, Request, Response
from fastapi.exceptions import HTTPException

from app.access.callers import Caller
from app.access.doors import Door
from app.db import Database
from app.dependencies import DATABASE, SETTINGS
from app.figures.cache import edition, rights_of
from app.settings import Settings

#: To be asked for again each time, and kept for nobody else.
_CACHING = {
    "Cache-Control": "private, no-cache",
    "Vary": "Accept, Accept-Language, Authorization, Cookie",
}


def tag_of(*parts: object) -> str:
    """An entity tag; weak, since answers may be compressed on their way."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
    return f'W/"{digest[:32]}"'


def conditional(door: Door) -> Callable[[Request, Response, Caller], None]:
    """A dependency of routes behind a door: sets the answer's tag, and ends with 304 if it can."""

    def caching(request: Request, response: Response, caller: Caller = Depends(door)) -> None:
        database: Database = DATABASE.of(request)
        settings: Settings = SETTINGS.of(request)
        with database.reading() as session:
            now = edition(session, settings.zone)
        tag = tag_of(
            now,
            rights_of(caller),
            request.url.path,
            request.url.query,
            request.headers.get("accept"),
            request.headers.get("accept-language"),
        )
        headers = {"ETag": tag, **_CACHING}
        known = request.headers.get("if-none-match", "")
        if tag in {each.strip() for each in known.split(",")}:
            raise HTTPException(304, headers=headers)
        response.headers.update(headers)
        request.state.caching = headers

    return caching
