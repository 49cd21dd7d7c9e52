"""Sheets of a workbook: frozen headings, columns with their figures, numbers that are numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

#: What a figure that is undefined or hidden leaves in its cell: nothing that could be summed.
EMPTY = ""
#: What a cell holds.
Cell: TypeAlias = str | int | float | None
R_contra = TypeVar("R_contra", contravariant=True)
Row = TypeVar("Row")


@dataclass(frozen=True)
class Formats:
    """How cells of a workbook are written."""

    title: Format
    heading: Format
    text: Format
    strong: Format
    count: Format
    #: A number with as many decimals as it has.
    plain: Format
    percent: Format
    points: Format
    score: Format
    p: Format

    @classmethod
    def of(cls, book: Workbook) -> Formats:
        """The formats of a new workbook."""
        base = {"font_name": "Times New Roman", "font_size": 11, "valign": "top"}

        def made(**more: str | int | float | bool) -> Format:
            return book.add_format({**base, **more})

        return cls(
            title=made(bold=True, font_size=14),
            heading=made(bold=True, text_wrap=True, bg_color="#E8F4F0", border=1),
            text=made(text_wrap=True),
            strong=made(bold=True, text_wrap=True),
            count=made(num_format="#,##0"),
            plain=made(num_format="General"),
            percent=made(num_format="0.0%"),
            points=made(num_format="+0.0;-0.0;0.0"),
            score=made(num_format="0.00"),
            p=made(num_format="0.000"),
        )


@dataclass(frozen=True)
class Column(Generic[R_contra]):
    """A column: its heading, its width in characters, how its figure is taken and written."""

    heading: str
    width: float
    take: Callable[[R_contra], Cell]
    format: str = "text"


def write_sheet(
    book: Workbook,
    formats: Formats,
    name: str,
    columns: Sequence[Column[Row]],
    rows: Sequence[Row],
) -> None:
    """Add a sheet: a row for each of some things."""
    sheet = book.add_worksheet(name)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write(0, place, column.heading, formats.heading)
    for at, row in enumerate(rows, 1):
        for place, column in enumerate(columns):
            write(sheet, at, place, column.take(row), getattr(formats, column.format))
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, len(rows)), len(columns) - 1)
    as_printed(sheet)


def write(sheet: Worksheet, row: int, column: int, value: Cell, form: Format) -> None:
    """Write one cell; what is not known is left blank."""
    if value is None or value == EMPTY:
        sheet.write_blank(row, column, None, form)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, form)
    else:
        sheet.write_number(row, column, value, form)


def as_printed(sheet: Worksheet) -> None:
    """Have a sheet printed on A4 across, its heading on every page."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
