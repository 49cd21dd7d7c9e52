"""Which cases are somebody's to see, and to deal with.

A case is seen by whoever has the right on the unit that it is about or on the one that it is handed
to, and dealt with from where it is handed to. What speaks of misconduct is kept from the unit that
it is about: it is seen only from where it is handed to, and by nobody who has a role of any kind on
the unit, on one below it, or on one that it was or became, whatever other roles they have. Neither
does it stand in a number that they are shown.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.access.models import Account, Right, RoleGrant
from app.access.roles import Role
from app.access.unit_roles import UnitRoles, own_by
from app.cases.models import Case
from app.registry.structures import Units

#: Roles that deal with a unit's cases.
HANDLING = (Role.CARE_DESK, Role.UNIT_HEAD)


@dataclass(frozen=True)
class Reach:
    """A caller before cases; sets of unit ids, None for all units."""

    reads: frozenset[int] | None
    handles: frozenset[int] | None
    reads_small: frozenset[int] | None
    #: Of which units nothing confidential is theirs: units with a role of theirs, all that these
    #: were or became, and what each stands below.
    barred: frozenset[int]
    units: Units
    #: None where no person stands behind the caller.
    account_id: int | None

    @classmethod
    def of_caller(cls, session: Session, caller: Caller, today: date) -> Reach:
        """What the caller may, by today's tree."""
        roles = UnitRoles.read(session, caller, today)
        return cls(
            roles.having(Right.READ_CASES),
            roles.having(Right.HANDLE_CASES),
            roles.having(Right.READ_SMALL_CELLS),
            roles.own(),
            roles.units,
            caller.account_id,
        )

    def condition(self) -> ColumnElement[bool]:
        """The condition that a case is one that they see."""
        handed = _among(self.reads)
        about = true() if self.reads is None else Case.unit_id.in_(sorted(self.reads))
        own = Case.unit_id.in_(sorted(self.barred)) if self.barred else false()
        return or_(
            and_(Case.confidential.is_(False), or_(about, handed)),
            and_(Case.confidential.is_(True), handed, ~own),
        )

    def may_handle(self, case: Case) -> bool:
        """Whether a case that they see is theirs to deal with."""
        if self.account_id is None:
            return False
        if self.handles is None:
            return True
        return case.handed_to_id is not None and case.handed_to_id in self.handles

    def reads_few(self, unit_id: int) -> bool:
        """Whether they may see what few people said of a unit."""
        return self.reads_small is None or unit_id in self.reads_small


def _among(reads: frozenset[int] | None) -> ColumnElement[bool]:
    return true() if reads is None else Case.handed_to_id.in_(sorted(reads))


def unit_above(
    session: Session, units: Units, unit_id: int, today: date, *, about: int | None = None
) -> int | None:
    """The nearest unit above one with a care desk or a head; else the topmost one, where whoever
    has the right everywhere finds it. None for what stands below none.

    A care desk or head who has a role on the unit itself counts for none, nor, where a case that
    is ``about`` another unit is handed on, one who has a role on that.
    """
    line = _line_above(units, unit_id, today)
    staffed = _staffed(session, units, unit_id if about is None else about, line, today)
    return next((id for id in line if id in staffed), line[-1] if line else None)


def _line_above(units: Units, unit_id: int, today: date) -> list[int]:
    """What a unit, or what it became, stands below, the nearest first."""
    present = unit_id
    passed = {present}
    while not units.histories[present].valid_on(today):
        following = [
            step.to_id for step in units.after.get(present, ()) if step.to_id not in passed
        ]
        if not following:
            break
        present = following[0]
        passed.add(present)
    line = []
    parent = units.histories[present].on(today).parent_id
    while parent is not None and parent not in passed:
        line.append(parent)
        passed.add(parent)
        parent = units.histories[parent].on(today).parent_id
    return line


def _staffed(
    session: Session, units: Units, unit_id: int, line: Collection[int], today: date
) -> set[int]:
    """Where somebody deals with cases who may be told what is kept from the unit."""
    held: dict[int, set[int | None]] = {}
    handling: dict[int, set[int]] = {}
    for account_id, at, role in session.execute(
        select(RoleGrant.account_id, RoleGrant.unit_id, RoleGrant.role)
        .join(Account, Account.id == RoleGrant.account_id)
        .where(
            Account.disabled_at.is_(None),
            RoleGrant.account_id.in_(
                select(RoleGrant.account_id).where(
                    RoleGrant.unit_id.in_(line), RoleGrant.role.in_(HANDLING)
                )
            ),
        )
    ):
        held.setdefault(account_id, set()).add(at)
        if role in HANDLING and at is not None and at in line:
            handling.setdefault(account_id, set()).add(at)
    found: set[int] = set()
    for account_id, places in handling.items():
        if unit_id not in own_by(units, held[account_id], today):
            found |= places
    return found
