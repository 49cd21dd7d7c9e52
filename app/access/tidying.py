"""Removes what is over: counts, salts, sessions, tokens, links and codes, and SQLite's journal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.access import buckets, rate_limits
from app.access.models import (
    AccessToken,
    AccountSession,
    PairingCode,
    PasswordLink,
    SignInAttempt,
)
from app.background import beat
from app.clock import ClockInDoubt
from app.db import Database
from app.db.base import microseconds
from app.db.overwriting import empty_journal

log = logging.getLogger("hailong.access")

EVERY_S = 60


def tidy(session: Session, now: datetime) -> None:
    """Remove what no longer opens anything; what happened stays in the audit log."""
    rate_limits.tidy(session, now)
    buckets.tidy(session, microseconds(now))
    for table in (AccountSession, AccessToken, PairingCode, PasswordLink, SignInAttempt):
        session.execute(delete(table).where(table.expires_at < now - timedelta(minutes=1)))


async def keep_tidy(database: Database, now: Callable[[], datetime]) -> None:
    """Tidy once a minute, for ever."""

    def run() -> None:
        with database.writing() as session:
            tidy(session, now())
        empty_journal(database)

    while True:
        try:
            await asyncio.to_thread(run)
        except ClockInDoubt:
            log.warning("nothing is tidied away while the clock is in doubt")
        beat()
        await asyncio.sleep(EVERY_S)
