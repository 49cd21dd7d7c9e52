"""What one session asks for again and again, as a page of many figures does, computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from app.db.database import ACTOR

T = TypeVar("T")

#: Keys of ``Session.info``: figures by what they depend on, and the cells that were read.
FIGURES, CELLS = "hailong_figures", "hailong_cells"


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    """What was read holds for one transaction, and is a hundred times as large as the session.

    What a page was made of refers to its session and, kept there, to itself: without this the cells
    of all units stay in memory until the collector comes by, some requests later.
    """
    if transaction.parent is None:
        for kept in (FIGURES, CELLS):
            session.info.pop(kept, None)


def per_session(session: Session, key: tuple[Hashable, ...], compute: Callable[[], T]) -> T:
    """What was computed under a key in this session, or is computed now.

    A session that writes computes it each time: what it changed would be missed.
    """
    if ACTOR in session.info:
        return compute()
    kept: dict[tuple[Hashable, ...], T] = session.info.setdefault(FIGURES, {})
    if key not in kept:
        kept[key] = compute()
    return kept[key]
