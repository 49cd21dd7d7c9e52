"""The tables of webhooks, and of what they are still to be told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, UtcDateTime


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


class Delivery(Base):
    """One telling of one webhook, until it has been taken."""

    __tablename__ = "delivery"

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"))
    body: Mapped[str] = mapped_column(Text)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    tries: Mapped[int] = mapped_column(default=0)
