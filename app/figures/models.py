"""The tables of what people decided about control limits, and of what they noted."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, UtcDateTime
from app.registry.models import Unit


class LimitDecision(Base):
    """That a unit's control limits begin anew, or rest on a baseline that somebody chose.

    Never deleted: what no longer counts is revoked. Periods stand here by their first day.
    """

    __tablename__ = "limit_decision"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    questionnaire: Mapped[str] = mapped_column(String(48))
    #: What is measured: an item, a factor, or the index where there is neither.
    factor: Mapped[str | None] = mapped_column(String(64))
    item: Mapped[str | None] = mapped_column(String(64))
    #: Length of a period, as ``month``.
    step: Mapped[str] = mapped_column(String(8))
    #: From which period on the limits count.
    begins: Mapped[date]
    #: First and last period that they rest on; without a last all before the judged one.
    first: Mapped[date]
    last: Mapped[date | None]
    reason: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(String(200))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_by: Mapped[str | None] = mapped_column(String(200))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    unit: Mapped[Unit] = relationship()


class ActionNote(Base):
    """What a unit did on a local day. Never deleted: what is shown no more is withdrawn."""

    __tablename__ = "action_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    #: Whose trend it belongs to; those of all questionnaires where there is none.
    questionnaire: Mapped[str | None] = mapped_column(String(48))
    day: Mapped[date]
    text: Mapped[str] = mapped_column(String(200))
    recorded_by: Mapped[str] = mapped_column(String(200))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_by: Mapped[str | None] = mapped_column(String(200))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    unit: Mapped[Unit] = relationship()
