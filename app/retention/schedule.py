"""Deletes at night what is kept no longer, by a process of its own that is nice to others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta

from app.apart import run_apart
from app.background import beat, item_failed
from app.clock import ClockInDoubt
from app.db import Database
from app.intake.retained import note
from app.settings import Settings

log = logging.getLogger("hailong.retention")

EVERY_S = 600
#: Local hour from which on it is night's work: backups and examinations have begun by then.
_HOUR = 3
_MODULE = ("app.cli", "retention", "run", "--gently")
#: What the process is told besides where the database is.
_GIVEN = (
    "keep_texts_months", "keep_responses_months", "keep_aside_months", "keep_invitations_months",
)  # fmt: skip


async def keep_deleting(
    database: Database, settings: Settings, now: Callable[[], datetime]
) -> None:
    """Have it done every night, for ever; of several server processes one does it."""
    while True:
        try:
            local = now().astimezone(settings.zone)
        except ClockInDoubt:
            log.warning("nothing is deleted while the clock is in doubt")
            await asyncio.sleep(EVERY_S)
            continue
        if local.hour >= _HOUR and await asyncio.to_thread(claim, database, local.date()):
            await _run(database, settings, local.date())
        beat()
        await asyncio.sleep(EVERY_S)


def claim(database: Database, today: date) -> bool:
    """Whether nobody has begun the work of this night; nobody else does then.

    A database that is new, or new to this software, waits for the next night: who has just
    installed it has a day to see what would go (``hailong retention run --preview``).
    """
    with database.writing() as session:
        noted = note(session)
        before, noted.nightly_on = noted.nightly_on, max(noted.nightly_on or today, today)
        return before is not None and before < today


def give_back(database: Database, today: date) -> None:
    """Let the work of this night be begun again: it was not done."""
    with database.writing() as session:
        noted = note(session)
        if noted.nightly_on == today:
            noted.nightly_on = today - timedelta(days=1)


async def _run(database: Database, settings: Settings, today: date) -> None:
    well = False
    try:
        ended = await run_apart(
            _MODULE,
            {
                "database_url": settings.database_url,
                "timezone": settings.timezone,
                "least_respondents": settings.least_respondents,
                "dead_letter_days": settings.dead_letter_days,
                "clock_tolerance_s": settings.clock_tolerance_s,
                "clock_gap_days": settings.clock_gap_days,
            }
            | {name: getattr(settings, name) or 0 for name in _GIVEN},
        )
        well = ended.well
    finally:
        if not well:  # also where this process is told to end meanwhile
            await asyncio.shield(asyncio.to_thread(give_back, database, today))
    if well:
        log.info("retention: %s", ended.said)
    else:
        item_failed("retention")
        log.error("WHAT IS KEPT NO LONGER WAS NOT DELETED: %s", ended.said)
