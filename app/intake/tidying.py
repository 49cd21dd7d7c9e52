"""Drops what told texts from one another once no device sends them again."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from app.background import beat
from app.clock import ClockInDoubt
from app.db import Database
from app.intake.models import AsideResponse, Response
from app.settings import Settings
from app.text_keys import DROPPED

log = logging.getLogger("hailong.intake")

EVERY_S = 3600
#: Rows of one transaction: others write meanwhile.
_AT_ONCE = 500


def drop_hashes(database: Database, settings: Settings, now: datetime) -> int:
    """Drop the hashes of texts that came so long ago that none is sent again; how many.

    ``HAILONG_BACKLOG_DAYS`` says how long that is. Whatever comes later all the same is the same
    response if all else in it is.
    """
    dropped, more = 0, _AT_ONCE
    while more == _AT_ONCE:
        with database.writing() as session:
            more = drop_some(session, settings, now, _AT_ONCE)
        dropped += more
    return dropped


def drop_some(session: Session, settings: Settings, now: datetime, most: int) -> int:
    """The same for so many at most, the oldest first, in a transaction of the caller's."""
    before = now - timedelta(days=settings.backlog_days)
    ids = session.scalars(
        select(Response.id)
        .where(func.length(Response.texts_hash) > 0, Response.received_at < before)
        .order_by(Response.received_at)
        .limit(most)
    ).all()
    if ids:
        session.execute(
            update(Response).where(Response.id.in_(ids)).values(texts_hash=DROPPED),
            execution_options={"synchronize_session": False},
        )
    aside = session.execute(
        select(AsideResponse.credential_id, AsideResponse.response_id, AsideResponse.body_hash)
        .where(func.length(AsideResponse.body_hash) > 0, AsideResponse.received_at < before)
        .limit(most - len(ids))
    ).all()
    if aside:
        table = AsideResponse.__table__
        session.execute(
            update(AsideResponse.__table__)  # type: ignore[arg-type]
            .where(
                table.c.credential_id == bindparam("of"), table.c.response_id == bindparam("was")
            )
            .values(response_id=bindparam("is"), body_hash=DROPPED),
            [
                {"of": credential, "was": name, "is": _without_hash(name, bytes(hash or b""))}
                for credential, name, hash in aside
            ],
        )
    return len(ids) + len(aside)


def _without_hash(name: str, hash: bytes) -> str:
    """A name in which a part of the hash stands gets other digits there."""
    part = hash[4:12].hex()
    return name.replace(part, secrets.token_hex(8)) if part in name else name


async def keep_dropping_hashes(
    database: Database, settings: Settings, now: Callable[[], datetime]
) -> None:
    """Drop them once an hour, for ever."""
    while True:
        try:
            await asyncio.to_thread(drop_hashes, database, settings, now())
        except ClockInDoubt:
            log.warning("no hash is dropped while the clock is in doubt")
        beat()
        await asyncio.sleep(EVERY_S)
