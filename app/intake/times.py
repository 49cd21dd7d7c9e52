"""The rule of times: which moment a response is counted at, given what its sender says.

Let *now* be the server's clock at receipt and *tolerance* ``HAILONG_CLOCK_TOLERANCE_S``.

1. A device that knows how long ago an answer was given, by a clock that nobody sets, says so
   (``age_s``): it was given so long before now, whatever the device's calendar shows.
2. Whoever sends ``sent_at`` with a device credential lets us see how wrong its clock is. Is it
   off by more than the tolerance, every time it claims is corrected by the difference.
3. A moment within the tolerance after now becomes now.
4. A device with its own credential may claim a moment up to ``HAILONG_BACKLOG_DAYS`` days back,
   for what it kept while offline. What is earlier, or later than now + tolerance, or of a device
   that says it lost its clock (``clock_lost``), is counted at receipt and marked with the
   ``ReceiptRule`` by which it is: its respondent was thanked long ago.
5. A caller without a credential (a phone with a poster's code) is counted at the time of
   receipt, whatever it claims: or else anybody could post into a day, or a survey, that is
   closed. An impossible clock of a citizen's phone loses no answer.
6. The bulk import's right takes any past moment; one that lies ahead is refused.

Both moments are stored: ``claimed_at`` as sent, ``answered_at`` by this rule.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from app.access.callers import Caller
from app.access.models import Right
from app.intake.ids import least_id
from app.problems import Problem
from app.settings import Settings


class AnsweredInFuture(Problem):
    """The moment lies ahead of the server's clock by more than the tolerance."""

    code, status = "answered-in-future", 422


class ReceiptRule(StrEnum):
    """Why a device's response is counted at receipt and not on a day of its own."""

    #: It was given more than HAILONG_BACKLOG_DAYS days ago, or the device's clock said so.
    BEYOND_BACKLOG = "beyond-backlog"
    #: The device's clock said a day that has not come.
    AHEAD_OF_SERVER = "ahead-of-server"
    #: The device's clock was set while it was switched off, by how much nobody knows.
    CLOCK_LOST = "clock-lost"


#: So long a form was open at most, by a clock that is a day behind.
OLDEST_FORM = timedelta(days=2)


class Clock:
    """The rule of this module for all responses of one request.

    ``sent_at`` is the sender's clock when it sent the request, if it said so; all moments that
    come out are in UTC.
    """

    def __init__(
        self,
        settings: Settings,
        caller: Caller,
        now: datetime,
        sent_at: datetime | None = None,
    ) -> None:
        self.now = now.astimezone(UTC)
        self._zone = settings.zone
        self._tolerance_s = settings.clock_tolerance_s
        tolerance = timedelta(seconds=settings.clock_tolerance_s)
        self._latest = self.now + tolerance
        self._correction: timedelta | None = None
        if sent_at is not None and caller.credential_id is not None:
            lacks = self.now - sent_at
            self._correction = lacks if abs(lacks) > tolerance else None
        #: Whether the caller sends history, which was taken by the rules of its time.
        self.imports = Right.IMPORT_HISTORY in caller.rights
        self._dates_itself = not {Right.SUBMIT, Right.IMPORT_HISTORY}.isdisjoint(caller.rights)
        if self.imports:
            self._earliest = datetime.min.replace(tzinfo=UTC)
        elif self._dates_itself:
            self._earliest = self.now - timedelta(days=settings.backlog_days)
        else:
            self._earliest = self.now
        #: Earlier ids of somebody who does not date answers are told to followers as changes: they
        #: are looked for among all that is no older, and anybody could make that everything.
        self.oldest_id = "" if self._dates_itself else least_id(self.now - OLDEST_FORM)
        self._day, self._day_begins, self._day_ends = date.min, self.now, self.now

    def counted_at(
        self, claimed: datetime, age_s: int | None = None, *, lost: bool = False
    ) -> tuple[datetime, ReceiptRule | None]:
        """The moment at which a response is counted, and the rule if that is at receipt only.

        Raises
        ------
        AnsweredInFuture
            For imported history, by rule 6.
        """
        if not self._dates_itself:
            return self.now, None
        if age_s is not None and not self.imports:
            moment = self.now - timedelta(seconds=age_s)
        else:
            moment = claimed if self._correction is None else claimed + self._correction
        if lost and not self.imports:
            return self.now, ReceiptRule.CLOCK_LOST
        if self._earliest <= moment <= self.now:
            return moment, None
        if moment < self._earliest:
            return self.now, ReceiptRule.BEYOND_BACKLOG
        if moment <= self._latest:
            return self.now, None
        if self.imports:
            raise AnsweredInFuture(field="answered_at", tolerance=self._tolerance_s)
        return self.now, ReceiptRule.AHEAD_OF_SERVER

    @cached_property
    def today(self) -> date:
        """The local day on which the request came."""
        return self.now.astimezone(self._zone).date()

    def local_day(self, moment: datetime) -> date:
        """The local day of a moment; consecutive responses are mostly of one day."""
        if not self._day_begins <= moment < self._day_ends:
            self._day = moment.astimezone(self._zone).date()
            self._day_begins, self._day_ends = _bounds_of(self._day, self._zone)
        return self._day


@lru_cache(maxsize=1024)
def _bounds_of(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a local day begins and ends, in UTC."""
    first, second = (datetime.combine(day + timedelta(days=n), time(), zone) for n in (0, 1))
    return first.astimezone(UTC), second.astimezone(UTC)
