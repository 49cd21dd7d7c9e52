"""Reads the answers of a batch at once, as far as they are written alike.

A device writes the answers of one form after the other by one program. Where each item is answered
by a digit, two responses differ in these digits alone, which stand at the same places of texts of
one length. How such answers are written, a **pattern**, is learnt from one of them that was read as
any JSON is; whatever fits no pattern is read so, too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any

import numpy as np
from msgspec import Raw
from numpy.typing import NDArray

from surveys.digit_answers import DigitTable, Shape

Answers = Mapping[str, Any]

#: Of so many responses, all as long, a table takes less time than reading each.
LEAST = 32
#: Patterns that are remembered, and among them of texts of one length.
MOST, MOST_ALIKE = 64, 2
#: Longer answers than any form's in digits are read one by one.
LONGEST = 8192
#: Where a pattern fitted hardly any of a batch, so many batches are not looked at for another.
PAUSE = 64

_ZERO, _NINE = ord("0"), ord("9")
_ANSWER = re.compile(rb'"([^"\\]+)"\s*:\s*(?:([0-9])|null)\s*[,}]')


class _Pattern:
    """How answers are written, whatever their digits."""

    def __init__(self, written: bytes, shape: Shape, places: Sequence[int]) -> None:
        self._shape = shape
        self._places = np.array(places, dtype=np.intp)
        #: All bits where a digit stands: there a text is as every other one.
        self._digits = np.zeros(len(written), dtype=np.uint8)
        self._digits[self._places] = 0xFF
        self._text = np.frombuffer(written, dtype=np.uint8) | self._digits

    def read(self, texts: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], DigitTable]:
        """Which texts are written so, shape (n,), and the answers of these.

        ``texts`` are of shape (n, length).
        """
        digits = texts[:, self._places]
        fits = ((texts | self._digits) == self._text).all(axis=1)
        fits &= ((digits >= _ZERO) & (digits <= _NINE)).all(axis=1)
        return fits, DigitTable(self._shape, digits[fits] - np.uint8(_ZERO))


class Patterns:
    """The patterns that a process has met; used by one thread.

    ``decode`` reads the answers of one response as any JSON, or raises what ``read`` then raises.
    """

    def __init__(self, decode: Callable[[Raw], dict[str, Any]]) -> None:
        self._decode = decode
        #: By the length of the text, in the order in which they were learnt.
        self._known: dict[int, list[_Pattern]] = {}
        self._pauses: dict[int, int] = {}

    def read(self, written: Sequence[Raw]) -> list[Answers]:
        """The answers of each response, in order."""
        found: list[Answers | None] = [None] * len(written)
        if len(written) >= LEAST:
            lengths = list(map(len, written))
            length, count = Counter(lengths).most_common(1)[0]
            if count >= LEAST and length <= LONGEST:
                places = [place for place, each in enumerate(lengths) if each == length]
                self._read_alike(written, length, places, found)
        return [
            self._decode(text) if answers is None else answers
            for answers, text in zip(found, written, strict=True)
        ]

    def _read_alike(
        self,
        written: Sequence[Raw],
        length: int,
        places: list[int],
        found: list[Answers | None],
    ) -> None:
        """Put into ``found`` what patterns read at some places, whose texts are of one length."""
        for pattern in reversed(self._known.get(length, ())):
            places = _take(pattern, written, places, found)
            if len(places) < LEAST:
                return
        if self._pauses.get(length, 0) > 0:
            self._pauses[length] -= 1
            return
        text = bytes(written[places[0]])
        learnt = _pattern_of(text, self._decode(written[places[0]]))
        left = places if learnt is None else _take(learnt, written, places, found)
        if learnt is None or len(places) - len(left) < LEAST:
            self._pauses[length] = PAUSE
            return
        if sum(map(len, self._known.values())) >= MOST:
            self._known.clear()
            self._pauses.clear()
        self._known[length] = [*self._known.get(length, ()), learnt][-MOST_ALIKE:]


def _take(
    pattern: _Pattern, written: Sequence[Raw], places: list[int], found: list[Answers | None]
) -> list[int]:
    """Put into ``found`` what a pattern reads at some places; the places that are left."""
    texts = np.frombuffer(b"".join([written[place] for place in places]), dtype=np.uint8)
    fits, table = pattern.read(texts.reshape(len(places), -1))
    fitting = list(compress(places, fits.tolist()))
    for place, answers in zip(fitting, table.rows(), strict=True):
        found[place] = answers
    return [] if len(fitting) == len(places) else list(compress(places, (~fits).tolist()))


def _pattern_of(text: bytes, answers: dict[str, Any]) -> _Pattern | None:
    """How a text is written; None where it is not digits and null alone."""
    found = list(_ANSWER.finditer(text))
    # Each key has two quotes. Were there others, one could stand for a key that was found, too,
    # escaped or with another value that equals its digit (1.0, true, -0): the last one counts.
    if text.count(b'"') != 2 * len(found):
        return None
    # What stands in a text, or deeper, or twice, is not what was read.
    read = [(each[1].decode(), None if each[2] is None else int(each[2])) for each in found]
    if read != list(answers.items()):
        return None
    places = [each.start(2) for each in found if each[2] is not None]
    null = frozenset(code for code, digit in read if digit is None)
    return _Pattern(text, Shape(tuple(answers), null), places) if places else None
