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
from app.reports import sentences, served
from app.reports.charts import comparison_charts, trend_chart, unit_charts
from app.reports.charts.chart import Chart
from app.reports.documents import letterhead
from app.reports.documents.letterhead import Letterhead, named
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
    #: The unit and all above it, nearest first; of several units what they have in common.
    line: tuple[UnitNode, ...]
    about: UnitView
    #: The units below beside one another; None where there are none.
    compared: ComparisonView | None
    levels: Levels

    @property
    def subject(self) -> str:
        """The unit's name, with whose part it is; or whose units the report is about."""
        words = self.words
        if self.unit is None:
            if not self.line:
                return words("view.all_units")
            return words("report.units_of", unit=letterhead.within(named(words, self.line[0])))
        name, part_of = letterhead.within(named(words, self.unit)), self.unit.within
        if part_of is None:
            return name
        above = words.name(Names(vi=part_of.name_vi, en=part_of.name_en))
        return f"{name}, {letterhead.within(above)}"

    @property
    def title(self) -> str:
        """What the report is called."""
        return self.words(
            "report.title", unit=self.subject, period=self.words.period_of(self.about)
        )

    @property
    def head(self) -> Letterhead:
        """Who issues it, under whom, to whom, and where."""
        return letterhead.letterhead(self.words, self.line)

    def summary(self) -> list[str]:
        """The report in sentences."""
        said = sentences.index(self.words, self.about)
        if doubtful := sentences.doubtful(self.words, self.about):
            said.append(doubtful)
        if unreleased := self.about.unreleased:
            said.append(self.words("tell.unreleased", n=self.words.number(unreleased)))
        if self.compared:
            league = self.compared.league
            said.append(sentences.standing(self.words, league, league.target))
            said += sentences.changed(self.words, league)
            more = sentences.best(self.words, league), sentences.doubtful(self.words, league)
            said += [sentence for sentence in more if sentence]
        said += sentences.improve(self.words, self.about)
        return [*said, self.words("view.chose_to_answer"), self.words("report.hides_few")]

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
    units = context.figures.units
    tops = [id for id, node in units.nodes.items() if node.parent_id not in units.nodes]
    shown = unit(context)
    return Report(
        words=served.about(Words(language), shown),
        made_on=context.today,
        unit=context.unit,
        line=letterhead.line(session, [context.unit.id] if context.unit else tops),
        about=shown,
        compared=comparison(context, judged=False) if context.kinds else None,
        levels=levels(context),
    )
