"""Server-sent events: a unit's figure and today's count, told again when somebody has answered.

To those who may not see what few respondents said the count moves at once and the rate by batches.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.db import Database
from app.reports.freshness import Answers, edition, rights_of
from app.reports.spans import Length, name_of
from app.reports.views.scene import Chosen, Scene, figure
from app.settings import Settings

READERS = Door(Right.READ_FIGURES)
router = APIRouter(prefix="/api/v1", tags=["figures"])
#: A stream ends after so many seconds and the browser opens it again: rights are looked at anew.
_LIFE_S = 300
_HEARTBEAT_S = 15
_RETRY_MS = 2000


@router.get(
    "/stream",
    summary="A unit's figure as it changes",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def stream(
    request: Request,
    caller: Annotated[Caller, Depends(READERS)],
    unit: Annotated[str, Query(description="Code of the unit.")],
    questionnaire: Annotated[str | None, Query(description="Code of the questionnaire.")] = None,
) -> StreamingResponse:
    """Events ``figure`` with the latest month's rate, interval and respondents, and today's count.

    Who: whoever has ``figures:read`` on the unit. The first comes at once, the next ones within
    HAILONG_CACHE_S seconds of an answer; after some minutes the stream ends, to be opened again.
    The month is the running one, or the one before until there is enough to tell of this one.
    """
    chosen = Chosen(unit, questionnaire)
    await run_in_threadpool(now, request, caller, chosen)  # refused before it begins
    return told(request, caller, chosen)


def told(request: Request, caller: Caller, chosen: Chosen) -> StreamingResponse:
    """The stream's answer."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        _events(request, caller, chosen), media_type="text/event-stream", headers=headers
    )


async def _events(request: Request, caller: Caller, chosen: Chosen) -> AsyncIterator[str]:
    settings: Settings = request.app.state.settings
    yield f"retry: {_RETRY_MS}\n\n"
    seen, spoken, end = "", time.monotonic(), time.monotonic() + _LIFE_S
    while time.monotonic() < end:
        version, data = await run_in_threadpool(now, request, caller, chosen, seen)
        if data is not None:
            seen, spoken = version, time.monotonic()
            yield f"id: {version}\nevent: figure\ndata: {json.dumps(data, default=str)}\n\n"
        elif time.monotonic() - spoken > _HEARTBEAT_S:
            spoken = time.monotonic()
            yield ": still here\n\n"
        await asyncio.sleep(max(0.2, settings.cache_s))


def now(
    request: Request, caller: Caller, chosen: Chosen, seen: str = ""
) -> tuple[str, dict[str, Any] | None]:
    """The edition of the figures, and the unit's figure if the edition is another than ``seen``.

    Raises
    ------
    UnknownUnit, UnknownQuestionnaire, NothingAsked
        Where there is nothing to tell of.
    """
    database: Database = request.app.state.database
    settings: Settings = request.app.state.settings
    with database.reading() as session:
        version = edition(session, settings.zone)
        if version == seen:
            return version, None
        key = repr(("stream", version, rights_of(caller), chosen))
        answers: Answers = request.app.state.answers
        # Several screens of one unit show the same.
        return version, answers.get(key, lambda: _figure(session, caller, settings, chosen))


def _figure(session: Session, caller: Caller, settings: Settings, chosen: Chosen) -> dict[str, Any]:
    today = datetime.now(settings.zone).date()
    scenes = [
        Scene.of(
            session, caller, settings,
            Chosen(chosen.unit, chosen.questionnaire, name_of(day, Length.MONTH)),
        )
        for day in (today, today.replace(day=1) - timedelta(days=1))
    ]  # fmt: skip
    shown = [figure(scene.asked.rates()[0]) for scene in scenes]
    latest = 1 if shown[0]["rate"] is None and shown[1]["rate"] is not None else 0
    # How many answered today is no secret; what they said is.
    counted, _ = scenes[0].asked.rates(first=today, last=today, counting=True)
    return scenes[latest].head() | shown[latest] | {"today": int(counted.sums["n"][0])}
