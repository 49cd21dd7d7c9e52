"""The cells of workbooks and CSV files that hold a form; within bounds, with the row of each.

A workbook says little by its size: one of 48 KB spans five million cells. Only cells with
something in them are kept, and a file that goes beyond what any form needs is refused.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zipfile import BadZipFile, ZipFile

import xlrd
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from surveys.formats.findings import FormUnreadable, Place

#: Most bytes of a file, and of what it unpacks to.
MOST_BYTES, MOST_UNPACKED = 8 * 2**20, 96 * 2**20
#: Most rows and columns that are looked at, and cells that are kept, of a sheet.
MOST_ROWS, MOST_COLUMNS, MOST_CELLS = 70_000, 300, 300_000
#: Sheets that belong to a form; what else a workbook holds is somebody's notes.
SHEETS = ("survey", "choices", "settings", "external_choices", "entities", "osm")
_UNREADABLE = (
    InvalidFileException, BadZipFile, SyntaxError, OSError, EOFError, LookupError, ValueError,
    TypeError, AttributeError, ArithmeticError, RuntimeError, zlib.error, AssertionError,
)  # fmt: skip
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")


@dataclass(frozen=True)
class Row:
    """The cells of a row that hold something, by their column from 0."""

    number: int
    cells: dict[int, str]


@dataclass(frozen=True)
class Sheet:
    """The rows of a sheet that hold something, under its title in small letters."""

    title: str
    rows: tuple[Row, ...]


def sheets_of(content: bytes) -> dict[str, Sheet]:
    """The sheets of a form's file, whatever it is called.

    Raises
    ------
    FormUnreadable
        With sheet, row and column where these are known.
    """
    if len(content) > MOST_BYTES:
        raise FormUnreadable("formats.too_large", size=len(content) >> 10, most=MOST_BYTES >> 10)
    if content.startswith(b"PK"):
        return _of_xlsx(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return _of_xls(content)
    return _of_csv(content)


def letter(column: int) -> str:
    """The letter of a column that counts from 0."""
    return str(get_column_letter(column + 1))


def _gathered(title: str, rows: Iterable[tuple[int, Iterable[tuple[int, str]]]]) -> Sheet:
    found: list[Row] = []
    kept = 0
    for number, cells in rows:
        if number > MOST_ROWS:
            raise FormUnreadable("formats.too_many_rows", Place(title, number), most=MOST_ROWS)
        held = {column: text for column, text in cells if text}
        kept += len(held)
        if kept > MOST_CELLS:
            raise FormUnreadable("formats.too_many_cells", Place(title, number), most=MOST_CELLS)
        if held:
            found.append(Row(number, held))
    return Sheet(title.strip().lower(), tuple(found))


def _of_xlsx(content: bytes) -> dict[str, Sheet]:
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if any("vbaProject" in name for name in names):
                raise FormUnreadable("formats.macros")
            if "mimetype" in names:
                raise FormUnreadable("formats.open_document")
            size = sum(entry.file_size for entry in archive.infolist())
            if size > MOST_UNPACKED:
                raise FormUnreadable("formats.too_large", size=size >> 10, most=MOST_UNPACKED >> 10)
            sheets = [n for n in names if re.match(r"xl/worksheets/[^/]+\.xml$", n)]
            computes = any(_FORMULA.search(archive.read(name)) for name in sheets)
        with warnings.catch_warnings():
            # What openpyxl does not know of a workbook (footers, rules) is none of a form's.
            warnings.simplefilter("ignore", UserWarning)
            return _walked(content, computes)
    except FormUnreadable:
        raise
    except _UNREADABLE as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise FormUnreadable("formats.not_workbook", said=said) from error


def _walked(content: bytes, computes: bool) -> dict[str, Sheet]:
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    twin = load_workbook(io.BytesIO(content), read_only=True) if computes else None
    try:
        found: dict[str, Sheet] = {}
        for sheet in book.worksheets:
            title = sheet.title.strip().lower()
            if title not in SHEETS and len(book.worksheets) > 1:
                continue
            formulas = {} if twin is None else _formulas(twin[sheet.title])
            key = title if title in SHEETS else "survey"
            found[key] = _gathered(sheet.title, _xlsx_rows(sheet, formulas))
        return found
    finally:
        book.close()
        if twin is not None:
            twin.close()


def _cells_of(sheet: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    # What a file says about its own size is wrong in files of some programs.
    sheet.reset_dimensions()
    yield from enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, max_row=MOST_ROWS + 1), start=1)


def _formulas(sheet: Any) -> set[tuple[int, int]]:
    return {
        (number, column)
        for number, cells in _cells_of(sheet)
        for column, cell in enumerate(cells)
        if cell.data_type == "f"
    }


def _xlsx_rows(
    sheet: Any, formulas: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, Iterator[tuple[int, str]]]]:
    for number, cells in _cells_of(sheet):
        yield number, _xlsx_cells(sheet.title, number, cells, formulas)


def _xlsx_cells(
    title: str, number: int, cells: Sequence[Any], formulas: Any
) -> Iterator[tuple[int, str]]:
    for column, cell in enumerate(cells):
        if cell.value is None:
            # An empty text is a result, too, and says so by its type.
            if (number, column) in formulas and cell.data_type != "str":
                raise FormUnreadable("formats.uncomputed", Place(title, number, letter(column)))
            continue
        if cell.data_type == "e":
            place = Place(title, number, letter(column))
            raise FormUnreadable("formats.error_cell", place, value=cell.value)
        yield column, _text(cell.value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value).replace("\u00a0", " ").strip()


def _of_xls(content: bytes) -> dict[str, Sheet]:
    wide = "EncryptedPackage".encode("utf-16-le")
    if wide in content:
        raise FormUnreadable("formats.encrypted")
    if "_VBA_PROJECT_CUR".encode("utf-16-le") in content:
        raise FormUnreadable("formats.macros")
    try:
        # Ragged rows: cells that are only formatted are not kept.
        book = xlrd.open_workbook(
            file_contents=content, on_demand=True, ragged_rows=True, logfile=io.StringIO()
        )
        found = {}
        for name in book.sheet_names():
            title = name.strip().lower()
            if title in SHEETS or book.nsheets == 1:
                key = title if title in SHEETS else "survey"
                found[key] = _gathered(name, _xls_rows(book, book.sheet_by_name(name)))
        return found
    except FormUnreadable:
        raise
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError, *_UNREADABLE) as error:
        said = " ".join(str(error).split())[:200]
        reason = "formats.encrypted" if "encrypted" in said else "formats.not_workbook"
        raise FormUnreadable(reason, said=said) from error


def _xls_rows(book: Any, sheet: Any) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    for n in range(sheet.nrows):
        cells: list[tuple[int, str]] = []
        for column, cell in enumerate(sheet.row(n)[:MOST_COLUMNS]):
            if cell.ctype == xlrd.XL_CELL_ERROR:
                place = Place(sheet.name, n + 1, letter(column))
                raise FormUnreadable("formats.error_cell", place, value=cell.value)
            if cell.ctype == xlrd.XL_CELL_BOOLEAN:
                cells.append((column, _text(bool(cell.value))))
            elif cell.ctype == xlrd.XL_CELL_DATE:
                day = xlrd.xldate_as_datetime(cell.value, book.datemode)
                cells.append((column, _text(day)))
            elif cell.ctype in (xlrd.XL_CELL_TEXT, xlrd.XL_CELL_NUMBER):
                cells.append((column, _text(cell.value)))
        yield n + 1, cells


def text_content(content: bytes) -> str:
    """The text of a file in UTF-8, or in UTF-16 with its mark."""
    if len(content) > MOST_BYTES:
        raise FormUnreadable("formats.too_large", size=len(content) >> 10, most=MOST_BYTES >> 10)
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise FormUnreadable("formats.not_text", Place(row=row)) from error


def _of_csv(content: bytes) -> dict[str, Sheet]:
    """Sheets one below the other, the name of each in the first column (pyxform's CSV)."""
    rows: dict[str, list[tuple[int, list[tuple[int, str]]]]] = {}
    current = ""
    reader = csv.reader(io.StringIO(text_content(content), newline=""))
    try:
        for cells in reader:
            number = reader.line_num
            if cells and cells[0].strip():
                current = cells[0].strip().lower()
            if current in SHEETS:
                kept = [(n, c.strip()) for n, c in enumerate(cells[: MOST_COLUMNS + 1]) if n]
                rows.setdefault(current, []).append((number, kept))
    except csv.Error as error:
        raise FormUnreadable(
            "formats.not_csv", Place(row=reader.line_num), said=str(error)
        ) from error
    return {title: _gathered(title, each) for title, each in rows.items()}
