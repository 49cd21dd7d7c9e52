"""Why a cell of a table names no day, in a sentence that helps whoever typed it."""

from __future__ import annotations

import re
from datetime import date, timedelta

from app.tables import Value, text


def serial_day(value: Value) -> date | None:
    """The day whose number in a workbook a cell holds without being formatted as one: 46722.

    It is for a sentence alone: a number may be a number. Years 2000 to 2100.
    """
    written = text(value)
    if not re.fullmatch(r"\d{5}", written):
        return None
    day = date(1899, 12, 30) + timedelta(days=int(written))
    return day if 2000 <= day.year <= 2100 else None


def why_no_day(value: Value) -> tuple[str, dict[str, object]]:
    """Why a cell names no day: the key of the sentence, and its values."""
    written, day = text(value), serial_day(value)
    if day is not None:
        return "table.serial_day", {"value": written, "day": day}
    return "table.not_day", {"value": written}
