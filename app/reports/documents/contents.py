"""What a report consists of: the answers of the views, and the sentences about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.figures.release import publishing
from app.figures.results import Names
from app.messages import Language
from app.messages.words import Words
from app.registry.queries import UnitNode
from app.reports import sentences
from app.reports.charts import comparison_charts, trend_chart, unit_charts
from app.reports.charts.chart import Chart
from app.reports.views.comparison import comparison
from app.reports.views.context import Chosen, ViewContext
from app.reports.views.form_results import Levels
from app.reports.views.levels import levels
from app.reports.views.results import ComparisonView, UnitView
from app.reports.views.unit import unit
from app.settings import Settings


@dataclass(frozen=True)
class Report:
    """One unit, or all of a caller's, in one period, in one language."""

    words: Words
    made_on: date
    unit: UnitNode | None
    parent: UnitNode | None
    province: UnitNode | None
    about: UnitView
    #: The units below beside one another; None where there are none.
    compared: ComparisonView | None
    levels: Levels

    @property
    def subject(self) -> str:
        """The unit's name."""
        return self._name(self.unit) if self.unit else self.words("view.all_units")

    @property
    def title(self) -> str:
        """What the report is called."""
        return self.words(
            "report.title", unit=self.subject, period=self.words.period(self.about.period)
        )

    def _name(self, node: UnitNode) -> str:
        return self.words.name(Names(vi=node.name_vi, en=node.name_en))

    @property
    def issuer(self) -> tuple[str, str]:
        """Whose report it is: the body above it, and itself, for the letterhead."""
        above = self._name(self.parent) if self.parent else self.words("report.issuer_above")
        return above, self.subject

    @property
    def place(self) -> str:
        """Where it is made: the province, without the word."""
        if self.province is None:
            return "…"
        return self._name(self.province).removeprefix("Tỉnh ").removeprefix("Thành phố ")

    def summary(self) -> list[str]:
        """The report in sentences."""
        said = sentences.index(self.words, self.about)
        if unreleased := self.about.unreleased:
            said.append(self.words("tell.unreleased", n=self.words.number(unreleased)))
        if self.compared:
            league = self.compared.league
            said.append(sentences.standing(self.words, league, league.target))
            said += sentences.changed(self.words, league)
            best = sentences.best(self.words, league)
            said += [best] if best else []
        return said + sentences.improve(self.words, self.about)

    def charts(self) -> dict[str, Chart]:
        """The charts, by name."""
        found: dict[str, Chart | None] = {
            "factors": unit_charts.factors(self.words, self.about),
            "trend": trend_chart.trend(self.words, self.about),
            "drivers": unit_charts.drivers(self.words, self.about),
            "items": unit_charts.items(self.words, self.about),
        }
        if self.compared:
            found["funnel"] = comparison_charts.funnel(self.words, self.compared)
            found["map"] = comparison_charts.places(self.words, self.compared.league)
        return {name: chart for name, chart in found.items() if chart is not None}


def gather(
    session: Session, caller: Caller, settings: Settings, chosen: Chosen, language: Language
) -> Report:
    """All that a report says, computed within the caller's rights.

    Raises
    ------
    UnknownUnit, UnknownQuestionnaire, PeriodUnknown, UnknownKind, NothingToShow
        Where something of what was chosen is not there.
    """
    context = ViewContext.of(session, publishing(caller), settings, chosen)
    above = context.figures.units.above(context.unit.id) if context.unit else []
    parent = above[0] if above else None
    top = above[-1] if above else context.unit
    return Report(
        words=Words(language, context.unit.code if context.unit else None),
        made_on=context.today,
        unit=context.unit,
        parent=parent,
        province=top if top and top.kind == "province" else None,
        about=unit(context),
        compared=comparison(context, judged=False) if context.kinds else None,
        levels=levels(context),
    )
