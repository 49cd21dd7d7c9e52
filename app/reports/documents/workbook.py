"""A report as XLSX: numbers that are numbers, a sheet a view, frozen headings, a method sheet."""

from __future__ import annotations

import io
from typing import Literal, Protocol, TypeAlias

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from app.figures.aside import AsideByRule, AsideRow
from app.figures.cases import CaseChange, CaseFigures
from app.figures.change_results import Change, FixedMixChange
from app.figures.trend_results import NotedAction, TrendPoint
from app.messages.words import Words
from app.reports import case_sentences
from app.reports.case_sentences import CountRow
from app.reports.charts.comparison_charts import ranks
from app.reports.charts.trend_chart import signals
from app.reports.documents.contents import Report
from app.reports.documents.letter import besides
from app.reports.documents.sheets import (
    EMPTY,
    Cell,
    Column,
    Formats,
    as_printed,
    write,
    write_sheet,
)
from app.reports.views.form_results import LevelItem
from app.reports.views.index_results import (
    Difference,
    Figure,
)
from app.reports.views.results import (
    FactorRow,
    ItemRow,
    UnitRow,
)
from app.reports.weighting_sentences import headline_label


class _Estimated(Protocol):
    """What has a rate, its interval, and respondents."""

    @property
    def rate(self) -> float | None: ...

    @property
    def low(self) -> float | None: ...

    @property
    def high(self) -> float | None: ...

    @property
    def respondents(self) -> float | None: ...


#: A unit of which something is set aside, and by which rule; None where that is hidden.
_Aside: TypeAlias = tuple[AsideRow, AsideByRule | None]


def workbook(report: Report) -> bytes:
    """The report as a workbook."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"title": report.title, "company": "Hài Lòng"})
    formats = Formats.of(book)
    w = report.words
    _summary(book.add_worksheet(w("report.sheet_summary")), formats, report)
    write_sheet(book, formats, w("report.sheet_factors"), _of_factors(w), report.about.factors)
    write_sheet(book, formats, w("report.sheet_items"), _of_items(w), report.about.items)
    if report.about.trend:
        points = report.about.trend.points
        write_sheet(book, formats, w("report.sheet_trend"), _of_periods(w), points)
        if notes := report.about.trend.action_notes:
            write_sheet(book, formats, w("report.sheet_actions"), _of_actions(w), notes)
    if report.compared:
        rows = report.compared.league.rows
        write_sheet(book, formats, w("report.sheet_units"), _of_units(w), rows)
    if aside := report.set_aside():
        write_sheet(book, formats, w("aside.sheet"), _of_aside(w), aside)
    if report.cases is not None:
        _cases(book, formats, report, report.cases)
    if changes := report.changes():
        write_sheet(book, formats, w("report.sheet_changes"), _of_reorganised(w), changes)
    _levels(book.add_worksheet(w("report.sheet_levels")), formats, report)
    _method(book.add_worksheet(w("report.sheet_method")), formats, report)
    book.close()
    return out.getvalue()


def _cases(book: Workbook, formats: Formats, report: Report, found: CaseFigures) -> None:
    """What came of citizens' cases: numbers, or a sentence why there are none; and what moved."""
    w = report.words
    sentence = [CountRow(each, None) for each in report.case_summary()[:1]]
    rows = case_sentences.rows(w, found) or sentence
    write_sheet(book, formats, w("case.figures_sheet"), _of_counts(w), rows)
    if moved := [each for each in found.changes if each.estimate is not None]:
        write_sheet(book, formats, w("case.figures_sheet_changes"), _of_case_changes(w), moved)


def _of_counts(w: Words) -> list[Column[CountRow]]:
    return [
        Column(w("case.figures_what"), 60, lambda r: r.what),
        Column(w("case.figures_n"), 14, lambda r: r.n, "plain"),
        Column(w("case.figures_note"), 50, lambda r: r.note),
    ]


def _of_case_changes(w: Words) -> list[Column[CaseChange]]:
    return [
        Column(w("case.cause"), 30, lambda r: w.name(r.name)),
        Column(w("chart.factor"), 40, lambda r: case_sentences.factor(w, r)),
        Column(w("case.figures_month"), 20, lambda r: w.period(r.dealt_with)),
        Column(w("case.figures_before"), 12, lambda r: r.before, "percent"),
        Column(w("case.figures_after"), 12, lambda r: r.after, "percent"),
        Column(w("chart.change"), 12, lambda r: _points(r.estimate), "points"),
        Column(w("chart.change_interval"), 12, lambda r: _points(r.low), "points"),
        Column("", 12, lambda r: _points(r.high), "points"),
        Column(w("chart.change_p"), 12, lambda r: r.p, "p"),
        Column(w("chart.change_adjusted_p"), 16, lambda r: r.adjusted_p, "p"),
        Column(w("case.figures_note"), 40, lambda r: case_sentences.verdict(w, r)),
    ]


def _figures(w: Words) -> list[Column[_Estimated]]:
    return [
        Column(w("chart.rate"), 12, lambda r: r.rate, "percent"),
        Column(w("chart.low"), 12, lambda r: r.low, "percent"),
        Column(w("chart.high"), 12, lambda r: r.high, "percent"),
        Column(w("chart.respondents"), 12, lambda r: r.respondents, "count"),
    ]


def _changes(w: Words) -> list[Column[FactorRow | UnitRow]]:
    return [
        Column(w("chart.change"), 12, lambda r: _of_change(r, "estimate"), "points"),
        Column(w("chart.change_interval"), 12, lambda r: _of_change(r, "low"), "points"),
        Column("", 12, lambda r: _of_change(r, "high"), "points"),
        Column(w("chart.change_p"), 12, lambda r: change.p if (change := _told(r)) else None, "p"),
    ]


def _told(row: FactorRow | UnitRow) -> Change | Difference | FixedMixChange | None:
    """The change of a row; of a unit that is made of parts, with their mix held fixed."""
    return row.told if isinstance(row, UnitRow) else row.change


def _of_change(row: FactorRow | UnitRow, name: Literal["estimate", "low", "high"]) -> float | None:
    change = _told(row)
    return _points(getattr(change, name) if change else None)


def _mixes(w: Words) -> list[Column[UnitRow]]:
    return [
        Column(
            w("chart.change_crude"),
            14,
            lambda r: _points(r.change.estimate if r.change else None),
            "points",
        ),
        Column(
            w("chart.change_mix"),
            14,
            lambda r: _points(r.fixed_mix.mix if r.fixed_mix else None),
            "points",
        ),
    ]


def _change_adjusted(w: Words) -> Column[UnitRow]:
    """What is left of p among all units of the kind; factors and items have their own p alone."""
    heading = w("chart.change_adjusted_p")
    return Column(heading, 16, lambda r: r.told.adjusted_p if r.told else None, "p")


def _standing(w: Words) -> list[Column[FactorRow | UnitRow]]:
    return [
        Column(w("chart.standing"), 26, lambda r: _position(w, r)),
        Column(w("chart.target_p"), 12, lambda r: r.target_p, "p"),
        Column(w("chart.target_adjusted_p"), 16, lambda r: r.target_adjusted_p, "p"),
    ]


def _mean(w: Words) -> Column[FactorRow]:
    return Column(w("chart.mean"), 10, lambda r: r.mean_score, "score")


def _of_factors(w: Words) -> list[Column[FactorRow]]:
    code: Column[FactorRow] = Column(w("report.code"), 8, lambda r: r.factor)
    name: Column[FactorRow] = Column(w("chart.factor"), 44, lambda r: w.name(r.name))
    return [code, name, *_figures(w), _mean(w), *_standing(w), *_changes(w)]


def _of_items(w: Words) -> list[Column[ItemRow]]:
    code: Column[ItemRow] = Column(w("report.code"), 8, lambda r: r.item)
    name: Column[ItemRow] = Column(w("chart.item"), 60, lambda r: w.name(r.name))
    return [code, name, *_figures(w), _mean(w), *_standing(w), *_changes(w)]


def _of_periods(w: Words) -> list[Column[TrendPoint]]:
    period: Column[TrendPoint] = Column(w("chart.period"), 22, lambda r: w.period(r.period))
    limits: list[Column[TrendPoint]] = [
        Column(w("chart.centre"), 12, lambda r: r.centre, "percent"),
        Column(w("chart.limits"), 12, lambda r: r.limit_low, "percent"),
        Column("", 12, lambda r: r.limit_high, "percent"),
        Column(w("chart.signals"), 50, lambda r: signals(w, r)),
    ]
    return [period, *_figures(w), *limits]


def _of_actions(w: Words) -> list[Column[NotedAction]]:
    return [
        Column(w("chart.action_day"), 14, lambda r: w.day(r.day)),
        Column(w("chart.action"), 70, lambda r: _told_of(w, r)),
        Column(w("chart.action_by"), 30, lambda r: r.recorded_by),
    ]


def _told_of(w: Words, note: NotedAction) -> str:
    return note.text if note.of is None else f"{w.name(note.of)}: {note.text}"


def _of_reorganised(w: Words) -> list[Column[tuple[str, str]]]:
    return [
        Column(w("chart.unit"), 40, lambda r: r[0]),
        Column(w("structure.report_change"), 100, lambda r: r[1]),
    ]


def _of_units(w: Words) -> list[Column[UnitRow]]:
    about: list[Column[UnitRow]] = [
        Column(w("report.code"), 10, lambda r: r.unit.code),
        Column(w("chart.unit"), 40, lambda r: w.unit(r.unit)),
        Column(w("chart.rank_set"), 12, lambda r: ranks(r) if r.rank else None),
    ]
    doubts: Column[UnitRow] = Column(
        w("chart.look_first"), 26, lambda r: w("view.look_first") if r.doubts else None
    )
    mixes = [_change_adjusted(w), *_mixes(w), doubts]
    return [*about, *_figures(w), *_standing(w), *_changes(w), *mixes]


def _of_aside(w: Words) -> list[Column[_Aside]]:
    return [
        Column(w("report.code"), 10, lambda r: r[0].unit.code),
        Column(w("chart.unit"), 40, lambda r: w.unit(r[0].unit)),
        Column(w("aside.rule"), 44, lambda r: w(f"integrity.rule.{r[1].rule}") if r[1] else EMPTY),
        Column(w("aside.number"), 18, lambda r: _how_many(w, r)),
        Column(w("aside.without"), 18, lambda r: r[0].without.rate, "percent"),
        Column(w("aside.with_aside"), 18, lambda r: r[0].with_aside.rate, "percent"),
    ]


def _how_many(words: Words, row: _Aside) -> Cell:
    if row[1] is None:
        return words("view.suppressed")
    if row[1].respondents is None:
        return words("aside.few", n=row[1].fewer_than)
    return row[1].respondents


def _position(words: Words, row: FactorRow | UnitRow) -> str:
    if row.suppressed:
        return words("view.suppressed")
    if isinstance(row, UnitRow) and row.waiting:
        return words("view.waiting")
    if not row.respondents:
        return words("view.silent")
    return words(f"position.{row.position}") if row.position else EMPTY


def _points(difference: float | None) -> float | None:
    return None if difference is None else 100 * difference


def _summary(sheet: Worksheet, formats: Formats, report: Report) -> None:
    w, index = report.words, report.about.index
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, report.title, formats.title)
    row = 1
    if report.about.synthetic:
        sheet.write_string(row, 0, w("synthetic.notice"), formats.strong)
        row += 1
    row += 1
    first = index.headline
    for label, value, form in (
        (headline_label(w, index), first.estimate, formats.percent),
        (w("chart.low"), first.low, formats.percent),
        (w("chart.high"), first.high, formats.percent),
        *(
            [
                (w("tell.rate_pooled"), index.rate, formats.percent),
                (f"{w('tell.rate_pooled')}: {w('chart.low')}", index.low, formats.percent),
                (f"{w('tell.rate_pooled')}: {w('chart.high')}", index.high, formats.percent),
            ]
            if first.weighting == "by_volume"
            else []
        ),
        (w("chart.respondents"), index.respondents, formats.count),
        (w("chart.mean"), index.mean_score, formats.score),
    ):
        sheet.write_string(row, 0, label, formats.strong)
        write(sheet, row, 1, value, form)
        row += 1
    for sentence in report.summary():
        row += 1
        sheet.write_string(row, 1, sentence, formats.text)


def _levels(sheet: Worksheet, formats: Formats, report: Report) -> None:
    """The form's own summary: counts by level, mean and rate; sections and the whole in bold."""
    w, view = report.words, report.levels
    headings = [
        w("report.code"), w("report.item"),
        *(w("report.level", value=value) for value in view.values),
        w("report.no_opinion"), w("chart.mean"), w("report.satisfied"), w("chart.low"),
        w("chart.high"),
    ]  # fmt: skip
    sheet.set_column(0, 0, 8)
    sheet.set_column(1, 1, 60)
    sheet.set_column(2, len(headings) - 1, 10)
    for place, heading in enumerate(headings):
        sheet.write_string(0, place, heading, formats.heading)
    after = 2 + len(view.values)
    row = 0

    def line(code: str, name: str, found: Figure, form: Format) -> None:
        nonlocal row
        row += 1
        sheet.write_string(row, 0, code, form)
        sheet.write_string(row, 1, name, form)
        if isinstance(found, LevelItem):
            for place, count in enumerate(found.levels, 2):
                write(sheet, row, place, count, formats.count)
            write(sheet, row, after, found.no_opinion, formats.count)
        else:
            write(sheet, row, after, None, formats.count)
        write(sheet, row, after + 1, found.mean_score, formats.score)
        for place, rate in enumerate((found.rate, found.low, found.high), after + 2):
            write(sheet, row, place, rate, formats.percent)

    for section in view.sections:
        line(section.factor, w.name(section.name), section, formats.strong)
        for item in section.items:
            line(item.item, w.name(item.name), item, formats.text)
    line("", w("report.whole"), view.whole, formats.strong)
    for sentence in besides(w, view):
        row += 1
        sheet.write_string(row, 1, sentence, formats.text)
    sheet.freeze_panes(1, 2)
    as_printed(sheet)


def _method(sheet: Worksheet, formats: Formats, report: Report) -> None:
    w = report.words
    sheet.set_column(0, 0, 110)
    lines = [*report.structure(), *(w(f"report.method_{n}") for n in (1, 2, 3, 4, 5))]
    lines += [
        w("report.made", version=report.about.version, day=w.day(report.made_on)),
        f"{w.name(report.levels.title)}: {w.name(report.levels.source)}",
    ]
    for row, text in enumerate(lines):
        sheet.write_string(row, 0, text, formats.text)
