"""The tables of access."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, UtcDateTime


class Right(StrEnum):
    """What a credential may do."""

    #: Send responses for its survey point, kept offline for some days at most.
    SUBMIT = "responses:submit"
    #: Send responses for any point and of any past time: the bulk import's right.
    IMPORT_HISTORY = "responses:import"
    #: Read rates and intervals.
    READ_FIGURES = "figures:read"
    #: See the rates of fewer respondents than HAILONG_LEAST_RESPONDENTS too.
    READ_SMALL_CELLS = "figures:read-small"
    #: Read units, points and questionnaires.
    READ_REGISTRY = "registry:read"


class Credential(Base):
    """A secret that was given to a device or another system. Kept as a hash, shown once."""

    __tablename__ = "credential"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: Space-separated rights, as in OAuth 2 scopes.
    rights: Mapped[str] = mapped_column(String(400))
    #: The survey point that a device sends for.
    point_id: Mapped[int | None] = mapped_column(ForeignKey("survey_point.id"))
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
