"""Tells webhooks what waits, with a signature.

A webhook is told again until it answers well, for some hours; then the telling is a dead letter.
Its body has an id by which the webhook knows what it was told before. Many are told at once and
each of them one thing after another, so that a slow one holds up nobody but itself.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import httpx
from sqlalchemy import delete, select, update

from app.background import beat, item_failed
from app.calling import status_of
from app.clock import ClockInDoubt
from app.db import Database
from app.db.due import is_due
from app.dead_letters import MOST_TRIES, Fate, forget_old, pause, reason_of
from app.settings import Settings
from app.webhooks.models import Delivery, Webhook

log = logging.getLogger("hailong.webhooks")

EVERY_S = 2
FORGET_EVERY = timedelta(hours=1)
#: How many webhooks are told at once.
AT_ONCE = 16
#: For each step of a call, and for all of it: an answer may come a byte at a time.
_TIMEOUT_S, _DEADLINE_S = 15, 30
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 10, 7200


@dataclass(frozen=True)
class Taken:
    """A telling that is to be made now."""

    id: int
    webhook_id: int
    url: str
    secret: str
    event: str
    body: str
    tries: int
    #: Whether its webhook is told no more.
    ended: bool


def sign(secret: str, moment: int, body: str) -> str:
    """What stands in ``Hailong-Signature``: the moment, and HMAC-SHA-256 over it and the body."""
    digest = hmac.new(secret.encode(), f"{moment}.{body}".encode(), "sha256").hexdigest()
    return f"t={moment},v1={digest}"


def take(database: Database, busy: Collection[int]) -> Taken | None:
    """What is due longest of webhooks that are not being told; it is due again if all is lost."""
    now = datetime.now(UTC)
    free = Delivery.webhook_id.not_in(busy)
    if not is_due(database, Delivery.due_at, free):
        return None
    with database.writing() as session:
        row = session.execute(
            select(Delivery, Webhook)
            .join(Webhook, Webhook.id == Delivery.webhook_id)
            .where(Delivery.due_at <= now, free)
            .order_by(Delivery.due_at)
            .limit(1)
            .with_for_update(skip_locked=True, of=Delivery)
        ).one_or_none()
        if row is None:
            return None
        delivery, hook = row
        delivery.tries += 1
        delivery.due_at = now + pause(delivery.tries, _FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        return Taken(
            delivery.id, hook.id, hook.url, hook.secret, delivery.event, delivery.body,
            delivery.tries, hook.ended_at is not None,
        )  # fmt: skip


async def tell(database: Database, taken: Taken) -> None:
    """Make one telling, and note what became of it."""
    fault = None if taken.ended else await _fault(taken)
    if fault is not None:
        item_failed(fault.partition(":")[0])
        log.info("webhook %d was not told: %s, try %d", taken.webhook_id, fault, taken.tries)
    await asyncio.to_thread(_note, database, taken, fault)


def _note(database: Database, taken: Taken, fault: str | None) -> None:
    # Another process may have made the same telling by now, and its number be that of a newer one.
    same = (Delivery.id == taken.id) & (Delivery.event == taken.event)
    with database.writing() as session:
        if fault is None:
            session.execute(delete(Delivery).where(same))
            return
        values: dict[str, object] = {"reason": fault}
        if taken.tries >= MOST_TRIES:
            log.warning(
                "webhook %d was told in vain; see: hailong webhooks waiting", taken.webhook_id
            )
            values |= {"due_at": None, "failed_at": datetime.now(UTC), "fate": Fate.GIVEN_UP}
        # Unless it was told anew, or dropped, meanwhile.
        mine = same & (Delivery.tries == taken.tries)
        session.execute(update(Delivery).where(mine).values(values))


async def _fault(taken: Taken) -> str | None:
    """Call a webhook; why it has not taken what it was told, or none."""
    try:
        body = json.dumps({"id": taken.event, **json.loads(taken.body)})
        headers = {
            "Content-Type": "application/json",
            "Hailong-Signature": sign(taken.secret, int(datetime.now(UTC).timestamp()), body),
        }
        trusted = await asyncio.to_thread(_trusted)
        request = httpx.Request("POST", taken.url, content=body, headers=headers)
        status = await status_of(request, trusted, _TIMEOUT_S, _DEADLINE_S)
        return None if httpx.codes.is_success(status) else f"HTTP {status}"
    except Exception as error:  # noqa: BLE001 - it is this telling's fault alone, whatever it is
        return reason_of(error, taken.secret)


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed; to read them takes as long as a call."""
    return httpx.create_ssl_context()


async def keep_telling(database: Database, settings: Settings) -> None:
    """Tell webhooks what is due, for ever."""
    under_way: dict[int, asyncio.Task[None]] = {}
    forget_at = datetime.min.replace(tzinfo=UTC)
    try:
        while True:
            try:
                for webhook_id in [id for id, task in under_way.items() if task.done()]:
                    # What the database refused is raised here; the telling is due again later.
                    under_way.pop(webhook_id).result()
                if forget_at <= datetime.now(UTC):
                    forget_at = datetime.now(UTC) + FORGET_EVERY
                    days = settings.dead_letter_days
                    await asyncio.to_thread(forget_old, database, Delivery, days)
                await _begin(database, under_way)
            except ClockInDoubt:
                pass
            beat()
            if under_way:
                first = asyncio.FIRST_COMPLETED
                await asyncio.wait(under_way.values(), timeout=EVERY_S, return_when=first)
            else:
                await asyncio.sleep(EVERY_S)
    finally:
        for task in under_way.values():
            task.cancel()
        await asyncio.gather(*under_way.values(), return_exceptions=True)


async def _begin(database: Database, under_way: dict[int, asyncio.Task[None]]) -> None:
    """Begin what is due, of each webhook one telling, until so many are under way."""
    while len(under_way) < AT_ONCE:
        taken = await asyncio.to_thread(take, database, tuple(under_way))
        if taken is None:
            return
        under_way[taken.webhook_id] = asyncio.create_task(tell(database, taken))
