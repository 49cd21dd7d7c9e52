"""The registry's tables."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Float, ForeignKey, Index, Integer, SmallInteger, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, UtcDateTime


class UnitKind(StrEnum):
    """What a unit is in the organisation."""

    PROVINCE = "province"
    AGENCY = "agency"
    DISTRICT = "district"
    COMMUNE = "commune"
    HOSPITAL = "hospital"
    HEALTH_CENTRE = "health_centre"
    WARD = "ward"
    DESK = "desk"


class Channel(StrEnum):
    """By which way answers enter."""

    KIOSK = "kiosk"
    QR = "qr"
    WEB = "web"
    SMS = "sms"
    PAPER = "paper"
    #: Of an answer: by a one-time link, whatever its point's own channel.
    INVITATION = "invitation"


class PointState(StrEnum):
    """Whether a survey point takes answers; a revoked one never does again."""

    ACTIVE = "active"
    PAUSED = "paused"
    REVOKED = "revoked"


class Unit(Base):
    """A node of the organisation, of one and the same people and places as long as it is valid.

    Never deleted: what ends gets ``valid_to``, its last day; what a plan founded that was undone
    ends before it begins. A code may serve again for another unit after a reform, so code and
    first day are unique together. Kind, names, parent and position are those of today; what they
    were and will be on another day is in ``UnitPeriod``.
    """

    __tablename__ = "unit"
    __table_args__ = (Index("uq_unit_code_valid_from", "code", "valid_from", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(16))
    name_vi: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    latitude: Mapped[float | None] = mapped_column(Float(53))
    longitude: Mapped[float | None] = mapped_column(Float(53))

    parent: Mapped[Unit | None] = relationship(remote_side=id)

    @property
    def void(self) -> bool:
        """Whether the plan that founded it was undone."""
        return self.valid_to is not None and self.valid_to < self.valid_from

    def valid_on(self, day: date) -> bool:
        """Whether it exists on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class UnitPeriod(Base):
    """What a unit is called, what it is and where it stands, from a day on until its next period.

    The first begins with the unit; a unit that nothing was changed of has none, and is what its
    row says. A period may lie ahead: it holds from its day on.
    """

    __tablename__ = "unit_period"

    unit_id: Mapped[int] = mapped_column(
        ForeignKey("unit.id"), primary_key=True, autoincrement=False
    )
    first_day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    name_vi: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    latitude: Mapped[float | None] = mapped_column(Float(53))
    longitude: Mapped[float | None] = mapped_column(Float(53))


class Reorganisation(Base):
    """A plan that was carried out, as it was given; what it changed follows from it.

    Never deleted: one that was undone is named by the one that undid it.
    """

    __tablename__ = "reorganisation"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    #: The decision that ordered it, as people cite it.
    decision: Mapped[str] = mapped_column(String(500))
    #: The plan's lines as CSV.
    plan: Mapped[str] = mapped_column(Text)
    #: The first day on which anything changes.
    first_day: Mapped[date]
    applied_by: Mapped[str] = mapped_column(String(200))
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("reorganisation.id"), unique=True)


class Succession(Base):
    """That people and places of a unit that ended are another's from a day on.

    ``share`` says how much of the old unit went there, where the plan gives it; without one, a
    unit that has several successors is divided, and nobody knows how.
    """

    __tablename__ = "succession"

    from_id: Mapped[int] = mapped_column(
        ForeignKey("unit.id"), primary_key=True, autoincrement=False
    )
    to_id: Mapped[int] = mapped_column(
        ForeignKey("unit.id"), primary_key=True, autoincrement=False, index=True
    )
    #: First day of the new unit; the old one's last is the day before.
    day: Mapped[date]
    share: Mapped[float | None] = mapped_column(Float(53))
    reorganisation_id: Mapped[int | None] = mapped_column(ForeignKey("reorganisation.id"))


class QuestionnaireVersion(Base):
    """A published version of a form, whole, so that old answers keep their questions."""

    __tablename__ = "questionnaire_version"
    __table_args__ = (
        Index("uq_questionnaire_version_code_version", "code", "version", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(48))
    version: Mapped[int] = mapped_column(SmallInteger)
    content_hash: Mapped[str] = mapped_column(String(64))
    document: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Whether staff wrote it on a page; it did not come with the software or in a file.
    written_here: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: Since when it is asked no more, where somebody has withdrawn it; answers to it stay.
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Since when it is asked again, where it had been withdrawn; else it is so since it came.
    offered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class QuestionnaireDraft(Base):
    """A questionnaire that is being written: asked nowhere, and gone once it is published."""

    __tablename__ = "questionnaire_draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(48))
    #: JSON of the title in all its languages, so that a list reads no whole documents.
    title: Mapped[str] = mapped_column(Text, server_default="{}")
    document: Mapped[str] = mapped_column(Text)
    #: One more with each change: who changes another than they saw is refused.
    revision: Mapped[int]
    changed_by: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SurveyPoint(Base):
    """Where answers enter: a kiosk, a poster, a link. Of one unit, one form and one channel.

    ``unit_id`` is of which unit it is today; ``PointMove`` has when it was or will be another's.
    """

    __tablename__ = "survey_point"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    questionnaire: Mapped[str] = mapped_column(String(48))
    channel: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16), default=PointState.ACTIVE)
    state_since: Mapped[datetime] = mapped_column(UtcDateTime)
    opens_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Whether only those who were invited may answer here.
    invitations_only: Mapped[bool] = mapped_column(default=False, server_default=false())

    unit: Mapped[Unit] = relationship()
    codes: Mapped[list[PointCode]] = relationship(back_populates="point")
    moves: Mapped[list[PointMove]] = relationship(order_by="PointMove.day", viewonly=True)


class PointMove(Base):
    """That a survey point, printed codes and all, is of another unit from a local day on."""

    __tablename__ = "point_move"

    point_id: Mapped[int] = mapped_column(
        ForeignKey("survey_point.id"), primary_key=True, autoincrement=False
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    #: Of which unit it was until then.
    before_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))

    unit: Mapped[Unit] = relationship(foreign_keys=unit_id)
    before: Mapped[Unit] = relationship(foreign_keys=before_id)


class PointCode(Base):
    """A short public code as printed in a QR code: no secret. Reprinting replaces it."""

    __tablename__ = "point_code"

    code: Mapped[str] = mapped_column(String(16), primary_key=True)
    point_id: Mapped[int] = mapped_column(ForeignKey("survey_point.id"), index=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    replaced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    point: Mapped[SurveyPoint] = relationship(back_populates="codes")


class ServiceVolume(Base):
    """How many cases a unit finished, or patients it treated, in a month; without units below."""

    __tablename__ = "service_volume"

    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    #: Its first day.
    month: Mapped[date] = mapped_column(primary_key=True)
    cases: Mapped[int]


class Installation(Base):
    """The one row of facts about this database; made by the first migration."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: Whether the answers are drawn by a generator: every figure then says so.
    synthetic: Mapped[bool] = mapped_column(default=False)
