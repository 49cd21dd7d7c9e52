"""A report as an official letter: its sentences and tables, whatever file they are written into.

Laid out by Decree 30/2020/NĐ-CP, annex I. Every figure of a chart stands in a table, too, so that
it can be searched, copied and read aloud.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from app.figures.cases import CaseFigures
from app.messages.words import NOTHING, Words
from app.reports import case_sentences, sentences
from app.reports.change_sentences import told
from app.reports.charts.chart import Chart
from app.reports.charts.comparison_charts import ranks
from app.reports.documents.contents import Report
from app.reports.views.form_results import Levels
from app.reports.views.results import UnitRow
from app.reports.weighting_sentences import headline_label

_GAP = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Table:
    """Headings, and rows of texts; a row with fewer cells has a sentence over all that are left."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    #: The places of rows that head those below them.
    strong: frozenset[int] = frozenset()

    @classmethod
    def of(cls, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
        """A table of any headings and rows."""
        return cls(tuple(headings), tuple(tuple(row) for row in rows))


@dataclass(frozen=True)
class Picture:
    """A chart, not yet drawn, with what stands beside it."""

    chart: Chart
    #: Its small words.
    note: str
    table: Table


@dataclass(frozen=True)
class Letter:
    """All that a report says, in the order in which a letter says it; empty where there is none."""

    words: Words
    day: date
    title: str
    above: str
    above_place: str
    issuer: str
    one_name: bool
    addressee: str
    synthetic: str
    #: Its number and sign, dotted where they are to be written by hand.
    number: str
    #: Where it is written, or dots; and that with the day.
    place: str
    dated: str
    recipients: tuple[str, ...]
    #: As what somebody signs, a line each; and who, where it is known.
    position: tuple[str, ...]
    signer: str
    #: Whether what is signed with is known, so that nobody need write it.
    positioned: bool
    #: The figures that it begins with, each with its label: rate, interval, respondents.
    headline: tuple[tuple[str, str], ...]
    summary: tuple[str, ...]
    pictures: Mapping[str, Picture]
    levels: Table
    levels_title: str
    besides: tuple[str, ...]
    cases: tuple[str, ...]
    cases_table: Table | None
    changes: Table | None
    method: tuple[str, ...]
    #: The annex; None where no units are compared.
    units: Table | None

    def heading(self, part: str) -> str:
        """What a part of the letter is called."""
        return self.words(f"report.{part}")


def letter(report: Report) -> Letter:
    """The letter that a report is."""
    w, head, signing = report.words, report.head, report.signing
    period = w.period_of(report.about)
    to = "to_above" if head.addressee else "to_others"
    index = report.about.index
    return Letter(
        words=w,
        day=report.made_on,
        title=report.title.replace(period, period.replace(" ", _GAP)),
        above=head.above.upper(),
        above_place=head.above_place.upper(),
        issuer=head.issuer.upper(),
        one_name=head.one_name,
        addressee=w("report.addressee", unit=head.addressee) if head.addressee else "",
        synthetic=w("synthetic.notice") if report.about.synthetic else "",
        number=signing.numbered(w("report.symbol")),
        place=head.place,
        dated=w("report.dated", place=head.place, day=w.letter_day(report.made_on)),
        recipients=tuple(w(f"report.recipients_{to}").splitlines()),
        position=signing.position or (w("report.signer"),),
        signer=signing.name,
        positioned=bool(signing.position),
        headline=(
            (w.percent(index.headline.estimate), headline_label(w, index)),
            (w.limits(index.headline), w("chart.interval")),
            (w.people(index.respondents), w("chart.respondents")),
        ),
        summary=tuple(report.summary()),
        pictures={
            name: Picture(chart, _note(w, chart), Table.of(chart.table.headings, chart.table.rows))
            for name, chart in report.charts().items()
        },
        levels=levels_table(w, report.levels),
        levels_title=f"{w.name(report.levels.title)} – {w.name(report.levels.source)}",
        besides=tuple(besides(w, report.levels)),
        cases=tuple(report.case_summary()),
        cases_table=_cases_table(w, report.cases) if report.cases else None,
        changes=_changes_table(w, report.changes()),
        method=(*report.structure(), *(w(f"report.method_{n}") for n in (1, 2, 3, 4, 5))),
        units=_units_table(w, report.compared.league.rows) if report.compared else None,
    )


def _note(words: Words, chart: Chart) -> str:
    """A chart's small words, and where the numbers beside its points are explained."""
    if not chart.by_number:
        return chart.note
    return "; ".join([chart.note, words("report.by_number")])


def levels_table(words: Words, view: Levels) -> Table:
    """Item by item the counts by level, mean and rate; sections and the whole between them."""
    headings = [
        words("report.item"),
        *(words("report.level", value=value) for value in view.values),
        words("report.no_opinion"),
        words("chart.mean"),
        words("report.satisfied"),
        words("chart.interval"),
    ]
    rows: list[list[str]] = []
    wide = len(view.values) + 1
    for section in view.sections:
        rows.append(
            [f"{section.factor}. {words.name(section.name)}", *[""] * wide,
             words.number(section.mean_score, 2), words.percent(section.rate),
             words.limits(section)]
        )  # fmt: skip
        for item in section.items:
            counts = [words.number(n) for n in item.levels] or [NOTHING] * (wide - 1)
            rows.append(
                [f"{item.item}. {words.name(item.name)}", *counts,
                 words.number(item.no_opinion), words.number(item.mean_score, 2),
                 words.percent(item.rate), words.limits(item)]
            )  # fmt: skip
    whole = view.whole
    rows.append(
        [words("report.whole"), *[""] * wide, words.number(whole.mean_score, 2),
         words.percent(whole.rate), words.limits(whole)]
    )  # fmt: skip
    strong = frozenset(place for place, row in enumerate(rows) if row[1] == "")
    return replace(Table.of(headings, rows), strong=strong)


def besides(words: Words, view: Levels) -> list[str]:
    """What the form asks besides its index, and who is satisfied with everything, in sentences."""
    whole = view.whole
    said = []
    if whole.wholly_satisfied is not None:
        said.append(words("report.wholly", rate=words.percent(whole.wholly_satisfied)))
    for row in view.besides:
        if not row.n:
            continue
        if row.mean is not None:
            text = words("report.percent_mean", mean=words.number(row.mean, 1), n=row.n)
        else:
            text = "; ".join(
                f"{words.name(option.name)}: {words.number(option.n)} "
                f"({words.percent(option.share)})"
                for option in row.options
            )
        question = words.name(row.name)
        said.append(
            f"{question} {text}" if question.endswith(("?", ":", ".")) else f"{question}: {text}"
        )
    return said


def _changes_table(words: Words, changes: Sequence[tuple[str, str]]) -> Table | None:
    """The units that changed in the period, and how; None where none did."""
    headings = words("chart.unit"), words("structure.report_change")
    return Table.of(headings, changes) if changes else None


def _cases_table(words: Words, found: CaseFigures) -> Table | None:
    """The cases of the period in numbers; None where nothing is told of them."""
    rows = [
        [each.what, each.note or words.number(each.n, 0 if each.n is None else _digits(each.n))]
        for each in case_sentences.rows(words, found)
    ]
    headings = words("case.figures_what"), words("case.figures_n")
    return Table.of(headings, rows) if rows else None


def _digits(number: float) -> int:
    return 0 if float(number).is_integer() else 1


def _units_table(words: Words, rows: Sequence[UnitRow]) -> Table:
    """The annex: every unit by number, with its rate and ranks, or why it has none."""
    headings = [words("report.line")] + [
        words(f"chart.{key}")
        for key in ("unit", "rank_set", "rate", "interval", "respondents", "standing", "change")
    ]
    shown = []
    for place, row in enumerate(rows, 1):
        name = f"{row.unit.code} {words.unit(row.unit)}"
        if row.rate is None:
            shown.append([str(place), name, sentences.figureless(words, row)])  # over all columns
            continue
        shown.append(
            [
                str(place),
                name,
                ranks(row),
                words.percent(row.rate),
                words.limits(row),
                words.people(row.respondents),
                words(f"standing.{row.position}") if row.position else NOTHING,
                told(words, row),
            ]
        )
    return Table.of(headings, shown)
