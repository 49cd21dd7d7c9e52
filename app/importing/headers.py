"""What the first rows of a file of responses say: its program, and its columns.

Qualtrics writes three rows (a code, the question, an import id; once two), LimeSurvey's vv export
two (the question, the code), all others one. A column's title may hold a code, the question, and
the option of a question with several: each program joins them in its own way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from openpyxl.utils import get_column_letter

from app.importing.files import MOST_UNPACKED, check
from app.importing.folding import folded
from app.masking.masker import mask, worded
from app.messages import Language, say
from app.problems import FieldError
from app.tables import Row, WrongTable, rows_of, text


class Program(StrEnum):
    """What wrote a file."""

    QUALTRICS = "qualtrics"
    LIMESURVEY = "limesurvey"
    LIMESURVEY_VV = "limesurvey-vv"
    KOBO = "kobo"
    GOOGLE_FORMS = "google-forms"
    OTHER = "other"


#: Programs that write numbers with a decimal point, whatever language they speak.
OF_MACHINES = frozenset(
    {Program.QUALTRICS, Program.LIMESURVEY, Program.LIMESURVEY_VV, Program.KOBO}
)
#: Signs of a cell that are shown.
_LONGEST_SHOWN = 100
#: How a first column without a title is called.
UNNAMED = "#"
_VV = frozenset({"id", "submitdate", "startlanguage"})
_KOBO = frozenset({"_uuid", "_submission_time", "meta/instanceid", "_validation_status"})
_QUALTRICS = frozenset({"responseid", "response id", "startdate", "start date"})
_LIMESURVEY = frozenset({"response id", "submitdate", "date submitted"})
_GOOGLE = frozenset(
    map(folded, ("timestamp", "dấu thời gian", "horodateur", "marca temporal", "zeitstempel"))
)
#: ``code[sub]. question [option]`` and ``code[sub]``, as LimeSurvey writes titles.
_CODED = re.compile(
    r"(?P<code>[A-Za-z][A-Za-z0-9_]*)(?:\[(?P<sub>[^\]]*)\])?(?:\[[^\]]*\])?(?:\.\s+(?P<text>.*))?",
    re.DOTALL,
)
_BRACKETED = re.compile(r"(?P<text>.*?)\s*\[(?P<option>[^\[\]]*)\]\s*", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """A column: its place from 0, how a mapping calls it, and what its title is made of."""

    place: int
    name: str
    #: The code of its question, where the program writes one.
    code: str = ""
    #: The question.
    text: str = ""
    #: Which option or row of the question it is, by its code and by its words.
    option_code: str = ""
    option: str = ""

    @property
    def letter(self) -> str:
        """How spreadsheets call it."""
        return str(get_column_letter(self.place + 1))


class Headed:
    """A file below its header, read row by row, so that memory does not grow with it.

    Raises
    ------
    WrongTable
        Where it is no file of ours, or has no header; while reading, too.
    """

    def __init__(self, file: Path, name: str = "", most_unpacked: int = MOST_UNPACKED) -> None:
        check(file, name or file.name, most_unpacked)
        self.file, self.name = file, name or file.name
        self._rows = rows_of(file)
        self.columns: Sequence[Column] = ()
        first = list(islice((row for row in self._rows if _holds(row)), 3))
        if not first:
            raise WrongTable(self.name, [FieldError("", "table.empty")])
        self.program, count, codes = _program([[text(cell) for cell in row.cells] for row in first])
        for row in first[:count]:
            if row.faults:
                raise WrongTable(self.name, self.faults(row))
        self.sheet = first[0].sheet
        titles = [[" ".join(text(cell).split()) for cell in row.cells] for row in first[:count]]
        self.columns = tuple(
            _columns(self.program, titles[codes], titles[1 - codes] if count > 1 else [])
        )
        if not self.columns:
            raise WrongTable(self.name, [FieldError("", "table.empty")])
        self._begun = first[count:]
        written = "\0".join(f"{folded(c.name)}\1{folded(c.text)}" for c in self.columns)
        #: By which a mapping is remembered: the same for the same titles in the same order.
        self.fingerprint = blake2b(written.encode(), digest_size=16).hexdigest()

    def __iter__(self) -> Iterator[Row]:
        """The rows below the header that hold something."""
        yield from self._begun
        self._begun = []
        yield from (row for row in self._rows if _holds(row))

    def faults(self, row: Row) -> list[FieldError]:
        """What is wrong with a row's cells before anybody asks what they mean."""
        return [
            self.mistake(row, fault.column, fault.reason, **fault.values) for fault in row.faults
        ]

    def mistake(self, row: Row, place: int | None, reason: str, **values: object) -> FieldError:
        """What is wrong with a cell, or with a row: file, sheet, row and column."""
        return mistake(
            self.name, row, None if place is None else self.column(place), reason, values
        )

    def column(self, place: int) -> Column:
        """The column at a place, if it has a title or none."""
        found = next((each for each in self.columns if each.place == place), None)
        return found or Column(place, str(get_column_letter(place + 1)))


@dataclass(frozen=True)
class _Sheet:
    name: str

    def written(self, language: str) -> str:
        return say("importing.of_sheet", language, sheet=self.name) if self.name else ""


@dataclass(frozen=True)
class _Written:
    """What somebody wrote into a cell: on a screen, or in a list of mistakes, it stands masked."""

    cell: str

    def written(self, language: Language) -> str:
        shown = worded(mask(self.cell[: 2 * _LONGEST_SHOWN]).text, language)
        return shown if len(shown) <= _LONGEST_SHOWN else shown[: _LONGEST_SHOWN - 1] + "…"


def mistake(
    file: str, row: Row, column: Column | None, reason: str, values: dict[str, object]
) -> FieldError:
    """What is wrong with a cell, or with a row, with its file, sheet, row and column."""
    place = {**values, "file": file, "sheet": _Sheet(row.sheet), "row": row.number}
    if isinstance(written := values.get("value"), str):
        place["value"] = _Written(written)
    if column is None:
        return FieldError(str(row.number), "importing.row", place, reason)
    at = f"{column.letter}{row.number}"
    shown = {**place, "column": column.name, "cell": at}
    return FieldError(at, "importing.cell", shown, reason)


def _holds(row: Row) -> bool:
    return bool(row.faults) or any(map(text, row.cells))


def _program(rows: Sequence[Sequence[str]]) -> tuple[Program, int, int]:
    """Which program, how many rows its header has, and in which of them codes stand."""
    titles = [[folded(cell) for cell in row] for row in rows]
    first = set(titles[0])
    if len(rows) > 2 and sum("importid" in cell for cell in titles[2]) * 2 > len(titles[2]):
        return Program.QUALTRICS, 3, 0
    if first & _QUALTRICS and "finished" in first:
        repeated = len(rows) > 1 and titles[1][0] in _QUALTRICS
        return Program.QUALTRICS, 2 if repeated else 1, 0
    if len(rows) > 1 and set(titles[1]) >= _VV:
        return Program.LIMESURVEY_VV, 2, 1
    return _of_one_row(rows[0], titles[0]), 1, 0


def _of_one_row(cells: Sequence[str], titles: Sequence[str]) -> Program:
    if any(title.replace(" ", "_") in _KOBO for title in titles):
        return Program.KOBO
    coded = sum(bool(re.match(r"[A-Za-z]\w*(\[[^\]]*\])*\. ", cell)) for cell in cells)
    if _LIMESURVEY & set(titles) or coded * 2 > len(cells):
        return Program.LIMESURVEY
    return Program.GOOGLE_FORMS if titles[0] in _GOOGLE else Program.OTHER


def _columns(program: Program, titles: Sequence[str], questions: Sequence[str]) -> Iterator[Column]:
    came: Counter[str] = Counter()
    for place, title in enumerate(titles):
        question = questions[place] if place < len(questions) else ""
        if not title:
            # Tables of R and Python have row numbers in front, without a title.
            if place:
                continue
            title = UNNAMED
        came[folded(title)] += 1
        count = came[folded(title)]
        name = title if count == 1 else f"{title} ({count})"
        yield _column(program, place, name, title, question)


def _column(program: Program, place: int, name: str, title: str, question: str) -> Column:
    match program:
        case Program.KOBO:
            # Groups stand before the question, and the option of one with several behind it.
            *_, last = title.split("/")
            return Column(place, name, last, last)
        case Program.QUALTRICS:
            code, _, option = title.rpartition("_")
            asked, _, words = question.rpartition("-")
            if code and option.isdigit():
                return Column(place, name, code, asked.strip() or question, option, words.strip())
            return Column(place, name, title, question)
        case Program.LIMESURVEY_VV:
            code, _, sub = title.partition("_")
            return Column(place, name, code if sub else title, question, sub)
    return _titled(place, name, title)


def _titled(place: int, name: str, title: str) -> Column:
    """A column of which one title says all: code, question and option."""
    found = _CODED.fullmatch(title)
    if found and (found["text"] is not None or found["sub"] is not None):
        asked = found["text"] or ""
        inside = _BRACKETED.fullmatch(asked) if found["sub"] is not None else None
        option = inside["option"] if inside else ""
        asked = inside["text"] if inside else asked
        return Column(place, name, found["code"], asked, found["sub"] or "", option)
    if inside := _BRACKETED.fullmatch(title):
        return Column(place, name, "", inside["text"], "", inside["option"])
    return Column(place, name, title if found else "", title)
