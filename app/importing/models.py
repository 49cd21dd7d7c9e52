"""The tables of mappings, and of files that were imported."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, UtcDateTime


class ResponseMapping(Base):
    """What the columns of files with one header mean; appended, the newest of a header is in force.

    It holds titles and words for levels, and nothing of what anybody answered.
    """

    __tablename__ = "response_mapping"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Of the header: ``app.importing.headers.Headed.fingerprint``.
    fingerprint: Mapped[str] = mapped_column(String(32), index=True)
    source: Mapped[str] = mapped_column(String(100))
    questionnaire: Mapped[str] = mapped_column(String(48))
    #: JSON of ``app.importing.mapping.Mapping``; empty where it was forgotten.
    document: Mapped[str] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ResponseImport(Base):
    """That a file of responses was imported: begun, and ended unless it was broken off.

    Of one source each file stands here once, however often it was sent.
    """

    __tablename__ = "response_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Of the file's bytes, by a key outside the database (``app.text_keys``).
    digest: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(100), index=True)
    #: Its name among the files of the source that hold none of each other's answers; else empty.
    batch: Mapped[str] = mapped_column(String(100))
    #: What the file was called, for whoever looks for it.
    name: Mapped[str] = mapped_column(String(200))
    begun_by: Mapped[str] = mapped_column(String(200))
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: How many of its rows that are known by what stands in them were there at its end; none where
    #: that is not known. Where more of them are there later, some came from elsewhere.
    kept: Mapped[int | None]
