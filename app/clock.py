"""Whether the server's clock can be believed: nothing is written by one that is in doubt.

A machine's calendar can jump: a dead battery, a wrong time server, a slip of the hand. What was
stored then has a wrong day for ever, and what is over by such a clock is deleted for good. So the
calendar is held against the clock that nobody sets (``steady``), and at the start against what was
last noted in the database. While they disagree every write is refused by ``ClockInDoubt``, which
passes: callers keep what they have. Doubt ends when the calendar is right again, or when the
operator says that it is (``hailong clock confirm``).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from zoneinfo import ZoneInfo

from sqlalchemy import column, delete, select, table, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.background import beat
from app.db import Base, Database, UtcDateTime
from app.problems import Problem

log = logging.getLogger("hailong.clock")

_NOBODY_SETS = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
EVERY_S = 5
NOTED_EVERY_S = 30
RETRY_AFTER_S = 30
#: A confirmation is of the calendar as it is, and not of where it may have gone since.
_CONFIRMATION_GOOD_FOR = timedelta(minutes=2)
#: The row that says when a server was last sure, and the one that says of which time it is not.
_SURE, _IN_DOUBT = 1, 2
#: Of so many of the newest ids the latest receipt counts: an id tells what a sender made up.
_NEWEST = 100


class ClockInDoubt(Problem):
    """The server's clock jumped, so nothing is written until it is right or was confirmed."""

    code, status, passing = "clock-in-doubt", 503, True

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(RETRY_AFTER_S)}, retry_after=RETRY_AFTER_S)


class ClockNote(Base):
    """When a server was last sure of the time, and how often the operator confirmed it.

    The second row stands while a server is in doubt: ``seen_at`` is the time by the clock that
    nobody sets, ``confirmed_at`` what the calendar shows instead. A server that starts meanwhile
    has no such clock of its own yet, and learns it there.
    """

    __tablename__ = "clock_note"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmations: Mapped[int] = mapped_column(default=0)


@dataclass(frozen=True)
class Doubt:
    """What the calendar shows, and what it should by the clock that nobody sets."""

    shown: datetime
    expected: datetime


def steady() -> float:
    """Seconds by a clock that nobody sets; it goes on while the machine sleeps, where it can."""
    return time.clock_gettime(_NOBODY_SETS)


class _Told:
    """By what this process tells the time: the calendar, until a server's clock stands for it."""

    now: Callable[[], datetime] | None = None


def tell_by(now: Callable[[], datetime] | None) -> None:
    """Tell the time by a server's clock; by the calendar again, without one."""
    _Told.now = now


def local_today(zone: ZoneInfo) -> date:
    """The local day by the time that is believed.

    What may be told of a month depends on whether it is over, and no calendar that jumped is to
    say so.
    """
    now = _Told.now() if _Told.now is not None else datetime.now(UTC)
    return now.astimezone(zone).date()


class ServerClock:
    """The clock of one server process, which looks at itself whenever it is asked."""

    def __init__(
        self,
        database: Database,
        tolerance_s: float,
        gap_days: float,
        *,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = steady,
    ) -> None:
        self._database, self._wall, self._steady = database, wall, steady
        self._tolerance = timedelta(seconds=tolerance_s)
        self._gap = timedelta(days=gap_days)
        self._lock = Lock()
        self._right, self._at = wall(), steady()
        self._doubt: Doubt | None = None
        self._confirmations = 0
        self._noted_at = self._at
        self._doubt_noted = False

    def look(self) -> Doubt | None:
        """Whether the calendar moved otherwise than the steady clock since it was last right."""
        with self._lock:
            shown, at, expected = self._both()
            if abs(shown - expected) <= self._tolerance:
                # Small corrections are followed: clocks are drawn to the right time.
                self._right, self._at = shown, at
                if self._doubt is not None:
                    log.warning("the clock is right again: %s", shown)
                self._doubt = None
            else:
                if self._doubt is None:
                    log.error(
                        "THE CLOCK IS IN DOUBT: it shows %s, expected is %s. Nothing is written. "
                        "Set it right, or if it is right: hailong clock confirm",
                        shown,
                        expected,
                    )
                self._doubt = Doubt(shown, expected)
            return self._doubt

    def now(self) -> datetime:
        """The time; while it is in doubt, what it should be."""
        with self._lock:
            shown, at, expected = self._both()
            if self._doubt is None and abs(shown - expected) <= self._tolerance:
                self._right, self._at = shown, at
                return shown
        doubt = self.look()  # there is something to tell
        return self._wall() if doubt is None else doubt.expected

    def check(self) -> None:
        """Raise ``ClockInDoubt`` while the calendar cannot be believed."""
        if self.look() is not None:
            raise ClockInDoubt

    def sure_now(self) -> datetime:
        """The time, which will be stored.

        Raises
        ------
        ClockInDoubt
            While it cannot be believed.
        """
        with self._lock:
            shown, _, expected = self._both()
        if abs(shown - expected) > self._tolerance:
            self.look()
            raise ClockInDoubt
        return shown

    def _both(self) -> tuple[datetime, float, datetime]:
        """What both clocks show, and what the calendar should show."""
        shown, at = self._wall(), self._steady()
        return shown, at, self._right + timedelta(seconds=at - self._at)

    def begin(self) -> None:
        """Hold the calendar against what the database knows, before anything is written."""
        with self._database.reading() as session:
            note = session.get(ClockNote, _SURE)
            last = note.seen_at if note else _newest_receipt(session)
            self._confirmations = note.confirmations if note else 0
            doubted = session.get(ClockNote, _IN_DOUBT)
        shown = self._wall()
        if doubted is not None and doubted.confirmed_at is not None:
            since = shown - doubted.confirmed_at
            # A calendar that was set right since is before what was shown; one that goes on is not.
            if timedelta(0) <= since <= self._gap and doubted.seen_at <= doubted.confirmed_at:
                self._believe(doubted.seen_at + since)
                return
        if last is not None and not (last - self._tolerance <= shown <= last + self._gap):
            self._believe(last)

    def _believe(self, right: datetime) -> None:
        with self._lock:
            self._right, self._at = right, self._steady()
        self.look()

    def watch(self) -> None:
        """Look; note that all is well, or that it is not, and what the operator has confirmed."""
        with self._database.reading() as session:
            found = session.get(ClockNote, _SURE)
        doubt = self.look()
        if doubt is not None and self._is_confirmed(found):
            self._believe(self._wall())
            doubt = self.look()
        # A confirmation before the doubt is none of what is doubted.
        self._confirmations = found.confirmations if found else 0
        if doubt is not None:
            with self._database.writing(unasked=True) as session:
                session.merge(
                    ClockNote(id=_IN_DOUBT, seen_at=doubt.expected, confirmed_at=doubt.shown)
                )
            self._doubt_noted = True
        elif self._doubt_noted or self._steady() - self._noted_at >= NOTED_EVERY_S:
            with self._database.writing() as session:
                note(session, self._wall(), over=self._doubt_noted)
            self._noted_at, self._doubt_noted = self._steady(), False

    def _is_confirmed(self, found: ClockNote | None) -> bool:
        return (
            found is not None
            and found.confirmations != self._confirmations
            and found.confirmed_at is not None
            and abs(self._wall() - found.confirmed_at) <= _CONFIRMATION_GOOD_FOR
        )


def note(session: Session, now: datetime, *, over: bool = False) -> None:
    """Note that a server was sure of the time; the session must be one that writes.

    A doubt is ``over`` for whoever had it, and for all once the time that it was of has come.
    """
    doubted = delete(ClockNote).where(ClockNote.id == _IN_DOUBT)
    session.execute(doubted if over else doubted.where(ClockNote.confirmed_at <= now))
    changed = session.execute(
        update(ClockNote).where(ClockNote.id == _SURE).values(seen_at=now).returning(ClockNote.id)
    ).one_or_none()
    if changed is None:
        session.add(ClockNote(id=_SURE, seen_at=now, confirmations=0))
        session.flush()


def confirm(session: Session, now: datetime) -> None:
    """Note that the operator vouches for the time; servers that doubt it learn of it."""
    note(session, now, over=True)
    session.execute(
        update(ClockNote)
        .where(ClockNote.id == _SURE)
        .values(confirmed_at=now, confirmations=ClockNote.confirmations + 1)
    )


def last_noted(session: Session) -> datetime | None:
    """When a server was last sure of the time, as far as the database knows."""
    found = session.get(ClockNote, _SURE)
    return found.seen_at if found else _newest_receipt(session)


def _newest_receipt(session: Session) -> datetime | None:
    """When one of the responses with the newest ids was received: a moment that has surely been."""
    received_at = column("received_at", UtcDateTime())
    query = select(received_at).select_from(table("response", column("id"), received_at))
    return max(session.scalars(query.order_by(column("id").desc()).limit(_NEWEST)), default=None)


async def keep_watching(clock: ServerClock) -> None:
    """Watch the clock, for ever."""
    while True:
        # It jumped just now, or another process noted first.
        with suppress(ClockInDoubt, IntegrityError):
            await asyncio.to_thread(clock.watch)
        beat()
        await asyncio.sleep(EVERY_S)
