"""Sends SMS that wait through a gateway, and has webhooks told.

An SMS is taken out of the queue before it is handed over, so that it is never sent twice; if the
gateway says that it did not take it, it is tried again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import httpx
from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from app.clock import ClockInDoubt
from app.db import Database
from app.db.due import is_due
from app.invitations.models import SmsMessage
from app.settings import Settings
from app.webhooks.sending import tell_webhook

log = logging.getLogger("hailong.invitations")

EVERY_S = 2
_MOST_TRIES = 12
_TIMEOUT_S = 15


#: With these nothing has left this machine.
_NEVER_ARRIVED = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
    httpx.PoolTimeout,
)


class NotTakenError(Exception):
    """The gateway did not take the message, for sure: it may be tried again."""


class SmsGateway(Protocol):
    """Hands one message over."""

    def send(self, phone: str, body: str) -> None:
        """Send a message. Raises ``NotTakenError`` where it was surely not sent."""


class FileOutbox:
    """Writes messages to a file instead of sending them: for a trial."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def send(self, phone: str, body: str) -> None:
        """Append a line of JSON."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"to": phone, "text": body}, ensure_ascii=False) + "\n")


class HttpGateway:
    """Posts ``{"to", "text", "from"}`` as JSON with a bearer token, as most gateways take it."""

    def __init__(self, url: str, token: str, sender: str) -> None:
        self._url, self._token, self._sender = url, token, sender

    def send(self, phone: str, body: str) -> None:
        """Send a message; what the gateway refuses, or never received, was not taken."""
        try:
            answer = httpx.post(
                self._url,
                json={"to": phone, "text": body, "from": self._sender},
                headers={"Authorization": f"Bearer {self._token}"} if self._token else {},
                timeout=_TIMEOUT_S,
            )
        except _NEVER_ARRIVED as error:
            raise NotTakenError(str(error)) from error
        if answer.status_code == 429 or answer.status_code >= 500:
            raise NotTakenError(f"{answer.status_code}")
        answer.raise_for_status()


def gateway(settings: Settings) -> SmsGateway | None:
    """The gateway of the settings; none where SMS wait for one to be set up."""
    if settings.sms_url:
        return HttpGateway(settings.sms_url, settings.sms_token, settings.sms_sender)
    return FileOutbox(settings.sms_outbox) if settings.sms_outbox else None


def send_sms(database: Database, sender: SmsGateway) -> bool:
    """Send the SMS that is due longest; whether there was one."""
    if not is_due(database, SmsMessage.due_at):
        return False
    with database.writing() as session:
        due = session.scalar(
            select(SmsMessage)
            .where(SmsMessage.due_at <= datetime.now(UTC))
            .order_by(SmsMessage.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if due is None:
            return False
        due.due_at, due.tries = None, due.tries + 1
        id, phone, body, tries = due.id, due.phone, due.body, due.tries
    again_at = None
    try:
        sender.send(phone, body)
    except NotTakenError as error:
        log.warning("SMS %d was not taken (%s), try %d", id, error, tries)
        if tries < _MOST_TRIES:
            again_at = datetime.now(UTC) + timedelta(seconds=min(3600, 5 * 2**tries))
    except httpx.HTTPError as error:
        # Perhaps it was sent. A citizen who gets it twice is worse than one who gets it never.
        log.warning("SMS %d is left: %s", id, error)
    with database.writing() as session:
        if again_at is None:
            session.execute(delete(SmsMessage).where(SmsMessage.id == id))
        else:
            session.get_one(SmsMessage, id).due_at = again_at
    return True


def _warn_of_unconfirmed(database: Database) -> None:
    """Say what an earlier process took and never confirmed; a person must decide about it."""
    with database.reading() as session:
        unconfirmed = session.scalar(
            select(func.count()).select_from(SmsMessage).where(SmsMessage.due_at.is_(None))
        )
    if unconfirmed:
        log.warning("%d SMS were never confirmed; see: hailong sms list", unconfirmed)


async def keep_sending(database: Database, settings: Settings) -> None:
    """Send what is due, for ever; a database that does not answer is tried again."""
    sender = gateway(settings)
    await asyncio.to_thread(_warn_of_unconfirmed, database)
    works: list[Callable[[], bool]] = [lambda: tell_webhook(database)]
    if sender is not None:
        works.append(lambda: send_sms(database, sender))
    while True:
        more = False
        for work in works:
            try:
                more |= await asyncio.to_thread(work)
            except ClockInDoubt:
                more = False
            except SQLAlchemyError:
                log.warning("could not look for what is due; trying again", exc_info=True)
        if not more:
            await asyncio.sleep(EVERY_S)
