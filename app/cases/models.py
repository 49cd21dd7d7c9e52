"""The tables of cases.

No moment of a citizen's stands here: a case knows the local day on which it was opened and the
month that it is about. What staff write has its moment, as all that staff do.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, UtcDateTime


def new_number() -> int:
    """The number of a new case: nine digits at random, of which two are hardly ever the same.

    Where they are, nothing is stored, and the next round draws anew.
    """
    return 100_000_000 + secrets.randbelow(900_000_000)


class Origin(StrEnum):
    """Why a case was opened."""

    #: A respondent wants a reply.
    WISH = "wish"
    #: Ten or more of a unit, questionnaire and month gave low marks.
    BATCH = "batch"
    #: A comment speaks of misconduct, and its respondent wants no reply.
    MISCONDUCT = "misconduct"


class CaseState(StrEnum):
    """How far a case is."""

    #: Nobody has taken it.
    OPEN = "open"
    #: Somebody deals with it.
    WORKING = "working"
    #: The citizen has a reply, and may write again.
    ANSWERED = "answered"
    CLOSED = "closed"


class Case(Base):
    """Something to be dealt with, by whom, and until when."""

    __tablename__ = "citizen_case"
    __table_args__ = (Index(None, "unit_id", "version_id", "month"),)

    #: Drawn at random (``new_number``): numbers in a row would tell a unit, by those that it is not
    #: shown, how many cases are kept from it.
    id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, default=lambda: new_number()
    )
    #: A value of ``Origin``.
    origin: Mapped[str] = mapped_column(String(16))
    #: The case to whose reply its citizen wrote what speaks of misconduct: this one is about that
    #: alone, and whoever deals with the other is told nothing of it.
    follows_id: Mapped[int | None] = mapped_column(index=True)
    #: The unit that it is about.
    unit_id: Mapped[int]
    #: The unit that it is handed to; none where only who has the right everywhere may deal with it.
    handed_to_id: Mapped[int | None] = mapped_column(index=True)
    #: Whether it is kept from the unit that it is about, its being there included.
    confidential: Mapped[bool] = mapped_column(default=False, server_default=false())
    version_id: Mapped[int] = mapped_column(SmallInteger)
    #: The first day of the month that it is about.
    month: Mapped[date]
    opened_day: Mapped[date]
    due_day: Mapped[date]
    #: As it was set when the case was opened: by this one it is in time or late.
    first_due_day: Mapped[date]
    #: A value of ``CaseState``.
    state: Mapped[str] = mapped_column(String(16), index=True)
    #: Code of a cause of the list.
    cause: Mapped[str | None] = mapped_column(String(32))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    escalated_day: Mapped[date | None]
    closed_day: Mapped[date | None]
    #: Whether its citizen withdrew her response: of it nothing is left here but that it was.
    withdrawn: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: What was done, as whoever closed it wrote.
    done: Mapped[str | None] = mapped_column(String(500))
    #: How many responses: one, or those of a batch when it was opened.
    responses: Mapped[int]
    #: JSON: how many of them gave a low mark, by item code; of a single response the levels.
    low_items: Mapped[str] = mapped_column(Text)
    #: Of a batch: its responses came before this local day, and not before the earlier batch's.
    came_before: Mapped[date | None]
    #: What is to be mailed of it, a value of ``app.cases.mailing.News``, until it is written down
    #: for each reader.
    news: Mapped[str | None] = mapped_column(String(16), index=True)


class CaseMail(Base):
    """News of a case that one account is to be mailed; gone when the mail server has taken it."""

    __tablename__ = "case_mail"

    case_id: Mapped[int] = mapped_column(ForeignKey("citizen_case.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    #: A value of ``app.cases.mailing.News``.
    news: Mapped[str] = mapped_column(String(16), primary_key=True)
    #: Until then a process has it in hand; one that died gives it back by this.
    in_hand_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CaseSubject(Base):
    """The one response that a case of a wish or of misconduct is about. Of batches none is kept."""

    __tablename__ = "case_subject"

    response_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("citizen_case.id"), unique=True)


class CaseNote(Base):
    """What staff wrote down for one another."""

    __tablename__ = "case_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("citizen_case.id"), index=True)
    made_by: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    body: Mapped[str] = mapped_column(String(2000))


class CaseMessage(Base):
    """A reply to the citizen, or what she wrote to it; of both the day alone."""

    __tablename__ = "case_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("citizen_case.id"), index=True)
    from_citizen: Mapped[bool]
    #: Who replied; none of the citizen's.
    made_by: Mapped[str | None] = mapped_column(String(200))
    day: Mapped[date]
    #: Masked where it is the citizen's: longer, it may be, than she wrote; empty once withdrawn.
    body: Mapped[str] = mapped_column(Text)


class CaseList(Base):
    """One version of a list that people edit; appended, the newest of a name is in force."""

    __tablename__ = "case_list"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    #: A value of ``app.cases.lists.ListName``.
    name: Mapped[str] = mapped_column(String(16))
    version: Mapped[int]
    #: YAML, as it is edited.
    entries: Mapped[str] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CasePass(Base):
    """Up to which day something has looked through the responses."""

    __tablename__ = "case_pass"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    until: Mapped[date]
