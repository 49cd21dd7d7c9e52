"""When responses are examined by themselves, by a process of its own that is nice to others."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

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
_ROOT = Path(__file__).parents[2]
_END_S, _BEAT_S = 3, 20


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
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *_MODULE, *given,
        env=os.environ | _as_environment(settings) | {"PYTHONPATH": str(_ROOT)},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said = asyncio.create_task(process.communicate())
    try:
        while not said.done():
            await asyncio.wait([said], timeout=_BEAT_S)
            beat()
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _END_S)
            except TimeoutError:
                process.kill()
    words = " ".join(said.result()[0].decode(errors="replace").split())
    if process.returncode == 0:
        log.info("integrity: %s", words)
    else:
        item_failed("integrity")
        log.error("RESPONSES WERE NOT EXAMINED: %s", words)


def _as_environment(settings: Settings) -> dict[str, str]:
    """The settings that the command asks for, as a process of its own reads them."""
    mailing = {
        "HAILONG_MAIL_SERVER": settings.mail_server,
        "HAILONG_MAIL_FROM": settings.mail_from,
        "HAILONG_PUBLIC_URL": settings.public_url,
    }
    return {
        "HAILONG_DATABASE_URL": settings.database_url,
        "HAILONG_TIMEZONE": settings.timezone,
        "HAILONG_LEAST_RESPONDENTS": str(settings.least_respondents),
    } | {name: str(value) for name, value in mailing.items() if value}
