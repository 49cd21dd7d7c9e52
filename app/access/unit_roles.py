"""A caller before units of all times: on which a right is theirs, and which are their own.

What ended goes with what it became (``app.registry.carrying_back``). A unit is somebody's own who
has a role of any kind on it, on one below it, or on one that it was or became: what is kept from
a unit is kept from them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import scope
from app.access.callers import Caller
from app.access.models import Right, RoleGrant
from app.registry.carrying_back import carried_back
from app.registry.kinship import kin, with_all_above
from app.registry.structures import Units, read_units


@dataclass(frozen=True)
class UnitRoles:
    """The units of a caller, by today's tree."""

    session: Session
    caller: Caller
    units: Units
    today: date

    @classmethod
    def read(cls, session: Session, caller: Caller, today: date) -> UnitRoles:
        """Read the units of all times for a caller."""
        return cls(session, caller, read_units(session), today)

    def having(self, right: Right) -> frozenset[int] | None:
        """The ids of the units on which the right is theirs; None for all units."""
        granted = scope.unit_ids(self.session, self.caller, right)
        return None if granted is None else frozenset(carried_back(self.units, granted, self.today))

    def own(self) -> frozenset[int]:
        """The ids of the units that are their own, by the roles of the person behind a key too."""
        held: set[int | None] = {grant.unit_id for grant in self.caller.grants}
        if self.caller.account_id is not None:
            # Also by a key with fewer rights, and roles that give nothing yet.
            roles = select(RoleGrant.unit_id).where(RoleGrant.account_id == self.caller.account_id)
            held |= set(self.session.scalars(roles))
        return own_by(self.units, held, self.today)


def own_by(units: Units, held: Collection[int | None], today: date) -> frozenset[int]:
    """The ids of somebody's own units, who has roles on ``held``; None there is everywhere."""
    ids = [id for id in held if id is not None and id in units.histories]
    return with_all_above(units, kin(units, ids), today)
