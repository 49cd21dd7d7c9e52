"""Periods of the calendar: the only place that reads their names and writes them.

``2026-11`` a month, ``2026-Q4`` a quarter, ``2026-H1`` six months, ``2026-9M`` the first nine
months, ``2026`` a year, ``2026-W48`` a week, ``2026-11-01..2026-11-15`` any days. What links
carry are named periods (``span``); what rows are grouped by are steps (``ordinals``, ``label``).
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from app.messages import say
from app.problems import Problem

#: A page does not open with figures that are older than these quarters.
_QUARTERS_BACK = 8
#: A month's name, as a parameter that takes nothing else.
MONTH = r"^20\d\d-(0[1-9]|1[0-2])$"
_MONTHS = re.compile(r"(20\d\d)(?:-(0[1-9]|1[0-2])|-Q([1-4])|-H([12])|-(9M))?")
_DAYS = re.compile(r"(20\d\d-\d\d-\d\d)\.\.(20\d\d-\d\d-\d\d)")


class PeriodInvalid(Problem):
    """The first day comes after the last, or there is no earlier period to compare with."""

    code, status = "period-invalid", 422


class Step(StrEnum):
    """Lengths of a period; a week begins on Monday and is numbered by ISO 8601."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


def check(first: date | None, last: date | None) -> None:
    """Refuse a period that ends before it begins.

    Raises
    ------
    PeriodInvalid
        Naming both days.
    """
    if first is not None and last is not None and last < first:
        raise _refusal("to", "period.reversed", first=first, last=last)


def none_before(first: date) -> PeriodInvalid:
    """The refusal to compare a period with one before the calendar begins."""
    return _refusal("from", "period.none_before", first=first)


def _refusal(field: str, key: str, **values: date | None) -> PeriodInvalid:
    reason, english = (say(key, language, **values) for language in ("vi", "en"))
    return PeriodInvalid(field=field, reason=f"{reason} / {english}")


def closed(
    first: date | None, last: date | None, known: tuple[date, date] | None
) -> tuple[date | None, date | None]:
    """A period whose open ends are the first and the last day of what is known.

    An end stays open where nothing is known, or nothing on its side of the other end.
    """
    if known is not None:
        begin, end = known
        if first is None and (last is None or begin <= last):
            first = begin
        if last is None and (first is None or first <= end):
            last = end
    return first, last


def end_of_month(day: date) -> date:
    """The last day of the month that a day lies in."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def ordinals(days: NDArray[np.datetime64], step: Step) -> NDArray[np.int64]:
    """Number the periods in which days lie, in order of time; one number a period."""
    match step:
        case Step.DAY:
            return days.astype("datetime64[D]").astype(np.int64)
        case Step.WEEK:  # day 0 of the epoch was a Thursday
            return (days.astype("datetime64[D]").astype(np.int64) + 3) // 7
        case Step.MONTH:
            return days.astype("datetime64[M]").astype(np.int64)
        case Step.QUARTER:
            return days.astype("datetime64[M]").astype(np.int64) // 3
        case Step.YEAR:
            return days.astype("datetime64[Y]").astype(np.int64)


def label(ordinal: int, step: Step) -> str:
    """The label of a period: 2026-11-24, 2026-W48, 2026-11, 2026-Q4, 2026."""
    match step:
        case Step.DAY:
            return str(date(1970, 1, 1) + timedelta(days=ordinal))
        case Step.WEEK:
            year, week, _ = (date(1970, 1, 1) + timedelta(days=ordinal * 7 - 3)).isocalendar()
            return f"{year:04}-W{week:02}"
        case Step.MONTH:
            return f"{1970 + ordinal // 12:04}-{ordinal % 12 + 1:02}"
        case Step.QUARTER:
            return f"{1970 + ordinal // 4:04}-Q{ordinal % 4 + 1}"
        case Step.YEAR:
            return f"{1970 + ordinal:04}"


def first_day(name: str, step: Step) -> date:
    """The first day of the period that has this label."""
    match step:
        case Step.DAY:
            return date.fromisoformat(name)
        case Step.WEEK:
            year, week = name.split("-W")
            return date.fromisocalendar(int(year), int(week), 1)
        case Step.MONTH:
            return date.fromisoformat(f"{name}-01")
        case Step.QUARTER:
            year, quarter = name.split("-Q")
            return date(int(year), 3 * int(quarter) - 2, 1)
        case Step.YEAR:
            return date(int(name), 1, 1)


def last_day(name: str, step: Step) -> date:
    """The last day of the period that has this label."""
    number = ordinals(np.array([first_day(name, step)], dtype="datetime64[D]"), step)[0]
    try:
        return first_day(label(int(number) + 1, step), step) - timedelta(days=1)
    except (ValueError, OverflowError):  # the last period of the calendar ends with it
        return date.max


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
        check(first, last)
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


def usual(first: date, last: date, today: date) -> list[str]:
    """The quarters to open with, the best first: whole ones, the latest first, then a running one.

    ``first`` and ``last`` are the days from which and up to which there are answers. A page opens
    with the first of them of which its caller may be told something.
    """
    names: list[str] = []
    day = min(last, today)
    while day >= first and len(names) < _QUARTERS_BACK:
        names.append(name_of(day, Length.QUARTER))
        day = span(names[-1]).first - timedelta(days=1)
    return sorted(names, key=lambda name: span(name).last >= today)


def latest_quarters(today: date) -> str:
    """The year up to its last quarter that is over: a period of the calendar; early in a year the
    year before.
    """
    year, over = today.year, (today.month - 1) // 3
    return (f"{year - 1}", f"{year}-Q1", f"{year}-H1", f"{year}-9M")[over]


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
