"""The page of comments of a unit and those below it; reading it stands in the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BeforeValidator

from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Right
from app.dependencies import DatabaseDependency, SettingsDependency
from app.figures import periods
from app.figures.comment_reading import Place, months_with_answers
from app.figures.comment_results import (
    Comment,
    Comments,
    Contentment,
    ThemeFigures,
    ThemeRisen,
    ThemeTrend,
)
from app.figures.comment_themes import read_with_themes
from app.figures.comments import CommentQuery, latest_month, place_of
from app.figures.periods import MONTH
from app.figures.release import ReleaseRule
from app.figures.results import unit_result
from app.messages.words import Words
from app.registry.models import Channel
from app.registry.questionnaires import published
from app.reports.charts.drawing import Drawn
from app.reports.charts.theme_chart import theme_chart
from app.text_keys import TextKeys
from app.themes.model import OTHER, Name, Tone
from app.themes.versions import in_force
from app.web.pages import QueryText, language_of, render
from surveys.model import LongTextItem, Questionnaire, ShortTextItem

router = APIRouter(include_in_schema=False)

COMMENT_READERS = PageDoor(Right.READ_COMMENTS)
#: Of more units none is offered to choose; each is found by its code.
_OFFERED = 400
_PATH = "/dashboard/comments"


def _none(value: object) -> object:
    """A field of a form that was left empty is none."""
    return value or None


#: Parameters that a form sends empty where nothing was chosen.
MonthText = Annotated[str | None, Query(pattern=MONTH), BeforeValidator(_none)]
Chosen = Annotated[str | None, Query(max_length=100), BeforeValidator(_none)]
ToneChosen = Annotated[Tone | None, Query(), BeforeValidator(_none)]
ContentmentChosen = Annotated[Contentment | None, Query(), BeforeValidator(_none)]
ChannelChosen = Annotated[Channel | None, Query(), BeforeValidator(_none)]


@dataclass(frozen=True)
class Group:
    """Comments of one tone and question, one after another on the page."""

    tone: Tone
    question: str
    comments: Sequence[Comment]


@dataclass(frozen=True)
class CommentsPage:
    """What was written about a unit and those below it, with what may be chosen."""

    unit: str
    code: str
    units: Sequence[tuple[str, str]]
    months: Sequence[tuple[str, str]]
    questionnaires: Sequence[tuple[str, str]]
    items: Sequence[tuple[str, str]]
    themes: Mapping[str, Name]
    query: CommentQuery
    found: Comments | None
    figures: ThemeFigures | None
    groups: Sequence[Group]
    chart: Drawn | None
    least: int
    words: Words
    contentments: Sequence[Contentment] = tuple(Contentment)
    tones: Sequence[Tone] = tuple(Tone)
    channels: Sequence[Channel] = tuple(Channel)

    @property
    def period(self) -> str:
        """The months in words."""
        first, last = self.query.month, self.query.to
        if last is None or last == first:
            return self.words.period(first)
        return self.words(
            "comments.months", first=self.words.period(first), last=self.words.period(last)
        )

    def theme(self, code: str) -> str:
        """What a theme is called; the code of one that is in the list no more."""
        if code == OTHER:
            return self.words("comments.other")
        return self.words.name(self.themes.get(code), code)

    def link(self, **changes: object) -> str:
        """The address of the page with other choices."""
        query = replace(self.query, page=1)
        query = replace(query, **changes)  # type: ignore[arg-type]
        parts = {
            "unit": self.code, "month": query.month, "to": query.to,
            "questionnaire": query.questionnaire, "item": query.item, "theme": query.theme,
            "tone": query.tone, "level": query.contentment, "channel": query.channel,
            "search": query.search, "page": query.page if query.page > 1 else None,
            "descendants": None if query.descendants else "false",
        }  # fmt: skip
        return f"{_PATH}?{urlencode({name: each for name, each in parts.items() if each})}"

    def risen(self, row: ThemeRisen) -> str:
        """By how much a theme rose, in a sentence."""
        return self.words(
            "comments.risen_row", theme=self.theme(row.theme),
            about=self.words.number(row.about), comments=self.words.number(row.comments),
            before=self.words.number(row.about_before),
            comments_before=self.words.number(row.comments_before),
            p=self.words.p_is(row.adjusted_p),
        )  # fmt: skip

    @property
    def is_deleted(self) -> bool:
        """Whether nothing that was written in these months is kept."""
        since = self.found.kept_since if self.found else None
        return since is not None and self.query.days.last < since

    def not_shown(self) -> list[str]:
        """What is not shown, and why, in sentences."""
        found = self.found
        if found is None:
            return []
        said = []
        if found.kept_since is not None:
            key = "comments.deleted" if self.is_deleted else "comments.kept_since"
            said.append(self.words(key, day=self.words.day(found.kept_since)))
        if found.few:
            key = "comments.few_here" if found.few == 1 else "comments.few"
            said.append(self.words(key, n=self.words.number(found.few), least=self.least))
        if found.waiting:
            said.append(self.words("comments.waiting", least=self.least))
        if found.indistinct:
            n = self.words.number(found.indistinct)
            said.append(self.words("comments.indistinct", n=n, least=self.least))
        return said


@router.get("/dashboard/comments")
def show_comments(
    request: Request,
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Person, Depends(COMMENT_READERS)],
    unit: QueryText,
    month: MonthText = None,
    to: MonthText = None,
    since: Chosen = None,
    descendants: bool = True,
    questionnaire: Chosen = None,
    item: Chosen = None,
    theme: Chosen = None,
    tone: ToneChosen = None,
    level: ContentmentChosen = None,
    channel: ChannelChosen = None,
    search: QueryText = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """What respondents wrote about a unit and those below it; at first in the latest month.

    Who: ``comments:read`` there. ``since`` names a period, of which the first month is shown.
    """
    words = Words(language_of(request, caller))
    rule, keys = ReleaseRule.of(settings), TextKeys.of(settings)
    if since is not None and month is None:
        month = f"{periods.span(since).first:%Y-%m}"
    query = CommentQuery(
        month or f"{rule.today:%Y-%m}", to, [unit.strip()], descendants, questionnaire, item,
        theme, tone, level, channel, search.strip(), praise_first=True, page=page,
    )  # fmt: skip
    with database.reading() as session:
        place = place_of(session, caller, query, rule)
        about = unit_result(place.tree.find(unit.strip()))
        months = months_with_answers(session, place)
        if month is None and months:
            latest = latest_month(session, place, rule, keys, months) or months[0]
            query = replace(query, month=latest)
        forms = {each.form.code: each.form for each in published(session)}
        themes = in_force(session).themes.names()
    found = figures = None
    if month is not None or months:
        found, figures = read_with_themes(database, caller, query, release_rule=rule, keys=keys)
    shown = CommentsPage(
        words.unit(about),
        about.code,
        _units(place, about.code, words),
        [(name, words.period(name)) for name in months],
        [(code, words.name(form.title)) for code, form in forms.items()],
        _items(
            {code: form for code, form in forms.items() if questionnaire in (None, code)}, words
        ),
        themes,
        query,
        found,
        figures,
        _groups(found, forms, words) if found else [],
        None,
        rule.least,
        words.about(about),
    )
    if figures is not None and (trend := _followed(figures, query)) is not None:
        chart = theme_chart(words, trend, shown.theme(trend.theme))
        shown = replace(shown, chart=Drawn.of(chart, words))
    return render(request, caller, "dashboard/comments.html", shown)


def _units(place: Place, code: str, words: Words) -> list[tuple[str, str]]:
    """The units that are offered: the page's and those below it, and those above it."""
    tree = place.tree
    here = tree.find(code)
    ids = [here.id, *(each.id for each in tree.above(here.id)), *tree.below(here.id)[1:]]
    if len(ids) > _OFFERED:
        return []
    return [(tree.nodes[id].code, words.unit(unit_result(tree.nodes[id]))) for id in ids]


def _items(forms: Mapping[str, Questionnaire], words: Words) -> list[tuple[str, str]]:
    """The questions that are answered in words, each by its code, with its newest wording."""
    found = {}
    for form in forms.values():
        for item in form.items:
            if isinstance(item, ShortTextItem | LongTextItem):
                found[item.code] = words.name(item.text)
    return list(found.items())


def _groups(found: Comments, forms: Mapping[str, Questionnaire], words: Words) -> list[Group]:
    """The page's comments by tone and question, in their order."""
    texts = {
        (code, item.code): words.name(item.text)
        for code, form in forms.items()
        for item in form.items
    }

    def key(comment: Comment) -> tuple[Tone, str]:
        asked = (comment.questionnaire, comment.item)
        return comment.tone, texts.get(asked, comment.item)

    tones = [tone for tone, _ in groupby(found.comments, key=lambda each: each.tone)]
    by_question = sorted(found.comments, key=lambda each: (tones.index(each.tone), key(each)[1]))
    return [
        Group(tone, question, list(comments))
        for (tone, question), comments in groupby(by_question, key=key)
    ]


def _followed(figures: ThemeFigures, query: CommentQuery) -> ThemeTrend | None:
    """The theme whose months are drawn: the one chosen, or that rose, or is spoken of most."""
    known = {
        trend.theme: trend
        for trend in figures.trends
        if any(month.share is not None for month in trend.months)
    }
    if query.theme is not None:
        return known.get(query.theme)
    if figures.risen and figures.risen[0].theme in known:
        return known[figures.risen[0].theme]
    return max(known.values(), key=lambda each: sum(m.about for m in each.months), default=None)
