"""The table of cells."""

from __future__ import annotations

from datetime import date

from sqlalchemy import LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class RollupCell(Base):
    """Packed sums of one (local day, unit, questionnaire version, channel).

    Derived from responses: ``hailong rollups rebuild`` makes it anew. Units and versions are
    never deleted, so no foreign key is checked on this path.
    """

    __tablename__ = "rollup_cell"
    # A cell is written again and again: on PostgreSQL its new version finds room beside the old.
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    day: Mapped[date] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    packed: Mapped[bytes] = mapped_column(LargeBinary)


class AsideCell(Base):
    """Packed sums of what is set aside, by the rule that did it: of the shape of ``RollupCell``.

    Figures *with* what is set aside are the sum of both.
    """

    __tablename__ = "aside_cell"

    day: Mapped[date] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    rule: Mapped[str] = mapped_column(String(32), primary_key=True)
    packed: Mapped[bytes] = mapped_column(LargeBinary)


class WithheldCell(Base):
    """Packed sums of what a device brought late and strangers are not told where it counts.

    Of days whose responses were deleted by rule: what was withheld then stays so, and nobody can
    look any more who it was with whom. Of the shape of ``RollupCell``.
    """

    __tablename__ = "withheld_cell"

    day: Mapped[date] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    #: Whether it is what is told of this unit above instead, and not what is withheld here.
    moved: Mapped[bool] = mapped_column(primary_key=True)
    packed: Mapped[bytes] = mapped_column(LargeBinary)
