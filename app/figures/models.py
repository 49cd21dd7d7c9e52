"""The tables of what people decided about limits and noted, and of anonymised quarters."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from app.db import Base, UtcDateTime
from app.registry.models import Unit


class UnitEntry(Base):
    """What a person keeps about a unit, by name. Never deleted: it is ended, by name, too.

    Each sort has a table of its own, in which who made and who ended it are called as the sort is.
    """

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]

    @declared_attr
    def unit(self) -> Mapped[Unit]:
        """The unit itself."""
        return relationship(Unit)


class LimitDecision(UnitEntry):
    """That a unit's control limits begin anew, or rest on a baseline that somebody chose.

    Never deleted: what no longer counts is revoked. Periods stand here by their first day.
    """

    __tablename__ = "limit_decision"

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
    made_by: Mapped[str] = mapped_column("decided_by", String(200))
    made_at: Mapped[datetime] = mapped_column("decided_at", UtcDateTime)
    ended_by: Mapped[str | None] = mapped_column("revoked_by", String(200))
    ended_at: Mapped[datetime | None] = mapped_column("revoked_at", UtcDateTime)


class ActionNote(UnitEntry):
    """What a unit did on a local day. Never deleted: what is shown no more is withdrawn."""

    __tablename__ = "action_note"

    #: Whose trend it belongs to; those of all questionnaires where there is none.
    questionnaire: Mapped[str | None] = mapped_column(String(48))
    day: Mapped[date]
    text: Mapped[str] = mapped_column(String(200))
    made_by: Mapped[str] = mapped_column("recorded_by", String(200))
    made_at: Mapped[datetime] = mapped_column("recorded_at", UtcDateTime)
    ended_by: Mapped[str | None] = mapped_column("withdrawn_by", String(200))
    ended_at: Mapped[datetime | None] = mapped_column("withdrawn_at", UtcDateTime)


class AnonymousQuarter(Base):
    """The rows of a questionnaire and quarter that may leave anonymised, made and then fixed.

    Were they made anew, two files of one quarter could be compared row by row, and classes of ten
    fall apart into fewer.
    """

    __tablename__ = "anonymous_quarter"

    questionnaire: Mapped[str] = mapped_column(String(48), primary_key=True)
    #: Like 2026-Q1.
    quarter: Mapped[str] = mapped_column(String(7), primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: At least so many are alike in all that others may know.
    least: Mapped[int]
    rows: Mapped[int]
    #: Respondents who are in no row.
    left_out: Mapped[int]
    #: The rows as Parquet.
    content: Mapped[bytes] = mapped_column(LargeBinary)
    #: How many of each unit, channel and month are in a class: sums, for the quarters that come.
    placed: Mapped[bytes] = mapped_column(LargeBinary)
