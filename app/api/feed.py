"""GET /api/v1/feed.csv: all figures as one tidy table, for “From web” in Excel and Power BI.

One line a unit, questionnaire, period and factor (none: the whole index). Columns never change
their meaning; new ones come at the end. ``COLUMNS`` is the data dictionary.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.api.conditional import conditional
from app.api.csv import CSV, Dialect, DialectText, table
from app.api.filters import StructureText, structured
from app.dependencies import DatabaseDependency, SettingsDependency
from app.figures import periods
from app.figures.context import Context
from app.figures.feed import COLUMNS, lines
from app.figures.periods import Step
from app.figures.query import Query as Filters
from app.figures.query import StructureOf
from app.figures.release import ReleaseRule

READERS = Door(Right.READ_FIGURES)
router = APIRouter(prefix="/api/v1", tags=["figures"])


class Period(StrEnum):
    """Lengths of the feed's periods."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@router.get(
    "/feed.csv",
    summary="All figures as one tidy table",
    response_class=Response,
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
    dependencies=[Depends(conditional(READERS))],
)
def read_feed(
    request: Request,
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    first: Annotated[date | None, Query(alias="from", description="First local day.")] = None,
    last: Annotated[date | None, Query(alias="to", description="Last local day.")] = None,
    step: Annotated[Period, Query(description="Length of a period.")] = Period.QUARTER,
    questionnaire: Annotated[str | None, Query(description="Code; all if left out.")] = None,
    factors: Annotated[bool, Query(description="Lines for factors, too.")] = True,
    structure: StructureText = StructureOf.TODAY.value,
    dialect: DialectText = Dialect.COMMA,
) -> Response:
    """Every unit with answers, period by period, as CSV; as Basic's password a key will do.

    Who: whoever has ``figures:read``, over the units that they have it on. What is suppressed has
    a line without figures. docs/integrator.md describes the columns.
    """
    periods.check(first, last)
    query = Filters(questionnaire=questionnaire, first=first, last=last)
    query = structured(query, structure, settings)
    with database.reading() as session:
        context = Context(session, caller, query, ReleaseRule.of(settings))
        rows = list(lines(session, context, Step(step.value), factors=factors))
    content = table(map(vars, rows), COLUMNS, dialect=dialect)
    return Response(content, media_type=f"{CSV}; charset=utf-8", headers=request.state.caching)
