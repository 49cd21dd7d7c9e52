"""The screen at an entrance: how many answered today, at once, and the unit's rate.

The rate is the running month's, or the last month's until there is enough of this one; it moves
by batches (``app/figures/release.py``). Where figures are not published a screen is let in by
a key, given once by whoever puts it up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.access.callers import Caller, Callers
from app.access.dependencies import CALLERS
from app.access.doors import PageDoor, ScreenDoor, SignInNeeded
from app.access.models import Right
from app.api import events
from app.dependencies import SETTINGS
from app.figures.release import publishing
from app.figures.visible import PUBLIC
from app.messages.words import Words
from app.problems import FieldError, InvalidFields
from app.reports.views.context import Chosen
from app.reports.views.results import LiveFigure
from app.settings import Settings
from app.web.pages import (
    EMPTY,
    PRIVATE,
    Form,
    QueryText,
    Text,
    fill,
    go_to,
    language_of,
    local_path,
    refused,
    render,
)
from app.web.staff.sign_in import refuse_plain_http

router = APIRouter(include_in_schema=False)

VISITORS = PageDoor(strangers=True)
SCREENS = ScreenDoor(strangers=True)
#: As long as browsers keep a cookie; each opening of the screen begins it anew.
_KEPT_S = 400 * 24 * 3600


class ScreenKeyNeeded(SignInNeeded):
    """The unit's figures are not published: the screen needs a key, or somebody who signs in."""

    code, status = "screen-key-needed", 401
    page = "/screen"


@dataclass(frozen=True)
class ScreenPage:
    """The form for a screen's key, and which screen is opened with it."""

    form: Form
    target: str


@dataclass(frozen=True)
class WallPage:
    """The screen at the entrance: what it is about, and where its events come from."""

    words: Words
    unit: str
    period: str
    stream: str
    first: LiveFigure


def _watcher(request: Request, caller: Caller) -> Caller:
    """Whose rights a wall screen has: a person's, or everybody's where figures are published.

    Passers-by read it, so nobody's right to small cells counts here.
    """
    if Right.READ_FIGURES in caller.rights:
        return publishing(caller)
    settings: Settings = SETTINGS.of(request)
    if settings.public_page:
        return PUBLIC
    raise ScreenKeyNeeded


@router.get("/screen")
def screen_form(
    request: Request, caller: Annotated[Caller, Depends(VISITORS)], next: str = "/"
) -> Response:
    """Ask for the key of a wall screen. Who: anybody."""
    refuse_plain_http(request)
    return render(request, caller, "public/screen.html", ScreenPage(EMPTY, local_path(next)))


@router.post("/screen")
def keep_key(
    request: Request,
    caller: Annotated[Caller, Depends(VISITORS)],
    key: Text = "",
    next: Text = "/",
) -> Response:
    """Keep a key in this browser, for wall screens alone. Who: whoever has a key of figures."""
    refuse_plain_http(request)
    callers: Callers = CALLERS.of(request)
    found = callers.find(key.strip())
    if found is None or Right.READ_FIGURES not in found.rights:
        problem = InvalidFields(errors=[FieldError("key", "key.not_of_figures")])
        page = ScreenPage(refused(problem, language_of(request, caller)), local_path(next))
        return render(request, caller, "public/screen.html", page, problem.status)
    answer = go_to(local_path(next))
    _keep(request, answer, key.strip())
    return answer


@router.get("/wall/{unit}")
def wall(
    request: Request,
    caller: Annotated[Caller, Depends(SCREENS)],
    unit: str,
    questionnaire: QueryText = "",
) -> Response:
    """A unit's latest month on a large screen. Who: ``figures:read``; anybody, if published.

    A key that the browser keeps for its screens (``POST /screen``) is as good as a session.
    """
    words = Words(language_of(request, caller))
    _, first = events.now(request, _watcher(request, caller), Chosen(unit, questionnaire or None))
    assert first is not None and first.unit is not None
    page = WallPage(
        words,
        words.unit(first.unit),
        words.period_of(first),
        f"/wall/{first.unit.code}/stream?questionnaire={first.questionnaire}",
        first,
    )
    answer = HTMLResponse(fill("public/wall.html", words.language, page), headers=PRIVATE)
    key = request.cookies.get(ScreenDoor.cookie)
    if key and caller.credential_id is not None:
        _keep(request, answer, key)
    return answer


def _keep(request: Request, answer: Response, key: str) -> None:
    settings: Settings = SETTINGS.of(request)
    answer.set_cookie(
        ScreenDoor.cookie,
        key,
        max_age=_KEPT_S,
        path="/wall",
        secure=settings.over_https,
        httponly=True,
        samesite="lax",
    )


@dataclass(frozen=True)
class Followed:
    """What a screen follows, and by whose rights."""

    watcher: Caller
    chosen: Chosen


def _followed(
    request: Request,
    response: Response,
    caller: Annotated[Caller, Depends(SCREENS)],
    unit: str,
    questionnaire: QueryText = "",
) -> Followed:
    """Looked at before the stream begins, so that a refusal has its status."""
    found = Followed(_watcher(request, caller), Chosen(unit, questionnaire or None))
    events.now(request, found.watcher, found.chosen)
    response.headers["Cache-Control"] = "no-store"
    return found


@router.get("/wall/{unit}/stream", response_class=EventSourceResponse)
async def wall_stream(
    request: Request,
    caller: Annotated[Caller, Depends(SCREENS)],
    followed: Annotated[Followed, Depends(_followed)],
) -> AsyncIterator[ServerSentEvent]:
    """The events of a wall screen. Who: ``figures:read``; anybody, if published."""
    async for event in events.follow(request, followed.watcher, followed.chosen):
        yield event
