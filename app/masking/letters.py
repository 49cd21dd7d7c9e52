"""Letters and words of a text, made alike: composed, with plain digits, without what is invisible.

Vietnamese is written with composed and with combining marks, with the tone on either vowel (hoà,
hòa), with i or y (Lí, Lý), and by many without any marks. What is found in the text made alike is
found in the given one by ``origin``. Each step looks at a sign a bounded number of times.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

#: More marks on one letter than any language has; the rest is dropped.
_MOST_MARKS = 4
_MARKS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069"
    "\ufe00-\ufe0f\ufeff"
)
_WIDE = "\uff01-\uff5e\u00a0\u2000-\u200a\u202f\u205f\u3000"
_DIGITS = "\u00b2\u00b3\u00b9\u2070-\u2079\u2080-\u2089\u2460-\u2468"
_UNLIKE = re.compile(rf"[{_MARKS}{_INVISIBLE}{_WIDE}{_DIGITS}]|(?![0-9])\d")
_IS_MARK = re.compile(f"[{_MARKS}]").match
_IS_INVISIBLE = re.compile(f"[{_INVISIBLE}]").match
#: From here on signs are pictures, some of which are joined by invisible signs.
_PICTURES = 0x2190
_WORD = re.compile(r"[^\W\d_]+")


class Case(IntEnum):
    """How a word is written."""

    SMALL = 0
    TITLE = 1
    CAPITALS = 2


@dataclass(frozen=True, slots=True)
class Word:
    """A run of letters: where it stands, how, and as it is compared with and without marks."""

    start: int
    end: int
    case: Case
    toned: str
    plain: str


@dataclass(frozen=True)
class Letters:
    """A text made alike; ``plain`` has its letters small and without marks, sign for sign.

    ``origin`` has for each sign, and for the end, where it stands in the given text.
    """

    text: str
    plain: str
    origin: Sequence[int]

    @cached_property
    def unmarked(self) -> bool:
        """Whether its writer uses no marks at all."""
        return self.text.lower() == self.plain

    @cached_property
    def words(self) -> Sequence[Word]:
        """All words, in their order."""
        found = []
        for match in _WORD.finditer(self.text):
            written = match.group()
            start, end = match.span()
            case = Case.SMALL
            if written[0].isupper():
                case = Case.CAPITALS if len(written) > 1 and written.isupper() else Case.TITLE
            found.append(Word(start, end, case, toned(written), self.plain[start:end]))
        return found


def read(text: str) -> Letters:
    """The letters of a text of any kind."""
    if _UNLIKE.search(text) is None:
        return Letters(text, without_marks(text), range(len(text) + 1))
    signs: list[str] = []
    origin: list[int] = []
    place, end = 0, len(text)
    while place < end:
        sign, start = text[place], place
        place += 1
        if _IS_INVISIBLE(sign):
            if not signs or ord(signs[-1]) < _PICTURES:
                continue
        elif not sign.isascii():
            sign = _alike(sign)
        marks: list[str] = []
        while place < end and (_IS_MARK(text[place]) or _IS_INVISIBLE(text[place])):
            if _IS_INVISIBLE(text[place]):
                if ord(sign) >= _PICTURES:
                    break
            elif len(marks) < _MOST_MARKS:
                marks.append(text[place])
            place += 1
        made = unicodedata.normalize("NFC", sign + "".join(marks)) if marks else sign
        signs.extend(made)
        origin.extend([start] * len(made))
    made_alike = "".join(signs)
    return Letters(made_alike, without_marks(made_alike), [*origin, end])


def _alike(sign: str) -> str:
    """A sign by its usual form: wide ones, other scripts' digits, blanks of all widths."""
    digit = unicodedata.digit(sign, None)
    if digit is not None:
        return str(digit)
    if "\uff01" <= sign <= "\uff5e":
        return chr(ord(sign) - 0xFEE0)
    return " " if unicodedata.category(sign) == "Zs" else sign


def without_marks(text: str) -> str:
    """Small letters without marks, as many as there were."""
    return text.translate(_PLAIN)


def toned(word: str) -> str:
    """A word as it is compared: small, with i for y, its tone where today's rule puts it."""
    small = word.lower().translate(_ONE_I)
    return _TONE.sub(lambda found: _MOVED[found.group()], small) if _TONE.search(small) else small


def _plain_table() -> dict[int, str]:
    table = {}
    for code in (*range(0x41, 0x5B), *range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code))[0].lower()
        if len(base) == 1:
            table[code] = base
    return table | {ord(sign): "d" for sign in "đĐðÐ"}


_PLAIN = _plain_table()
_ONE_I = str.maketrans("yỳýỷỹỵ", "iìíỉĩị")
#: Two vowels of which the second has the tone, and the same with the tone on the first.
_MOVED = {
    first + second: unicodedata.normalize("NFC", first + tone) + plain
    for first, plain in (("o", "a"), ("o", "e"), ("u", "i"))
    for tone in "\u0300\u0301\u0309\u0303\u0323"
    for second in [unicodedata.normalize("NFC", plain + tone)]
}
_TONE = re.compile("(?:" + "|".join(_MOVED) + r")(?!\w)")
