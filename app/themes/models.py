"""The table of lists of themes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, UtcDateTime


class ThemeListVersion(Base):
    """One version of the list of themes, whole; appended, the newest is the one in force.

    Which themes a comment has is computed from it as comments are read, and kept nowhere: all
    months are sorted by one list, however often it is changed, and of a comment that is deleted
    nothing stays.
    """

    __tablename__ = "theme_list"

    id: Mapped[int] = mapped_column(primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    #: JSON of ``app.themes.model.ThemeList``.
    document: Mapped[str] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
