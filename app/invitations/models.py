"""The tables of invitations. That one was answered is kept; with what, and when, is not."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, UtcDateTime
from app.dead_letters import Item


class Invitation(Base):
    """A one-time link for one finished case. Link and case are kept as hashes."""

    __tablename__ = "invitation"
    __table_args__ = (
        Index("uq_invitation_unit_id_case_hash", "unit_id", "case_hash", unique=True),
        # Whole for how many were invited: a page would look up every row. Not for who answered: the
        # order in which that came would be read from the pages of an index.
        Index("ix_invitation_issued", "finished_on", "unit_id", "point_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: What the issuing system and its webhooks call it.
    number: Mapped[str] = mapped_column(String(24), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    point_id: Mapped[int] = mapped_column(ForeignKey("survey_point.id"))
    case_hash: Mapped[str] = mapped_column(String(64))
    procedure: Mapped[str | None] = mapped_column(String(64))
    #: The local day on which the case was finished; response rates go by its month.
    finished_on: Mapped[date]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: No moment stands beside it: it would tell which response it was.
    answered: Mapped[bool] = mapped_column(default=False)


class SmsMessage(Item, Base):
    """A message that waits to be sent; removed, number and all, as soon as it is.

    It is marked unconfirmed before it is handed over, so that it is never sent twice.
    """

    __tablename__ = "sms_message"
    kind = "sms"

    phone: Mapped[str] = mapped_column(String(16))
    body: Mapped[str] = mapped_column(String(480))
