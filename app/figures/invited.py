"""Which counts of the invited, and of those of them who answered, strangers are told.

An invited person who answers moves the count of their unit and month by one, whoever watches it.
So a month is told once it is over and none of its links can be used any more: from then on it does
not move. Of such months, counts form a lattice of units, questionnaires and periods, in which no
two or three that are told differ by few of the invited (``analysis.lattices``), over the units of
all structures (``app.figures.unit_places``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from analysis.lattices import Axis, protect
from app.figures import visible
from app.figures.lattice import parts_of
from app.figures.lattice_axes import add_upwards, time_axis
from app.figures.periods import Length, end_of_month, name_of, span
from app.figures.release import ReleaseRule
from app.figures.session_cache import per_session
from app.figures.unit_places import Members, UnitPlaces, unit_places
from app.invitations.service import by_questionnaire

#: All questionnaires: a place on their axis.
_ALL = 0
_CALENDAR = (Length.MONTH, Length.QUARTER, Length.HALF, Length.NINE_MONTHS, Length.YEAR)


@dataclass(frozen=True)
class Invited:
    """The counts that who sees everything of some units, and nothing else, is told."""

    release_rule: ReleaseRule
    #: First and last day of the months in which invited cases were finished, over or not.
    known: tuple[date, date] | None
    units: UnitPlaces
    questionnaires: dict[str, int]
    periods: dict[str, int]
    #: Shape (units, questionnaires, periods).
    hidden: NDArray[np.bool_]
    #: Shape (units, periods): where anybody was invited of whom the reader does not see it all.
    others: NDArray[np.bool_]
    exempt: frozenset[int]
    #: The first days of the months of cases, over or not, by unit.
    months: Mapping[int, frozenset[date]]

    def theirs(self, of: Iterable[Members], first: date, last: date) -> bool:
        """Whether the reader sees everything of all who were invited about some units."""
        ids = frozenset().union(*(each.whole | each.shared for each in of))
        begin = first.replace(day=1)
        invited = {
            id for id in ids if any(begin <= month <= last for month in self.months.get(id, ()))
        }
        # Of units where nobody was, those who see only some of them are not told that either.
        return bool(ids) and (invited or ids) <= self.exempt

    def tells(
        self,
        of: Collection[Members],
        first: date,
        last: date,
        *,
        questionnaire: str | None = None,
    ) -> bool:
        """Whether the counts of some units together are told; of all questionnaires without one."""
        if self.theirs(of, first, last):
            return True
        name = self._named(first, last)
        if name is None or not is_settled(last, self.release_rule):
            return False
        place = _ALL if questionnaire is None else self.questionnaires.get(questionnaire)
        if place is None:
            return True  # nobody was invited to it
        at = [self.periods[part] for part in name if part in self.periods]
        return not any(
            self.others[np.ix_(each.left_out, at)].any()
            or self.hidden[np.ix_(each.places, [place], at)].any()
            for each in map(self.units.find, of)
        )

    def _named(self, first: date, last: date) -> list[str] | None:
        """The periods of the calendar that some days are; None where they cut one."""
        for length in _CALENDAR:
            found = span(name_of(first, length))
            if (found.first, found.last) == (first, last):
                return parts_of(found.name)
        if self.known is not None and (first > self.known[0] or last < self.known[1]):
            return None
        return [name for name in self.periods if len(name) == 4]


def is_settled(day: date, release_rule: ReleaseRule) -> bool:
    """Whether the month of a day is over, and no link to a case of it can be used any more."""
    return end_of_month(day) < release_rule.today - timedelta(days=release_rule.invitation_days)


def find_invited(session: Session, release_rule: ReleaseRule, exempt: frozenset[int]) -> Invited:
    """Which counts are told to whoever sees everything of ``exempt``, and nothing else."""
    return per_session(
        session, ("invited", release_rule, exempt), lambda: _build(session, release_rule, exempt)
    )


def _build(session: Session, release_rule: ReleaseRule, exempt: frozenset[int]) -> Invited:
    every = by_questionnaire(session)
    known = None
    if every:
        days = [month for _, _, month, _ in every]
        known = (min(days), end_of_month(max(days)))
    rows = [row for row in every if is_settled(row[2], release_rule) and row[0] not in exempt]
    units = unit_places(
        visible.units_of_all_times(session), release_rule.today, {row[0] for row in rows}
    )
    periods, time = time_axis({row[2] for row in rows})
    names = sorted({row[1] for row in rows})
    questionnaires = {name: i for i, name in enumerate(names, start=1)}
    axes = (units.axis, Axis(np.array([-1] + [_ALL] * len(names), dtype=np.intp)), time)
    people = np.zeros([len(axis.parent) for axis in axes], dtype=np.int64)
    for unit, questionnaire, month, n in rows:
        place = periods[name_of(month, Length.MONTH)]
        people[units.alone[unit], questionnaires[questionnaire], place] += n
    for number, axis in enumerate(axes):
        add_upwards(people, axis, number)
    hidden = protect(people, axes, max(release_rule.least, 1))
    months_of: dict[int, set[date]] = {}
    for unit, _, month, _ in every:
        months_of.setdefault(unit, set()).add(month)
    months = {unit: frozenset(found) for unit, found in months_of.items()}
    return Invited(
        release_rule,
        known,
        units,
        questionnaires,
        periods,
        hidden,
        people[:, _ALL] > 0,
        exempt,
        months,
    )
