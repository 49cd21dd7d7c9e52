"""GET /api/v1/views/…: what each page of the dashboard shows, by one call."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.api.conditional import conditional
from app.api.dependencies import CACHE
from app.api.filters import StructureText, structure_of
from app.db import Database
from app.dependencies import DATABASE, SETTINGS
from app.figures.cache import Cache
from app.figures.query import StructureOf
from app.registry.models import UnitKind
from app.reports.views.cached import V, Views
from app.reports.views.comparison import comparison
from app.reports.views.context import Chosen, ViewContext
from app.reports.views.form_results import Levels, Quality
from app.reports.views.items import importance
from app.reports.views.levels import levels
from app.reports.views.overview import overview
from app.reports.views.quality import quality
from app.reports.views.results import (
    ComparisonView,
    Importance,
    Overview,
    Sections,
    Units,
    UnitView,
)
from app.reports.views.sections import sections
from app.reports.views.unit import unit
from app.reports.views.units import units
from app.settings import Settings

READERS = Door(Right.READ_FIGURES)
router = APIRouter(
    prefix="/api/v1/views", tags=["views"], dependencies=[Depends(conditional(READERS))]
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
            "2026-11-01..2026-11-15; left out: the last whole quarter of which the caller may be "
            "told a rate, or the running one where there is none.",
            examples=["2026-Q3"],
            max_length=32,
        ),
    ] = None,
    kind: Annotated[
        UnitKind | None, Query(description="Kind of the units that are compared.")
    ] = None,
    structure: StructureText = StructureOf.TODAY.value,
) -> Chosen:
    """What every view takes."""
    kind_ = kind.value if kind else None
    return Chosen(unit, questionnaire, period, kind_, structure_of(structure))


Choice = Annotated[Chosen, Depends(chosen)]


def _view(
    request: Request,
    caller: Caller,
    chosen: Chosen,
    name: str,
    view: Callable[[ViewContext], V],
) -> V:
    database: Database = DATABASE.of(request)
    settings: Settings = SETTINGS.of(request)
    cache: Cache = CACHE.of(request)
    with database.reading() as session:
        return Views(session, caller, settings, cache).of(chosen, name, view)


@router.get("/overview", summary="Are we all right, who needs help", response_model=Overview)
def show_overview(request: Request, caller: Reader, choice: Choice) -> Overview:
    """The index against target and earlier periods, volume, units that changed, alerts.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return _view(request, caller, choice, "overview", overview)


@router.get("/units", summary="The units of a level", response_model=Units)
def show_units(request: Request, caller: Reader, choice: Choice, best: Best = 10) -> Units:
    """Units with rate, rank sets, change since the period before, trend and position.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return _view(request, caller, choice, f"units {best}", partial(units, best=best))


@router.get("/unit", summary="One unit", response_model=UnitView)
def show_unit(request: Request, caller: Reader, choice: Choice) -> UnitView:
    """Rates by factor, item and channel, trend, drivers, and what is still to be asked.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return _view(request, caller, choice, "unit", unit)


@router.get("/comparison", summary="Units compared", response_model=ComparisonView)
def show_comparison(
    request: Request,
    caller: Reader,
    choice: Choice,
    best: Best = 10,
    beside: Annotated[
        list[str], Query(description="Codes of units to set side by side.", max_length=8)
    ] = [],  # noqa: B006 - FastAPI copies it
) -> ComparisonView:
    """Funnel, league table with rank sets, and chosen units side by side.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return _view(
        request,
        caller,
        choice,
        f"comparison {best} {beside}",
        partial(comparison, best=best, beside=tuple(beside)),
    )


@router.get("/sections", summary="Wards by section", response_model=Sections)
def show_sections(request: Request, caller: Reader, choice: Choice) -> Sections:
    """Each ward's rate by the form's sections, and which wards fell or rose.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return _view(request, caller, choice, "sections", sections)


@router.get("/items", summary="Importance and performance", response_model=Importance)
def show_items(request: Request, caller: Reader, choice: Choice) -> Importance:
    """Each factor's importance and rate, each item's rate, what to improve first.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return _view(request, caller, choice, "importance", importance)


@router.get("/quality", summary="Quality of the data", response_model=Quality)
def show_quality(request: Request, caller: Reader, choice: Choice) -> Quality:
    """Who answers and how: unfinished, hasty, alike, without opinion; units without answers.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return _view(request, caller, choice, "quality", quality)


@router.get("/levels", summary="The form's own summary", response_model=Levels)
def show_levels(request: Request, caller: Reader, choice: Choice) -> Levels:
    """Counts by level, mean and rate of each item and section, as offices hand them in.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    return _view(request, caller, choice, "levels", levels)
