"""Whether this process can do its work: what was written lately, and what is known to be wrong.

Asked often, by whatever watches over services, it answers at once, from what is known: it waits
for no database.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from app.background import beat
from app.clock import ClockNote
from app.db import Database
from app.db.away import DatabaseAway, away
from app.problems import InternalError, Problem

log = logging.getLogger("hailong.readiness")

#: What wrote nothing for so long proves by a small write that it can, in seconds.
EVERY_S = 3.0
#: So old a proof holds; longer than a small write may take and the pause between two.
HOLDS_S = 12.0


class Readiness:
    """What a process knows of its own health."""

    def __init__(self, database: Database, steady: Callable[[], float] = time.monotonic) -> None:
        self._database, self._steady = database, steady
        self._proved_at = steady()
        self._failure: Problem | None = None
        self._checks: dict[str, Callable[[], Problem | None]] = {}

    def also(self, name: str, check: Callable[[], Problem | None]) -> None:
        """Ask this too, whenever somebody asks; it must answer at once."""
        self._checks[name] = check

    def note_written(self) -> None:
        """Something was durable just now: no other proof is needed."""
        self._proved_at, self._failure = self._steady(), None

    def problem(self) -> Problem | None:
        """Why the process cannot do its work; none where it can."""
        if self._failure is not None:
            return self._failure
        if self._steady() - self._proved_at > HOLDS_S:
            return DatabaseAway()
        return next((found for ask in self._checks.values() if (found := ask())), None)

    def prove(self) -> None:
        """Write something that changes nothing, durably, unless something was written just now."""
        if self._failure is None and self._steady() - self._proved_at < EVERY_S:
            return
        try:
            with self._database.writing(unasked=True) as session:
                session.execute(update(ClockNote).values(confirmations=ClockNote.confirmations))
        except SQLAlchemyError as error:
            before, self._failure = self._failure, away(error) or InternalError()
            if before is None:
                log.warning("not ready: %s", self._failure.detail("en"))
        else:
            if self._failure is not None:
                log.warning("ready again")
            self.note_written()


async def keep_proving(readiness: Readiness) -> None:
    """Prove that the database takes what is written, for ever."""
    while True:
        await asyncio.to_thread(readiness.prove)
        beat()
        await asyncio.sleep(EVERY_S)
