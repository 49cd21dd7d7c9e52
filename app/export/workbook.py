"""XLSX: responses on as many sheets as they need, and what their columns mean."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import xlsxwriter

from app.export.arrow import pa
from app.export.columns import described
from app.messages import say

#: Rows that a sheet has in Excel, the header's among them.
SHEET_ROWS = 1_048_576
#: Letters that a cell takes; more than any text of a form has.
_LONGEST = 32_767


def write_workbook(
    file: Path,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    language: str,
    sheet_rows: int = SHEET_ROWS,
) -> int:
    """Write responses row by row, each once written out of memory; how many sheets they took.

    Numbers are numbers, days are days, and texts are never formulas.
    """
    book = xlsxwriter.Workbook(
        str(file), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    heading = book.add_format({"bold": True, "bottom": 1})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    names = [each.name for each in schema]
    sheets, at, sheet = 0, sheet_rows, None
    # A workbook without rows has its header all the same.
    for values in _rows(batches, names):
        if sheet is None or at >= sheet_rows:
            sheets += 1
            sheet, at = book.add_worksheet(_title(language, sheets)), 1
            sheet.freeze_panes(1, 1)
            sheet.write_row(0, 0, names, heading)
        if values is None:
            continue
        for place, value in enumerate(values):
            if value is None:
                continue
            if isinstance(value, str):
                sheet.write_string(at, place, value[:_LONGEST])
            elif isinstance(value, date):
                sheet.write_datetime(at, place, datetime.combine(value, datetime.min.time()), day)
            else:
                sheet.write_number(at, place, value)
        at += 1
    _describe(book, schema, language, heading)
    book.close()
    return sheets


def _rows(
    batches: Iterable[pa.RecordBatch], names: list[str]
) -> Iterable[tuple[object, ...] | None]:
    """All rows; first a sign that there is a table, so that there is one without rows."""
    yield None
    for batch in batches:
        columns = [batch.column(name).to_pylist() for name in names]
        yield from zip(*columns, strict=True)


def _title(language: str, number: int) -> str:
    title = say("export.sheet.responses", language)
    return title if number == 1 else f"{title} {number}"


def _describe(
    book: xlsxwriter.Workbook, schema: pa.Schema, language: str, heading: xlsxwriter.format.Format
) -> None:
    """The sheets of columns and of values."""
    columns = book.add_worksheet(say("export.sheet.columns", language))
    values = book.add_worksheet(say("export.sheet.values", language))
    columns.write_row(0, 0, [say(f"export.head.{h}", language) for h in ("column", "label")],
                      heading)  # fmt: skip
    values.write_row(0, 0, [say(f"export.head.{h}", language)
                            for h in ("column", "value", "label")], heading)  # fmt: skip
    at = 0
    for row, each in enumerate(schema, start=1):
        what = described(each)
        columns.write_string(row, 0, each.name)
        columns.write_string(row, 1, what.label[language])
        for value, label in what.labels(language).items():
            at += 1
            values.write_string(at, 0, each.name)
            values.write_number(at, 1, value)
            values.write_string(at, 2, label)
