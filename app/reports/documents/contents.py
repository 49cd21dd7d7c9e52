"""What a report consists of: the answers of the views, and the sentences about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.figures import visible
from app.figures.aside import AsideByRule, AsideRow
from app.figures.cases import CaseFigures
from app.figures.query import StructureOf, structure_day
from app.figures.release import publishing
from app.figures.reorganised import between
from app.figures.results import Names, unit_result
from app.figures.trend_results import Reorganised
from app.messages import Language
from app.messages.words import Words
from app.registry.queries import UnitNode, UnknownUnit
from app.registry.structures import UNDIVIDED
from app.reports import aside_sentences, case_sentences, sentences, served, structure_sentences
from app.reports.charts import comparison_charts, trend_chart, unit_charts
from app.reports.charts.chart import Chart
from app.reports.documents import letterhead
from app.reports.documents.letterhead import UNSIGNED, Letterhead, Signing, named
from app.reports.views.cases import case_figures
from app.reports.views.comparison import comparison
from app.reports.views.context import Chosen, NothingToShow, UnknownKind, ViewContext
from app.reports.views.form_results import Levels
from app.reports.views.levels import levels
from app.reports.views.results import ComparisonView, UnitView
from app.reports.views.unit import unit
from app.settings import Settings
from app.settings.signers import Signer


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
    #: The units that changed in the period, as they are in its tree, with how and by what.
    reorganised: tuple[tuple[UnitNode, Reorganised], ...] = ()
    #: What came of the unit's cases, where whoever makes the report may see these.
    cases: CaseFigures | None = None
    #: From how many on a number is told.
    least: int = 10
    signing: Signing = UNSIGNED

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
        said += aside_sentences.here(self.words, self.about.aside)
        if unreleased := self.about.unreleased:
            said.append(self.words("tell.unreleased", n=self.words.number(unreleased)))
        if self.compared:
            league = self.compared.league
            said.append(sentences.standing(self.words, league, league.target))
            said += sentences.changed(self.words, league)
            more = sentences.best(self.words, league), sentences.doubtful(self.words, league)
            said += [sentence for sentence in more if sentence]
            said += aside_sentences.of_units(self.words, league.aside)
        said += sentences.improve(self.words, self.about)
        return [*said, self.words("view.chose_to_answer"), self.words("report.hides_few")]

    def set_aside(self) -> list[tuple[AsideRow, AsideByRule | None]]:
        """The units of which something is set aside, each once a rule; None where it is hidden."""
        compared = self.compared.league.aside if self.compared else []
        return [
            (row, rule)
            for row in (*self.about.aside, *compared)
            for rule in (tuple(row.rules) or (None,))
        ]

    def case_summary(self) -> list[str]:
        """What came of the cases, in sentences; nothing where they are not told of."""
        if self.cases is None:
            return []
        return case_sentences.summary(self.words, self.cases, self.least)

    def structure(self) -> list[str]:
        """In the tree of units of which day the figures are, in sentences."""
        compared = self.compared
        return structure_sentences.of_report(
            self.words,
            self.about.structure,
            compared.structure if compared else self.about.structure,
            [*self.about.undivided, *(compared.undivided if compared else ())],
        )

    def changes(self) -> list[tuple[str, str]]:
        """Each unit that changed in the period, with what became of what and by which decision."""
        return [
            (self.words.unit(unit_result(node)), structure_sentences.reorganised(self.words, mark))
            for node, mark in self.reorganised
        ]

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
    session: Session,
    caller: Caller,
    settings: Settings,
    chosen: Chosen,
    language: Language,
    *,
    compared_in: StructureOf | date = StructureOf.THEN,
    signing: Signing = UNSIGNED,
) -> Report:
    """All that a report says, computed within the caller's rights.

    Units are compared as they were in the tree of ``compared_in``, if that has the unit itself.
    What ``signing`` leaves out is what the settings say of the unit that issues.

    Raises
    ------
    UnknownUnit, UnknownQuestionnaire, PeriodUnknown, UnknownKind, NothingToShow
        Where something of what was chosen is not there.
    """
    context = ViewContext.of(session, publishing(caller), settings, chosen)
    units = context.figures.units
    tops = [id for id, node in units.nodes.items() if node.parent_id not in units.nodes]
    shown = unit(context)
    beside = _comparing(context, compared_in)
    line = letterhead.line(session, [context.unit.id] if context.unit else tops)
    signer = settings.report_signers.of(line[0].code) if line else Signer()
    return Report(
        words=served.about(Words(language), shown),
        made_on=context.today,
        unit=context.unit,
        line=line,
        about=shown,
        compared=comparison(beside, judged=False) if beside.kinds else None,
        levels=levels(context),
        reorganised=_reorganised(context),
        cases=case_figures(context),
        least=settings.least_respondents,
        signing=signing.or_else(signer),
    )


def _comparing(context: ViewContext, compared_in: StructureOf | date) -> ViewContext:
    """The question in the tree in which units are compared; where the unit is not, the same."""
    figures = context.figures
    chosen = Chosen(
        context.unit.code if context.unit else None, context.questionnaire, context.span.name,
        context.kind, compared_in,
    )  # fmt: skip
    wanted = structure_day(compared_in, context.span.last, context.today) or context.today
    here = figures.regrouping.structure.day
    if not visible.change_days(figures.session, min(wanted, here), max(wanted, here)):
        return context
    try:
        try:
            found = _of(context, chosen)
        except UnknownKind:
            found = _of(context, replace(chosen, kind=None))
    except (UnknownUnit, NothingToShow):
        return context
    # A code may have been another unit's then.
    same = (found.unit and found.unit.id) == (context.unit and context.unit.id)
    return found if same else context


def _of(context: ViewContext, chosen: Chosen) -> ViewContext:
    figures = context.figures
    return ViewContext.of(figures.session, figures.caller, context.settings, chosen)


def _reorganised(context: ViewContext) -> tuple[tuple[UnitNode, Reorganised], ...]:
    """The units that the report is about and that changed in its period, in order of the days."""
    nodes = context.figures.units.nodes
    within = [nodes[id] for id in sorted(context.within) if nodes[id].kind != UNDIVIDED]
    before = context.span.first - timedelta(days=1)
    found = between(context.figures, within, before, context.span.last)
    marks = [(nodes[id], mark) for id, each in found.items() for mark in each]
    return tuple(sorted(marks, key=lambda each: (each[1].day, each[0].code)))
