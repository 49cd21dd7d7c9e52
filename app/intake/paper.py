"""Reads paper forms that were typed into a table: one row a respondent, a column an item code.

CSV (UTF-8, comma or semicolon) or XLSX (first sheet). Besides item codes the columns are
``date`` (day on which it was answered), ``point`` (public code; may be given for the whole
file), ``form_no`` (the number on the sheet) and ``language``, each also by its Vietnamese name.

Safe to run twice: a row's id is made from point and form number, or without one from the row's
content and how many like it came before, so the same rows are duplicates the second time.

Numbers in text are read as Vietnamese writes them, whatever the language of the form
(``surveys.numbers``): the office types them.
"""

from __future__ import annotations

import csv
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from hashlib import blake2b
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile
from zoneinfo import ZoneInfo

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from app.intake.ids import made_uuid7
from app.problems import FieldError
from surveys import AnswerSheet
from surveys.model import LongTextItem, MultipleChoiceItem, ShortTextItem
from surveys.numbers import TwoNumbersError, decimals_of, read

#: What a column may be called besides an item code.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "date": ("date", "answered_at", "ngay", "ngày"),
    "point": ("point", "diem", "điểm", "ma_diem", "mã điểm"),
    "form_no": ("form_no", "so_phieu", "số phiếu"),
    "language": ("language", "ngon_ngu", "ngôn ngữ"),
}


#: Most bytes that a workbook may unpack to; a million rows of 40 columns are about half of it.
UNPACKED_LIMIT = 1024 * 2**20


class PaperFileError(ValueError):
    """The file as a whole cannot be read; each sentence says why."""


@dataclass(frozen=True)
class PaperRow:
    """A row as read: its number in the file (the header is 1), and the body it makes or why not."""

    number: int
    body: dict[str, Any] | None
    errors: tuple[FieldError, ...] = ()


def read_rows(
    file: Path, sheet: AnswerSheet, point: str | None, zone: ZoneInfo
) -> Iterator[PaperRow]:
    """Every row of the file as the body of a response; memory does not grow with the file.

    Raises
    ------
    PaperFileError
        Where the file is no table, or its header lacks a column or has an unknown one.
    """
    table = _xlsx_table(file) if file.suffix.lower() in (".xlsx", ".xlsm") else _csv_table(file)
    try:
        _, header = next(table)
    except StopIteration:
        raise PaperFileError(f"{file}: the file is empty") from None
    columns = _columns(file, header, sheet, point)
    seen: Counter[bytes] = Counter()
    for number, cells in table:
        if all(cell is None or str(cell).strip() == "" for cell in cells):
            continue
        row = dict(zip(columns, [*cells, *[None] * len(columns)], strict=False))
        yield _row(number, row, sheet, point, zone, seen)


def _columns(file: Path, header: list[Any], sheet: AnswerSheet, point: str | None) -> list[str]:
    names = {alias: name for name, aliases in COLUMNS.items() for alias in aliases}
    items = {item.code.lower(): item.code for item in sheet.form.items}
    columns, wrong = [], []
    for cell in header:
        title = str(cell or "").strip()
        column = items.get(title.lower()) or names.get(title.lower())
        if column is None:
            wrong.append(
                f"{file}:1: {title!r} is neither an item of {sheet.form.code} nor a column"
            )
        columns.append(column or "")
    wrong += [
        f"{file}:1: column {column} stands twice"
        for column, count in Counter(filter(None, columns)).items()
        if count > 1
    ]
    needed = ["date"] if point else ["date", "point"]
    wrong += [f"{file}:1: column {name} is missing" for name in needed if name not in columns]
    if wrong:
        raise PaperFileError("\n".join(wrong))
    return columns


def _row(
    number: int,
    row: dict[str, Any],
    sheet: AnswerSheet,
    point: str | None,
    zone: ZoneInfo,
    seen: Counter[bytes],
) -> PaperRow:
    errors = []
    answers: dict[str, Any] = {}
    for item in sheet.form.items:
        value = row.get(item.code)
        if value is None or str(value).strip() == "":
            continue
        if isinstance(item, ShortTextItem | LongTextItem):
            answers[item.code] = str(value)
            continue
        try:
            answers[item.code] = (
                [_number(e, 0) for e in str(value).replace(",", ";").split(";") if e.strip()]
                if isinstance(item, MultipleChoiceItem)
                else _number(value, decimals_of(item))
            )
        except TwoNumbersError as two:
            errors.append(FieldError(item.code, "answer.two_numbers", two.values))
        except ValueError:
            errors.append(FieldError(item.code, "import.not_a_number", {"value": value}))
    answered_at = _moment(row.get("date"), zone)
    if answered_at is None:
        errors.append(FieldError("date", "import.bad_date", {"value": row.get("date")}))
    if errors or answered_at is None:
        return PaperRow(number, None, tuple(errors))
    place = str(row.get("point") or point or "").strip()
    form_no = str(row.get("form_no") or "").strip()
    body = {
        "questionnaire": sheet.form.code,
        "version": sheet.form.version,
        "point": place,
        "answered_at": answered_at.isoformat(),
        "language": str(row.get("language") or "vi").strip().lower(),
        "answers": answers,
    }
    key = json.dumps([place, form_no] if form_no else body, sort_keys=True, ensure_ascii=False)
    digest = blake2b(key.encode(), digest_size=10).digest()
    if not form_no:
        seen[digest] += 1
        digest = blake2b(digest + str(seen[digest]).encode(), digest_size=10).digest()
    # With a form number the id must not depend on the date, or a corrected date would count
    # the form a second time instead of being named as a conflict.
    moment = datetime(2000, 1, 1, tzinfo=zone) if form_no else answered_at
    return PaperRow(number, body | {"id": str(made_uuid7(moment, digest))})


def _number(value: Any, decimals: int) -> int | float:
    """A cell's number, or one in words of the office that typed them, which are Vietnamese."""
    if isinstance(value, bool):
        raise ValueError(value)
    if isinstance(value, int | float):
        return int(value) if float(value).is_integer() else value
    return read(str(value), decimals, "vi")


def _moment(value: Any, zone: ZoneInfo) -> datetime | None:
    """A day is taken at its first moment, so that today's forms do not lie in the future."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime.combine(value, time(), zone)
    text = str(value or "").strip()
    for form in ("%d/%m/%Y", "%d/%m/%Y %H:%M"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone)
        except ValueError:
            continue
    try:
        return _moment(datetime.fromisoformat(text), zone)
    except ValueError:
        return None


def _csv_table(file: Path) -> Iterator[tuple[int, list[Any]]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        try:
            head = stream.readline(65_536)
            stream.seek(0)
            delimiter = ";" if head.count(";") > head.count(",") else ","
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            for cells in reader:
                yield reader.line_num, cells
        except UnicodeDecodeError as error:
            raise PaperFileError(f"{file}: not UTF-8 text ({error.reason})") from error
        except csv.Error as error:
            raise PaperFileError(f"{file}: {error}") from error


#: What openpyxl raises on a file that is damaged or was made to do harm.
_UNREADABLE = (
    InvalidFileException, BadZipFile, ParseError, OSError, KeyError, ValueError, zlib.error,
    IndexError, TypeError,
)  # fmt: skip


def _xlsx_table(file: Path) -> Iterator[tuple[int, list[Any]]]:
    try:
        with ZipFile(file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        # A small file that unpacks to a large one was made to fill the memory.
        if size > UNPACKED_LIMIT:
            limit = UNPACKED_LIMIT // 2**20
            raise PaperFileError(
                f"{file}: it unpacks to {size // 2**20:,} MiB, and {limit} are the most; "
                "split it, or save it as CSV"
            )
        book = load_workbook(file, read_only=True, data_only=True)
    except PaperFileError:
        raise
    except _UNREADABLE as error:
        raise PaperFileError(f"{file}: not an XLSX file ({error})") from error
    try:
        rows = enumerate(book.worksheets[0].iter_rows(values_only=True), start=1)
        while (row := _next_row(file, rows)) is not None:
            yield row[0], list(row[1])
    finally:
        book.close()


def _next_row(
    file: Path, rows: Iterator[tuple[int, tuple[Any, ...]]]
) -> tuple[int, tuple[Any, ...]] | None:
    """The next row, or none at the end; apart, so that only reading the file is guarded."""
    try:
        return next(rows, None)
    except _UNREADABLE as error:
        raise PaperFileError(f"{file}: not an XLSX file ({error})") from error
