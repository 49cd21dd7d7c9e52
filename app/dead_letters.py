"""What could not be delivered: tried again after growing pauses, then kept for the operator.

An SMS or a telling of a webhook that is given up is a dead letter: a row without ``due_at`` that
says when, why and after how many tries. A person sends it again or drops it; after
HAILONG_DEAD_LETTER_DAYS it is forgotten.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, TypeVar

from sqlalchemy import ColumnElement, String, delete, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.audit.log import record
from app.db import Database, UtcDateTime
from app.problems import NotFound

#: After so many tries an item is given up; its pauses make hours of them.
MOST_TRIES = 12
#: So long after it was taken nobody still has an item in hand: all deadlines together are shorter.
IN_HAND = timedelta(minutes=2)
_LONGEST_REASON = 200


class Fate(StrEnum):
    """Why nothing more is done about an item by itself."""

    #: Its receiver will never take it.
    REFUSED = "refused"
    #: It was tried often enough.
    GIVEN_UP = "given-up"
    #: It was handed over, and no good answer came: its receiver may have it.
    UNSURE = "unsure"
    #: A process took it and died, or lost the database, before it could tell: the same.
    UNCONFIRMED = "unconfirmed"


#: With these the item surely never arrived, so all of them may be sent again at once.
NEVER_ARRIVED = (Fate.REFUSED, Fate.GIVEN_UP)


class Item:
    """The columns of a table of items that wait; either ``due_at`` or ``failed_at`` is set."""

    #: What the audit log calls one.
    kind: ClassVar[str]

    id: Mapped[int] = mapped_column(primary_key=True)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    tries: Mapped[int] = mapped_column(default=0)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    fate: Mapped[str | None] = mapped_column(String(16))
    #: What went wrong at the last try, in the words of the machine.
    reason: Mapped[str | None] = mapped_column(String(_LONGEST_REASON))


I = TypeVar("I", bound=Item)  # noqa: E741 - the item's type


def pause(tries: int, first_s: int, longest_s: int) -> timedelta:
    """How long to wait after so many tries in vain."""
    return timedelta(seconds=min(longest_s, first_s * 2**tries))


def reason_of(error: BaseException, *secrets: str) -> str:
    """An exception in a line that fits its column, without what nobody is to read there."""
    text = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in str(error))
    for secret in secrets:
        text = text.replace(secret, "…") if secret else text
    name = type(error).__name__
    return (f"{name}: {text}" if text.strip() else name)[:_LONGEST_REASON]


def is_dead(table: type[Item], now: datetime) -> ColumnElement[bool]:
    """The condition on dead letters of a table; what a process has in hand is none yet."""
    return table.failed_at.is_not(None) & or_(
        table.fate != Fate.UNCONFIRMED, table.failed_at < now - IN_HAND
    )


def listed(session: Session, table: type[I], limit: int) -> Sequence[I]:
    """The dead letters of a table, the newest first, so many at most."""
    query = select(table).where(is_dead(table, datetime.now(UTC)))
    return session.scalars(query.order_by(table.failed_at.desc(), table.id).limit(limit)).all()


def count(session: Session, *tables: type[Item]) -> int:
    """How many dead letters the tables have."""
    now = datetime.now(UTC)
    return sum(
        session.scalar(select(func.count()).select_from(table).where(is_dead(table, now))) or 0
        for table in tables
    )


def retry(session: Session, table: type[Item], id: int) -> None:
    """Have a dead letter tried again, as if for the first time; the session must write.

    Raises
    ------
    NotFound
        Where there is none with this number.
    """
    item = _found(session, table, id)
    record(session, f"{table.kind}.retry", id, reason=item.reason)
    _revive(item)


def retry_all(session: Session, table: type[Item]) -> int:
    """Have all tried again that surely never arrived; how many."""
    condition = is_dead(table, datetime.now(UTC)) & table.fate.in_(NEVER_ARRIVED)
    found = session.scalars(select(table).where(condition).with_for_update()).all()
    if found:
        record(session, f"{table.kind}.retry", "all", count=len(found))
    for item in found:
        _revive(item)
    return len(found)


def drop(session: Session, table: type[Item], id: int) -> None:
    """Forget a dead letter; the session must write.

    Raises
    ------
    NotFound
        Where there is none with this number.
    """
    item = _found(session, table, id)
    record(session, f"{table.kind}.drop", id, reason=item.reason)
    session.delete(item)


def forget_old(database: Database, table: type[Item], days: int) -> int:
    """Forget dead letters after so many days; how many."""
    old = table.failed_at < datetime.now(UTC) - timedelta(days=days)
    with database.reading() as session:
        if session.scalar(select(table.id).where(old).limit(1)) is None:
            return 0
    with database.writing() as session:
        ids = session.scalars(delete(table).where(old).returning(table.id)).all()
        record(session, f"{table.kind}.expire", "all", count=len(ids))
    return len(ids)


def _found(session: Session, table: type[I], id: int) -> I:
    condition = (table.id == id) & is_dead(table, datetime.now(UTC))
    item = session.scalars(select(table).where(condition).with_for_update()).one_or_none()
    if item is None:
        raise NotFound
    return item


def _revive(item: Item) -> None:
    item.due_at, item.tries = datetime.now(UTC), 0
    item.failed_at = item.fate = item.reason = None
