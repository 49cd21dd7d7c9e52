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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

from sqlalchemy import column, select, table, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db import Base, Database, UtcDateTime
from app.problems import Problem

log = logging.getLogger("hailong.clock")

EVERY_S = 5
NOTED_EVERY_S = 30
RETRY_AFTER_S = 30
#: A confirmation is of the calendar as it is, and not of where it may have gone since.
_CONFIRMATION_GOOD_FOR = timedelta(minutes=2)
#: Says that the first row is the only one.
_ONLY = 1


class ClockInDoubt(Problem):
    """The server's clock jumped, so nothing is written until it is right or was confirmed."""

    code, status, passing = "clock-in-doubt", 503, True

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(RETRY_AFTER_S)}, retry_after=RETRY_AFTER_S)


class ClockNote(Base):
    """The one row that says when a server was last sure of the time, and who confirmed it."""

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
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


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
        doubt = self.look()
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
            note = session.get(ClockNote, _ONLY)
            last = note.seen_at if note else _newest_receipt(session)
            self._confirmations = note.confirmations if note else 0
        shown = self._wall()
        if last is not None and not (last - self._tolerance <= shown <= last + self._gap):
            with self._lock:
                self._right, self._at = last, self._steady()
            self.look()

    def watch(self) -> None:
        """Look; note that all is well, or learn whether the operator has confirmed the time."""
        if self.look() is not None:
            self._learn()
        elif self._steady() - self._noted_at >= NOTED_EVERY_S:
            with self._database.writing() as session:
                note(session, self._wall())
            self._noted_at = self._steady()

    def _learn(self) -> None:
        with self._database.reading() as session:
            found = session.get(ClockNote, _ONLY)
        if found is None or found.confirmations == self._confirmations:
            return
        self._confirmations = found.confirmations
        shown = self._wall()
        if found.confirmed_at and abs(shown - found.confirmed_at) <= _CONFIRMATION_GOOD_FOR:
            with self._lock:
                self._right, self._at = shown, self._steady()
            self.look()


def note(session: Session, now: datetime) -> None:
    """Note that a server was sure of the time; the session must be one that writes."""
    changed = session.execute(
        update(ClockNote).where(ClockNote.id == _ONLY).values(seen_at=now).returning(ClockNote.id)
    ).one_or_none()
    if changed is None:
        session.add(ClockNote(id=_ONLY, seen_at=now, confirmations=0))
        session.flush()


def confirm(session: Session, now: datetime) -> None:
    """Note that the operator vouches for the time; servers that doubt it learn of it."""
    note(session, now)
    session.execute(
        update(ClockNote)
        .where(ClockNote.id == _ONLY)
        .values(confirmed_at=now, confirmations=ClockNote.confirmations + 1)
    )


def last_noted(session: Session) -> datetime | None:
    """When a server was last sure of the time, as far as the database knows."""
    found = session.get(ClockNote, _ONLY)
    return found.seen_at if found else _newest_receipt(session)


def _newest_receipt(session: Session) -> datetime | None:
    """When the response with the newest id was received: a moment that has surely been."""
    received_at = column("received_at", UtcDateTime())
    query = select(received_at).select_from(table("response", column("id"), received_at))
    moment: datetime | None = session.scalar(query.order_by(column("id").desc()).limit(1))
    return moment


async def keep_watching(clock: ServerClock) -> None:
    """Watch the clock, for ever; a database that does not answer is tried again."""
    while True:
        try:
            await asyncio.to_thread(clock.watch)
        except (ClockInDoubt, IntegrityError):  # it jumped just now; another process noted first
            pass
        except SQLAlchemyError:
            log.warning("could not note the time; trying again", exc_info=True)
        await asyncio.sleep(EVERY_S)
