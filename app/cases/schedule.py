"""What is done about cases by itself: opening, handing on what is overdue, mailing news."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import date, datetime

from app.background import beat
from app.cases.batching import open_batches
from app.cases.finding import open_misconduct
from app.cases.mailing import mail_news
from app.cases.opening import open_wishes
from app.cases.overdue import escalate
from app.clock import ClockInDoubt
from app.db import Database
from app.settings import Settings

log = logging.getLogger("hailong.cases")

#: So soon a wish is a case; all else is looked for so often, at first when the server has started.
EVERY_S, SELDOM_S, _STARTED_AFTER_S = 5.0, 600.0, 60.0


async def keep_cases(database: Database, settings: Settings, now: Callable[[], datetime]) -> None:
    """Open cases and see to them, for ever; by a clock that is in doubt nothing is opened."""
    seldom_at = asyncio.get_running_loop().time() + _STARTED_AFTER_S
    while True:
        today = now().astimezone(settings.zone).date()
        try:
            await asyncio.to_thread(open_wishes, database, settings, today)
            if asyncio.get_running_loop().time() >= seldom_at:
                await asyncio.to_thread(see_to, database, settings, today)
                seldom_at = asyncio.get_running_loop().time() + SELDOM_S
        except ClockInDoubt:
            pass
        beat()
        await asyncio.sleep(EVERY_S)


def see_to(database: Database, settings: Settings, today: date) -> tuple[int, int, int, int]:
    """What is due beside wishes; how many cases of misconduct and of batches were opened, how many
    were handed on, and how many mails were taken.
    """
    done = (
        open_misconduct(database, settings, today),
        open_batches(database, settings, today),
        escalate(database, today),
        mail_news(database, settings),
    )
    if any(done):
        # How many of misconduct there are is no matter of the log: whoever runs one hospital's
        # server may be of it.
        log.info("cases: %d batches opened, %d handed on, %d mails", *done[1:])
    return done
