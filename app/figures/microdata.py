"""Reads respondents one by one, as columns: for what sums cannot answer.

Reliability, drivers, case-mix and weights look at the answers of each respondent together. What
leaves this room are their results, never a row.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.figures.release import Unreleased
from app.intake.models import Disposition, Response
from app.intake.retained import retained
from app.problems import Problem
from app.registry.questionnaires import Published
from app.rollups.queries import with_cells
from surveys.answers import NO_OPINION
from surveys.model import (
    Factor,
    MultipleChoiceItem,
    NumberItem,
    PercentItem,
    RatedItem,
    SingleChoiceItem,
    ZeroToTenItem,
)

Floats = NDArray[np.float64]
#: More units than this are filtered after reading.
_LISTED_UNITS = 200


class NotANumber(Problem):
    """The item's answers are no numbers, or texts."""

    code, status = "not-a-number", 422


class ResponsesDeleted(Problem):
    """Single responses of some of the days were deleted by rule; sums of them are kept."""

    code, status = "responses-deleted", 422


@dataclass(frozen=True)
class Respondents:
    """Respondents of one version: their units, and their packed answers as one array."""

    version: Published
    unit_id: NDArray[np.int64]
    table: NDArray[np.void]
    #: By which channel each answered.
    channel: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.unit_id)

    def rated(self, factor: Factor) -> Floats:
        """Levels of a factor's index items, shape (respondents, items); NaN where not rated."""
        items = self.version.form.index_items(factor)
        if not items:
            return np.empty((len(self), 0))
        return np.stack([self.number(item.code) for item in items], axis=1)

    def number(self, code: str) -> Floats:
        """An item's answers as numbers; NaN where there is none.

        Raises
        ------
        NotANumber
            For texts, multiple choices and items that are not there.
        """
        item = next((each for each in self.version.form.items if each.code == code), None)
        match item:
            case RatedItem() | SingleChoiceItem():
                shift, step = 0.0, 1.0
            case ZeroToTenItem() | PercentItem():
                shift, step = -1.0, 1.0
            case NumberItem():
                step = 10.0**-item.decimals
                shift = item.minimum - step
            case _:
                raise NotANumber(field="item", item=code)
        packed = self.table[code]
        width = packed.dtype.itemsize
        given = (packed > 0) & (packed < NO_OPINION[width])
        return np.where(given, packed.astype(np.float64) * step + shift, np.nan)

    def is_category(self, code: str) -> bool:
        """Whether an item's answers are options without order."""
        item = next((each for each in self.version.form.items if each.code == code), None)
        return isinstance(item, SingleChoiceItem | MultipleChoiceItem)


def check_retained(
    session: Session,
    versions: Collection[int],
    first: date | None,
    last: date | None,
    units: Collection[int],
) -> None:
    """Raise ``ResponsesDeleted`` where units have sums of some days and no responses any more."""
    kept_from = retained(session).responses_from
    if kept_from == date.min or (first is not None and first >= kept_from):
        return
    deleted_to = kept_from - timedelta(days=1)
    end = deleted_to if last is None else min(last, deleted_to)
    if with_cells(session, versions, units, first, end):
        raise ResponsesDeleted(field="from", first_day=kept_from)


def read(
    session: Session,
    version: Published,
    *,
    first: date | None,
    last: date | None,
    units: Collection[int],
    channels: Collection[str] = (),
    unreleased: Unreleased | None,
) -> Respondents:
    """The counted respondents of one version in a period, about some units.

    Those that are unreleased to the caller are left out.

    Raises
    ------
    ResponsesDeleted
        Where some of them were deleted, with the first day whose responses are there: a statistic
        of the rest would be one of another period.
    """
    check_retained(session, [version.id], first, last, units)
    columns = Response.__table__.c
    if unreleased is not None and not unreleased.touches(last):
        unreleased = None
    query = select(columns.unit_id, columns.packed, columns.channel, columns.day).where(
        columns.version_id == version.id, columns.disposition == Disposition.COUNTED.value
    )
    if first is not None:
        query = query.where(columns.day >= first)
    if last is not None:
        query = query.where(columns.day <= last)
    if unreleased is not None and unreleased.late:
        query = query.where(columns.id.not_in(sorted(unreleased.late)))
    if channels:
        query = query.where(columns.channel.in_(sorted(channels)))
    if len(units) <= _LISTED_UNITS:
        query = query.where(columns.unit_id.in_(sorted(units)))
    # In an order of their own: what is drawn from them with a seed is drawn the same again.
    rows = session.connection().execute(query.order_by(columns.id)).all()
    if unreleased is not None:
        kept = ~unreleased.among(
            np.array([row[0] for row in rows], dtype=np.int64),
            np.array([row[3] for row in rows], dtype="datetime64[D]"),
            np.array([row[2] for row in rows], dtype=np.str_),
        )
        rows = [row for row, released in zip(rows, kept.tolist(), strict=True) if released]
    unit_id = np.array([row[0] for row in rows], dtype=np.int64)
    channel = np.array([row[2] for row in rows], dtype=np.str_)
    table = version.sheet.table(row[1] for row in rows)
    if len(units) > _LISTED_UNITS:
        kept = np.isin(unit_id, np.fromiter(units, dtype=np.int64))
        unit_id, table, channel = unit_id[kept], table[kept], channel[kept]
    return Respondents(version, unit_id, table, channel)
