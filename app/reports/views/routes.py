"""GET /api/v1/views/…: what each page of the dashboard shows, by one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.db import Database
from app.registry.models import UnitKind
from app.reports.freshness import Answers, edition, fresh_for, rights_of
from app.reports.views import schemas as out
from app.reports.views.comparison import comparison
from app.reports.views.items import importance
from app.reports.views.levels import levels
from app.reports.views.overview import overview
from app.reports.views.quality import quality
from app.reports.views.scene import Chosen, Scene
from app.reports.views.sections import sections
from app.reports.views.unit import unit
from app.reports.views.units import units
from app.settings import Settings

READERS = Door(Right.READ_FIGURES)
router = APIRouter(
    prefix="/api/v1/views", tags=["views"], dependencies=[Depends(fresh_for(READERS))]
)
Reader = Annotated[Caller, Depends(READERS)]
Best = Annotated[int, Query(ge=1, le=10_000, description="May be among the best how many?")]


def chosen(
    unit: Annotated[
        str | None, Query(description="Code of a unit; left out: the caller's own, or all theirs.")
    ] = None,
    questionnaire: Annotated[
        str | None, Query(description="Code; left out: the one with the most survey points there.")
    ] = None,
    period: Annotated[
        str | None,
        Query(
            description="2026-11, 2026-Q4, 2026-H1, 2026-9M, 2026, or days like "
            "2026-11-01..2026-11-15; left out: the running quarter, in its first month the last.",
            examples=["2026-Q3"],
            max_length=32,
        ),
    ] = None,
    level: Annotated[
        UnitKind | None, Query(description="Kind of the units that are compared.")
    ] = None,
) -> Chosen:
    """What every view takes."""
    return Chosen(unit, questionnaire, period, level.value if level else None)


Choice = Annotated[Chosen, Depends(chosen)]


def answer_of(
    request: Request,
    caller: Caller,
    chosen: Chosen,
    view: Callable[..., dict[str, Any]],
    **options: Any,
) -> dict[str, Any]:
    """A view's answer, from memory where nothing changed since it was computed."""
    database: Database = request.app.state.database
    settings: Settings = request.app.state.settings
    answers: Answers = request.app.state.answers
    with database.reading() as session:
        now = edition(session, settings.zone)
        key = repr((now, rights_of(caller), view.__name__, chosen, sorted(options.items())))

        def compute() -> dict[str, Any]:
            return view(Scene.of(session, caller, settings, chosen), **options)

        answer: dict[str, Any] = answers.get(key, compute)
        return answer


@router.get("/overview", summary="Are we all right, who needs help", response_model=out.Overview)
def show_overview(request: Request, caller: Reader, choice: Choice) -> dict[str, Any]:
    """The index against target and earlier periods, volume, units that changed, alerts.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return answer_of(request, caller, choice, overview)


@router.get("/units", summary="The units of a level", response_model=out.Units)
def show_units(request: Request, caller: Reader, choice: Choice, best: Best = 10) -> dict[str, Any]:
    """Units with rate, rank sets, change since the period before, course and position.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return answer_of(request, caller, choice, units, best=best)


@router.get("/unit", summary="One unit", response_model=out.UnitView)
def show_unit(request: Request, caller: Reader, choice: Choice) -> dict[str, Any]:
    """Rates by factor, item and channel, course, drivers, and what is still to be asked.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return answer_of(request, caller, choice, unit)


@router.get("/comparison", summary="Units compared", response_model=out.ComparisonView)
def show_comparison(
    request: Request,
    caller: Reader,
    choice: Choice,
    best: Best = 10,
    beside: Annotated[
        list[str], Query(description="Codes of units to set side by side.", max_length=8)
    ] = [],  # noqa: B006 - FastAPI copies it
) -> dict[str, Any]:
    """Funnel, league table with rank sets, and chosen units side by side.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return answer_of(request, caller, choice, comparison, best=best, beside=tuple(beside))


@router.get("/sections", summary="Wards by section", response_model=out.Sections)
def show_sections(request: Request, caller: Reader, choice: Choice) -> dict[str, Any]:
    """Each ward's rate by the form's sections, and which wards fell or rose.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return answer_of(request, caller, choice, sections)


@router.get("/items", summary="Importance and performance", response_model=out.Importance)
def show_items(request: Request, caller: Reader, choice: Choice) -> dict[str, Any]:
    """Each factor's importance and rate, each item's rate, what to improve first.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return answer_of(request, caller, choice, importance)


@router.get("/quality", summary="Quality of the data", response_model=out.Quality)
def show_quality(request: Request, caller: Reader, choice: Choice) -> dict[str, Any]:
    """Who answers and how: unfinished, hasty, alike, without opinion; units without answers.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return answer_of(request, caller, choice, quality)


@router.get("/levels", summary="The form's own summary", response_model=out.Levels)
def show_levels(request: Request, caller: Reader, choice: Choice) -> dict[str, Any]:
    """Counts by level, mean and rate of each item and section, as offices hand them in.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return answer_of(request, caller, choice, levels)
