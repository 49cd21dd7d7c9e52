"""The version of the figures: a number that is another one after every change of the cells.

Kept by slot, one slot a process, so that processes that store at the same time do not wait for
one row; the version is the sum over the slots. Whoever reads the version before the figures has
at least that version's figures.
"""

from __future__ import annotations

import secrets

from sqlalchemy import BigInteger, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db import Base
from app.db.later import do_later

_SLOTS = 64
_SLOT = secrets.randbelow(_SLOTS)


class RollupVersion(Base):
    """How often the processes of one slot changed what figures are computed from."""

    __tablename__ = "rollup_version"

    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    changes: Mapped[int] = mapped_column(BigInteger)


_RAISE = (
    f"INSERT INTO rollup_version (slot, changes) VALUES ({_SLOT}, 1) "
    "ON CONFLICT (slot) DO UPDATE SET changes = rollup_version.changes + 1"
)


def raise_version(session: Session) -> None:
    """Note that figures change with this transaction; the last thing that it does.

    The slot's row stays locked until the end of the transaction.
    """
    do_later(session.connection(), _RAISE)


def version(session: Session) -> int:
    """The version as this session sees it."""
    return int(session.scalar(select(func.sum(RollupVersion.changes))) or 0)
