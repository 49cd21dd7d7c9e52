"""GET /api/v1/comments: what respondents wrote."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.api.filters import StructureText, structure_of
from app.clock import local_today
from app.dependencies import DatabaseDependency, SettingsDependency
from app.figures import comments
from app.figures.periods import MONTH, span
from app.figures.query import StructureOf, structure_day
from app.figures.release import ReleaseRule
from app.figures.results import Comments
from app.text_keys import TextKeys

router = APIRouter(prefix="/api/v1/comments", tags=["figures"])

READERS = Door(Right.READ_COMMENTS)


@router.get("", summary="What respondents wrote", response_model=Comments)
def read_comments(
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    month: Annotated[str, Query(pattern=MONTH, examples=["2026-11"])],
    unit: Annotated[
        list[str], Query(description="Codes of units; all that are the caller's if none is named.")
    ] = [],  # noqa: B006 - FastAPI copies it
    questionnaire: Annotated[str | None, Query(description="Code of one questionnaire.")] = None,
    structure: StructureText = StructureOf.TODAY.value,
) -> JSONResponse:
    """Comments of a month with unit and questionnaire, never with their day or response.

    Who: whoever has ``comments:read``, and only about the units that they have it on. Every
    reading stands in the audit log. Where a questionnaire had fewer respondents about a unit in
    that month than HAILONG_LEAST_RESPONDENTS, its comments are withheld, unless the caller has
    ``figures:read-small`` there.
    """
    with database.writing(caller.name) as session:
        found = comments.read(
            session,
            caller,
            month,
            units=unit,
            questionnaire=questionnaire,
            structure=structure_day(
                structure_of(structure), span(month).last, local_today(settings.zone)
            ),
            release_rule=ReleaseRule.of(settings),
            keys=TextKeys.of(settings),
        )
    return JSONResponse(found.model_dump(mode="json"), headers={"Cache-Control": "no-store"})
