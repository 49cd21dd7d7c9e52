"""When responses are examined by themselves, by a process of its own that is nice to others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import date, datetime

from app.apart import run_apart
from app.background import beat, item_failed
from app.db import Database
from app.integrity.rules import in_force
from app.settings import Settings

log = logging.getLogger("hailong.integrity")

#: What came is looked at so often; whole months once a night, from this hour on.
EVERY_S = 3600
_NIGHT_HOUR = 2
#: The month before is looked at again until so many days of the next are over: devices are late.
LATE_DAYS = 10
_MODULE = ("app.cli", "integrity", "examine", "--gently")


def arguments(night: date | None, now: datetime) -> tuple[list[str], date | None]:
    """How the command is called at a local moment, and the last night whose work is done then."""
    today = now.date()
    if now.hour >= _NIGHT_HOUR and night != today:
        return ["--months", "2" if today.day <= LATE_DAYS else "1", "--mail"], today
    return ["--months", "1", "--fresh"], night


async def keep_examining(
    database: Database, settings: Settings, now: Callable[[], datetime]
) -> None:
    """Have responses examined for ever, as long as a rule is in force."""
    night: date | None = None
    while True:
        if await asyncio.to_thread(_any_rule, database):
            given, night = arguments(night, now().astimezone(settings.zone))
            await _examine(settings, given)
        beat()
        await asyncio.sleep(EVERY_S)


def _any_rule(database: Database) -> bool:
    with database.reading() as session:
        return bool(in_force(session))


async def _examine(settings: Settings, given: list[str]) -> None:
    ended = await run_apart(
        (*_MODULE, *given),
        {
            "database_url": settings.database_url,
            "timezone": settings.timezone,
            "least_respondents": settings.least_respondents,
            "mail_server": settings.mail_server or None,
            "mail_from": settings.mail_from or None,
            "public_url": settings.public_url or None,
        },
    )
    if ended.well:
        log.info("integrity: %s", ended.said)
    else:
        item_failed("integrity")
        log.error("RESPONSES WERE NOT EXAMINED: %s", ended.said)
