"""Which pages there are, which view each shows, and which figures stand on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.messages.words import Words
from app.reports.charts import comparison_charts as comparison_charts
from app.reports.charts import unit_charts as figures
from app.reports.charts.chart import Figure
from app.reports.views.comparison import comparison
from app.reports.views.items import importance
from app.reports.views.overview import overview
from app.reports.views.quality import quality
from app.reports.views.sections import sections
from app.reports.views.unit import unit
from app.reports.views.units import units

Draw = Callable[[Words, Mapping[str, Any]], Figure | None]
#: More rows than this are no picture any more: the table has them, the chart is to be downloaded.
MOST_DRAWN = 40


def _league_of_comparison(words: Words, answer: Mapping[str, Any]) -> Figure | None:
    return comparison_charts.league(words, answer["league"])


@dataclass(frozen=True)
class Board:
    """One page: its name in addresses, its view, its figures by name."""

    name: str
    view: Callable[..., dict[str, Any]]
    figures: Mapping[str, Draw]
    #: Whether it takes ``best``, and the codes of units ``beside`` one another.
    ranks: bool = False
    besides: bool = False

    def options(self, best: int, beside: tuple[str, ...]) -> dict[str, Any]:
        """What the view is called with besides the scene."""
        return ({"best": best} if self.ranks else {}) | ({"beside": beside} if self.besides else {})


BOARDS = {
    board.name: board
    for board in (
        Board("overview", overview, {"trend": figures.trend}),
        Board(
            "units",
            units,
            {"map": comparison_charts.places, "league": comparison_charts.league},
            ranks=True,
        ),
        Board(
            "unit",
            unit,
            {
                "factors": figures.factors,
                "trend": figures.trend,
                "items": figures.items,
                "channels": figures.channels,
                "drivers": figures.drivers,
            },
        ),
        Board(
            "comparison",
            comparison,
            {
                "funnel": comparison_charts.funnel,
                "beside": comparison_charts.beside,
                "league": _league_of_comparison,
            },
            ranks=True,
            besides=True,
        ),
        Board(
            "sections", sections, {"league": comparison_charts.league, "factors": figures.factors}
        ),
        Board(
            "items",
            importance,
            {"factors": figures.factors, "drivers": figures.drivers, "items": figures.items},
        ),
        Board("quality", quality, {"no_opinion": figures.no_opinion}),
    )
}
