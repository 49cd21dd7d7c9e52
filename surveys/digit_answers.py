"""The answers of many respondents to the same items, one digit each, packed all at once.

So most of what a desk's devices send looks like. As a table a hundred respondents take a fifth of
the time that they take one after the other; what is not so, or not as the form takes it, is packed
by ``AnswerSheet.pack``, which alone says what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from surveys.answers import AnswerSheet


class Shape(NamedTuple):
    """Which items are answered, in the order of the answers, and those of them with null."""

    codes: tuple[str, ...]
    null: frozenset[str] = frozenset()

    @property
    def given(self) -> tuple[str, ...]:
        """The items that are answered by a digit."""
        return tuple(code for code in self.codes if code not in self.null)


#: Of so many forms a table keeps the records: a batch has one, or two while a new version comes.
MOST_SHEETS = 2


class DigitTable:
    """The answers of n respondents of one shape.

    ``digits`` are 0 to 9, shape (n, items with a digit), in the order of the shape.
    """

    def __init__(self, shape: Shape, digits: NDArray[np.uint8]) -> None:
        self.shape, self.digits = shape, digits
        #: In which column of the digits an item stands.
        self.column = {code: column for column, code in enumerate(shape.given)}
        self._records: dict[AnswerSheet, list[bytes | None]] = {}

    def rows(self) -> list[DigitAnswers]:
        """The answers of each respondent, in order."""
        return [DigitAnswers(self, place) for place in range(len(self.digits))]

    def records(self, sheet: AnswerSheet) -> list[bytes | None]:
        """Each respondent's record; None where the form does not take an answer, or is one more."""
        if sheet not in self._records:
            if len(self._records) == MOST_SHEETS:
                return [None] * len(self.digits)
            self._records[sheet] = self._packed(sheet)
        return self._records[sheet]

    def _packed(self, sheet: AnswerSheet) -> list[bytes | None]:
        packing = _packing_of(sheet, self.shape)
        if packing is None:
            return [None] * len(self.digits)
        records = np.repeat(packing.empty[None, :], len(self.digits), axis=0)
        slots = np.arange(len(packing.offsets))
        records[:, packing.offsets] = packing.bytes[slots, self.digits[:, packing.items]]
        taken = packing.taken[np.arange(self.digits.shape[1]), self.digits]
        fits: NDArray[np.bool_] = np.logical_and.reduce(taken, axis=1)
        packed, width = records.tobytes(), sheet.width
        return [
            packed[place * width : (place + 1) * width] if fit else None
            for place, fit in enumerate(fits.tolist())
        ]


class DigitAnswers(Mapping[str, int | None]):
    """One respondent's answers by item code."""

    __slots__ = ("_place", "_table")

    def __init__(self, table: DigitTable, place: int) -> None:
        self._table, self._place = table, place

    def __getitem__(self, code: str) -> int | None:
        table = self._table
        if code in table.shape.null:
            return None
        return int(table.digits[self._place, table.column[code]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._table.shape.codes)

    def __len__(self) -> int:
        return len(self._table.shape.codes)

    def __repr__(self) -> str:
        return repr(dict(self))

    def plain(self) -> dict[str, int | None]:
        """The same as a dict, in the same order."""
        table = self._table
        answers: dict[str, int | None] = dict.fromkeys(table.shape.codes)
        answers.update(zip(table.column, table.digits[self._place].tolist(), strict=True))
        return answers

    def record(self, sheet: AnswerSheet) -> bytes | None:
        """These answers as the form's record; None where it does not take one of them."""
        return self._table.records(sheet)[self._place]


def pack(
    sheet: AnswerSheet, answers: Mapping[str, object], *, partial: bool = False
) -> tuple[bytes, dict[str, str]]:
    """As ``AnswerSheet.pack``, which says what comes of it, with less work for digits.

    Raises
    ------
    AnswerError
        As there.
    """
    if type(answers) is DigitAnswers:
        record = answers.record(sheet)
        if record is not None:
            if sheet.asks_for_more:
                sheet.check_given(record, partial=partial)
            return record, {}
        answers = answers.plain()
    return sheet.pack(answers, partial=partial)


class _Packing(NamedTuple):
    """How answers of a shape become records of a form."""

    #: The record of whoever gives no digit, shape (width,).
    empty: NDArray[np.uint8]
    #: The bytes that digits decide: where each stands, whose digit it is of, and what it is by the
    #: digit; shapes (bytes,), (bytes,) and (bytes, 10).
    offsets: NDArray[np.intp]
    items: NDArray[np.intp]
    bytes: NDArray[np.uint8]
    #: Which digits an item takes, shape (items with a digit, 10).
    taken: NDArray[np.bool_]


@lru_cache(maxsize=256)
def _packing_of(sheet: AnswerSheet, shape: Shape) -> _Packing | None:
    """None where no such answers fit the form."""
    empty = bytearray(sheet.width)
    for code in shape.null:
        if code in sheet.texts:
            continue  # no text, which stands in no record
        field = sheet.packed_field(code, None)
        if field is None:
            return None
        empty[field.offset : field.offset + len(field.packed)] = field.packed
    offsets: list[int] = []
    items: list[int] = []
    by_digit: list[list[int]] = []
    taken = np.zeros((len(shape.given), 10), dtype=bool)
    for item, code in enumerate(shape.given):
        fields = [sheet.packed_field(code, digit) for digit in range(10)]
        fitting = [field for field in fields if field is not None]
        if not fitting:
            return None
        taken[item] = [field is not None for field in fields]
        for byte in range(len(fitting[0].packed)):
            offsets.append(fitting[0].offset + byte)
            items.append(item)
            by_digit.append([0 if field is None else field.packed[byte] for field in fields])
    return _Packing(
        np.frombuffer(bytes(empty), dtype=np.uint8),
        np.array(offsets, dtype=np.intp),
        np.array(items, dtype=np.intp),
        np.array(by_digit, dtype=np.uint8).reshape(-1, 10),
        taken,
    )
