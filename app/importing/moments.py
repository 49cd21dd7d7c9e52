"""Moments as programs write them: ISO 8601, day or month first, in the morning or the evening."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

from app.tables import Value, text

Order = Literal["day-first", "month-first"]
#: What LimeSurvey writes for all responses of a survey that keeps no times.
NOT_KEPT = datetime(1980, 1, 1)
_EVENING = frozenset({"pm", "p.m.", "ch", "chiều", "tối"})
_MORNING = frozenset({"am", "a.m.", "sa", "sáng"})
_WRITTEN = re.compile(
    r"(?P<one>\d{1,4})(?P<sign>[-/.])(?P<two>\d{1,2})(?P=sign)(?P<three>\d{1,4})"
    r"(?:[ ,T]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r"\s*(?P<half>[ap]\.?m\.?|sa|ch|sáng|chiều|tối)?"
    r"\s*(?P<offset>Z|(?:gmt|utc)?\s*[+-]\d{1,2}(?::?\d{2})?|gmt|utc)?)?",
    re.IGNORECASE,
)


class TwoDaysError(ValueError):
    """The text names one of two days, by which of its numbers is the day."""

    def __init__(self, one: date, other: date) -> None:
        super().__init__(f"{one} or {other}")
        self.one, self.other = one, other


def order_of(written: str) -> Order | None:
    """Which number is the day, where only one of them can be."""
    found = _WRITTEN.fullmatch(written)
    if found is None or len(found["one"]) > 2:
        return None
    first, second = int(found["one"]), int(found["two"])
    if first > 12 >= second:
        return "day-first"
    return "month-first" if second > 12 >= first else None


def moment_of(value: Value, zone: ZoneInfo, order: Order | None) -> datetime | None:
    """The moment that a cell names; a day alone is its first moment. None where it names none.

    Raises
    ------
    TwoDaysError
        Where the day may stand first or second, and ``order`` does not say.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime.combine(value, time(), zone)
    written = " ".join(text(value).split())
    found = _WRITTEN.fullmatch(written)
    if found is None:
        return None
    try:
        day = _day(found, order)
        clock = _time(found)
    except TwoDaysError:
        raise
    except ValueError:
        return None
    return datetime.combine(day, clock, _offset(found["offset"]) or zone)


def _day(found: re.Match[str], order: Order | None) -> date:
    one, two, three = (int(found[name]) for name in ("one", "two", "three"))
    if len(found["one"]) == 4:
        return date(one, two, three)
    if len(found["three"]) != 4:
        raise ValueError(found[0])
    if order is None and one <= 12 and two <= 12 and one != two:
        # Vietnamese and ISO writings with dots and dashes have the day first.
        if found["sign"] != "/":
            return date(three, two, one)
        raise TwoDaysError(date(three, two, one), date(three, one, two))
    first = order == "day-first" or (order is None and (one > 12 or one == two))
    return date(three, two, one) if first else date(three, one, two)


def _time(found: re.Match[str]) -> time:
    if found["hour"] is None:
        return time()
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half in _EVENING and hour < 12:
        hour += 12
    elif half in _MORNING and hour == 12:
        hour = 0
    return time(hour, int(found["minute"]), int(found["second"] or 0))


def _offset(written: str | None) -> timezone | None:
    if not written:
        return None
    found = re.search(r"([+-])(\d{1,2}):?(\d{2})?", written)
    if found is None:
        return UTC
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    if minutes > 14 * 60:
        raise ValueError(written)
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
