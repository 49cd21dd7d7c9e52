"""When digests are mailed by themselves, by a process of its own that is nice to others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from app.apart import run_apart
from app.background import beat, item_failed
from app.clock import ClockInDoubt
from app.db import Database
from app.digest.sending import due, is_time
from app.settings import Settings

log = logging.getLogger("hailong.digest")

EVERY_S = 3600
#: Local hour from which on they are mailed, so that they lie on top in the morning.
_HOUR = 7
_MODULE = ("app.cli", "digest", "send", "--gently")


async def keep_mailing(database: Database, settings: Settings, now: Callable[[], datetime]) -> None:
    """Look once an hour for what is due, for ever; which month is over a clock in doubt does not
    know.
    """
    while True:
        try:
            moment = now()
            if await asyncio.to_thread(waits, database, settings, moment):
                await _send(settings)
        except ClockInDoubt:
            log.warning("no digest is mailed while the clock is in doubt")
        beat()
        await asyncio.sleep(EVERY_S)


def waits(database: Database, settings: Settings, now: datetime) -> bool:
    """Whether any digest is to be mailed now."""
    local = now.astimezone(settings.zone)
    if local.hour < _HOUR or not is_time(settings, local.date()):
        return False
    with database.reading() as session:
        return bool(due(session, settings, now))


async def _send(settings: Settings) -> None:
    ended = await run_apart(
        _MODULE,
        {
            "database_url": settings.database_url,
            "timezone": settings.timezone,
            "least_respondents": settings.least_respondents,
            "mail_server": settings.mail_server or None,
            "mail_from": settings.mail_from or None,
            "public_url": settings.public_url or None,
            "digest_day": settings.digest_day,
        },
    )
    if ended.well:
        log.info("digest: %s", ended.said)
    else:
        item_failed("digest")
        log.error("DIGESTS WERE NOT ALL MAILED: %s", ended.said)
