"""The pages under /dashboard, the downloads of their charts, and the script that draws them."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app.access.callers import Caller, Person
from app.access.doors import ANYONE, PageDoor
from app.access.models import Right
from app.api.csv import table
from app.db import Database
from app.figures import named_periods as spans
from app.figures.context import unit_out
from app.messages.words import Words
from app.problems import NotFound
from app.registry.models import UnitKind
from app.registry.questionnaires import published
from app.reports import sentences
from app.reports.charts import drawing
from app.reports.charts.chart import Figure
from app.reports.views.answers import answer_of
from app.reports.views.context import Chosen, NothingAsked, ViewContext
from app.settings import Settings
from app.web.dashboard.boards import BOARDS, MOST_DRAWN, Board
from app.web.pages import PRIVATE, QueryText, language_of, render

router = APIRouter(include_in_schema=False)

READERS = PageDoor(Right.READ_FIGURES)
Reader = Annotated[Person, Depends(READERS)]
#: Rows of units on one page.
ROWS = 150
#: Units that are offered while one types.
_OFFERED = 400


class FileFormat(StrEnum):
    """As what a chart is downloaded."""

    SVG = "svg"
    PNG = "png"
    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True)
class Link:
    """What a page's address carries: enough to open the same page again."""

    chosen: Chosen
    best: int = 10
    beside: tuple[str, ...] = ()

    def query(self, **changes: Any) -> str:
        """The address's query, with some of it changed."""
        parts: dict[str, Any] = {
            "unit": self.chosen.unit,
            "questionnaire": self.chosen.questionnaire,
            "period": self.chosen.period,
            "kind": self.chosen.kind,
            "best": self.best if self.best != 10 else None,
            "beside": self.beside,
        } | changes
        return urlencode({name: value for name, value in parts.items() if value}, doseq=True)


def link(
    unit: QueryText = "",
    questionnaire: QueryText = "",
    period: QueryText = "",
    kind: Annotated[UnitKind | None, Query()] = None,
    best: Annotated[int, Query(ge=1, le=10_000)] = 10,
    beside: Annotated[list[str], Query(max_length=8)] = [],  # noqa: B006 - FastAPI copies it
) -> Link:
    """What the address of every page may carry; a unit may stand there with its name."""
    return Link(
        Chosen(
            unit.strip().split(" ")[0] or None,
            questionnaire or None,
            period or None,
            kind.value if kind else None,
        ),
        best,
        tuple(code.strip().split(" ")[0] for code in beside if code.strip()),
    )


Linked = Annotated[Link, Depends(link)]


@dataclass(frozen=True)
class Drawn:
    """A figure with its picture; the picture is left out where it would be too long to read."""

    figure: Figure
    svg: str | None


@dataclass(frozen=True)
class BoardPage:
    """What a page of the dashboard shows."""

    board: Board
    boards: Sequence[str]
    link: Link
    answer: Mapping[str, Any]
    words: Words
    path: Sequence[Mapping[str, str]]
    questionnaires: Sequence[tuple[str, str]]
    periods: Mapping[str, Sequence[tuple[str, str]]]
    kinds: Sequence[tuple[str, int]]
    units: Sequence[tuple[str, str]]
    drawn: Mapping[str, Drawn]
    told: Any
    script: str
    start: int
    rows_at_once: int = ROWS

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


@router.get("/dashboard/{name}")
def show(
    request: Request,
    caller: Reader,
    name: str,
    linked: Linked,
    start: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """A page of the dashboard; its address is made whole, so that a copy of it opens the same.

    Who: ``figures:read``, over the units that they have it on.
    """
    board = BOARDS.get(name)
    if board is None:
        raise NotFound
    words = Words(language_of(request, caller))
    database: Database = request.app.state.database
    settings: Settings = request.app.state.settings
    with database.reading() as session:
        try:
            context = ViewContext.of(session, caller, settings, linked.chosen)
        except NothingAsked:
            return nothing_page(request, caller)
        whole = Chosen(
            context.unit.code if context.unit else None,
            context.questionnaire,
            context.span.name,
            context.kind if name != "unit" else linked.chosen.kind,
        )
        if whole != linked.chosen:
            query = Link(whole, linked.best, linked.beside).query(start=start)
            return RedirectResponse(f"/dashboard/{name}?{query}", 303, PRIVATE)
        offered = choices(context, words)
    answer = answer_of(
        request, caller, linked.chosen, board.view, **board.options(linked.best, linked.beside)
    )
    words = words.about(answer["unit"])
    page = BoardPage(
        board=board,
        boards=list(BOARDS),
        link=linked,
        answer=answer,
        words=words,
        drawn=_drawn(board, words, answer),
        told=sentences,
        script=drawing.script_name(),
        start=start,
        **offered,
    )
    return render(request, caller, f"dashboard/{name}.html", page)


@router.get("/dashboard/charts/{name}/{figure}.{file_format}")
def download(
    request: Request,
    caller: Reader,
    name: str,
    figure: str,
    file_format: FileFormat,
    linked: Linked,
) -> Response:
    """A page's chart as SVG, PNG or CSV, or as the specification that a browser draws.

    Who: ``figures:read``, over the units that they have it on.
    """
    board = BOARDS.get(name)
    draw = board.figures.get(figure) if board else None
    if board is None or draw is None:
        raise NotFound
    words = Words(language_of(request, caller))
    answer = answer_of(
        request, caller, linked.chosen, board.view, **board.options(linked.best, linked.beside)
    )
    found = draw(words.about(answer["unit"]), answer)
    if found is None:
        raise NotFound
    file = f"{figure}-{answer['period']}"
    content: bytes | None = None
    media = "application/json"
    match file_format:
        case FileFormat.SVG:
            content, media = drawing.svg(found.spec, words.language).encode(), "image/svg+xml"
        case FileFormat.PNG:
            content, media = drawing.png(found.spec, words.language), "image/png"
        case FileFormat.CSV:
            about = {name: answer[name] for name in ("questionnaire", "period", "first", "last")}
            content = table([dict(row) | about for row in found.rows]).encode()
            media = "text/csv; charset=utf-8"
    if content is None:
        return JSONResponse(found.spec, headers=PRIVATE)
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


def _drawn(board: Board, words: Words, answer: Mapping[str, Any]) -> dict[str, Drawn]:
    found = {name: draw(words, answer) for name, draw in board.figures.items()}
    return {
        name: Drawn(
            figure,
            None
            if name == "league" and len(figure.table.rows) > MOST_DRAWN
            else drawing.svg(figure.spec, words.language),
        )
        for name, figure in found.items()
        if figure is not None
    }


def choices(context: ViewContext, words: Words) -> dict[str, Any]:
    """What a page offers to choose from."""
    nodes = context.figures.units.nodes
    path, at = [], context.unit
    while at is not None:
        path.append({"code": at.code, "name": words.name({"vi": at.name_vi, "en": at.name_en})})
        at = nodes.get(at.parent_id) if at.parent_id is not None else None
    titles = {
        each.form.code: words.name({"vi": each.form.title.vi, "en": each.form.title.en})
        for each in published(context.figures.session)
    }
    periods = {
        words(f"length.{length.value}"): [(name, words.period(name)) for name in names]
        for length, names in spans.choices(*context.known).items()
    }
    if not any(context.span.name == name for names in periods.values() for name, _ in names):
        periods = {
            words("length.days"): [(context.span.name, words.period(context.span.name))],
            **periods,
        }
    offered = [(node.code, words.unit(unit_out(node))) for node in nodes.values()]
    return {
        "path": path[::-1],
        "questionnaires": [(code, titles[code]) for code in context.questionnaires],
        "periods": periods,
        "kinds": list(context.kinds.items()),
        "units": offered if len(offered) <= _OFFERED else [],
    }
