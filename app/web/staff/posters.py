"""The page from which staff print posters and cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Right
from app.clock import local_today
from app.dependencies import DatabaseDependency, SettingsDependency
from app.posters.drawing import Poster, Size
from app.posters.selection import address_of, of_units
from app.problems import Problem
from app.registry.places import UnitClosed
from app.registry.queries import UnknownUnit
from app.registry.questionnaires import titles
from app.web.pages import QueryText, render
from surveys.model import Text

router = APIRouter(include_in_schema=False)

READERS = PageDoor(Right.READ_REGISTRY)
_PAGE = 200


@dataclass(frozen=True)
class PostersPage:
    """Points with a code to be printed, those of a unit if one was asked for."""

    posters: Sequence[Poster]
    unit: str
    #: Why there are none of the unit that was asked for: it is unknown, or no more.
    wrong: Problem | None
    more: int
    titles: Mapping[str, Text]
    sizes: Sequence[Size] = tuple(Size)


@router.get("/posters")
def show_posters(
    request: Request,
    caller: Annotated[Person, Depends(READERS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    unit: QueryText = "",
) -> Response:
    """List the survey points whose posters one may print. Who: ``registry:read``."""
    code = unit.strip().split(" ")[0]
    today = local_today(settings.zone)
    with database.reading() as session:
        try:
            found, wrong = of_units(session, caller, [code] if code else [], today), None
        except (UnknownUnit, UnitClosed) as problem:
            found, wrong = [], problem
        base = address_of(request)
        page = PostersPage(
            [Poster.of(point, base) for point in found[:_PAGE]],
            code,
            wrong,
            max(0, len(found) - _PAGE),
            titles(session),
        )
    return render(request, caller, "staff/posters.html", page)
