"""Server-sent events: a unit's figure and today's count, told again when somebody has answered.

To those who may not see what few respondents said the count moves at once and the rate by batches.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.api.events import follow, now
from app.reports.views.context import Chosen

READERS = Door(Right.READ_FIGURES)
router = APIRouter(prefix="/api/v1", tags=["figures"])


def followed(
    request: Request,
    response: Response,
    caller: Annotated[Caller, Depends(READERS)],
    unit: Annotated[str, Query(description="Code of the unit.")],
    questionnaire: Annotated[str | None, Query(description="Code of the questionnaire.")] = None,
) -> Chosen:
    """What a stream follows: looked at before it begins, so that a refusal has its status."""
    chosen = Chosen(unit, questionnaire)
    now(request, caller, chosen)
    response.headers["Cache-Control"] = "no-store"
    return chosen


@router.get(
    "/stream",
    summary="A unit's figure as it changes",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def stream(
    request: Request,
    caller: Annotated[Caller, Depends(READERS)],
    chosen: Annotated[Chosen, Depends(followed)],
) -> AsyncIterator[ServerSentEvent]:
    """Events ``figure`` with the latest month's rate, interval and respondents, and today's count.

    Who: whoever has ``figures:read`` on the unit. The first comes at once, the next ones within
    HAILONG_CACHE_S seconds of an answer; after some minutes the stream ends, to be opened again.
    The month is the running one, or the one before until there is enough to tell of this one.
    """
    async for event in follow(request, caller, chosen):
        yield event
