"""On which days ids begin of what was received on a day: what came since is found by its ids.

An index by when each response was received would cost a tenth of a batch's time, and all but few
are received within a day of the moment with which their ids begin. Where older ones came, of a
device that was offline or of an import, responses are looked through from their day on. What comes
of a stranger with an old id is told as a change instead (``app.intake.times.OLDEST_FORM``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter
from typing import cast

from sqlalchemy import Table, delete, func, select
from sqlalchemy.orm import Session

from app.db import Database, bulk
from app.intake.contents import ResponseRow
from app.intake.ids import LAST_ID, least_id, ms_of
from app.intake.models import ReceivedDay

_TABLE = cast(Table, ReceivedDay.__table__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID, _RECEIVED_AT = attrgetter("id"), attrgetter("received_at")
#: Days that a process remembers at most.
_REMEMBERED = 1000


class ReceivedDays:
    """Notes days before responses are stored, so that none is stored of a day that is not noted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[date, date] = {}

    def note(self, rows: Sequence[ResponseRow]) -> None:
        """Note on which day their ids begin, where nobody has before; mostly somebody has."""
        if not rows:
            return
        latest = max(map(_RECEIVED_AT, rows))
        # Ids of a clock that is ahead begin after they came, on days that no calendar may have.
        age = latest - _EPOCH - timedelta(milliseconds=ms_of(min(map(_ID, rows))))
        day, begins = _day(latest), _day(latest - max(age, timedelta()))
        if begins >= self._noted.get(day, date.max):
            return
        with self._database.writing() as session:
            later = delete(ReceivedDay).where(ReceivedDay.day == day, ReceivedDay.begins > begins)
            session.execute(later)
            bulk.insert_missing(session.connection(), _TABLE, ("day", "begins"), [(day, begins)])
        if len(self._noted) >= _REMEMBERED:
            self._noted.clear()
        self._noted[day] = begins


def first_id(session: Session, since: datetime) -> str:
    """An id before which there is none of what was received since a moment.

    But for what is told as a change, and for what a withdrawal left (``app.retention``).
    """
    begins = session.scalar(
        select(func.min(ReceivedDay.begins)).where(ReceivedDay.day >= _day(since))
    )
    return LAST_ID if begins is None else least_id(datetime.combine(begins, time(), UTC))


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
