"""What one session asks for again and again, as a page of many figures does, computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from sqlalchemy.orm import Session

from app.db.database import ACTOR

T = TypeVar("T")


def per_session(session: Session, key: tuple[Hashable, ...], compute: Callable[[], T]) -> T:
    """What was computed under a key in this session, or is computed now.

    A session that writes computes it each time: what it changed would be missed.
    """
    if ACTOR in session.info:
        return compute()
    kept: dict[tuple[Hashable, ...], T] = session.info.setdefault("hailong_figures", {})
    if key not in kept:
        kept[key] = compute()
    return kept[key]
