"""Reads tables as people have them: CSV in several codings, and XLSX; one reader for all imports.

What a person would not see is mended: byte order marks, decomposed Vietnamese letters, empty
rows and columns, a chart as the first sheet, semicolons or tabs between cells. Spaces at the ends
stay (``text``). What a person would have to decide is refused by row and column, never dropped.
"""

from __future__ import annotations

import csv
import re
import unicodedata
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TextIO
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.escape import unescape
from openpyxl.utils.exceptions import InvalidFileException

from app.messages import say
from app.problems import FieldError, Problem

# What openpyxl does not know of a workbook (footers, rules) is none of a clerk's business.
warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
#: What a cell may hold; text is composed (NFC), and has the spaces that the file has.
Value = str | int | float | bool | date | time | timedelta | None
#: Most bytes that a workbook may unpack to; a million rows of 40 columns are about half of it.
UNPACKED_LIMIT = 1024 * 2**20
#: How many mistakes a problem's sentence names; ``errors`` has all.
_MOST_NAMED = 3
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"),
)  # fmt: skip
#: What openpyxl raises on a file that is damaged or was made to do harm.
_UNREADABLE = (
    InvalidFileException, BadZipFile, SyntaxError, OSError, EOFError, LookupError, ValueError,
    TypeError, AttributeError, ArithmeticError, RuntimeError, zlib.error,
)  # fmt: skip
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_ROW = re.compile(rb"<(?:\w+:)?row(?=[\s>/])[^>]*>")
_NUMBER = re.compile(rb"\sr\s*=\s*[\"'](\d+)[\"']")
#: Signs that turn the text around them, or are not seen at all.
_HIDDEN = frozenset("\u061c\u200b\u200e\u200f\u2028\u2029\u2060\ufeff") | {
    chr(sign) for sign in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


class WrongTable(Problem):
    """A file that is to be imported is no table of the kind; ``errors`` name row and column."""

    code, status = "wrong-table", 422

    def __init__(self, file: str, errors: Sequence[FieldError]) -> None:
        super().__init__(errors=errors, file=file)

    def detail(self, language: str) -> str:
        """What is wrong, of many mistakes the first ones."""
        said = [error.detail(language) for error in self.errors[:_MOST_NAMED]]
        if further := len(self.errors) - len(said):
            said.append(say("fault.further", language, count=further))
        return f"{super().detail(language)} {' '.join(said)}"


@dataclass(frozen=True)
class Fault:
    """A cell that holds no value though it is not empty: its column (from 0), and why."""

    column: int
    reason: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A row: its number as spreadsheets count (the header is 1), and a cell for each column."""

    number: int
    cells: Sequence[Value]
    faults: Sequence[Fault] = ()
    #: The file tells empty cells from none, as CSV does and a workbook does not.
    counted: bool = False
    #: It has fewer cells than the header though they are counted.
    short: bool = False
    #: The sheet of a workbook that it stands in.
    sheet: str = ""


class Table:
    """A table with a header; its rows are read one by one, so memory does not grow with them.

    Raises
    ------
    WrongTable
        Where the file is no table; while reading, too.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        #: The titles of the columns as the person wrote them.
        self.titles: list[str] = []
        self._rows = rows_of(file)
        first = next((row for row in self._rows if row.faults or any(map(text, row.cells))), None)
        if first is None:
            raise _wrong(file, "table.empty")
        if first.faults:
            raise WrongTable(file.name, self.faults(first))
        self.titles = [" ".join(text(cell).split()) for cell in first.cells]
        while not self.titles[-1]:
            self.titles.pop()
        self._header = first.number

    def __iter__(self) -> Iterator[Row]:
        """The rows below the header; those without any content are left out."""
        width = len(self.titles)
        for row in self._rows:
            cells = list(row.cells)
            if not row.faults and not any(map(text, cells)):
                continue
            faults = list(row.faults)
            given = {fault.column for fault in faults}
            faults += [
                Fault(place, "table.no_title", {"value": cell})
                for place, cell in enumerate(cells)
                if text(cell) and place not in given and (place >= width or not self.titles[place])
            ]
            padding: list[Value] = [None] * (width - len(cells))
            short = row.counted and bool(padding)
            yield Row(row.number, [*cells[:width], *padding], faults, row.counted, short)

    def columns(
        self, known: Mapping[str, Sequence[str]], needed: Sequence[str], *, further: bool = False
    ) -> list[str]:
        """What each column is called among ``known`` (a name, and what else it may be called).

        Columns that nobody knows are empty names where ``further`` ones may stand there.

        Raises
        ------
        WrongTable
            With every column that is missing, unknown or stands twice.
        """
        names = {folded(alias): name for name, others in known.items() for alias in (name, *others)}
        columns = [names.get(folded(title), "") for title in self.titles]
        wrong = [
            self.mistake(self._header, place, "table.unknown_column", known=", ".join(known))
            for place, (title, column) in enumerate(zip(self.titles, columns, strict=True))
            if title and not column and not further
        ]
        for name, count in Counter(filter(None, columns)).items():
            if count > 1:
                place = len(columns) - 1 - columns[::-1].index(name)
                wrong.append(self.mistake(self._header, place, "table.column_twice", name=name))
        wrong += [
            FieldError(name, "table.column_missing", {"name": name})
            for name in needed
            if name not in columns
        ]
        if wrong:
            raise WrongTable(self.file.name, wrong)
        return columns

    def mistake(self, row: int, column: int | None, reason: str, **values: object) -> FieldError:
        """What is wrong with a cell, or where no column is named with a row, in words."""
        if column is None:
            return FieldError(str(row), "table.row", {**values, "row": row}, reason)
        letter = get_column_letter(column + 1)
        title = self.titles[column] if column < len(self.titles) else ""
        place = {"row": row, "column": title or letter, "cell": f"{letter}{row}"}
        return FieldError(f"{letter}{row}", "table.cell", {**values, **place}, reason)

    def faults(self, row: Row) -> list[FieldError]:
        """What is wrong with a row before anybody asks what its cells mean."""
        found = [
            self.mistake(row.number, each.column, each.reason, **each.values) for each in row.faults
        ]
        if row.short and not found:
            found.append(self.mistake(row.number, None, "table.short_row", count=len(self.titles)))
        return found


def text(value: Value) -> str:
    """A cell as text without spaces at its ends; a whole number without decimals."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return "" if value is None else str(value).strip()


def day_of(value: Value) -> date | None:
    """The day that a cell names, as 2026-11-24, 24/11/2026, 24-11-2026, 24.11.2026 or a date."""
    if isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    for written in ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(text(value), written).date()
        except ValueError:
            continue
    return None


def folded(title: str) -> str:
    """A title as it is compared: composed, in small letters, one space between words."""
    return " ".join(unicodedata.normalize("NFC", title).casefold().replace("_", " ").split())


def unfit_sign(value: str) -> str | None:
    """Why a name or code cannot be taken, as a key of the catalogue; None where it can.

    Names and codes go into addresses, files, spreadsheets and official letters.
    """
    if any(sign in _HIDDEN or unicodedata.category(sign) in ("Cc", "Cs") for sign in value):
        return "table.hidden_sign"
    if value[:1] in ("=", "+", "-", "@"):
        return "table.like_formula"
    if value in (".", "..") or "../" in value or "..\\" in value:
        return "table.like_path"
    return None


def _wrong(file: Path, sentence: str, **values: object) -> WrongTable:
    return WrongTable(file.name, [FieldError("", sentence, values)])


def rows_of(file: Path) -> Iterator[Row]:
    """All rows with the header; what a file is its first bytes say, whatever it is called."""
    try:
        with file.open("rb") as stream:
            head = stream.read(4096)
    except OSError as error:
        raise _wrong(file, "table.unreadable", reason=error.strerror) from error
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise _wrong(file, "table.old_excel")
    if head.startswith(b"PK"):
        yield from _xlsx_rows(file)
    elif file.suffix.lower() in (".xlsx", ".xlsm"):
        raise _wrong(file, "table.not_xlsx", reason="no ZIP")
    else:
        yield from _csv_rows(file, head)


def _csv_rows(file: Path, head: bytes) -> Iterator[Row]:
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
    if encoding == "utf-8" and head.count(0) * 4 > len(head):
        raise _wrong(file, "table.utf_16")
    number = 0
    with file.open(encoding=encoding, newline="") as stream:
        try:
            delimiter = _delimiter(_first_line(stream))
            stream.seek(0)
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            for cells in reader:
                # A hint for Excel, which shows no row for it.
                if number == 0 and len(cells) <= 2 and cells[:1] and cells[0].startswith("sep="):
                    continue
                number += 1
                yield Row(number, [unicodedata.normalize("NFC", c) for c in cells], counted=True)
        except UnicodeError as error:
            line = _undecodable_line(file, encoding)
            raise _wrong(file, "table.not_utf_8", line=line) from error
        except csv.Error as error:
            reason = (
                "table.open_quote" if "unexpected end" in str(error)
                else "table.long_cell" if "limit" in str(error)
                else "table.quotes"
            )  # fmt: skip
            mistake = FieldError(str(number + 1), "table.row", {"row": number + 1}, reason)
            raise WrongTable(file.name, [mistake]) from error


def _first_line(stream: TextIO) -> str:
    """The first line with anything between its signs; the last one where none has."""
    found = ""
    while (line := stream.readline(65_536)) and not line.strip(",;\t\r\n "):
        found = line
    return line or found


def _delimiter(head: str) -> str:
    """What stands most often between the header's cells."""
    if head.startswith("sep=") and len(head) > 4 and head[4] in ";,\t":
        return head[4]
    return max(",;\t", key=re.sub(r'"[^"]*"', "", head).count)


def _undecodable_line(file: Path, encoding: str) -> int:
    """The first line that is no text in this coding; the last one where the file is cut."""
    content = file.read_bytes()
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return content.count(b"\n") + 1


def _xlsx_rows(file: Path) -> Iterator[Row]:
    try:
        with ZipFile(file) as archive:
            entries = archive.infolist()
            size = sum(entry.file_size for entry in entries)
            # A small file that unpacks to a large one was made to fill the memory.
            if size > UNPACKED_LIMIT:
                raise _wrong(file, "table.too_large", size=size >> 20, most=UNPACKED_LIMIT >> 20)
            if any(entry.filename == "mimetype" for entry in entries):
                raise _wrong(file, "table.open_document")
            formulas = _has_formulas(file, archive)
        values = load_workbook(file, read_only=True, data_only=True)
        # A second reading alone tells a formula without a result (nobody opened the file since a
        # program wrote it) from an empty cell.
        written = load_workbook(file, read_only=True) if formulas else None
    except WrongTable:
        raise
    except _UNREADABLE as error:
        raise _wrong(file, "table.not_xlsx", reason=_told(error)) from error
    books = [book for book in (values, written) if book is not None]
    try:
        sheets = [_sheet(file, book) for book in books]
        walks = [enumerate(sheet.iter_rows(), start=1) for sheet in sheets]
        while (row := _next_row(file, walks[0])) is not None:
            twin = _next_row(file, walks[1])[1] if written else ()  # type: ignore[index]
            yield _xlsx_row(row[0], row[1], twin, sheets[0].title)
    finally:
        for book in books:
            book.close()


def _has_formulas(file: Path, archive: ZipFile) -> bool:
    """Whether any sheet computes; rows out of order, which openpyxl drops, are refused."""
    found = False
    for name in archive.namelist():
        if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
            continue
        number, rest = 0, b""
        with archive.open(name) as stream:
            while block := stream.read(1 << 20):
                # A tag that the block cuts is looked at with the next one.
                whole, sign, cut = (rest + block).rpartition(b"<")
                rest = sign + cut
                found = found or _FORMULA.search(whole) is not None
                for row in _ROW.finditer(whole):
                    given = _NUMBER.search(row[0])
                    last, number = number, int(given[1]) if given else number + 1
                    if number <= last:
                        raise _wrong(file, "table.row_order", row=number, last=last)
    return found


def _sheet(file: Path, book: Any) -> Any:
    """The first sheet with cells that a person sees; a chart has none."""
    shown = [s for s in book.worksheets if s.sheet_state == "visible"] or book.worksheets
    if not shown:
        raise _wrong(file, "table.no_sheet")
    # What a file says about its own size is wrong in files of some programs.
    shown[0].reset_dimensions()
    return shown[0]


def _xlsx_row(number: int, cells: Sequence[Any], twin: Sequence[Any], sheet: str) -> Row:
    found: list[Value] = []
    faults = []
    for place, cell in enumerate(cells):
        value = cell.value
        if cell.data_type == "e":
            faults.append(Fault(place, "table.error_cell", {"value": value}))
            value = None
        elif value is None and place < len(twin) and twin[place].data_type == "f":
            # An empty text is a result, too, and says so by its type.
            if cell.data_type != "str":
                faults.append(Fault(place, "table.uncomputed"))
        elif isinstance(value, str):
            # Excel writes a line end that came from elsewhere as _x000D_, and other controls so.
            value = unicodedata.normalize("NFC", unescape(value))
        elif type(value) is int and re.fullmatch("0{2,}", cell.number_format or ""):
            value = str(value).zfill(len(cell.number_format))  # 01 is shown, 1 is kept
        found.append(value)
    return Row(number, found, faults, sheet=sheet)


def _next_row(
    file: Path, rows: Iterator[tuple[int, Sequence[Any]]]
) -> tuple[int, Sequence[Any]] | None:
    """The next row, or none at the end; apart, so that only reading the file is guarded."""
    try:
        return next(rows, None)
    except _UNREADABLE as error:
        raise _wrong(file, "table.not_xlsx", reason=_told(error)) from error


def _told(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
