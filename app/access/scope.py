"""Where a caller has a right: the one place that bounds what anybody sees to their units.

Every query about units starts from ``units`` or has the condition ``within``; a test looks for
queries that do not. What stands below a unit is what does today, and what ended there: a head whose
unit ended keeps its past, and whoever is above that has it with the rest. What lies ahead gives
nothing yet (``app.access.callers``).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import CTE, ColumnElement, Select, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.access.callers import Caller, Grant
from app.access.models import Right, Sector
from app.registry.models import Unit, UnitKind
from app.registry.queries import UnitTree, tree

#: The kinds of units that a sector consists of, each with all that stands below it.
KINDS: dict[Sector, tuple[UnitKind, ...]] = {
    Sector.HEALTH: (UnitKind.HOSPITAL, UnitKind.HEALTH_CENTRE)
}


def units(session: Session, caller: Caller, right: Right) -> UnitTree:
    """The units on which the caller has the right, as a tree whose tops have no parent."""
    return tree(session, among=ids(caller.grants, right))


def within(
    unit_id: InstrumentedAttribute[int], caller: Caller, right: Right
) -> ColumnElement[bool]:
    """The condition that a row's unit is one on which the caller has the right."""
    among = ids(caller.grants, right)
    return true() if among is None else unit_id.in_(among)


def unit_ids(session: Session, caller: Caller, right: Right) -> frozenset[int] | None:
    """The ids of the units on which the caller has the right; None for all units."""
    among = ids(caller.grants, right)
    return None if among is None else frozenset(session.scalars(among))


def covers(session: Session, caller: Caller, right: Right, unit_id: int | None) -> bool:
    """Whether the caller has the right on a unit; on none means everywhere."""
    if caller.has_everywhere(right):
        return True
    among = ids(caller.grants, right)
    if unit_id is None or among is None:
        return False
    return session.scalar(select(Unit.id).where(Unit.id == unit_id, Unit.id.in_(among))) is not None


def ids(grants: Iterable[Grant], right: Right) -> Select[tuple[int]] | None:
    """A statement for the ids of the units that grants give a right on; None for all units."""
    having = [grant for grant in grants if right in grant.rights]
    if any(grant.unit_id is None and grant.sector is None for grant in having):
        return None
    tops: list[ColumnElement[bool]] = []
    plain = [grant.unit_id for grant in having if grant.sector is None]
    tops.append(Unit.id.in_([id for id in plain if id is not None]))
    for grant in having:
        if grant.sector is None:
            continue
        of_sector: ColumnElement[bool] = Unit.kind.in_(KINDS[grant.sector])
        if grant.unit_id is not None:
            reach = _with_all_below(Unit.id == grant.unit_id)
            of_sector = of_sector & Unit.id.in_(select(reach.c.id))
        tops.append(of_sector)
    return select(_with_all_below(or_(*tops)).c.id)


def _with_all_below(top: ColumnElement[bool]) -> CTE:
    found = select(Unit.id).where(top).cte(recursive=True)
    return found.union(select(Unit.id).join(found, Unit.parent_id == found.c.id))
