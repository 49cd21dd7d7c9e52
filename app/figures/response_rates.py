"""Response rates of invitations, by unit and month in which the case was finished.

The rate is invitations answered over invitations issued (AAPOR Standard Definitions, 10th ed.
2023: RR1 for a list sample whose members are all eligible), with Wilson's interval. A month is
not over before its links have expired: until then its rate can only rise, and those who may not
see what few did are told nothing of it (``app.figures.invited``).
"""

from __future__ import annotations

from datetime import date

import numpy as np
from sqlalchemy.orm import Session

from analysis import proportions
from app.access.callers import Caller
from app.figures import visible
from app.figures.invited import find_invited
from app.figures.lattice import CalendarPeriodsOnly
from app.figures.periods import end_of_month, span
from app.figures.release import ReleaseRule
from app.figures.results import ResponseRateRow, ResponseRates, unit_result
from app.invitations.service import months


def find(
    session: Session,
    caller: Caller,
    first: date,
    last: date,
    *,
    units: list[str],
    release_rule: ReleaseRule,
) -> ResponseRates:
    """The response rates of the units named, or of all whose figures the caller may read.

    Raises
    ------
    UnknownUnit
        Where a unit is not there, or not the caller's.
    CalendarPeriodsOnly
        Where parts of months are asked for by who may not see what few did.
    """
    readable = visible.units(session, caller)
    small = visible.small_units(session, caller)
    if small is not None and release_rule.least > 1:
        if first.day != 1:
            raise CalendarPeriodsOnly(field="from")
        if last != end_of_month(last):
            raise CalendarPeriodsOnly(field="to")
    wanted = {readable.find(code).id for code in units} or set(readable.nodes)
    rows = months(session, wanted, first, last)
    n = np.array([row[2] for row in rows], dtype=np.float64)
    k = np.array([row[3] for row in rows], dtype=np.float64)
    wilson = proportions.interval(k, n)
    invited = None if small is None else find_invited(session, release_rule, small)
    found = []
    for place, (unit_id, month, issued, answered) in enumerate(rows):
        days = span(month)
        shown = (
            invited is None
            or (small is not None and unit_id in small)
            or release_rule.least <= 1
            or invited.tells([unit_id], days.first, days.last, descendants=False)
        )
        found.append(
            ResponseRateRow(
                unit=unit_result(readable.nodes[unit_id]),
                month=month,
                issued=issued if shown else None,
                answered=answered if shown else None,
                rate=float(wilson.estimate[place]) if shown else None,
                low=float(wilson.low[place]) if shown else None,
                high=float(wilson.high[place]) if shown else None,
                suppressed=not shown,
            )
        )
    return ResponseRates(rows=found)


def interval(answered: int, issued: int) -> proportions.Interval:
    """The response rate of so many invitations, with Wilson's interval; arrays of length one."""
    return proportions.interval(np.array([answered]), np.array([issued]))
