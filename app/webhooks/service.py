"""Whom to tell, and what waits to be told."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.registry.models import Unit
from app.registry.queries import ids_with_all_above
from app.webhooks.models import Delivery, Webhook


def add_webhook(session: Session, url: str, unit: Unit | None) -> Webhook:
    """Tell an address of answered invitations from now on; its secret signs what is sent."""
    hook = Webhook(
        url=url, unit_id=unit.id if unit else None, secret=secrets.token_hex(32),
        made_at=datetime.now(UTC),
    )  # fmt: skip
    session.add(hook)
    session.flush()
    record(session, "webhook.add", hook.id, url=url, unit=unit.code if unit else None)
    return hook


def end_webhook(session: Session, id: int) -> None:
    """Tell an address no more.

    Raises
    ------
    KeyError
        Where there is no such webhook.
    """
    hook = session.get(Webhook, id)
    if hook is None:
        raise KeyError(id)
    if hook.ended_at is None:
        hook.ended_at = datetime.now(UTC)
        record(session, "webhook.end", id, url=hook.url)


def tell_later(session: Session, unit_id: int, body: str, now: datetime, delay_s: int) -> None:
    """Let all webhooks of a unit be told, each within the delay, by chance when."""
    for hook in _of_unit(session, unit_id):
        due_at = now + timedelta(seconds=delay_s * (0.1 + 0.9 * secrets.randbelow(1000) / 1000))
        session.add(Delivery(webhook_id=hook.id, body=body, due_at=due_at))


def _of_unit(session: Session, unit_id: int) -> list[Webhook]:
    """The webhooks that are told of a unit: its own, those above it, and those of all units."""
    hooks = session.scalars(
        select(Webhook).where(
            Webhook.ended_at.is_(None),
            Webhook.unit_id.is_(None) | Webhook.unit_id.in_(ids_with_all_above(unit_id)),
        )
    )
    return list(hooks)
