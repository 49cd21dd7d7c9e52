"""Which marks are low, and who gave them: what a complaint without words consists of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, or_

from app.intake.models import Disposition, ReceiptDated, Response
from app.registry.questionnaires import Published
from surveys.model import RatedItem

#: A device's clock may be so far off the day that counts, and its id with it.
_ASTRAY = timedelta(days=45)


@lru_cache(maxsize=64)
def low_codes(version: Published) -> Mapping[str, frozenset[int]]:
    """By rated item the packed codes of its low levels: the lower half of its scale, rounded down,
    and none that counts as satisfied. Of five levels these are the lowest two.
    """
    found: dict[str, frozenset[int]] = {}
    for column in version.sheet.columns:
        if isinstance(column.item, RatedItem):
            scale = version.form.scales[column.item.scale]
            levels = [level.value for level in scale.levels[: len(scale.levels) // 2]]
            low = frozenset(column.codes[each] for each in levels if each not in scale.satisfied)
            if low:
                found[column.item.code] = low
    return found


def low_items(version: Published, records: Sequence[bytes]) -> dict[str, NDArray[np.bool_]]:
    """By rated item which of n packed responses gave it a low mark, each of shape (n,)."""
    table = version.sheet.table(records)
    return {code: np.isin(table[code], sorted(codes)) for code, codes in low_codes(version).items()}


def any_low(marks: Mapping[str, NDArray[np.bool_]], n: int) -> NDArray[np.bool_]:
    """Which of n responses gave any item a low mark, shape (n,)."""
    found = np.zeros(n, np.bool_)
    for low in marks.values():
        found |= low
    return found


def levels_given(version: Published, record: bytes) -> dict[str, int]:
    """The low levels of one response, by item."""
    answers = version.sheet.unpack(record)
    marks = low_items(version, [record])
    return {
        code: level
        for code, low in marks.items()
        if low[0] and isinstance(level := answers.get(code), int)
    }


def month_after(month: date) -> date:
    """The first day of the next month."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def month_before(month: date) -> date:
    """The first day of the month before."""
    return (month - timedelta(days=1)).replace(day=1)


def counted_in(version_id: int, month: date) -> tuple[ColumnElement[bool], ...]:
    """The condition that a response to a version counts in a month.

    Ids begin with the device's clock, so that a month is nearly a run of them, and the others are
    noted: nothing else says where in the table a month is.
    """
    first, last = month - _ASTRAY, month_after(month) + _ASTRAY
    low, high = (str(UUID(int=int(_moment(day).timestamp() * 1000) << 80)) for day in (first, last))
    astray = ReceiptDated.received_at.between(_moment(first), _moment(last))
    noted = Response.id.in_(ReceiptDated.__table__.select().with_only_columns(
        ReceiptDated.response_id).where(astray))  # fmt: skip
    return (
        or_(Response.id.between(low, high), noted),
        Response.version_id == version_id,
        Response.day >= month,
        Response.day < month_after(month),
        Response.disposition == Disposition.COUNTED.value,
    )


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
