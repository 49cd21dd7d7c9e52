"""Tells webhooks what waits, with a signature.

A webhook is told again until it answers well, for a day: its body has a number by which it knows
what it was told before.
"""

from __future__ import annotations

import hmac
import json
import logging
from datetime import UTC, datetime, timedelta

import httpx
from sqlalchemy import delete, select

from app.db import Database
from app.db.due import is_due
from app.webhooks.models import Delivery, Webhook

log = logging.getLogger("hailong.webhooks")

_MOST_TRIES = 12
_TIMEOUT_S = 15


def sign(secret: str, moment: int, body: str) -> str:
    """What stands in ``Hailong-Signature``: the moment, and HMAC-SHA-256 over it and the body."""
    digest = hmac.new(secret.encode(), f"{moment}.{body}".encode(), "sha256").hexdigest()
    return f"t={moment},v1={digest}"


def tell_webhook(database: Database) -> bool:
    """Make the delivery that is due longest; whether there was one."""
    now = datetime.now(UTC)
    if not is_due(database, Delivery.due_at):
        return False
    with database.writing() as session:
        row = session.execute(
            select(Delivery, Webhook)
            .join(Webhook, Webhook.id == Delivery.webhook_id)
            .where(Delivery.due_at <= now)
            .order_by(Delivery.due_at)
            .limit(1)
            .with_for_update(skip_locked=True, of=Delivery)
        ).one_or_none()
        if row is None:
            return False
        delivery, hook = row
        delivery.tries += 1
        delivery.due_at = now + timedelta(seconds=min(7200, 10 * 2**delivery.tries))
        body = json.dumps({"id": f"evt_{delivery.id}", **json.loads(delivery.body)})
        url, secret, ended = hook.url, hook.secret, hook.ended_at
        id, tries = delivery.id, delivery.tries
    taken = ended is not None or _has_taken(url, secret, body)
    if taken or tries >= _MOST_TRIES:
        if not taken:
            log.warning("webhook %s was not told after %d tries", url, tries)
        with database.writing() as session:
            session.execute(delete(Delivery).where(Delivery.id == id))
    return True


def _has_taken(url: str, secret: str, body: str) -> bool:
    headers = {
        "Content-Type": "application/json",
        "Hailong-Signature": sign(secret, int(datetime.now(UTC).timestamp()), body),
    }
    try:
        answer = httpx.post(url, content=body, headers=headers, timeout=_TIMEOUT_S)
    except httpx.HTTPError as error:
        log.info("webhook %s does not answer: %s", url, error)
        return False
    return answer.is_success
