"""The tables of responses."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    Uuid,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, UtcDateTime


class Disposition(StrEnum):
    """Whether a response counts."""

    COUNTED = "counted"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"
    #: Sent by a device or system that was in other hands: an operator set it aside.
    DISTRUSTED = "distrusted"


class Response(Base):
    """One completed form, as it came in; appended, never edited (save its disposition).

    On PostgreSQL the table is partitioned by month over ``id``: a UUIDv7 begins with the
    device's clock, so ids of a month are one range, and the primary key stays unique over all
    partitions. On SQLite the table is ordered by it, so that an insertion touches one tree.
    Units, points and versions are never deleted, so no foreign key is checked on this path.
    """

    __tablename__ = "response"
    __table_args__ = (
        # Those whose hash is to be dropped; no other response has an entry here.
        Index(
            "ix_response_texts_received",
            "received_at",
            sqlite_where=text("length(texts_hash) > 0"),
            postgresql_where=text("length(texts_hash) > 0"),
        ),
        {"postgresql_partition_by": "RANGE (id)", "sqlite_with_rowid": False},
    )

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    point_id: Mapped[int]
    unit_id: Mapped[int]
    version_id: Mapped[int] = mapped_column(SmallInteger)
    channel: Mapped[str] = mapped_column(String(16))
    #: The local day on which it is counted.
    day: Mapped[date]
    #: When it was answered by the server's rules, and what the client said.
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    claimed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    duration_s: Mapped[int | None] = mapped_column(Integer)
    language: Mapped[str] = mapped_column(String(3))
    disposition: Mapped[str] = mapped_column(String(16))
    #: By which rule it is set aside; none where it counts.
    aside_rule: Mapped[str | None] = mapped_column(String(32))
    #: The coded answers as the version's answer sheet packs them.
    packed: Mapped[bytes] = mapped_column(LargeBinary)
    #: Left unfinished by its respondent, and kept because its questionnaire says so.
    partial: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: The credential of the device or system that sent it, so that what a stolen one sent can be
    #: set aside together. Forms and invitations have none: nobody is known by them.
    credential_id: Mapped[int | None]
    #: Of its texts as they were received, if it has some, by a key outside the database
    #: (``app.text_keys``); with the other columns it tells a repeated response from another one
    #: that took its id. Empty once devices may have given up sending it.
    texts_hash: Mapped[bytes | None] = mapped_column(LargeBinary(20))


class LateResponse(Base):
    """That a response came on a later local day than it was given: a device had been offline.

    Who is shown figures of ten people and more is told of it with others alone; without this table
    all responses would have to be searched for such. Imported history is none of them.
    """

    __tablename__ = "late_response"

    response_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    version_id: Mapped[int] = mapped_column(SmallInteger, index=True)
    unit_id: Mapped[int]
    channel: Mapped[str] = mapped_column(String(16))
    day: Mapped[date]
    #: The local day on which it came.
    received: Mapped[date]


class ReceivedDay(Base):
    """That of what was received on a day an id begins on another: ``app.intake.received_days``.

    Both are days of UTC; there are as many rows of a day as earlier days came up one after another.
    """

    __tablename__ = "received_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    begins: Mapped[date] = mapped_column(primary_key=True)


class ReceiptDated(Base):
    """That a response is counted on the day it came, since its own day could not be known."""

    __tablename__ = "receipt_dated_response"

    response_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    unit_id: Mapped[int] = mapped_column(index=True)
    #: A value of ``app.intake.times.ReceiptRule``.
    rule: Mapped[str] = mapped_column(String(32))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AsideResponse(Base):
    """What a device brought and was refused for good: its respondent was thanked all the same.

    Kept under the code of the problem that refused it, its words masked, and counted nowhere.
    """

    __tablename__ = "aside_response"

    #: The device's key, and the id as it was sent: sent again, it is kept once.
    credential_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    response_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    point_id: Mapped[int]
    unit_id: Mapped[int] = mapped_column(index=True)
    rule: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    #: Of the body as it was received, as ``Response.texts_hash``; none where it came before there
    #: were keys.
    body_hash: Mapped[bytes | None] = mapped_column(LargeBinary(20))
    #: By which edition of the masker; none where it is as it was received.
    masker_edition: Mapped[int | None] = mapped_column(SmallInteger)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Of whoever wished a reply the hash of her code, by which she learns that it does not count.
    code_hash: Mapped[str | None] = mapped_column(String(64), index=True)


class ReplyCode(Base):
    """That a respondent wants a reply: the hash of her code, and for which response.

    The code itself is hers alone. Apart from the response, so that nothing that reads, exports or
    keeps responses carries it. What stands here is committed with the response.
    """

    __tablename__ = "reply_code"

    #: SHA-256 of the code, in hexadecimal digits.
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: Of one response there is one code: the store sees to it (``app.intake.reply_codes``).
    response_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), index=True)
    #: Whether its case was opened (``app.cases.opening``).
    opened: Mapped[bool] = mapped_column(default=False, server_default=false(), index=True)


class ResponseText(Base):
    """A free text of a response: apart, with rights and a time of keeping of its own.

    What identifies a person is masked before it is stored (``app.masking``).
    """

    __tablename__ = "response_text"
    __table_args__ = (Index(None, "unit_id", "day"),)

    response_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    item: Mapped[str] = mapped_column(String(32), primary_key=True)
    unit_id: Mapped[int]
    day: Mapped[date]
    body: Mapped[str] = mapped_column(Text)
    #: The same with the names of staff, encrypted by a key outside the database; none where the
    #: text names none.
    encrypted_body: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: By which edition of the masker; none where it is as it was received.
    masker_edition: Mapped[int | None] = mapped_column(SmallInteger)


class RetentionNote(Base):
    """Up to which days responses and texts were deleted by rule; one row, or none yet.

    From the moment on at which it is noted, recounts begin with that day, whether all earlier rows
    are gone already or not: at no moment does anything look at half of them.
    """

    __tablename__ = "retention_note"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: The first local day whose responses are kept; cells of earlier days stay as they are.
    responses_from: Mapped[date | None]
    #: The same day, once all earlier ones are gone.
    responses_gone: Mapped[date | None]
    #: The first local day whose texts are kept.
    texts_from: Mapped[date | None]
    texts_gone: Mapped[date | None]
    #: The local day of the last nightly run that a server began.
    nightly_on: Mapped[date | None]


class ErasedResponse(Base):
    """That a response was erased: by its mark, from which nobody finds its id.

    Who sends it again is told that it is there, and it is neither stored nor counted anew.
    """

    __tablename__ = "erased_response"

    mark: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    #: A value of ``app.intake.retained.Erased``.
    why: Mapped[str] = mapped_column(String(16))


class WithdrawnResponse(Base):
    """A response that its citizen withdrew and that figures still count, until ten may leave.

    Its row has another id, and nothing of before but what figures are computed from.
    """

    __tablename__ = "withdrawn_response"

    response_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    #: Whether it is of those who gave low marks and whom the unit was told of by no case of their
    #: own (``app.cases.batching``): a batch that it is in keeps its number.
    nameless: Mapped[bool] = mapped_column(default=True, server_default=true())


class ResponseChange(Base):
    """What became of a response since it was stored: ``app.intake.changes``."""

    __tablename__ = "response_change"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    #: A value of ``app.intake.changes.What``.
    what: Mapped[str] = mapped_column(String(8))
    #: None where it is gone.
    response_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False), index=True)
    #: Its id outside (``app.intake.export_ids``), by which copies drop it.
    export_id: Mapped[str] = mapped_column(String(20))
    unit_id: Mapped[int]
    version_id: Mapped[int] = mapped_column(SmallInteger)
