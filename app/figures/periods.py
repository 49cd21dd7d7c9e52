"""Days grouped into the periods of the calendar, with the labels that the API uses."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from app.messages import say
from app.problems import Problem


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
