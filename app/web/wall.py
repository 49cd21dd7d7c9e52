"""The screen at an entrance: how many answered today, at once, and the unit's rate.

The rate is the running month's, or the last month's until there is enough of this one; it moves
by batches (``app/reports/disclosure.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from app.access.callers import Caller
from app.access.doors import PageDoor, SignInNeeded
from app.access.models import Right
from app.messages.words import Words
from app.reports import stream
from app.reports.disclosure import publishing
from app.reports.views.scene import PUBLIC, Chosen
from app.settings import Settings
from app.web.pages import Asked, fill, language_of

router = APIRouter(include_in_schema=False)

VISITORS = PageDoor(strangers=True)


@dataclass(frozen=True)
class WallPage:
    """The screen at the entrance: what it is about, and where its events come from."""

    words: Words
    unit: str
    period: str
    stream: str
    first: Mapping[str, Any]


def _watcher(request: Request, caller: Caller) -> Caller:
    """Whose rights a wall screen has: a person's, or everybody's where figures are published.

    Passers-by read it, so nobody's right to small cells counts here.
    """
    if Right.READ_FIGURES in caller.rights:
        return publishing(caller)
    settings: Settings = request.app.state.settings
    if settings.public_page:
        return PUBLIC
    raise SignInNeeded


@router.get("/wall/{unit}")
def wall(
    request: Request,
    caller: Annotated[Caller, Depends(VISITORS)],
    unit: str,
    questionnaire: Asked = "",
) -> Response:
    """A unit's latest month on a large screen. Who: ``figures:read``; anybody, if published."""
    words = Words(language_of(request, caller))
    _, first = stream.now(request, _watcher(request, caller), Chosen(unit, questionnaire or None))
    assert first is not None and first["unit"] is not None
    page = WallPage(
        words,
        words.name(first["unit"]["name"]),
        words.period(first["period"]),
        f"/wall/{first['unit']['code']}/stream?questionnaire={first['questionnaire']}",
        first,
    )
    return HTMLResponse(fill("public/wall.html", words.language, page))


@router.get("/wall/{unit}/stream")
def wall_stream(
    request: Request,
    caller: Annotated[Caller, Depends(VISITORS)],
    unit: str,
    questionnaire: Asked = "",
) -> Response:
    """The events of a wall screen. Who: ``figures:read``; anybody, if published."""
    chosen = Chosen(unit, questionnaire or None)
    watcher = _watcher(request, caller)
    stream.now(request, watcher, chosen)
    return stream.told(request, watcher, chosen)
