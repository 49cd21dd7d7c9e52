"""What one cell says, by the meaning of its column: an answer, or a word about the response.

A cell is read by the mapping's words first, then by the form's own, then as a number. What is none
of these is refused and never guessed; a word that a person wants to mean something goes into the
mapping.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from app.importing.folding import folded, seen
from app.importing.mapping import NO_ANSWER, NO_OPINION, ColumnMeaning
from app.importing.targets import labels
from app.importing.words import ticked
from app.tables import Value, text
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
)
from surveys.numbers import TwoNumbersError, UnreadableNumberError, decimals_of, read

#: Words of a column that are remembered while it is read.
_MOST_KNOWN = 1000
#: No answer is a number beyond it.
_MOST = 10**15
Answer = int | float | str | list[int] | None
#: A number with words behind it: ``5 (Very satisfied)``, ``1 - Rất không hài lòng``.
_NUMBERED = re.compile(r"(?P<number>\d{1,3})(?:\.0+)?\s*(?:[-:.)(=]+\s*)(?P<words>.*?)\)?")


class CellRefused(Exception):  # noqa: N818 - what is wrong with a cell, not with us
    """A cell says nothing that its column may say; ``reason`` is a key of the catalogue."""

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason)
        self.reason, self.values = reason, values


class NotGiven(Exception):  # noqa: N818 - a signal
    """The cell says that nothing was answered."""


class ItemCells:
    """Reads the cells of a column that holds answers to an item, or ticks one of its options."""

    def __init__(
        self,
        meaning: ColumnMeaning,
        item: CodedItem | TextItem,
        form: Questionnaire,
        missing: frozenset[str],
        numbers: Literal["vi", "en"],
        *,
        digits_are_codes: bool = False,
    ) -> None:
        self._item, self._meaning, self._missing, self._numbers = item, meaning, missing, numbers
        own = labels(item, form)
        numbered = {str(code) for code in _codes(item, form)}
        #: Digits that are the number of one level or option, and the words of another.
        self._doubtful = {w for w, meant in own.items() if w in numbered and w != str(meant)}
        if digits_are_codes:
            own = {word: meant for word, meant in own.items() if word not in self._doubtful}
            self._doubtful = set()
        self._own = own
        self._given = {folded(word): value for word, value in meaning.words.items()}
        self._is_text = isinstance(item, ShortTextItem | LongTextItem)
        self._known: dict[str, str] = {}
        self._highest = len(form.scales[item.scale].levels) if isinstance(item, RatedItem) else 0

    def answer(self, value: Value) -> Answer:
        """The answer that a cell holds; None is no opinion.

        Raises
        ------
        NotGiven
            Where it holds none.
        CellRefused
            Where it holds something else.
        """
        written = text(value)
        if not written or written in self._missing:
            raise NotGiven
        if self._is_text and not self._given:
            return written
        word = folded(written) if self._is_text else self._folded(written)
        if word in self._given:
            return self._meant(self._given[word], written)
        return written if self._is_text else self._coded(value, written, word)

    def ticks(self, value: Value) -> bool | None:
        """Whether the column of an option ticks it; None where the cell is empty.

        Raises
        ------
        CellRefused
            Where it says neither.
        """
        written = text(value)
        if not written or written in self._missing:
            return None
        word = self._folded(written)
        if word in self._given:
            meant = self._given[word]
            return None if meant == NO_ANSWER else meant == self._meaning.option
        if self._own.get(word) == self._meaning.option:
            return True  # programs write the option's own words into its column
        if (said := ticked(word)) is not None:
            return said
        raise CellRefused("importing.no_tick", value=written)

    def _coded(self, value: Value, written: str, word: str) -> Answer:
        """A level, options, or a number, by the form's own words or by its digits."""
        written = seen(written)
        if isinstance(value, bool) and not isinstance(self._item, MultipleChoiceItem):
            raise CellRefused("importing.no_level", value=written)
        if word in self._doubtful:
            raise CellRefused("importing.label_or_code", value=written)
        if isinstance(self._item, MultipleChoiceItem):
            return self._several(written)
        if word in self._own:
            return self._own[word]
        if isinstance(self._item, RatedItem | SingleChoiceItem):
            return self._level(value, written)
        return self._number(value, written)

    def _folded(self, written: str) -> str:
        """A word folded; a column has few, and each is met often."""
        found = self._known.get(written)
        if found is None:
            found = folded(written)
            if len(self._known) < _MOST_KNOWN:
                self._known[written] = found
        return found

    def _meant(self, meant: int | str, written: str) -> Answer:
        if meant == NO_ANSWER:
            raise NotGiven
        if meant == NO_OPINION:
            return None
        if isinstance(meant, str):
            raise CellRefused("importing.word_means", value=written, meant=meant)
        return [meant] if isinstance(self._item, MultipleChoiceItem) else meant

    def _turned(self, number: int) -> int:
        """The level of a number; words are never turned."""
        turns = self._meaning.reversed and 1 <= number <= self._highest
        return self._highest + 1 - number if turns else number

    def _level(self, value: Value, written: str) -> int | None:
        """A level's or option's number, with or without its words."""
        number = self._plain(value, written)
        if number is not None:
            return self._turned(number)
        found = _NUMBERED.fullmatch(written)
        if found is None:
            raise CellRefused("importing.no_level", value=written)
        level, word = self._turned(int(found["number"])), folded(found["words"])
        # Where number and word say different things nobody knows which is meant.
        if self._given.get(word, self._own.get(word, level)) != level:
            raise CellRefused("importing.two_levels", value=written)
        return level

    def _plain(self, value: Value, written: str) -> int | None:
        if isinstance(value, int | float) and abs(value) < _MOST and float(value).is_integer():
            return int(value)
        found = re.fullmatch(r"(\d{1,9})(?:[.,]0+)?", written)
        return int(found[1]) if found else None

    def _number(self, value: Value, written: str) -> int | float:
        if isinstance(value, int | float):
            if not abs(value) < _MOST:  # nor what is no number at all
                raise CellRefused("import.not_a_number", value=written[:40])
            return int(value) if float(value).is_integer() else value
        if isinstance(self._item, PercentItem):
            written = written.removesuffix("%").strip()
        try:
            return read(written, decimals_of(self._item), self._numbers)
        except TwoNumbersError as two:
            raise CellRefused("answer.two_numbers", **two.values) from None
        except UnreadableNumberError:
            if isinstance(self._item, NumberItem | PercentItem):
                raise CellRefused("import.not_a_number", value=written) from None
            raise CellRefused("importing.no_level", value=written) from None

    def _several(self, written: str) -> list[int] | None:
        """Several options in one cell: by signs between them, or codes with blanks."""
        if folded(written) in self._options and self._options[folded(written)] is None:
            return None
        for sign in (";", "\n", "|"):
            if sign in written:
                return self._pieces(written.split(sign), sign)
        if folded(written) in self._options:
            return self._pieces([written], ",")
        codes = written.split()
        if len(codes) > 1 and all(folded(code) in self._options for code in codes):
            return self._pieces(codes, " ")
        return self._pieces(written.split(","), ",")

    def _pieces(self, pieces: Sequence[str], sign: str) -> list[int]:
        """Options of pieces; an option whose words hold the sign is made of several pieces."""
        found: list[int] = []
        rest, most = list(pieces), self._signs_within(sign) + 1
        while rest:
            for count in range(min(len(rest), most), 0, -1):
                word = folded(sign.join(rest[:count]))
                if not word and count == 1:
                    break
                option = self._options.get(word)
                if word in self._doubtful and word not in self._given:
                    raise CellRefused("importing.label_or_code", value=word)
                if option is not None:
                    found.append(option)
                    break
            else:
                raise CellRefused("importing.no_option", value=rest[0].strip())
            del rest[:count]
        return list(dict.fromkeys(found))

    def _signs_within(self, sign: str) -> int:
        """How often a sign stands within an option's words at most."""
        assert isinstance(self._item, MultipleChoiceItem)
        words = [*self._meaning.words]
        texts = [option.text for option in self._item.options]
        if self._item.no_opinion is not None:
            texts.append(self._item.no_opinion.text)
        for each in texts:
            words += each.model_dump(exclude_none=True).values()
        return max((str(each).count(sign) for each in words), default=0)

    @cached_property
    def _options(self) -> AnyMapping[str, int | None]:
        assert isinstance(self._item, MultipleChoiceItem)
        given = {word: value for word, value in self._given.items() if isinstance(value, int)}
        numbers = {str(option.value): option.value for option in self._item.options}
        return {**numbers, **self._own, **given}


def _codes(item: CodedItem | TextItem, form: Questionnaire) -> set[int]:
    """The numbers of an item's levels or options."""
    if isinstance(item, RatedItem):
        return {level.value for level in form.scales[item.scale].levels}
    if isinstance(item, SingleChoiceItem | MultipleChoiceItem):
        return {option.value for option in item.options}
    return set()
