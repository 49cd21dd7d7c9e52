"""The tables of rules and of what is suspected together."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    Float,
    ForeignKey,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, UtcDateTime


class State(StrEnum):
    """What became of a suspected batch."""

    #: Flagged: its responses count until somebody decides.
    OPEN = "open"
    #: Set aside by its rule until somebody decides.
    QUARANTINED = "quarantined"
    #: A reviewer found it honest: its responses count.
    RELEASED = "released"
    #: A reviewer found it stuffed: its responses are set aside for good.
    REJECTED = "rejected"


class IntegrityRule(Base):
    """One version of a rule; appended, the newest of a name is the one in force."""

    __tablename__ = "integrity_rule"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(32))
    version: Mapped[int]
    #: JSON of ``app.integrity.rules.Rule``.
    definition: Mapped[str] = mapped_column(Text)
    active: Mapped[bool]
    set_by: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SourceHabit(Base):
    """What a source's responses of a month were like: how many, likely honest, of each kind.

    Derived: the examination of the month makes it anew.
    """

    __tablename__ = "source_habit"

    month: Mapped[date] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    unit_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    #: 0 where there is none.
    credential_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    habit_group: Mapped[int] = mapped_column(SmallInteger)
    #: Names of the kinds that were counted, and the counts, both divided by blanks.
    kinds: Mapped[str] = mapped_column(String(300))
    counts: Mapped[str] = mapped_column(String(300))


class SuspectBatch(Base):
    """Responses that are suspected together: of one source, unit, form, channel and month."""

    __tablename__ = "suspect_batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(index=True)
    version_id: Mapped[int] = mapped_column(SmallInteger)
    channel: Mapped[str] = mapped_column(String(16))
    #: Of forms and invitations there is none: all of the unit's by one channel are one source.
    credential_id: Mapped[int | None]
    #: Its first day.
    month: Mapped[date] = mapped_column(index=True)
    rule: Mapped[str] = mapped_column(String(32))
    rule_version: Mapped[int]
    #: That some of the source's responses of the month were given by no citizen.
    probability: Mapped[float] = mapped_column(Float(53))
    #: All of the source's in the month, and how many of them are likely stuffed.
    responses: Mapped[int]
    suspected: Mapped[float] = mapped_column(Float(53))
    #: JSON list of ``app.integrity.reasons.Reason``.
    reasons: Mapped[str] = mapped_column(Text)
    #: A value of ``State``.
    state: Mapped[str] = mapped_column(String(16))
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decision_reason: Mapped[str | None] = mapped_column(String(500))
    #: The batch of which this one is what a reviewer released beside the part that was rejected.
    split_from: Mapped[int | None]


class SuspectResponse(Base):
    """A response of a batch that is likely stuffed; of one batch at most."""

    __tablename__ = "suspect_response"

    response_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("suspect_batch.id"), index=True)
    #: A value of ``analysis.integrity.Kind``.
    kind: Mapped[str] = mapped_column(String(32))
    probability: Mapped[float] = mapped_column(Float(53))
    #: Counted while others of the batch came back: it moves with them no more, and no examination
    #: suspects it anew.
    let_go: Mapped[bool] = mapped_column(default=False, server_default=false())
