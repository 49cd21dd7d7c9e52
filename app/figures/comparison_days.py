"""With what a unit's rate is compared, and over which days."""

from __future__ import annotations

from calendar import isleap
from datetime import date, timedelta
from enum import StrEnum

from app.figures import periods


class With(StrEnum):
    """What a unit's rate is compared with."""

    PREVIOUS = "previous"
    YEAR_BEFORE = "year-before"
    PARENT = "parent"
    PEERS = "peers"


def other_days(first: date, last: date, with_: With) -> tuple[date, date]:
    """The period of the same length just before, or the same a year before.

    Raises
    ------
    PeriodInvalid
        Where the last day lies before the first, or the calendar has no such period.
    """
    periods.check(first, last)
    try:
        return _other_days(first, last, with_)
    except (ValueError, OverflowError):
        raise periods.none_before(first) from None


def _other_days(first: date, last: date, with_: With) -> tuple[date, date]:
    # Whole months are compared with as many months.
    whole = first.day == 1 and last == periods.end_of_month(last)
    if with_ is With.YEAR_BEFORE:
        leap = timedelta(int(whole and last.month == 2 and isleap(last.year - 1)))
        return _year_before(first), _year_before(last) + leap
    if whole:
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        ordinal = first.year * 12 + first.month - 1 - months
        return date(ordinal // 12, ordinal % 12 + 1, 1), first - timedelta(days=1)
    return first - (last - first) - timedelta(days=1), first - timedelta(days=1)


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)
