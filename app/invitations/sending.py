"""Sends SMS that wait through a gateway.

An SMS is marked unconfirmed before it is handed over, so that it is never sent twice: if the
process dies then, a person decides. If the gateway says that it did not take it, it is tried
again; what it refuses, what may have been sent and what was tried too often is a dead letter.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, update

from app.background import beat, item_failed
from app.clock import ClockInDoubt
from app.db import Database
from app.db.due import is_due
from app.dead_letters import MOST_TRIES, Fate, forget_old, pause, reason_of
from app.invitations.gateways import NotTakenError, RefusedError, SmsGateway, gateway
from app.invitations.models import SmsMessage
from app.settings import Settings

log = logging.getLogger("hailong.invitations")

EVERY_S = 2
FORGET_EVERY = timedelta(hours=1)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 5, 3600


@dataclass(frozen=True)
class _Failed:
    """That a message was not sent, or perhaps not: why, and what it is by that, if for good."""

    reason: str
    fate: Fate | None


def send_sms(database: Database, sender: SmsGateway) -> bool:
    """Send the SMS that is due longest; whether there was one."""
    if not is_due(database, SmsMessage.due_at):
        return False
    now = datetime.now(UTC)
    with database.writing() as session:
        due = session.scalar(
            select(SmsMessage)
            .where(SmsMessage.due_at <= now)
            .order_by(SmsMessage.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if due is None:
            return False
        due.due_at, due.tries = None, due.tries + 1
        due.failed_at, due.fate, due.reason = now, Fate.UNCONFIRMED, None
        id, phone, body, tries = due.id, due.phone, due.body, due.tries
    failed = _hand_over(sender, phone, body, tries)
    with database.writing() as session:
        if failed is None:
            session.execute(delete(SmsMessage).where(SmsMessage.id == id))
            return True
        log.warning("SMS %d was not sent: %s, try %d", id, failed.reason, tries)
        item_failed(failed.reason.partition(":")[0])
        now = datetime.now(UTC)
        again_at = None if failed.fate else now + pause(tries, _FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        # Unless a person decided about it meanwhile.
        mine = (
            (SmsMessage.id == id)
            & (SmsMessage.tries == tries)
            & (SmsMessage.fate == Fate.UNCONFIRMED)
        )
        session.execute(
            update(SmsMessage)
            .where(mine)
            .values(
                due_at=again_at,
                failed_at=now if failed.fate else None,
                fate=failed.fate,
                reason=failed.reason,
            )
        )
    return True


def _hand_over(sender: SmsGateway, phone: str, body: str, tries: int) -> _Failed | None:
    try:
        sender.send(phone, body)
    except NotTakenError as error:
        return _Failed(str(error), Fate.GIVEN_UP if tries >= MOST_TRIES else None)
    except RefusedError as error:
        return _Failed(str(error), Fate.REFUSED)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this message's alone
        # Perhaps it was sent. A citizen who gets it twice is worse than one who gets it never.
        return _Failed(reason_of(error, phone), Fate.UNSURE)
    return None


def _warn_of_unconfirmed(database: Database) -> None:
    """Say what an earlier process took and never confirmed; a person must decide about it."""
    with database.reading() as session:
        unconfirmed = session.scalar(
            select(func.count()).select_from(SmsMessage).where(SmsMessage.fate == Fate.UNCONFIRMED)
        )
    if unconfirmed:
        log.warning("SMS that were never confirmed: %d; see: hailong sms list", unconfirmed)


async def keep_sending(database: Database, settings: Settings) -> None:
    """Send SMS that are due, for ever; without a gateway they wait."""
    sender = gateway(settings)
    await asyncio.to_thread(_warn_of_unconfirmed, database)
    forget_at = datetime.min.replace(tzinfo=UTC)
    while True:
        more = False
        try:
            if forget_at <= datetime.now(UTC):
                forget_at = datetime.now(UTC) + FORGET_EVERY
                await asyncio.to_thread(forget_old, database, SmsMessage, settings.dead_letter_days)
            if sender is not None:
                more = await asyncio.to_thread(send_sms, database, sender)
        except ClockInDoubt:
            pass
        beat()
        if not more:
            await asyncio.sleep(EVERY_S)
