"""The page of comments of a unit and month; reading it stands in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.access import scope
from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Right
from app.clock import local_today
from app.dependencies import DatabaseDependency, SettingsDependency
from app.figures import comments
from app.figures.periods import MONTH, Length, choices
from app.figures.release import ReleaseRule
from app.figures.results import unit_result
from app.messages.words import Words
from app.registry.questionnaires import published
from app.text_keys import TextKeys
from app.web.pages import PRIVATE, QueryText, language_of, render

router = APIRouter(include_in_schema=False)

COMMENT_READERS = PageDoor(Right.READ_COMMENTS)
#: So many years back a month is offered; an older one by its address.
_YEARS_OFFERED = 3


@dataclass(frozen=True)
class CommentsPage:
    """What was written in a month, by question."""

    unit: str
    code: str
    month: str
    months: Sequence[tuple[str, str]]
    withheld: int
    comments: Sequence[tuple[str, Sequence[str]]]
    words: Words


@router.get("/dashboard/comments")
def show_comments(
    request: Request,
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Person, Depends(COMMENT_READERS)],
    unit: QueryText,
    month: Annotated[str | None, Query(pattern=MONTH)] = None,
) -> Response:
    """What respondents wrote about a unit and those below it, in the last whole month at first.

    Who: ``comments:read`` there.
    """
    words = Words(language_of(request, caller))
    today = local_today(settings.zone)
    names = choices(date(today.year - _YEARS_OFFERED, 1, 1), today)[Length.MONTH]
    if month is None:
        query = urlencode({"unit": unit, "month": names[1]})
        return RedirectResponse(f"/dashboard/comments?{query}", 303, PRIVATE)
    with database.writing(caller.name) as session:
        found = comments.read(
            session,
            caller,
            month,
            units=[unit],
            release_rule=ReleaseRule.of(settings),
            keys=TextKeys.of(settings),
        )
        about = unit_result(scope.units(session, caller, Right.READ_COMMENTS).find(unit))
        texts = {
            (each.form.code, item.code): words.name(item.text)
            for each in published(session)
            for item in each.form.items
        }
    by_item: dict[str, list[str]] = {}
    for comment in found.comments:
        question = texts.get((comment.questionnaire, comment.item), comment.item)
        by_item.setdefault(question, []).append(comment.body)
    page = CommentsPage(
        words.unit(about), unit, month, [(name, words.period(name)) for name in names],
        found.withheld, list(by_item.items()), words,
    )  # fmt: skip
    return render(request, caller, "dashboard/comments.html", page)
