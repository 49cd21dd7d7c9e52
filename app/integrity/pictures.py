"""What a reviewer looks at: a batch's suspected responses beside the unit's others.

When they came, what levels they gave, how long they took. The others are of the same unit, form and
channel, in the batch's month and the two before it, and such as count and are suspected of
nothing. Levels are shown of a whole side alone, and of no side of few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from app.intake.ids import made_uuid7
from app.intake.models import Disposition, Response
from app.integrity.batches import Batch
from app.integrity.models import State, SuspectBatch, SuspectResponse
from app.registry.questionnaires import Published
from app.rollups.cells import layout_of
from surveys.model import RatedItem, Scale

#: Months before the batch's that its unit's usual is of.
MONTHS_BEFORE = 2
#: A device's clock may lag, and the id that it makes begins with that clock.
_LAG = timedelta(days=2)


@dataclass(frozen=True)
class Durations:
    """How long respondents took, in seconds: the quartiles of those that were measured."""

    measured: int
    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Side:
    """Some responses of a unit, counted."""

    responses: int
    #: By local hour of the day, 24 counts.
    by_hour: tuple[int, ...]
    #: Answers to the items of the form's usual scale, by level from the lowest; None where fewer
    #: responded than a figure needs.
    levels: tuple[int, ...] | None
    #: None where no duration was sent, or of as few.
    durations: Durations | None


@dataclass(frozen=True)
class Pictures:
    """The suspected responses of a batch, and the others of its unit, form and channel."""

    suspected: Side
    others: Side
    #: By day of the batch's month: the day, suspected responses, others.
    by_day: tuple[tuple[date, int, int], ...]
    #: From and to which day the others are.
    first: date
    last: date
    #: What the levels are called.
    scale: Scale


class _Row(NamedTuple):
    day: date
    answered_at: datetime
    duration_s: int | None
    packed: bytes


def pictures(
    session: Session, zone: ZoneInfo, batch: Batch, version: Published, least: int
) -> Pictures:
    """The pictures of a batch.

    Reads the suspected responses by their ids, and the others of three months by a range of ids,
    as responses are stored by them: what a device whose clock lags by more than two days sent, and
    history that was imported before, is not among the others.

    Parameters
    ----------
    version
        The batch's version of its questionnaire.
    least
        Levels and durations of fewer responses are not shown.
    """
    first, last = _months_before(batch.month, MONTHS_BEFORE), _end_of_month(batch.month)
    suspected = _suspected(session, batch)
    others = _others(session, zone, batch, first, last)
    days = [batch.month + timedelta(days=n) for n in range((last - batch.month).days + 1)]
    here, there = (Counter(row.day for row in rows) for rows in (suspected, others))
    return Pictures(
        _side(version, zone, suspected, least),
        _side(version, zone, others, least),
        tuple((day, here[day], there[day]) for day in days),
        first,
        last,
        version.form.scales[_usual_scale(version)],
    )


def _suspected(session: Session, batch: Batch) -> list[_Row]:
    query = (
        select(Response.day, Response.answered_at, Response.duration_s, Response.packed)
        .join(SuspectResponse, SuspectResponse.response_id == Response.id)
        .where(SuspectResponse.batch_id == batch.id, SuspectResponse.let_go.is_(False))
    )
    return [_Row(*row) for row in session.execute(query)]


def _others(session: Session, zone: ZoneInfo, batch: Batch, first: date, last: date) -> list[_Row]:
    begins = datetime.combine(first, time.min, zone).astimezone(UTC) - _LAG
    query = (
        select(Response.day, Response.answered_at, Response.duration_s, Response.packed)
        .outerjoin(
            SuspectResponse,
            and_(SuspectResponse.response_id == Response.id, SuspectResponse.let_go.is_(False)),
        )
        .outerjoin(
            SuspectBatch,
            and_(
                SuspectBatch.id == SuspectResponse.batch_id,
                SuspectBatch.state != State.RELEASED.value,
            ),
        )
        .where(
            Response.id >= str(made_uuid7(begins, bytes(10))),
            Response.unit_id == batch.unit_id,
            Response.version_id == batch.version_id,
            Response.channel == batch.channel,
            Response.day.between(first, last),
            Response.disposition == Disposition.COUNTED.value,
            # Not of this batch, and not of another that is not released.
            SuspectBatch.id.is_(None),
            SuspectResponse.batch_id.is_distinct_from(batch.id),
        )
    )
    return [_Row(*row) for row in session.execute(query)]


def _side(version: Published, zone: ZoneInfo, rows: Sequence[_Row], least: int) -> Side:
    hours = np.array([row.answered_at.astimezone(zone).hour for row in rows], dtype=np.intp)
    enough = len(rows) >= least
    return Side(
        len(rows),
        tuple(np.bincount(hours, minlength=24).tolist()),
        _levels(version, [bytes(row.packed) for row in rows]) if enough else None,
        _durations([row.duration_s for row in rows if row.duration_s is not None], least),
    )


def _usual_scale(version: Published) -> str:
    """The scale that most rated items of a form have."""
    found = Counter(item.scale for item in version.form.items if isinstance(item, RatedItem))
    return found.most_common(1)[0][0]


def _levels(version: Published, packed: Sequence[bytes]) -> tuple[int, ...]:
    """How often each level was given, over all items of the usual scale; without no opinion."""
    layout, scale = layout_of(version), _usual_scale(version)
    cell = layout.tally(packed, np.zeros(len(packed), dtype=np.intp), 1, None)
    items = [
        item.code
        for item in version.form.items
        if isinstance(item, RatedItem) and item.scale == scale
    ]
    return tuple(
        sum(int(cell["counts"][0, layout.slots[item, level.value]]) for item in items)
        for level in version.form.scales[scale].levels
    )


def _durations(seconds: Sequence[int], least: int) -> Durations | None:
    if len(seconds) < least:
        return None
    low, median, high = np.quantile(np.array(seconds, dtype=np.float64), [0.25, 0.5, 0.75])
    return Durations(len(seconds), float(low), float(median), float(high))


def _months_before(month: date, months: int) -> date:
    number = month.year * 12 + month.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _end_of_month(month: date) -> date:
    return _months_before(month, -1) - timedelta(days=1)
