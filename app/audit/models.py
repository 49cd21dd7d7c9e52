"""The table of the log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, UtcDateTime


class AuditEntry(Base):
    """One change. The database itself refuses to alter or delete a row (migration 0002)."""

    __tablename__ = "audit_entry"

    #: 1, 2, 3 … without a gap.
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Whose doing: ``command:<user of the machine>``, a credential's name, ``system``.
    actor: Mapped[str] = mapped_column(String(200))
    #: What was done, as ``point.pause``.
    action: Mapped[str] = mapped_column(String(64))
    #: To what, by its code or number.
    subject: Mapped[str] = mapped_column(String(200))
    #: More about it, as JSON; never a secret, never a respondent's words.
    details: Mapped[str] = mapped_column(Text)
    #: SHA-256 over the entry and the hash of the one before.
    hash: Mapped[str] = mapped_column(String(64))
