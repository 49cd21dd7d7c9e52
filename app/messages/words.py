"""How a language says things and writes numbers, days and periods."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, Protocol

from app.messages import Language, day, house_language, say

#: Where a figure is undefined or hidden.
NOTHING = "–"
#: Marks that make another letter (ă; â, ê, ô; ơ, ư) and signs that sort in their place, after
#: all letters; the marks of tones, in their order.
_MARKS, _MARKED, _TONES = (
    "\u0306\u0302\u031b",
    "\ufff1\ufff2\ufff3",
    "\u0300\u0309\u0303\u0301\u0323",
)
_GAP = "\N{NO-BREAK SPACE}"
#: What is served where it is not known by whom: files, patients, or either.
Served = Literal["cases", "visits", "either"]
_NAME = re.compile(
    r"(?P<year>20\d\d)(?:-(?:(?P<month>\d\d)|Q(?P<quarter>\d)|(?P<first_half>H1)|"
    r"(?P<second_half>H2)|(?P<nine_months>9M)|W(?P<week>\d\d)))?"
)


class Bilingual(Protocol):
    """A name in both languages."""

    @property
    def vi(self) -> str: ...  # noqa: D102

    @property
    def en(self) -> str: ...  # noqa: D102


class Above(Protocol):
    """What a unit is part of."""

    @property
    def code(self) -> str: ...  # noqa: D102

    @property
    def name(self) -> Bilingual: ...  # noqa: D102


class NamedUnit(Above, Protocol):
    """A unit as results name it."""

    @property
    def within(self) -> Above | None: ...  # noqa: D102


class Dated(Protocol):
    """What is about a period that may still be running."""

    @property
    def period(self) -> str: ...  # noqa: D102

    @property
    def running_to(self) -> date | None: ...  # noqa: D102


class Limits(Protocol):
    """What has an interval."""

    @property
    def low(self) -> float | None: ...  # noqa: D102

    @property
    def high(self) -> float | None: ...  # noqa: D102


@dataclass(frozen=True)
class Words:
    """One language; ``here`` is the code of the unit that a page is about, ``served`` what its
    units serve: every sentence may name it."""

    language: Language
    here: str | None = None
    served: Served = "either"

    def __call__(self, key: str, **values: object) -> str:
        """The sentence under a key."""
        values.setdefault("served", say(f"served.{self.served}", self.language))
        return say(key, self.language, **values)

    def name(self, names: Bilingual | None, default: str = "") -> str:
        """A name that comes in both languages."""
        return default if names is None else names.vi if self.language == "vi" else names.en

    def about(self, unit: NamedUnit | None) -> Words:
        """The same words on a page about a unit: what lies in it need not say so."""
        return replace(self, here=unit.code if unit else None)

    def unit(self, unit: NamedUnit | None) -> str:
        """A unit's name, with what it is part of where that does not go without saying."""
        if unit is None:
            return self("view.all_units")
        name, within = self.name(unit.name), self.within(unit)
        return f"{name} ({within})" if within else name

    def within(self, unit: NamedUnit) -> str:
        """What a unit is part of, where that does not go without saying; empty otherwise."""
        above = unit.within
        return self.name(above.name) if above and above.code != self.here else ""

    def number(self, value: float | None, digits: int = 0) -> str:
        """A number: 12.345,6 in Vietnamese, 12,345.6 in English; a true minus sign in both."""
        if value is None:
            return NOTHING
        # What is rounded to zero has no sign.
        text = f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "\N{MINUS SIGN}")
        return text.translate(str.maketrans(",.", ".,")) if self.language == "vi" else text

    def people(self, number: float | None) -> str:
        """How many people, or answers: with a tenth where a plan's shares divide them."""
        whole = number is None or float(number).is_integer()
        return self.number(number, 0 if whole else 1)

    def percent(self, rate: float | None, digits: int = 1) -> str:
        """A rate in [0, 1] as per cent, without a space, as both languages write it."""
        if rate is None:
            return NOTHING
        return f"{self.number(100 * rate, digits)}%"

    def points(self, difference: float | None, digits: int = 1) -> str:
        """A difference of rates in percentage points, with its sign."""
        if difference is None:
            return NOTHING
        sign = "+" if round(100 * difference, digits) > 0 else ""
        return sign + self.number(100 * difference, digits)

    def limits(self, estimate: Limits, digits: int = 1) -> str:
        """The interval of a rate: 86,1 – 90,7%."""
        return self.between(estimate.low, estimate.high, digits)

    def between(self, low: float | None, high: float | None, digits: int = 1) -> str:
        """From one rate to another: 86,1 – 90,7%."""
        if low is None or high is None:
            return NOTHING
        return f"{self.number(100 * low, digits)}{_GAP}–{_GAP}{self.percent(high, digits)}"

    def change(self, estimate: Limits, digits: int = 1) -> str:
        """The interval of a difference, in percentage points: −5,1 … +0,3."""
        if estimate.low is None or estimate.high is None:
            return NOTHING
        # A limit just beside zero is told with another digit: on which side it lies is the point.
        low, high = (
            self.points(limit, digits if round(100 * limit, digits) or not limit else digits + 1)
            for limit in (estimate.low, estimate.high)
        )
        return f"{low}{_GAP}…{_GAP}{high}"

    def p(self, value: float | None) -> str:
        """A p-value: three decimals, or less or more than these can say."""
        if value is None:
            return NOTHING
        if value < 0.001:
            return f"<{_GAP}{self.number(0.001, 3)}"
        if value > 0.999:
            return f">{_GAP}{self.number(0.999, 3)}"
        return self.number(value, 3)

    def p_is(self, value: float | None) -> str:
        """A p-value in a sentence: p = 0,023; p < 0,001; p > 0,999."""
        told = self.p(value)
        sign = "" if told[0] in "<>" else f"={_GAP}"
        return f"p{_GAP}{sign}{told}"

    def day(self, value: date) -> str:
        """A day: 05/11/2026 in Vietnamese, 5 November 2026 in English."""
        return day(value, house_language(self.language))

    def letter_day(self, value: date) -> str:
        """A day in an official letter: ngày 05 tháng 02 năm 2026, as Decree 30/2020 has it."""
        if self.language == "en":
            return self.day(value)
        month = f"{value.month:02}" if value.month < 3 else value.month
        return f"ngày {value:%d} tháng {month} năm {value.year}"

    def days(self, first: date | str, last: date | str) -> str:
        """From one day to another."""
        days = (
            date.fromisoformat(each) if isinstance(each, str) else each for each in (first, last)
        )
        return " – ".join(map(self.day, days))

    def period_of(self, view: Dated) -> str:
        """The period of a view; of one that is running, up to which day it has come."""
        name = self.period(view.period)
        if view.running_to is None:
            return name
        return self("period.running", period=name, day=self.day(view.running_to))

    def period(self, name: str) -> str:
        """A period by its name: quý 3 năm 2026, quarter 3 of 2026; November 2026."""
        if ".." in name:
            return self.days(*name.split(".."))
        found = _NAME.fullmatch(name)
        if found is None:
            return self.day(date.fromisoformat(name))
        part = found[found.lastgroup or "year"].lstrip("0")
        if found.lastgroup == "month" and self.language == "en":
            part = f"{date(int(found['year']), int(part), 1):%B}"
        return self(f"period.{found.lastgroup}", year=found["year"], part=part)


def alphabetical(name: str) -> tuple[str, list[int]]:
    """A key that sorts names as a Vietnamese reader looks for them; numbers count as numbers.

    Letters come first (a, ă, â, b, c, d, đ, …), and only between the same letters their tones
    (ngang, huyền, hỏi, ngã, sắc, nặng), as the collation of Unicode CLDR for Vietnamese has it.
    """
    letters: list[str] = []
    tones: list[int] = []
    for sign in unicodedata.normalize("NFD", name.casefold()):
        if sign in _TONES:
            tones[-1:] = [_TONES.index(sign) + 1]
        elif sign in _MARKS:
            letters.append(_MARKED[_MARKS.index(sign)])
        else:
            letters.append(f"d{_MARKED[0]}" if sign == "đ" else sign)
            tones.append(0)
    return re.sub(r"\d+", lambda number: number[0].zfill(9), "".join(letters)), tones


def folded(text: str) -> str:
    """Letters as they are typed without their marks: “hoa” for Hòa, “dat” for Đất."""
    plain = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).split())


def axis_period(name: str) -> str:
    """A period's name for an axis: 11/2026, Q4/2026."""
    year, _, part = name.partition("-")
    return f"{part}/{year}" if _NAME.fullmatch(name) and part else name
