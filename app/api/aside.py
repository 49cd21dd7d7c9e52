"""GET /api/v1/aside: responses that devices were refused for good."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from app.access import scope
from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.dependencies import DatabaseDependency
from app.intake import aside

router = APIRouter(prefix="/api/v1/aside", tags=["responses"])

READERS = Door(Right.READ_COMMENTS)


@router.get("", summary="Responses that are set aside")
def read_aside(
    database: DatabaseDependency,
    caller: Annotated[Caller, Depends(READERS)],
    unit: Annotated[
        list[str], Query(description="Codes of units; all that are the caller's if none is named.")
    ] = [],  # noqa: B006 - FastAPI copies it
) -> JSONResponse:
    """Responses as devices sent them, each with the rule (a problem's code) that set it aside.

    Who: whoever has both ``comments:read`` and ``figures:read-small``, about the units on which
    they have both. Every reading stands in the audit log.
    """
    with database.writing(caller.name) as session:
        words, small = (
            scope.units(session, caller, right)
            for right in (Right.READ_COMMENTS, Right.READ_SMALL_CELLS)
        )
        named = [small.find(words.find(code).code).id for code in unit]
        found = list(aside.export(session, caller, unit_ids=named, limit=aside.MOST_AT_ONCE))
    return JSONResponse({"responses": found}, headers={"Cache-Control": "no-store"})
