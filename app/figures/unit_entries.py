"""Entries about a unit: a person keeps one by name, and it is ended by name, never overwritten.

Each sort of entry (action notes, limit decisions) states in its own module what it says, what is
refused, and what the audit log is told; who may keep, end and read one stands here for all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, UnaryExpression, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from app.access import scope
from app.access.callers import Caller, Person
from app.access.models import Right
from app.figures import visible
from app.figures.models import UnitEntry
from app.problems import Problem
from app.registry.models import Unit

#: Entries that a list has at most.
_MOST = 1000

E = TypeVar("E", bound=UnitEntry)
#: What entries are ordered by.
Order = (
    InstrumentedAttribute[int] | InstrumentedAttribute[date]
    | UnaryExpression[int] | UnaryExpression[date]
)  # fmt: skip


@dataclass(frozen=True)
class Book(Generic[E]):
    """All entries of a sort: with which right they are kept, and how a missing one is refused."""

    entry: type[E]
    right: Right
    unknown: type[Problem]

    def unit_id(self, session: Session, caller: Caller, code: str) -> int:
        """The id of a unit that the caller may keep entries about.

        Raises
        ------
        UnknownUnit
            Where it is not one of them.
        """
        return scope.units(session, caller, self.right).find(code).id

    def take_turns(self, session: Session, unit_id: int) -> None:
        """Let whoever else takes turns at the unit wait until this transaction ends."""
        session.execute(select(Unit.id).where(Unit.id == unit_id).with_for_update())

    def keep(self, session: Session, caller: Caller, entry: E) -> E:
        """Write an entry down, with the caller's name and the moment."""
        entry.made_by, entry.made_at = _name(caller), datetime.now(UTC)
        session.add(entry)
        session.flush()
        return entry

    def end(self, session: Session, caller: Caller, id: int) -> E:
        """Let an entry count no more, by the caller's name; it stays in the list.

        Raises
        ------
        Problem
            The book's ``unknown``: there is none that counts, or none that is the caller's to end.
        """
        entry = session.scalar(
            select(self.entry).where(
                self.entry.id == id,
                self.entry.ended_at.is_(None),
                scope.within(self.entry.unit_id, caller, self.right),
            )
        )
        if entry is None:
            raise self.unknown(id=id)
        entry.ended_at, entry.ended_by = datetime.now(UTC), _name(caller)
        return entry

    def listed(
        self,
        session: Session,
        caller: Caller,
        *conditions: ColumnElement[bool],
        unit: str | None,
        ended: bool,
        order: Sequence[Order],
    ) -> Sequence[E]:
        """Entries about units whose figures the caller may read.

        Raises
        ------
        UnknownUnit
            Where the unit named is not one of them.
        """
        found = (
            select(self.entry)
            .where(scope.within(self.entry.unit_id, caller, Right.READ_FIGURES), *conditions)
            .options(joinedload(self.entry.unit))
            .order_by(*order)
            .limit(_MOST)
        )
        if unit is not None:
            node = scope.units(session, caller, Right.READ_FIGURES).find(unit)
            found = found.where(self.entry.unit_id == node.id)
        if not ended:
            found = found.where(self.entry.ended_at.is_(None))
        return session.scalars(found).all()

    def counting(
        self,
        session: Session,
        caller: Caller,
        units: Collection[int],
        *conditions: ColumnElement[bool],
        order: Sequence[Order],
        today: date | None = None,
    ) -> Mapping[int, Sequence[E]]:
        """By unit id the entries that count, of those units whose figures the caller may read.

        With a day that is today those of the past of the caller's units are among them.
        """
        theirs = (
            scope.within(self.entry.unit_id, caller, Right.READ_FIGURES)
            if today is None
            else visible.within(session, self.entry.unit_id, caller, today)
        )
        found = session.scalars(
            select(self.entry)
            .where(
                theirs,
                self.entry.ended_at.is_(None),
                *conditions,
            )
            .order_by(*order)
        )
        kept: dict[int, list[E]] = {}
        for each in found:
            if each.unit_id in units:
                kept.setdefault(each.unit_id, []).append(each)
        return kept


def _name(caller: Caller) -> str:
    return (caller.full_name if isinstance(caller, Person) else caller.name)[:200]
