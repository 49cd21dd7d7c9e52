"""What an office publishes: rates with intervals, open data, badges and cards for other sites.

Off unless HAILONG_PUBLIC_PAGE is set. Everything is computed as for a caller who may read figures
everywhere and small cells nowhere, and only of periods that are over and of one length, so that
no two of them overlap and tell more than each by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from types import ModuleType
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from app.access.callers import Caller, Person
from app.access.doors import ANYONE, PageDoor
from app.api.csv import Dialect, DialectText, table
from app.api.dependencies import CACHE
from app.api.filters import StructureText, structure_of, structured
from app.db import Database
from app.dependencies import DATABASE, SETTINGS, DatabaseDependency
from app.figures import periods, visible
from app.figures.context import Context
from app.figures.feed import COLUMNS, lines
from app.figures.periods import Length, Step
from app.figures.query import Query as Filters
from app.figures.query import StructureOf
from app.figures.release import ReleaseRule
from app.figures.visible import PUBLIC
from app.messages.words import Words
from app.problems import NotFound
from app.registry.former_names import former_names
from app.registry.models import UnitKind
from app.registry.questionnaires import published
from app.reports import aside_sentences, sentences, structure_sentences
from app.reports.charts import comparison_charts
from app.reports.charts.drawing import Drawn
from app.reports.views.cached import Views
from app.reports.views.context import Chosen, NothingToShow, ViewContext
from app.reports.views.index_results import Index
from app.reports.views.results import Units
from app.reports.views.unit import headline
from app.reports.views.units import units as units_view
from app.settings import Settings
from app.web.pages import QueryText, fill, language_of, render
from app.web.public.published import finished, over
from app.web.unit_list import Column, Selection, UnitList, by_name, listed, selection

router = APIRouter(include_in_schema=False)

VISITORS = PageDoor(strangers=True)
#: Pages, data and badges may be kept for some minutes by anybody.
SHARED = {"Cache-Control": "public, max-age=300", "Vary": "Accept-Language, Cookie"}
_FRAMED = {
    **SHARED,
    # A card stands in frames of other sites; it has no form and no script.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; frame-ancestors *",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Frame-Options": "ALLOWALL",
}
_YEARS = 3


def published_by(request: Request) -> Settings:
    """The settings, where this service publishes.

    Raises
    ------
    NotFound
        Where it does not.
    """
    settings: Settings = SETTINGS.of(request)
    if not settings.public_page:
        raise NotFound
    return settings


@dataclass(frozen=True)
class PublicPage:
    """What is published of a period."""

    words: Words
    answer: Units
    list: UnitList
    index: Index
    summary: Sequence[str]
    questionnaires: Sequence[tuple[str, str]]
    periods: Sequence[tuple[str, str]]
    kinds: Sequence[tuple[str, int]]
    map: Drawn | None
    method: Sequence[str]
    #: The tree of units that was asked for; nothing for that of today.
    structure: str
    sentences: ModuleType = sentences


@router.get("/public")
def show_public(
    request: Request,
    database: DatabaseDependency,
    caller: Annotated[Caller, Depends(VISITORS)],
    questionnaire: QueryText = "",
    period: QueryText = "",
    kind: Annotated[UnitKind | None, Query()] = None,
    structure: StructureText = StructureOf.TODAY.value,
    *,
    listing: Annotated[Selection, Depends(selection)],
    sort: QueryText = "",
) -> Response:
    """The published rates of a period, with intervals and method. Who: anybody, if published."""
    settings = published_by(request)
    words = Words(language_of(request, caller))
    shown = finished(period or None, settings)
    chosen = Chosen(
        None, questionnaire or None, shown.name, kind.value if kind else None,
        structure_of(structure),
    )  # fmt: skip
    with database.reading() as session:
        try:
            context = ViewContext.of(session, PUBLIC, settings, chosen)
        except NothingToShow:
            raise NotFound from None
        titles = {each.form.code: words.name(each.form.title) for each in published(session)}
        chosen = Chosen(
            context.unit.code if context.unit else None,
            context.questionnaire, shown.name, context.kind, chosen.structure,
        )  # fmt: skip
        views = Views(session, PUBLIC, settings, CACHE.of(request))
        compared = views.of(chosen, "units 10", partial(units_view, judged=False))
        about = views.of(chosen, "headline", headline)
        figures = context.figures
        former = former_names(
            visible.units_of_all_times(session),
            figures.units.nodes.values() if listing.find else (),
            figures.regrouping.structure.day,
        )
    words = Words(words.language, chosen.unit)
    drawn = comparison_charts.places(words, compared)
    page = PublicPage(
        words=words,
        answer=compared,
        list=listed(
            words,
            compared.rows,
            by_name(listing, sort),
            path="/public",
            about={
                "questionnaire": chosen.questionnaire, "period": chosen.period,
                "kind": chosen.kind,
                "structure": structure if chosen.structure is not StructureOf.TODAY else None,
            },
            columns=(Column.NAME, Column.RATE, Column.RESPONDENTS),
            former=former,
        ),
        index=about.index,
        summary=[
            *sentences.index(words, about), sentences.standing(words, compared, compared.target),
            *aside_sentences.of_units(words, compared.aside),
        ],
        questionnaires=[(code, titles[code]) for code in context.questionnaires],
        periods=_periods(context, words, settings),
        kinds=list(context.kinds.items()),
        map=Drawn.of(drawn, words) if drawn else None,
        method=[
            *structure_sentences.of_report(
                words, compared.structure, compared.structure, compared.undivided
            ),
            *(words(f"report.method_{n}") for n in (1, 2, 3, 4, 5)),
        ],
        structure=structure if chosen.structure is not StructureOf.TODAY else "",
    )  # fmt: skip
    answer = render(request, caller, "public/page.html", page)
    if not isinstance(caller, Person):
        answer.headers.update(SHARED)
    return answer


def _periods(context: ViewContext, words: Words, settings: Settings) -> list[tuple[str, str]]:
    """The periods to choose from: those that are over."""
    names = periods.choices(*context.known)[Length(settings.public_period)]
    last = over(settings)
    return [(name, words.period(name)) for name in names if periods.span(name).last <= last]


@router.get("/public/data.csv")
def data(
    request: Request,
    database: DatabaseDependency,
    caller: Annotated[Caller, Depends(ANYONE)],
    questionnaire: QueryText = "",
    structure: StructureText = StructureOf.TODAY.value,
    dialect: DialectText = Dialect.COMMA,
) -> Response:
    """All published periods as one tidy table. Who: anybody, if published."""
    settings = published_by(request)
    last = finished(None, settings).last
    with database.reading() as session:
        query = Filters(
            questionnaire=questionnaire or None, first=date(last.year - _YEARS, 1, 1), last=last
        )
        query = structured(query, structure, settings)
        figures = Context(session, PUBLIC, query, ReleaseRule.of(settings))
        rows = list(lines(session, figures, Step(settings.public_period), factors=True))
    return Response(
        table(map(vars, rows), COLUMNS, dialect=dialect),
        media_type="text/csv; charset=utf-8",
        headers={**SHARED, "Access-Control-Allow-Origin": "*"},
    )


@router.get("/public/dictionary.csv")
def dictionary(
    request: Request,
    caller: Annotated[Caller, Depends(ANYONE)],
    dialect: DialectText = Dialect.COMMA,
) -> Response:
    """What the columns of the open data say. Who: anybody, if published."""
    published_by(request)
    rows = [
        {"column": name, "type": kind, "vi": vi, "en": en}
        for name, (kind, vi, en) in COLUMNS.items()
    ]
    content = table(rows, dialect=dialect)
    return Response(content, media_type="text/csv; charset=utf-8", headers=SHARED)


@dataclass(frozen=True)
class Card:
    """A unit's published figure, for a badge or a card."""

    words: Words
    unit: str
    rate: str
    limits: str
    n: str
    period: str
    text: str
    #: What is set aside and does not count, in a few words and by rule; nothing where nothing is.
    aside: str
    aside_by_rule: Sequence[str]
    address: str

    @property
    def badge(self) -> str:
        """What the badge says."""
        return f"{self.text} · {self.aside}" if self.aside else self.text

    @property
    def width(self) -> int:
        """Pixels that the badge's text takes, at some seven a letter."""
        return 8 * len(self.badge) + 20


def _card(
    request: Request, unit: str, questionnaire: QueryText = "", language: QueryText = "vi"
) -> Card:
    """A unit's figure of the last period that is over."""
    settings = published_by(request)
    words = Words("en" if language == "en" else "vi")
    shown = finished(None, settings)
    chosen = Chosen(unit, questionnaire or None, shown.name)
    database: Database = DATABASE.of(request)
    with database.reading() as session:
        views = Views(session, PUBLIC, settings, CACHE.of(request))
        view = views.of(chosen, "headline", headline)
    index = view.index
    first = index.headline
    rate = words.percent(first.estimate)
    text = (
        words("public.too_few")
        if first.estimate is None
        else f"{rate} ({words.limits(first)}; n = {words.number(index.respondents)})"
    )
    name = words.unit(view.unit)
    return Card(
        words, name, rate, words.limits(first), words.number(index.respondents),
        words.period(shown.name), text,
        aside_sentences.short(words, view.aside), aside_sentences.here(words, view.aside),
        f"/public?period={shown.name}",
    )  # fmt: skip


Published = Annotated[Card, Depends(_card)]


@router.get("/public/{unit}/badge.svg")
def badge(caller: Annotated[Caller, Depends(ANYONE)], card: Published) -> Response:
    """A unit's rate, interval, n and what is aside as a picture. Who: anybody, if published."""
    content = fill("public/badge.svg", card.words.language, card)
    return Response(content, media_type="image/svg+xml", headers=_FRAMED)


@router.get("/public/{unit}/card")
def show_card(caller: Annotated[Caller, Depends(ANYONE)], card: Published) -> Response:
    """A unit's rate, interval, n and what is aside as a card. Who: anybody, if published."""
    return HTMLResponse(fill("public/card.html", card.words.language, card), headers=_FRAMED)
