"""The table of digests: to whom which month's has been mailed, or is yet to be."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, UtcDateTime


class DigestMail(Base):
    """An account's digest of a month; there from the first try on, for two months."""

    __tablename__ = "digest_mail"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    #: The first day of the month that is over.
    month: Mapped[date] = mapped_column(primary_key=True)
    #: Until then a process has it in hand; one that died gives it back by this.
    in_hand_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    #: What the mail server refused is tried again then.
    again_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When nothing more was to be done: the mail server took it, or there was nothing to tell.
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Why it was refused last; never the address.
    reason: Mapped[str | None] = mapped_column(String(200))
