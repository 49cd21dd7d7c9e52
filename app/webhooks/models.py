"""The tables of webhooks, and of what they are still to be told."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, UtcDateTime
from app.dead_letters import Item


class Webhook(Base):
    """Where a system wants to be told that its invitations were answered."""

    __tablename__ = "webhook"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The unit, with all below it, whose invitations it is told of; none means all.
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    url: Mapped[str] = mapped_column(String(500))
    #: Signs what is sent; it must be known to sign, so it is no hash.
    secret: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def draw_event() -> str:
    """An id by which a webhook knows what it was told before; never given twice.

    The number of a row would not do: SQLite gives it away again, and so does a database that was
    restored.
    """
    return f"evt_{secrets.token_hex(12)}"


class Delivery(Item, Base):
    """One telling of one webhook, until it has been taken or is given up."""

    __tablename__ = "delivery"
    kind = "delivery"

    #: Drawn at random: numbers in a row would tell in which order invitations were answered, and
    #: so, beside the moments of responses, which of these was whose.
    id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, default=lambda: secrets.randbelow(2**31 - 1) + 1
    )

    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"))
    event: Mapped[str] = mapped_column(String(28), default=draw_event)
    body: Mapped[str] = mapped_column(Text)

    webhook: Mapped[Webhook] = relationship()
