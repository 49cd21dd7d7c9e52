"""Reads paper forms that were typed into a table: one row a respondent, a column an item code.

CSV or XLSX. Besides item codes the columns are ``date`` (day on which it was answered), ``point``
(public code; may be given for the whole file), ``form_no`` (the number on the sheet), ``round``
(of the survey, where sheets are numbered anew in each; may be given for the whole file) and
``language``, each also by its Vietnamese name.

Safe to run twice: a row's id is made from point, round and form number, or without a number from
the row's content and how many like it came before, so the same rows are duplicates the second time.

Numbers in text are read as Vietnamese writes them, whatever the language of the form
(``surveys.numbers``): the office types them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from openpyxl.utils import get_column_letter

from app.intake.ids import made_uuid7
from app.problems import FieldError
from app.tables import Row, Table, Value, day_of, text, unfit_sign
from app.text_keys import TextKeys
from surveys import AnswerSheet
from surveys.model import LongTextItem, MultipleChoiceItem, ShortTextItem
from surveys.numbers import TwoNumbersError, decimals_of, read

#: What a column may be called besides an item code.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "date": ("answered_at", "ngay", "ngày", "ngay_tra_loi", "ngày trả lời"),
    "point": ("diem", "điểm", "ma_diem", "mã điểm", "point code"),
    "form_no": ("so_phieu", "số phiếu", "form number"),
    "round": ("dot", "đợt", "dot_khao_sat", "đợt khảo sát"),
    "language": ("ngon_ngu", "ngôn ngữ"),
}
#: What is typed where "no opinion" is ticked; an empty cell is a question without an answer.
NO_OPINION = "-"
_DASHES = (NO_OPINION, "\N{EN DASH}", "\N{MINUS SIGN}")
#: Most characters of what names a form besides its point.
_LONGEST = 64


@dataclass(frozen=True)
class PaperRow:
    """A row as read: its number in the file (the header is 1), and the body it makes or why not."""

    number: int
    body: dict[str, Any] | None
    errors: tuple[FieldError, ...] = ()
    form_no: str = ""
    round: str = ""
    #: Other ids under which the same form may stand from before, the likeliest first.
    former_ids: tuple[str, ...] = ()
    #: What the file calls the columns.
    titles: Mapping[str, str] = field(default_factory=dict)


def read_rows(
    file: Path,
    sheet: AnswerSheet,
    point: str | None,
    zone: ZoneInfo,
    keys: TextKeys,
    round: str = "",
    codes: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Iterator[PaperRow]:
    """Every row of the file as the body of a response; memory does not grow with the file.

    ``point`` and ``round`` are those of rows that name none. ``codes`` are, by a point's code of
    today, all that it had, the first one first: a form is the same under each of them. ``keys``
    make the ids of rows that are known by what is written on them.

    Raises
    ------
    WrongTable
        Where the file is no table, or its header lacks a column or has an unknown one.
    """
    table = Table(file)
    known = {item.code: () for item in sheet.form.items} | dict(COLUMNS)
    columns = table.columns(known, ["date"] if point else ["date", "point"])
    titles = dict(zip(columns, table.titles, strict=True))
    reader = _Reader(sheet, point or "", round, zone, keys, titles, codes)
    for row in table:
        yield reader.read(row, columns)


class _Reader:
    """Makes bodies out of rows; knows which rows without a number came before."""

    def __init__(
        self,
        sheet: AnswerSheet,
        point: str,
        round: str,
        zone: ZoneInfo,
        keys: TextKeys,
        titles: Mapping[str, str],
        codes: Mapping[str, Sequence[str]],
    ) -> None:
        self._keys = keys
        self._sheet, self._point, self._round, self._zone = sheet, point, round, zone
        self._titles, self._codes = titles, codes
        self._came: Counter[bytes] = Counter()

    def read(self, row: Row, columns: list[str]) -> PaperRow:
        """One row; a cell that holds no value is a mistake, whatever column it stands in."""
        cells = dict(zip(columns, row.cells, strict=True))
        errors = [
            FieldError(
                (columns[fault.column] if fault.column < len(columns) else "")
                or get_column_letter(fault.column + 1),
                fault.reason,
                fault.values,
            )
            for fault in row.faults
        ]
        answers, wrong = _answers(cells, self._sheet)
        faulty = {error.field for error in errors}
        errors += [error for error in wrong if error.field not in faulty]
        answered_at = _moment(cells.get("date"), self._zone)
        if answered_at is None and "date" not in faulty:
            given = text(cells.get("date"))
            why = "import.bad_date" if given else "table.needed"
            errors.append(FieldError("date", why, {"value": given}))
        # Public codes have capital letters alone.
        place = (text(cells.get("point")) or self._point.strip()).upper()
        if not place and "point" not in faulty:
            errors.append(FieldError("point", "table.needed"))
        typed = text(cells.get("form_no"))
        round = " ".join((text(cells.get("round")) or self._round).split())
        for name, value in (("form_no", typed), ("round", round)):
            if reason := unfit_sign(value):
                errors.append(FieldError(name, reason))
            elif len(value) > _LONGEST:
                errors.append(FieldError(name, "table.too_long", {"most": _LONGEST}))
        if errors or answered_at is None:
            return PaperRow(row.number, None, tuple(errors), titles=self._titles)
        body = {
            "questionnaire": self._sheet.form.code,
            "version": self._sheet.form.version,
            "point": place,
            "answered_at": answered_at.isoformat(),
            "language": (text(cells.get("language")) or "vi").lower(),
            "answers": answers,
        }
        form_no = _form_number(typed)
        if form_no:
            first, *former = self._ids_by_number(place, round, typed, form_no)
        else:
            # Texts were once taken with the spaces at their ends.
            spaced = {code: str(cells[code]) for code in self._sheet.texts if code in answers}
            first, *former = self._ids_by_content(body, answers | spaced, answered_at)
        return PaperRow(
            row.number, body | {"id": first}, (), form_no, round, tuple(former), self._titles
        )

    def _ids_by_number(self, place: str, round: str, typed: str, form_no: str) -> list[str]:
        # The id must not depend on the date, or a corrected date would count the form a second
        # time instead of being named as a conflict.
        moment = datetime(2000, 1, 1, tzinfo=self._zone)
        places = self._codes.get(place, [place])
        keys = [[code, form_no, round.casefold()] for code in places] if round else []
        # Forms without a round may have been entered when 7, 07 and 7.0 were three numbers.
        keys += [[code, number] for code in places for number in _spellings(typed, form_no)]
        return [_id(moment, _digest(key)) for key in keys]

    def _ids_by_content(
        self, body: dict[str, Any], spaced: dict[str, Any], answered_at: datetime
    ) -> list[str]:
        key = _digest(body)
        self._came[key] += 1
        count = str(self._came[key]).encode()
        keys = [body | {"point": code} for code in self._codes.get(body["point"], [body["point"]])]
        keys += [each | {"answers": spaced} for each in keys]
        # Decomposed letters were kept as they came once.
        keys += [json.loads(unicodedata.normalize("NFD", _written(each))) for each in keys]
        digests = [_digest(each) for each in keys]
        if any(code in self._sheet.texts for code in body["answers"]):
            # An id stays when the words are masked: who has it must not find them by trying. Forms
            # that were read before there were keys have theirs without.
            by_key = [self._keys.hashes(b"paper", each) for each in keys]
            digests = [hash for column in zip(*by_key, strict=True) for hash in column] + digests
        ids = [_id(answered_at, blake2b(each + count, digest_size=10).digest()) for each in digests]
        return list(dict.fromkeys(ids))


def _form_number(typed: str) -> str:
    """The number of a form as it is compared: 7, 07 and 7,0 are one."""
    found = re.fullmatch(r"0*([0-9]+)(?:[.,]0{1,2})?", typed)
    return found[1] if found else typed


def _spellings(typed: str, form_no: str) -> list[str]:
    """How a number is compared, and how it may have been written before that."""
    others = [form_no, typed]
    if form_no.isascii() and form_no.isdigit():
        others += [form_no.zfill(width) for width in range(len(form_no) + 1, 7)]
        others += [f"{form_no}.0", f"{form_no},0"]
    return list(dict.fromkeys(others))


def _written(key: object) -> str:
    return json.dumps(key, sort_keys=True, ensure_ascii=False)


def _digest(key: object) -> bytes:
    return blake2b(_written(key).encode(), digest_size=10).digest()


def _id(moment: datetime, digest: bytes) -> str:
    return str(made_uuid7(moment, digest))


def _answers(row: Mapping[str, Any], sheet: AnswerSheet) -> tuple[dict[str, Any], list[FieldError]]:
    errors = []
    answers: dict[str, Any] = {}
    for item in sheet.form.items:
        value = row.get(item.code)
        if value is None or str(value).strip() == "":
            continue
        if isinstance(item, ShortTextItem | LongTextItem):
            answers[item.code] = text(value)
            continue
        if item.code in sheet.with_no_opinion and text(value) in _DASHES:
            answers[item.code] = None
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
    return answers, errors


def _number(value: Any, decimals: int) -> int | float:
    """A cell's number, or one in words of the office that typed them, which are Vietnamese."""
    if isinstance(value, bool):
        raise ValueError(value)
    if isinstance(value, int | float):
        return int(value) if float(value).is_integer() else value
    return read(str(value), decimals, "vi")


def _moment(value: Value, zone: ZoneInfo) -> datetime | None:
    """A day is taken at its first moment, so that today's forms do not lie in the future."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime.combine(value, time(), zone)
    if (day := day_of(value)) is not None:
        return _moment(day, zone)
    written = text(value)
    try:
        return datetime.strptime(written, "%d/%m/%Y %H:%M").replace(tzinfo=zone)
    except ValueError:
        pass
    try:
        return _moment(datetime.fromisoformat(written), zone)
    except ValueError:
        return None
