"""Server-sent events: a unit's figure and today's count, sent again when somebody has answered.

To those who may not see what few respondents said the count moves at once and the rate by batches.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

from anyio import CapacityLimiter, to_thread
from fastapi import Request
from fastapi.sse import ServerSentEvent
from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.api.dependencies import CACHE
from app.clock import local_today
from app.db import Database
from app.dependencies import DATABASE, SETTINGS, Shared
from app.figures.cache import Cache, edition, rights_of
from app.figures.periods import Length, name_of
from app.reports.views.context import Chosen, ViewContext, figure
from app.reports.views.results import LiveFigure
from app.settings import Settings

#: A stream ends after so many seconds and the browser opens it again: rights are looked at anew.
_LIFE_S = 300
_RETRY_MS = 2000
#: Threads in which streams look for news, however many there are: others keep theirs.
STREAM_THREADS = Shared[CapacityLimiter]("stream_threads")
THREADS_OF_STREAMS = 2


async def follow(
    request: Request, caller: Caller, chosen: Chosen
) -> AsyncIterator[ServerSentEvent]:
    """The events of a stream; FastAPI writes them, and keeps a quiet one alive."""
    pause = max(0.2, SETTINGS.of(request).cache_s)
    yield ServerSentEvent(retry=_RETRY_MS)
    known, end = "", time.monotonic() + _LIFE_S
    while time.monotonic() < end:
        look = partial(now, request, caller, chosen, known)
        version, figure = await to_thread.run_sync(look, limiter=STREAM_THREADS.of(request))
        if figure is not None:
            known = version
            yield ServerSentEvent(id=version, event="figure", data=figure)
        await asyncio.sleep(pause)


def now(
    request: Request, caller: Caller, chosen: Chosen, known: str = ""
) -> tuple[str, LiveFigure | None]:
    """The edition of the figures, and the unit's figure if the edition is another than ``known``.

    Raises
    ------
    UnknownUnit, UnknownQuestionnaire, NothingToShow
        Where there is nothing to tell of.
    """
    database: Database = DATABASE.of(request)
    settings: Settings = SETTINGS.of(request)
    with database.reading() as session:
        version = edition(session, settings.zone)
        if version == known:
            return version, None
        key = repr(("stream", version, rights_of(caller), chosen))
        answers: Cache = CACHE.of(request)
        # Several screens of one unit show the same.
        return version, answers.get(key, lambda: _figure(session, caller, settings, chosen))


def _figure(session: Session, caller: Caller, settings: Settings, chosen: Chosen) -> LiveFigure:
    today = local_today(settings.zone)
    contexts = [
        ViewContext.of(
            session, caller, settings,
            Chosen(chosen.unit, chosen.questionnaire, name_of(day, Length.MONTH)),
        )
        for day in (today, today.replace(day=1) - timedelta(days=1))
    ]  # fmt: skip
    # Where neither month may be told of: what a page opens with.
    contexts.append(
        ViewContext.of(session, caller, settings, Chosen(chosen.unit, chosen.questionnaire))
    )
    shown = [figure(context.figures.rates()[0]) for context in contexts]
    latest = next((place for place, each in enumerate(shown) if each.rate is not None), 0)
    # How many answered today is no secret; what they said is.
    counted, _ = contexts[0].figures.rates(first=today, last=today, counting=True)
    return LiveFigure(
        **dict(contexts[latest].head()),
        **dict(shown[latest]),
        today=int(counted.sums["n"][0]),
    )
