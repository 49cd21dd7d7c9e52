"""The pages under /dashboard, the downloads of their charts, and the script that draws them."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from types import ModuleType
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app.access.callers import Caller, Person
from app.access.doors import ANYONE, PageDoor
from app.access.models import Right
from app.api.csv import Dialect, DialectText, table
from app.api.dependencies import CACHE
from app.api.filters import StructureText, structure_of
from app.dependencies import DatabaseDependency, SettingsDependency
from app.figures import periods, visible
from app.figures.query import StructureOf
from app.figures.results import unit_result
from app.messages.words import Words
from app.problems import NotFound
from app.registry.former_names import FormerName, former_names
from app.registry.models import UnitKind
from app.registry.queries import UnitNode
from app.registry.questionnaires import published
from app.registry.structures import UNDIVIDED
from app.reports import aside_sentences, case_sentences, sentences, served, structure_sentences
from app.reports.charts import drawing
from app.reports.charts.drawing import Drawn
from app.reports.views.cached import Views
from app.reports.views.cases import case_figures
from app.reports.views.context import Chosen, NothingToShow, ViewContext
from app.reports.views.results import ComparisonView, Units, View
from app.web.dashboard.pages import BOARDS, MOST_DRAWN, AnyBoard, AnyShown, Link
from app.web.pages import PRIVATE, QueryText, language_of, render
from app.web.unit_list import Selection, UnitList, called_before, listed, selection

router = APIRouter(include_in_schema=False)

READERS = PageDoor(Right.READ_FIGURES)
Reader = Annotated[Person, Depends(READERS)]
#: Units that are offered while one types.
_OFFERED = 400


class FileFormat(StrEnum):
    """As what a chart is downloaded."""

    SVG = "svg"
    PNG = "png"
    CSV = "csv"
    JSON = "json"


def link(
    unit: QueryText = "",
    questionnaire: QueryText = "",
    period: QueryText = "",
    kind: Annotated[UnitKind | None, Query()] = None,
    best: Annotated[int, Query(ge=1, le=10_000)] = 10,
    beside: Annotated[list[str], Query(max_length=8)] = [],  # noqa: B006 - FastAPI copies it
    structure: StructureText = StructureOf.TODAY.value,
) -> Link:
    """What the address of every page may carry; a unit may stand there with its name."""
    return Link(
        Chosen(
            unit.strip().split(" ")[0] or None,
            questionnaire or None,
            period or None,
            kind.value if kind else None,
            structure_of(structure),
        ),
        best,
        tuple(code.strip().split(" ")[0] for code in beside if code.strip()),
    )


Linked = Annotated[Link, Depends(link)]


@dataclass(frozen=True)
class Choices:
    """What a page offers to choose from."""

    #: The units above the one shown, and itself: code and name.
    path: Sequence[tuple[str, str]]
    questionnaires: Sequence[tuple[str, str]]
    periods: Mapping[str, Sequence[tuple[str, str]]]
    kinds: Sequence[tuple[str, int]]
    units: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class BoardPage:
    """What a page of the dashboard shows."""

    board: AnyBoard
    boards: Sequence[str]
    link: Link
    answer: View
    words: Words
    choices: Choices
    drawn: Mapping[str, Drawn]
    sentences: ModuleType
    aside: ModuleType
    script: str
    #: The units of the pages that list them.
    list: UnitList | None
    #: Where the single responses behind the page are, for who may read them.
    exports: str = ""
    #: On a unit's page what came of its cases, for who may see these.
    cases: Sequence[str] = ()

    def title_of(self, board: str) -> str:
        """What a page is called: a hospital has wards, a district units."""
        if board == "sections" and self.words.served != "visits":
            return self.words("view.sections_of_units")
        return self.words(f"view.{board}")

    @property
    def undivided(self) -> str:
        """Whose answers could not be divided among the units; empty where all could."""
        return structure_sentences.undivided(self.words, self.answer.undivided)

    @property
    def comparable(self) -> bool:
        """Whether at least two of the units compared have a rate: of one there is no order."""
        rows = self._league.rows if self._league else ()
        return sum(row.rate is not None for row in rows) > 1

    @property
    def _league(self) -> Units | None:
        league = self.answer.league if isinstance(self.answer, ComparisonView) else self.answer
        return league if isinstance(league, Units) else None

    @property
    def api(self) -> str:
        """The call that gives another system what this page shows."""
        return f"/api/v1/views/{self.board.name}?{self.link.query()}"


@dataclass(frozen=True)
class NothingPage:
    """Why there is nothing to show yet."""

    words: Words


def nothing_page(request: Request, caller: Person) -> Response:
    """The page of somebody whose units have no survey point yet."""
    words = Words(language_of(request, caller))
    return render(request, caller, "dashboard/nothing.html", NothingPage(words))


@router.get("/dashboard")
def begin(request: Request, caller: Reader, linked: Linked) -> Response:
    """Lead to the first page. Who: ``figures:read``."""
    query = linked.query()
    return RedirectResponse("/dashboard/overview" + (f"?{query}" if query else ""), 303, PRIVATE)


def _board(name: str) -> AnyBoard:
    board = BOARDS.get(name)
    if board is None:
        raise NotFound
    return board


@router.get("/dashboard/{name}")
def show(
    request: Request,
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Reader,
    name: str,
    linked: Linked,
    chosen: Annotated[Selection, Depends(selection)],
) -> Response:
    """A page of the dashboard; its address is made whole, so that a copy of it opens the same.

    Who: ``figures:read``, over the units that they have it on.
    """
    board = _board(name)
    words = Words(language_of(request, caller))
    with database.reading() as session:
        views = Views(session, caller, settings, CACHE.of(request))
        try:
            context = views.context(linked.chosen)
        except NothingToShow:
            return nothing_page(request, caller)
        whole = Chosen(
            context.unit.code if context.unit else None,
            context.questionnaire,
            context.span.name,
            context.kind if name != "unit" else linked.chosen.kind,
            linked.chosen.structure,
        )
        if whole != linked.chosen:
            parts = chosen.parts if chosen != Selection() else {}
            query = Link(whole, linked.best, linked.beside).query(**parts)
            return RedirectResponse(f"/dashboard/{name}?{query}", 303, PRIVATE)
        offered = choices(context, words)
        shown = board.show(views, linked, context)
        former = _former(context) if chosen.find else {}
        found = case_figures(context) if name == "unit" else None
    words = served.about(words, shown.view)
    page = BoardPage(
        board=board,
        boards=list(BOARDS),
        link=linked,
        answer=shown.view,
        words=words,
        choices=offered,
        drawn=_drawn(shown, words),
        sentences=sentences,
        aside=aside_sentences,
        script=drawing.script_name(),
        list=_listed(words, board.name, shown.view, linked, chosen, former),
        exports=_exports(shown.view)
        if {Right.READ_RESPONSES, Right.READ_ANONYMOUS} & caller.rights
        else "",
        cases=case_sentences.summary(words, found, settings.least_respondents) if found else (),
    )
    return render(request, caller, f"dashboard/{name}.html", page)


def _exports(view: View) -> str:
    asked = {
        "questionnaire": view.questionnaire,
        "unit": view.unit.code if view.unit else "",
        "from": view.first.isoformat(),
        "to": view.last.isoformat(),
    }
    return f"/exports?{urlencode({name: value for name, value in asked.items() if value})}"


@router.get("/dashboard/charts/{name}/{figure}.{file_format}")
def download(
    request: Request,
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Reader,
    name: str,
    figure: str,
    file_format: FileFormat,
    linked: Linked,
    narrow: bool = False,
    dialect: DialectText = Dialect.COMMA,
) -> Response:
    """A page's chart as SVG, PNG or CSV, or as the specification that a browser draws.

    ``narrow`` has it drawn for a phone.

    Who: ``figures:read``, over the units that they have it on.
    """
    board = _board(name)
    words = Words(language_of(request, caller))
    with database.reading() as session:
        views = Views(session, caller, settings, CACHE.of(request))
        shown = board.show(views, linked)
    view = shown.view
    found = shown.draw_one(served.about(words, view), figure)
    if found is None:
        raise NotFound
    file = f"{figure}-{view.period}"
    spec = found.narrow if narrow else found.spec
    content: bytes | None = None
    media = "application/json"
    match file_format:
        case FileFormat.SVG:
            content, media = drawing.svg(spec, words.language).encode(), "image/svg+xml"
        case FileFormat.PNG:
            content, media = drawing.png(spec, words.language), "image/png"
        case FileFormat.CSV:
            about = {
                "questionnaire": view.questionnaire,
                "period": view.period,
                "first": view.first.isoformat(),
                "last": view.last.isoformat(),
            }
            content = table(found.rows, common=about, dialect=dialect).encode()
            media = "text/csv; charset=utf-8"
    if content is None:
        return JSONResponse(spec, headers=PRIVATE)
    disposition = f'attachment; filename="{file}.{file_format.value}"'
    return Response(
        content, media_type=media, headers={**PRIVATE, "Content-Disposition": disposition}
    )


@cache
def _script() -> bytes:
    return gzip.compress(drawing.script(), 9)


@router.get("/charts/{name}.js")
def script(request: Request, caller: Annotated[Caller, Depends(ANYONE)], name: str) -> Response:
    """The script that makes charts tell more under the pointer. Who: anybody."""
    if name != drawing.script_name():
        raise NotFound
    forever = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            _script(), media_type="text/javascript",
            headers={**forever, "Content-Encoding": "gzip"},
        )  # fmt: skip
    return Response(drawing.script(), media_type="text/javascript", headers=forever)


def _drawn(shown: AnyShown, words: Words) -> dict[str, Drawn]:
    return {
        name: Drawn(chart, None, None)
        if name == "league" and len(chart.table.rows) > MOST_DRAWN
        else Drawn.of(chart, words)
        for name, chart in shown.draw(words).items()
    }


def _former(context: ViewContext) -> Mapping[str, Sequence[FormerName]]:
    """What the units of a page were called before."""
    figures = context.figures
    units = visible.units_of_all_times(figures.session)
    return former_names(units, figures.units.nodes.values(), figures.regrouping.structure.day)


def _listed(
    words: Words,
    name: str,
    view: View,
    link: Link,
    chosen: Selection,
    former: Mapping[str, Sequence[FormerName]],
) -> UnitList | None:
    """The part of the units that a page lists; None where it lists none."""
    league = view.league if isinstance(view, ComparisonView) else view
    if not isinstance(league, Units):
        return None
    path = f"/dashboard/{name}"
    return listed(
        words, league.rows, chosen,
        path=path, about=link.parts, first=link.beside, former=former,
    )  # fmt: skip


def _named(words: Words, period: str, today: date) -> str:
    """A period to choose; it is said of a running one that it is not over."""
    name = words.period(period)
    running = periods.span(period).last >= today
    return words("period.not_over", period=name) if running else name


def _called(words: Words, node: UnitNode, former: Sequence[FormerName]) -> str:
    """How a unit is offered: it is found by what it was called before, too."""
    name = words.unit(unit_result(node))
    return f"{name} ({called_before(words, former)})" if former else name


def choices(context: ViewContext, words: Words) -> Choices:
    """What a page offers to choose from."""
    nodes = context.figures.units.nodes
    path = []
    if context.unit is not None:
        above = context.figures.units.above(context.unit.id)
        path = [(each.code, words.name(unit_result(each).name)) for each in (context.unit, *above)]
    titles = {
        each.form.code: words.name(each.form.title) for each in published(context.figures.session)
    }
    by_length = {
        words(f"length.{length.value}"): [
            (name, _named(words, name, context.today)) for name in names
        ]
        for length, names in periods.choices(*context.known).items()
    }
    if not any(context.span.name == name for names in by_length.values() for name, _ in names):
        by_length = {
            words("length.days"): [(context.span.name, words.period(context.span.name))],
            **by_length,
        }
    offered = [node for node in nodes.values() if node.kind != UNDIVIDED]
    offered = offered if len(offered) <= _OFFERED else []
    former = _former(context) if offered else {}
    return Choices(
        path=path[::-1],
        questionnaires=[(code, titles[code]) for code in context.questionnaires],
        periods=by_length,
        kinds=list(context.kinds.items()),
        units=[(node.code, _called(words, node, former.get(node.code, ()))) for node in offered],
    )
