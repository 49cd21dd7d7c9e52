"""Which pages there are, which view each shows, and which charts stand on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol
from urllib.parse import urlencode

from app.figures.query import StructureOf
from app.messages.words import Words
from app.reports.charts import comparison_charts, trend_chart, unit_charts
from app.reports.charts.chart import Chart
from app.reports.views.cached import V, Views
from app.reports.views.comparison import comparison
from app.reports.views.context import Chosen, ViewContext
from app.reports.views.items import importance
from app.reports.views.overview import overview
from app.reports.views.quality import quality
from app.reports.views.results import ComparisonView, View
from app.reports.views.sections import sections
from app.reports.views.unit import unit
from app.reports.views.units import units
from app.web.unit_list import Parts

#: More rows than this are no picture any more: the table has them, the chart is to be downloaded.
MOST_DRAWN = 40


@dataclass(frozen=True)
class Link:
    """What a page's address carries: enough to open the same page again."""

    chosen: Chosen
    best: int = 10
    beside: tuple[str, ...] = ()

    @property
    def parts(self) -> Parts:
        """The parts of the address."""
        return {
            "unit": self.chosen.unit,
            "questionnaire": self.chosen.questionnaire,
            "period": self.chosen.period,
            "kind": self.chosen.kind,
            "best": self.best if self.best != 10 else None,
            "beside": self.beside,
            "structure": None
            if self.chosen.structure is StructureOf.TODAY
            else str(self.chosen.structure),
        }

    def query(self, **changes: str | int | Sequence[str] | None) -> str:
        """The address's query, with some of it changed."""
        parts = {**self.parts, **changes}
        return urlencode({name: value for name, value in parts.items() if value}, doseq=True)


def _league_of_comparison(words: Words, view: ComparisonView) -> Chart | None:
    return comparison_charts.league(words, view.league)


@dataclass(frozen=True)
class Shown(Generic[V]):
    """A view, and what its charts are drawn by."""

    view: V
    charts: Mapping[str, Callable[[Words, V], Chart | None]]

    def draw(self, words: Words) -> dict[str, Chart]:
        """All its charts, by name."""
        found = {name: self.draw_one(words, name) for name in self.charts}
        return {name: chart for name, chart in found.items() if chart is not None}

    def draw_one(self, words: Words, name: str) -> Chart | None:
        """One of its charts; None where there is nothing to draw, or no such chart."""
        draw = self.charts.get(name)
        return draw(words, self.view) if draw else None


@dataclass(frozen=True)
class Board(Generic[V]):
    """One page: its name in addresses, its view, its charts by name."""

    name: str
    view: Callable[[ViewContext, Link], V]
    charts: Mapping[str, Callable[[Words, V], Chart | None]]

    def show(self, views: Views, link: Link, context: ViewContext | None = None) -> Shown[V]:
        """The page's view, from memory where it is current."""
        name = f"{self.name} {link.best} {link.beside}"
        view = views.of(link.chosen, name, partial(self._of, link=link), context)
        return Shown(view, self.charts)

    def _of(self, context: ViewContext, link: Link) -> V:
        return self.view(context, link)


class AnyShown(Protocol):
    """A view of whatever page, and its charts."""

    @property
    def view(self) -> View: ...  # noqa: D102

    def draw(self, words: Words) -> dict[str, Chart]: ...  # noqa: D102

    def draw_one(self, words: Words, name: str) -> Chart | None: ...  # noqa: D102


class AnyBoard(Protocol):
    """Whatever page."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def show(self, views: Views, link: Link, context: ViewContext | None = None) -> AnyShown: ...  # noqa: D102


OVERVIEW = Board("overview", lambda context, link: overview(context), {"trend": trend_chart.trend})
UNITS = Board(
    "units",
    lambda context, link: units(context, best=link.best),
    {"map": comparison_charts.places, "league": comparison_charts.league},
)
UNIT = Board(
    "unit",
    lambda context, link: unit(context),
    {
        "factors": unit_charts.factors,
        "trend": trend_chart.trend,
        "items": unit_charts.items,
        "channels": unit_charts.channels,
        "drivers": unit_charts.drivers,
    },
)
COMPARISON = Board(
    "comparison",
    lambda context, link: comparison(context, best=link.best, beside=link.beside),
    {
        "funnel": comparison_charts.funnel,
        "beside": comparison_charts.beside,
        "league": _league_of_comparison,
    },
)
SECTIONS = Board(
    "sections",
    lambda context, link: sections(context),
    {"league": comparison_charts.league, "factors": unit_charts.factors},
)
ITEMS = Board(
    "items",
    lambda context, link: importance(context),
    {
        "factors": unit_charts.factors,
        "drivers": unit_charts.drivers,
        "items": unit_charts.items,
    },
)
QUALITY = Board(
    "quality", lambda context, link: quality(context), {"no_opinion": unit_charts.no_opinion}
)
BOARDS: dict[str, AnyBoard] = {
    board.name: board for board in (OVERVIEW, UNITS, UNIT, COMPARISON, SECTIONS, ITEMS, QUALITY)
}
