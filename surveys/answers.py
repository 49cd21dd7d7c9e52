"""One respondent's answers: checked against the form, packed into a record of fixed width.

The record holds the coded answers in the order in which the form asks them, one byte an item
save where an item needs more (per cent two, numbers and multiple choices four). In every field
0 means "not answered" and the largest value "no opinion". A million records are one buffer that
NumPy reads as columns (``AnswerSheet.dtype``). Texts are no part of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from surveys.conditions import hidden
from surveys.model import (
    CodedItem,
    LongTextItem,
    MultipleChoiceItem,
    NumberItem,
    PercentItem,
    Questionnaire,
    RatedItem,
    ShortTextItem,
    SingleChoiceItem,
    TextItem,
    ZeroToTenItem,
)
from surveys.numbers import bounds
from surveys.plain_text import cleaned

NOT_ANSWERED = 0
#: "No opinion / not applicable" by the width of the field in bytes.
NO_OPINION = {1: 0xFF, 2: 0xFFFF, 4: 0xFFFFFFFF}

#: What an answer may be once JSON is read; None says "no opinion" or "not answered".
Answer = int | float | str | list[int] | None


@dataclass(frozen=True)
class Mistake:
    """One answer that the form does not take.

    ``reason`` is a key of the message catalogue, ``values`` what its sentence mentions.
    """

    item: str
    reason: str
    values: Mapping[str, object] = field(default_factory=dict)


class AnswerError(ValueError):
    """The answers do not fit the form; ``mistakes`` names every one."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("; ".join(f"{m.item}: {m.reason}" for m in mistakes))
        self.mistakes = mistakes


#: Types of answers of which equal ones mean the same.
_TOLD_APART = frozenset((int, str, type(None)))


class _Refused(Exception):  # noqa: N818 - a signal between a column's coder and pack()
    def __init__(self, reason: str, **values: object) -> None:
        self.reason, self.values = reason, values


@dataclass(frozen=True)
class Column:
    """Where one coded item stands in the record, and what its codes mean."""

    item: CodedItem
    offset: int
    width: int
    #: Codes of a one-byte item by the answer that the API takes; empty for wider items.
    codes: Mapping[int, int]
    #: Whether null and the form's own number mean "no opinion" (else null is "not answered").
    takes_no_opinion: bool
    no_opinion_value: int | None


class PackedField(NamedTuple):
    """One answer in the record: where it begins, and its bytes."""

    offset: int
    packed: bytes


_Record = bytes | bytearray


class AnswerSheet:
    """Checks, packs and unpacks the answers to one version of a form."""

    def __init__(self, form: Questionnaire) -> None:
        self.form = form
        self.columns: tuple[Column, ...] = tuple(_columns(form))
        self.width = sum(column.width for column in self.columns)
        self.dtype = np.dtype(
            [(column.item.code, f"<u{column.width}") for column in self.columns], align=False
        )
        self.texts: dict[str, TextItem] = {
            item.code: item for item in form.items if isinstance(item, ShortTextItem | LongTextItem)
        }
        #: The items to which "no opinion" is an answer.
        self.with_no_opinion = frozenset(
            column.item.code for column in self.columns if column.takes_no_opinion
        )
        self._by_code = {column.item.code: column for column in self.columns}
        #: The quick way for one-byte items: answer → code, None included where it has a meaning.
        self._quick: dict[str, tuple[int, dict[object, int]]] = {
            column.item.code: (column.offset, _quick_codes(column))
            for column in self.columns
            if column.width == 1
        }
        self._conditional = tuple(item for item in form.items if item.shown_if is not None)
        self._required = frozenset(
            item.code for item in form.items if item.required and item.shown_if is None
        )
        #: Whether answers that are possible each may still lack another, or be one too many.
        self.asks_for_more = bool(self._required or self._conditional)

    def pack(
        self, answers: Mapping[str, object], *, partial: bool = False
    ) -> tuple[bytes, dict[str, str]]:
        """Check ``answers`` (by item code) and pack them.

        Of a ``partial`` response, left unfinished, nothing is required.

        Returns
        -------
        tuple[bytes, dict[str, str]]
            The record and the cleaned texts that are not empty.

        Raises
        ------
        AnswerError
            With a mistake for every unknown item, impossible value, missing required item and
            answer to an item that the form would not have shown.
        """
        record = bytearray(self.width)
        texts: dict[str, str] = {}
        mistakes: list[Mistake] = []
        # True and 1.0 equal 1 as keys of a dict, so where there are such, all go the slow way.
        told_apart = _TOLD_APART.issuperset(map(type, answers.values()))
        for code, value in self._pack_quickly(answers, record) if told_apart else answers.items():
            try:
                self._pack_slowly(code, value, record, texts)
            except _Refused as refused:
                mistakes.append(Mistake(code, refused.reason, refused.values))
        if self.asks_for_more:
            mistakes += self._lacking(record, texts, {m.item for m in mistakes}, partial)
        if mistakes:
            raise AnswerError(mistakes)
        return bytes(record), texts

    def packed_field(self, code: str, value: int | None) -> PackedField | None:
        """One answer as it stands in the record; None where the form does not take it there."""
        column, record = self._by_code.get(code), bytearray(self.width)
        if column is None:
            return None
        try:
            self._pack_slowly(code, value, record, {})
        except _Refused:
            return None
        return PackedField(column.offset, bytes(record[column.offset :][: column.width]))

    def check_given(self, record: bytes, *, partial: bool = False) -> None:
        """Whether a record of possible answers, without texts, has all that the form asks for.

        Raises
        ------
        AnswerError
            As ``pack`` does.
        """
        if mistakes := self._lacking(record, {}, frozenset(), partial):
            raise AnswerError(mistakes)

    def _lacking(
        self, record: _Record, texts: Mapping[str, str], wrong: Collection[str], partial: bool
    ) -> list[Mistake]:
        """What is required and missing, and what was not asked; ``wrong`` items are known to be."""
        mistakes = []
        if self._required and not partial and self._has_empty_required(record, texts):
            mistakes = [
                Mistake(code, "answer.required")
                for code in sorted(self._required.difference(wrong))
                if self._is_empty(code, record, texts)
            ]
        if self._conditional:
            mistakes += self._check_conditions(record, texts, partial)
        return mistakes

    def _pack_quickly(
        self, answers: Mapping[str, object], record: bytearray
    ) -> list[tuple[str, object]]:
        """Pack what a table has; the rest, which takes looking at."""
        quick, rest = self._quick, []
        for code, value in answers.items():
            try:
                offset, codes = quick[code]
                record[offset] = codes[value]
            except KeyError:
                rest.append((code, value))
        return rest

    def unpack(self, record: bytes) -> dict[str, Answer]:
        """The answers of one record by item code; null where the respondent had no opinion."""
        answers: dict[str, Answer] = {}
        for column in self.columns:
            packed = self._read(column, record)
            if packed == NOT_ANSWERED:
                continue
            if packed == NO_OPINION[column.width]:
                answers[column.item.code] = None
            else:
                answers[column.item.code] = _decoded(column.item, packed)
        return answers

    def table(self, records: Iterable[bytes]) -> NDArray[np.void]:
        """Many records as one structured array of shape (n,), a field an item."""
        return np.frombuffer(b"".join(records), dtype=self.dtype)

    def _pack_slowly(
        self, code: str, value: object, record: bytearray, texts: dict[str, str]
    ) -> None:
        if code in self.texts:
            if text := _text(self.texts[code], value):
                texts[code] = text
            return
        column = self._by_code.get(code)
        if column is None:
            raise _Refused("answer.unknown_item")
        if value is None or (
            type(value) is int
            and column.no_opinion_value is not None
            and value == column.no_opinion_value
        ):
            packed = NO_OPINION[column.width] if column.takes_no_opinion else NOT_ANSWERED
        else:
            packed = _encoded(column, value)
        record[column.offset : column.offset + column.width] = packed.to_bytes(
            column.width, "little"
        )

    @staticmethod
    def _read(column: Column, record: _Record) -> int:
        return int.from_bytes(record[column.offset : column.offset + column.width], "little")

    def _is_empty(self, code: str, record: _Record, texts: Mapping[str, str]) -> bool:
        if code in self.texts:
            return code not in texts
        return self._read(self._by_code[code], record) == NOT_ANSWERED

    def _has_empty_required(self, record: _Record, texts: Mapping[str, str]) -> bool:
        return any(self._is_empty(code, record, texts) for code in self._required)

    def _check_conditions(
        self, record: _Record, texts: Mapping[str, str], partial: bool
    ) -> list[Mistake]:
        def given(code: str) -> object:
            column = self._by_code[code]
            packed = self._read(column, record)
            return _decoded(column.item, packed) if 0 < packed < NO_OPINION[column.width] else None

        mistakes = []
        not_asked = hidden(self._conditional, given)
        for item in self._conditional:
            assert item.shown_if is not None
            if item.code in not_asked:
                if not self._is_empty(item.code, record, texts):
                    mistakes.append(
                        Mistake(item.code, "answer.not_shown", {"asked": item.shown_if.item})
                    )
            elif item.required and not partial and self._is_empty(item.code, record, texts):
                mistakes.append(Mistake(item.code, "answer.required"))
        return mistakes


def _columns(form: Questionnaire) -> Iterable[Column]:
    offset = 0
    for item in form.items:
        if isinstance(item, ShortTextItem | LongTextItem):
            continue
        width, codes = _width_and_codes(form, item)
        no_opinion = (
            form.scales[item.scale].no_opinion if isinstance(item, RatedItem) else item.no_opinion
        )
        yield Column(
            item=item,
            offset=offset,
            width=width,
            codes=codes,
            takes_no_opinion=no_opinion is not None,
            no_opinion_value=no_opinion.value if no_opinion else None,
        )
        offset += width


def _width_and_codes(form: Questionnaire, item: CodedItem) -> tuple[int, dict[int, int]]:
    match item:
        case RatedItem():
            return 1, {level.value: level.value for level in form.scales[item.scale].levels}
        case SingleChoiceItem():
            return 1, {option.value: option.value for option in item.options}
        case ZeroToTenItem():
            return 1, {value: value + 1 for value in range(11)}
        case PercentItem():
            return 2, {}
        case MultipleChoiceItem() | NumberItem():
            return 4, {}


def _quick_codes(column: Column) -> dict[object, int]:
    codes: dict[object, int] = {value: code for value, code in column.codes.items()}  # noqa: C416
    codes[None] = NO_OPINION[1] if column.takes_no_opinion else NOT_ANSWERED
    if column.no_opinion_value is not None:
        codes[column.no_opinion_value] = NO_OPINION[1]
    return codes


def _encoded(column: Column, value: object) -> int:
    return _ENCODERS[column.item.kind](column, value)


def _encode_coded(column: Column, value: object) -> int:
    if type(value) is not int or value not in column.codes:
        raise _Refused("answer.not_a_level", allowed=", ".join(map(str, column.codes)))
    return column.codes[value]


def _encode_percent(column: Column, value: object) -> int:
    assert isinstance(column.item, PercentItem)
    if type(value) is not int or not 0 <= value <= column.item.maximum:
        raise _Refused("answer.not_a_percent", maximum=bounds(column.item)["maximum"])
    return value + 1


def _encode_number(column: Column, value: object) -> int:
    item = column.item
    assert isinstance(item, NumberItem)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Refused("answer.not_a_number", **bounds(item))
    # NaN, the infinities and numbers too large for a float lie in no bounds.
    if not item.minimum <= value <= item.maximum:
        raise _Refused("answer.not_a_number", **bounds(item))
    steps: float = (value - item.minimum) * 10**item.decimals
    if abs(steps - round(steps)) > 1e-6:
        if not item.decimals:
            raise _Refused("answer.not_whole")
        raise _Refused("answer.too_many_decimals", decimals=item.decimals)
    return round(steps) + 1


def _encode_choices(column: Column, value: object) -> int:
    assert isinstance(column.item, MultipleChoiceItem)
    allowed = {option.value for option in column.item.options}
    if not isinstance(value, list) or not all(type(v) is int and v in allowed for v in value):
        raise _Refused("answer.not_options", allowed=", ".join(map(str, sorted(allowed))))
    if len(set(value)) < len(value):
        raise _Refused("answer.option_twice")
    return sum(1 << (option - 1) for option in value)


_ENCODERS: dict[str, Callable[[Column, object], int]] = {
    "rated": _encode_coded,
    "single_choice": _encode_coded,
    "zero_to_ten": _encode_coded,
    "percent": _encode_percent,
    "number": _encode_number,
    "multiple_choice": _encode_choices,
}


def _decoded(item: CodedItem, packed: int) -> int | float | list[int]:
    match item:
        case ZeroToTenItem() | PercentItem():
            return packed - 1
        case NumberItem():
            value = item.minimum + (packed - 1) / 10**item.decimals
            return round(value, item.decimals) if item.decimals else int(value)
        case MultipleChoiceItem():
            return [o.value for o in item.options if packed >> (o.value - 1) & 1]
        case _:
            return packed


def _text(item: TextItem, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Refused("answer.not_text")
    text = cleaned(value, lines=isinstance(item, LongTextItem))
    if len(text) > item.max_length:
        raise _Refused("answer.too_long", length=len(text), maximum=item.max_length)
    return text
