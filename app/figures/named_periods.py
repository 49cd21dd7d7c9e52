"""The periods of Vietnamese practice, by the names that a link carries.

``2026-11`` a month, ``2026-Q4`` a quarter, ``2026-H1`` six months, ``2026-9M`` the first nine
months, ``2026`` a year, ``2026-11-01..2026-11-15`` any days.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from app.figures import periods
from app.figures.periods import Step
from app.problems import Problem

_MONTHS = re.compile(r"(20\d\d)(?:-(0[1-9]|1[0-2])|-Q([1-4])|-H([12])|-(9M))?")
_DAYS = re.compile(r"(20\d\d-\d\d-\d\d)\.\.(20\d\d-\d\d-\d\d)")


class PeriodUnknown(Problem):
    """The name of a period is none of those that are known."""

    code, status = "period-unknown", 422


class Length(StrEnum):
    """How long a period is."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF = "half"
    NINE_MONTHS = "nine-months"
    YEAR = "year"
    DAYS = "days"


@dataclass(frozen=True)
class Span:
    """A period with a name: its first and last day."""

    name: str
    length: Length
    first: date
    last: date

    @property
    def calendar(self) -> bool:
        """Whether it is one of the calendar's, so that nobody shifts its days by one."""
        return self.length is not Length.DAYS

    @property
    def step(self) -> Step:
        """The periods in which units are followed where this is looked at."""
        short = self.length is Length.MONTH or (self.last - self.first).days < 45
        return Step.MONTH if short else Step.QUARTER


def span(name: str) -> Span:
    """The period with a name.

    Raises
    ------
    PeriodUnknown
        Where the name is none.
    PeriodInvalid
        Where its days are reversed.
    """
    if days := _DAYS.fullmatch(name):
        try:
            first, last = (date.fromisoformat(day) for day in days.groups())
        except ValueError:
            raise PeriodUnknown(field="period", name=name) from None
        periods.check(first, last)
        return Span(name, Length.DAYS, first, last)
    found = _MONTHS.fullmatch(name)
    if found is None:
        raise PeriodUnknown(field="period", name=name)
    year, month, quarter, half, nine = found.groups()
    if month:
        return _months(name, Length.MONTH, int(year), int(month), 1)
    if quarter:
        return _months(name, Length.QUARTER, int(year), 3 * int(quarter) - 2, 3)
    if half:
        return _months(name, Length.HALF, int(year), 6 * int(half) - 5, 6)
    if nine:
        return _months(name, Length.NINE_MONTHS, int(year), 1, 9)
    return _months(name, Length.YEAR, int(year), 1, 12)


def _months(name: str, length: Length, year: int, month: int, count: int) -> Span:
    end = month + count - 1
    return Span(name, length, date(year, month, 1), date(year, end, monthrange(year, end)[1]))


def name_of(day: date, length: Length) -> str:
    """The name of the period of some length that a day lies in."""
    match length:
        case Length.MONTH:
            return f"{day:%Y-%m}"
        case Length.QUARTER:
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case Length.HALF:
            return f"{day.year}-H{(day.month + 5) // 6}"
        case Length.NINE_MONTHS:
            return f"{day.year}-9M"
        case Length.YEAR:
            return str(day.year)
        case Length.DAYS:
            return f"{day}..{day}"


def usual(last: date) -> str:
    """The period to open with: the running quarter, or in its first month the one before."""
    name = name_of(last, Length.QUARTER)
    begun = span(name).first
    return name_of(begun - timedelta(days=1), Length.QUARTER) if last.month == begun.month else name


def choices(first: date, last: date) -> dict[Length, list[str]]:
    """The names of all periods of the calendar that some days touch, the latest first."""
    found: dict[Length, list[str]] = {}
    for length in Length:
        if length is Length.DAYS:
            continue
        names, day = [], last
        while day >= first:
            name = name_of(day, length)
            begun = span(name).first
            if length is not Length.NINE_MONTHS or day.month >= 7:
                names.append(name)
            day = begun - timedelta(days=1)
            if length is Length.NINE_MONTHS:
                day = date(begun.year, 1, 1) - timedelta(days=1)
        found[length] = names
    return found


def months_of(shown: Span) -> list[date]:
    """The first days of the months that a period touches."""
    begin = shown.first.year * 12 + shown.first.month - 1
    end = shown.last.year * 12 + shown.last.month
    return [date(ordinal // 12, ordinal % 12 + 1, 1) for ordinal in range(begin, end)]
