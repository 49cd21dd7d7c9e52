"""Reads numbers as people write them, and writes them so that they are read back.

Vietnamese groups thousands with dots and begins decimals with a comma (1.234,5), English the
other way round (1,234.5), and in Vietnam both are typed. The rule, for every way in which a number
comes as text:

1. What only one of the two writings gives a value to has that value: ``50000``, ``4,5``, ``4.5``,
   ``1.234,5``, ``10,000,000``.
2. What both read, as different numbers, is read in the language's own writing if the service
   itself writes that number so for the item: ``50.000`` in Vietnamese, for an item of whole
   numbers, is fifty thousand.
3. Everything else that both read is refused, and so is what neither reads: ``50,000`` for an item
   of whole numbers in Vietnamese, ``50.000`` for one with a decimal; ``1e3``, ``1_0``, ``٣``.

Bounds decide nothing: what is 50 in one writing is not taken for 50 because 50000 were too much.
The kiosk, which works without a network, has the same rule in ``app/web/static/kiosk/numbers.js``;
a test holds the two together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from surveys.model import NumberItem, PercentItem

Language = Literal["vi", "en"]

#: The sign that groups thousands and the one that begins decimals.
_SIGNS: dict[Language, tuple[str, str]] = {"vi": (".", ","), "en": (",", ".")}
_OTHER: dict[Language, Language] = {"vi": "en", "en": "vi"}
#: Whole numbers, plain or in groups of three, and decimals; no group begins with a zero.
_WRITINGS = {
    language: re.compile(rf"([0-9]+|[1-9][0-9]{{0,2}}(?:\{group}[0-9]{{3}})+)(?:\{point}([0-9]+))?")
    for language, (group, point) in _SIGNS.items()
}
_MINUS = "\N{MINUS SIGN}"
#: Longer ones are no answers; nothing is computed from them.
_LONGEST = 40
#: What is left out around a number: what JavaScript's ``trim`` takes, which Python's ``strip`` is
#: not quite.
_AROUND = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


class UnreadableNumberError(ValueError):
    """The text says no number, or may say two."""


class TwoNumbersError(UnreadableNumberError):
    """The text may say either of two numbers; ``values`` is what ``answer.two_numbers`` names."""

    def __init__(self, text: str, one: float, other: float) -> None:
        super().__init__(f"{text} is {one} or {other}")
        self.values = {"text": text, "one": Plain(one), "other": Plain(other)}


@dataclass(frozen=True)
class Amount:
    """A number that a sentence mentions: every language writes it its own way."""

    value: float
    decimals: int = 0

    def written(self, language: Language) -> str:
        """The number as people write it."""
        return written(self.value, self.decimals, language)


@dataclass(frozen=True)
class Plain:
    """A number without groups, as it is to be typed where groups could be taken for decimals."""

    value: float

    def written(self, language: Language) -> str:
        """The number with the language's decimal sign."""
        return plain(self.value).replace("-", _MINUS).replace(".", _SIGNS[language][1])


def plain(value: float) -> str:
    """A number with all its digits, for machines: ``12345678``, ``0.5``."""
    digits = f"{Decimal(repr(value)):f}"
    return digits.removesuffix(".0") if "." in digits else digits


def typed(value: float, decimals: int, language: Language) -> str:
    """A number as a field offers it to be changed: ``read`` gives the same of it."""
    text = Plain(value).written(language)
    try:
        read(text, decimals, language)
    except TwoNumbersError:
        # Three decimals could be a group of thousands; four are none.
        text += "0"
    return text


def written(value: float, decimals: int, language: Language) -> str:
    """A number as the service writes it: 12.345,6 in Vietnamese, 12,345.6 in English."""
    text = f"{round(value, decimals) + 0.0:,.{decimals}f}".replace("-", _MINUS)
    return text.translate(str.maketrans(",.", ".,")) if language == "vi" else text


def read(text: str, decimals: int, language: Language) -> int | float:
    """The number that a text says, for an item with so many decimals.

    Raises
    ------
    UnreadableNumberError
        Where it says none, or may say two.
    """
    text = text.strip(_AROUND)
    own, other = _value(text, language), _value(text, _OTHER[language])
    if own is None and other is None:
        raise UnreadableNumberError(text)
    if own is None or other is None or own == other:
        value = other if own is None else own
        assert value is not None
        return value
    if text.replace("-", _MINUS).removeprefix("+") == written(own, decimals, language):
        return own
    raise TwoNumbersError(text, *sorted((own, other)))


def decimals_of(item: object) -> int:
    """How many decimals an item takes; what is no number has none either."""
    return item.decimals if isinstance(item, NumberItem) else 0


def bounds(item: NumberItem | PercentItem) -> dict[str, Amount]:
    """The least and the most that an item takes, for a sentence."""
    least = item.minimum if isinstance(item, NumberItem) else 0
    decimals = max(decimals_of(item), _needed(least), _needed(item.maximum))
    return {"minimum": Amount(least, decimals), "maximum": Amount(item.maximum, decimals)}


def _value(text: str, language: Language) -> int | float | None:
    sign = text[:1] if text[:1] in ("+", "-", _MINUS) else ""
    digits = text.removeprefix(sign)
    found = _WRITINGS[language].fullmatch(digits) if len(digits) <= _LONGEST else None
    if found is None:
        return None
    whole = found[1].replace(_SIGNS[language][0], "")
    value = float(f"{whole}.{found[2] or 0}") * (-1 if sign in ("-", _MINUS) else 1)
    return int(value) if value.is_integer() else value


def _needed(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
