"""GET /api/v1/comments: what respondents wrote."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.api.filters import StructureText, structure_of
from app.clock import local_today
from app.dependencies import DatabaseDependency, SettingsDependency
from app.figures import comment_themes, comments
from app.figures.comment_results import Comments, Contentment, ThemeFigures
from app.figures.comments import CommentQuery
from app.figures.periods import MONTH, span
from app.figures.query import StructureOf, structure_day
from app.figures.release import ReleaseRule
from app.registry.models import Channel
from app.text_keys import TextKeys
from app.themes.model import Tone

router = APIRouter(prefix="/api/v1/comments", tags=["figures"])

READERS = Door(Right.READ_COMMENTS)
MonthText = Annotated[str, Query(pattern=MONTH, examples=["2026-11"])]
LastMonth = Annotated[
    str | None, Query(pattern=MONTH, description="The last month, if it is another.")
]
UnitCodes = Annotated[
    list[str], Query(description="Codes of units; all that are the caller's if none is named.")
]
Descendants = Annotated[bool, Query(description="Comments about the units below them, too.")]
FormCode = Annotated[str | None, Query(description="Code of one questionnaire.")]


def wanted(
    month: MonthText,
    to: LastMonth = None,
    unit: UnitCodes = [],  # noqa: B006 - FastAPI copies it
    descendants: Descendants = True,
    questionnaire: FormCode = None,
) -> CommentQuery:
    """Of which units, questionnaire and months comments are wanted."""
    return CommentQuery(month, to, unit, descendants, questionnaire)


About = Annotated[CommentQuery, Depends(wanted)]


@router.get("", summary="What respondents wrote", response_model=Comments)
def read_comments(
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    about: About,
    item: Annotated[str | None, Query(description="Code of one question.")] = None,
    theme: Annotated[
        str | None, Query(description="Code of one theme; other: those that have none.")
    ] = None,
    tone: Annotated[Tone | None, Query(description="Praise, blame or neither.")] = None,
    level: Annotated[
        Contentment | None,
        Query(description="How content the respondent was with all that was rated."),
    ] = None,
    channel: Annotated[Channel | None, Query(description="How it came.")] = None,
    search: Annotated[
        str,
        Query(
            max_length=200,
            description="Words that must be there, with marks or without; between quotes one "
            "after another.",
        ),
    ] = "",
    page: Annotated[int, Query(ge=1, le=100_000, description="Each has fifty.")] = 1,
    structure: StructureText = StructureOf.TODAY.value,
) -> JSONResponse:
    """Comments of a month or several with unit and questionnaire, never with day or response.

    Who: whoever has ``comments:read``, and only about the units that they have it on. Every
    reading stands in the audit log. Where a questionnaire had fewer respondents about a unit in a
    month than HAILONG_LEAST_RESPONDENTS, its comments are withheld, unless the caller has
    ``figures:read-small`` there; so is a filter by ``level`` or ``channel`` by which too few would
    stand behind a comment.
    """
    last = span(about.to or about.month).last
    query = replace(
        about,
        item=item,
        theme=theme,
        tone=tone,
        contentment=level,
        channel=channel,
        search=search,
        structure=structure_day(structure_of(structure), last, local_today(settings.zone)),
        page=page,
    )
    found = comments.read(
        database, caller, query, release_rule=ReleaseRule.of(settings), keys=TextKeys.of(settings)
    )
    return JSONResponse(found.model_dump(mode="json"), headers={"Cache-Control": "no-store"})


@router.get("/themes", summary="What comments are about", response_model=ThemeFigures)
def read_themes(
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    about: About,
) -> JSONResponse:
    """Themes of the comments that the caller may read, over twelve months; and which rose.

    Who: whoever has ``comments:read``, as for the comments themselves. A theme rose if a larger
    share of the comments blames it than in the three months before, more than by chance, with all
    themes in mind; each comes with three of the comments, whose reading stands in the audit log.
    """
    found = comment_themes.read(
        database, caller, about, release_rule=ReleaseRule.of(settings), keys=TextKeys.of(settings)
    )
    return JSONResponse(found.model_dump(mode="json"), headers={"Cache-Control": "no-store"})
