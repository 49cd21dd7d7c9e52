"""Response rates of invitations, by unit and month in which the case was finished.

The rate is invitations answered over invitations issued (AAPOR Standard Definitions, 10th ed.
2023: RR1 for a list sample whose members are all eligible), with Wilson's interval. A month is
not over before its links have expired: until then its rate can only rise, and those who may not
see what few did are told nothing of it (``app.figures.invited``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy.orm import Session

from analysis import proportions
from app.access.callers import Caller
from app.figures import visible
from app.figures.invited import find_invited
from app.figures.lattice import CalendarPeriodsOnly
from app.figures.periods import end_of_month, span
from app.figures.query import Query
from app.figures.regrouping import Regrouping, whole_number
from app.figures.release import ReleaseRule
from app.figures.results import ResponseRateRow, ResponseRates, unit_result
from app.figures.unit_places import members
from app.invitations.service import months


def find(
    session: Session,
    caller: Caller,
    first: date,
    last: date,
    *,
    units: list[str],
    release_rule: ReleaseRule,
    structure: date | None = None,
) -> ResponseRates:
    """The response rates of the units named, or of all whose figures the caller may read.

    Raises
    ------
    UnknownUnit
        Where a unit is not there, or not the caller's.
    CalendarPeriodsOnly
        Where parts of months are asked for by who may not see what few did.
    """
    regrouping = Regrouping.of(session, caller, Query(structure=structure), release_rule.today)
    readable = regrouping.units
    small = visible.small_units(session, caller)
    if small is not None and release_rule.least > 1:
        if first.day != 1:
            raise CalendarPeriodsOnly(field="from")
        if last != end_of_month(last):
            raise CalendarPeriodsOnly(field="to")
    day = regrouping.structure.day
    wanted = {visible.find(session, readable, code, day).id for code in units}
    rows = regrouped(regrouping, months(session, regrouping.units_in(readable.nodes), first, last))
    rows = [row for row in rows if row.node in (wanted or readable.nodes)]
    n = np.array([row.issued for row in rows], dtype=np.float64)
    k = np.array([row.answered for row in rows], dtype=np.float64)
    wilson = proportions.interval(k, n)
    invited = None if small is None else find_invited(session, release_rule, small)
    of = {
        id: members(regrouping.structure, readable, id, descendants=False) for id in readable.nodes
    }
    found = []
    for place, row in enumerate(rows):
        days = span(row.month)
        shown = (
            invited is None
            or (small is not None and row.of <= small)
            or release_rule.least <= 1
            or invited.tells([of[row.node]], days.first, days.last)
        )
        found.append(
            ResponseRateRow(
                unit=unit_result(readable.nodes[row.node]),
                month=row.month,
                issued=whole_number(row.issued) if shown else None,
                answered=whole_number(row.answered) if shown else None,
                rate=float(wilson.estimate[place]) if shown else None,
                low=float(wilson.low[place]) if shown else None,
                high=float(wilson.high[place]) if shown else None,
                suppressed=not shown,
            )
        )
    return ResponseRates(
        structure=day, change_days=visible.change_days(session, first, last), rows=found
    )


@dataclass(frozen=True)
class InvitedRow:
    """A node and month: how many were invited, and answered, and of which units these are."""

    node: int
    month: str
    issued: float
    answered: float
    of: frozenset[int]


def regrouped(
    regrouping: Regrouping, rows: Iterable[tuple[int, str, int, int]]
) -> list[InvitedRow]:
    """Counts of the invited by unit and month as those of nodes, in the order of both."""
    found: dict[tuple[int, str], InvitedRow] = {}
    for unit_id, month, issued, answered in rows:
        for node, weight in regrouping.structure.placements[unit_id].parts:
            so_far = found.get((node, month), InvitedRow(node, month, 0.0, 0.0, frozenset()))
            found[node, month] = InvitedRow(
                node, month, so_far.issued + issued * weight,
                so_far.answered + answered * weight, so_far.of | {unit_id},
            )  # fmt: skip
    return [found[key] for key in sorted(found)]


def interval(answered: int, issued: int) -> proportions.Interval:
    """The response rate of so many invitations, with Wilson's interval; arrays of length one."""
    return proportions.interval(np.array([answered]), np.array([issued]))
