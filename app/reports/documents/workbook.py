"""A report as XLSX: numbers that are numbers, a sheet a view, frozen headings, a method sheet."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from app.messages.words import Words
from app.reports.charts.comparison_charts import ranks
from app.reports.charts.unit_charts import signal
from app.reports.documents.contents import Report
from app.reports.documents.pdf import besides

#: What a figure that is undefined or hidden leaves in its cell: nothing that could be summed.
_EMPTY = ""


@dataclass(frozen=True)
class _Formats:
    title: Format
    heading: Format
    text: Format
    strong: Format
    count: Format
    percent: Format
    points: Format
    score: Format
    p: Format

    @classmethod
    def of(cls, book: Workbook) -> _Formats:
        base = {"font_name": "Times New Roman", "font_size": 11, "valign": "top"}

        def made(**more: Any) -> Format:
            return book.add_format({**base, **more})

        return cls(
            title=made(bold=True, font_size=14),
            heading=made(bold=True, text_wrap=True, bg_color="#E8F4F0", border=1),
            text=made(text_wrap=True),
            strong=made(bold=True, text_wrap=True),
            count=made(num_format="#,##0"),
            percent=made(num_format="0.0%"),
            points=made(num_format='+0.0" %";-0.0" %";0.0" %"'),
            score=made(num_format="0.00"),
            p=made(num_format="0.000"),
        )


@dataclass(frozen=True)
class _Column:
    """A column: its heading, its width in characters, how its figure is taken and written."""

    heading: str
    width: float
    take: Callable[[Mapping[str, Any]], Any]
    format: str = "text"


def workbook(report: Report) -> bytes:
    """The report as a workbook."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"title": report.title, "company": "Hài Lòng"})
    formats = _Formats.of(book)
    w = report.words
    _summary(book.add_worksheet(w("report.sheet_summary")), formats, report)
    for name, columns, rows in _sheets(report):
        _sheet(book.add_worksheet(name), formats, columns, rows)
    _levels(book.add_worksheet(w("report.sheet_levels")), formats, report)
    _method(book.add_worksheet(w("report.sheet_method")), formats, report)
    book.close()
    return out.getvalue()


def _sheets(report: Report) -> list[tuple[str, list[_Column], Sequence[Mapping[str, Any]]]]:
    w = report.words

    def words_of(row: Mapping[str, Any]) -> str:
        return w.name(row["name"])

    change = [
        _Column(w("chart.change"), 12, lambda r: _hundredfold(r["change"], "estimate"), "points"),
        _Column(
            w("chart.change_interval"), 12, lambda r: _hundredfold(r["change"], "low"), "points"
        ),
        _Column("", 12, lambda r: _hundredfold(r["change"], "high"), "points"),
        _Column("p", 9, lambda r: (r["change"] or {}).get("p"), "p"),
    ]
    figures = [
        _Column(w("chart.rate"), 12, lambda r: r["rate"], "percent"),
        _Column(w("chart.low"), 12, lambda r: r["low"], "percent"),
        _Column(w("chart.high"), 12, lambda r: r["high"], "percent"),
        _Column(w("chart.respondents"), 12, lambda r: r["respondents"], "count"),
    ]
    mean = _Column(w("chart.mean"), 10, lambda r: r["mean_score"], "score")
    standing = _Column(w("chart.standing"), 26, lambda r: _position(w, r))
    sheets = [
        (
            w("report.sheet_factors"),
            [
                _Column(w("report.code"), 8, lambda r: r["factor"]),
                _Column(w("chart.factor"), 44, words_of),
                *figures, mean, standing, *change,
            ],
            report.about["factors"],
        ),
        (
            w("report.sheet_items"),
            [
                _Column(w("report.code"), 8, lambda r: r["item"]),
                _Column(w("chart.item"), 60, words_of),
                *figures, mean, standing, *change,
            ],
            report.about["items"],
        ),
    ]  # fmt: skip
    if report.about["trend"]:
        sheets.append(
            (
                w("report.sheet_trend"),
                [
                    _Column(w("chart.period"), 22, lambda r: w.period(r["period"])),
                    *figures,
                    _Column(w("chart.limits"), 12, lambda r: r["limit_low"], "percent"),
                    _Column("", 12, lambda r: r["limit_high"], "percent"),
                    _Column(
                        w("chart.signals"), 50,
                        lambda r: ", ".join(signal(w, each) for each in r["signals"]),
                    ),
                ],
                report.about["trend"]["points"],
            )
        )  # fmt: skip
    if report.compared:
        sheets.append(
            (
                w("report.sheet_units"),
                [
                    _Column(w("report.code"), 10, lambda r: r["unit"]["code"]),
                    _Column(w("chart.unit"), 40, lambda r: w.unit(r["unit"])),
                    _Column(w("chart.rank_set"), 12, lambda r: ranks(r) if r["rank_low"] else None),
                    *figures, standing, *change,
                ],
                report.compared["league"]["rows"],
            )
        )  # fmt: skip
    return sheets


def _position(words: Words, row: Mapping[str, Any]) -> str:
    if row["suppressed"]:
        return words("view.suppressed")
    if not row["respondents"]:
        return words("view.silent")
    return words(f"position.{row['position']}") if row.get("position") else _EMPTY


def _hundredfold(change: Mapping[str, Any] | None, name: str) -> float | None:
    value = change[name] if change else None
    return None if value is None else 100 * value


def _sheet(
    sheet: Worksheet,
    formats: _Formats,
    columns: Sequence[_Column],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write(0, place, column.heading, formats.heading)
    for at, row in enumerate(rows, 1):
        for place, column in enumerate(columns):
            _write(sheet, at, place, column.take(row), getattr(formats, column.format))
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, len(rows)), len(columns) - 1)
    _printed(sheet)


def _write(sheet: Worksheet, row: int, column: int, value: Any, form: Format) -> None:
    if value is None or value == _EMPTY:
        sheet.write_blank(row, column, None, form)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, form)
    else:
        sheet.write_number(row, column, value, form)


def _printed(sheet: Worksheet) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _summary(sheet: Worksheet, formats: _Formats, report: Report) -> None:
    w, index = report.words, report.about["index"]
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, report.title, formats.title)
    row = 1
    if report.about["synthetic"]:
        sheet.write_string(row, 0, w("synthetic.notice"), formats.strong)
        row += 1
    row += 1
    for label, value, form in (
        (w("chart.rate"), index["rate"], formats.percent),
        (w("chart.low"), index["low"], formats.percent),
        (w("chart.high"), index["high"], formats.percent),
        (w("chart.respondents"), index["respondents"], formats.count),
        (w("chart.mean"), index["mean_score"], formats.score),
    ):
        sheet.write_string(row, 0, label, formats.strong)
        _write(sheet, row, 1, value, form)
        row += 1
    for told in report.summary():
        row += 1
        sheet.write_string(row, 1, told, formats.text)


def _levels(sheet: Worksheet, formats: _Formats, report: Report) -> None:
    """The form's own summary: counts by level, mean and rate; sections and the whole in bold."""
    w, answer = report.words, report.levels
    headings = [
        w("report.code"), w("report.item"),
        *(w("report.level", value=value) for value in answer["values"]),
        w("report.no_opinion"), w("chart.mean"), w("report.satisfied"), w("chart.low"),
        w("chart.high"),
    ]  # fmt: skip
    sheet.set_column(0, 0, 8)
    sheet.set_column(1, 1, 60)
    sheet.set_column(2, len(headings) - 1, 10)
    for place, heading in enumerate(headings):
        sheet.write_string(0, place, heading, formats.heading)
    after = 2 + len(answer["values"])
    row = 0

    def line(code: str, name: str, found: Mapping[str, Any], form: Format) -> None:
        nonlocal row
        row += 1
        sheet.write_string(row, 0, code, form)
        sheet.write_string(row, 1, name, form)
        for place, count in enumerate(found.get("levels", ()), 2):
            _write(sheet, row, place, count, formats.count)
        _write(sheet, row, after, found.get("no_opinion"), formats.count)
        _write(sheet, row, after + 1, found["mean_score"], formats.score)
        for place, name_ in enumerate(("rate", "low", "high"), after + 2):
            _write(sheet, row, place, found[name_], formats.percent)

    for section in answer["sections"]:
        line(section["factor"], w.name(section["name"]), section, formats.strong)
        for item in section["items"]:
            line(item["item"], w.name(item["name"]), item, formats.text)
    line("", w("report.whole"), answer["whole"], formats.strong)
    for told in besides(w, answer):
        row += 1
        sheet.write_string(row, 1, told, formats.text)
    sheet.freeze_panes(1, 2)
    _printed(sheet)


def _method(sheet: Worksheet, formats: _Formats, report: Report) -> None:
    w = report.words
    sheet.set_column(0, 0, 110)
    lines = [w(f"report.method_{n}") for n in (1, 2, 3, 4, 5)]
    lines += [
        w("report.made", version=report.about["version"], day=w.day(report.made_on)),
        f"{w.name(report.levels['title'])}: {w.name(report.levels['source'])}",
    ]
    for row, text in enumerate(lines):
        sheet.write_string(row, 0, text, formats.text)
