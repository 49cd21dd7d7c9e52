"""Which counts of cases strangers are told: of units, of what came of the cases, of periods.

A case is a complaint of few people, often of one. Counts go from hand to hand with reports, and a
month beside its quarter, or a unit beside what stands below it, would tell by their difference what
is hidden. So all counts form a lattice, as rates do (``app.figures.lattice``), in which no two or
three that are told differ by few (``analysis.lattices``), over the units of all structures
(``app.figures.unit_places``). Cases are divided in two ways: into open ones, those in time and
those late; and into open ones and what came of each cause. What one hides of all cases or of the
open ones, the other does not tell. How many were handed on is in neither: hardly any of them was
closed in time, so that what is left of the two would follow.

Of a period that runs still nothing is told here: whoever looked before and after a wish was sent
would know of it. What is confidential is in no number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, auto

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from analysis.lattices import Axis, protect
from app.cases.models import Case
from app.figures import visible
from app.figures.lattice import parts_of
from app.figures.lattice_axes import add_upwards, time_axis
from app.figures.periods import Length, Span, name_of
from app.figures.release import ReleaseRule
from app.figures.session_cache import per_session
from app.figures.unit_places import Members, UnitPlaces, unit_places


class State(StrEnum):
    """What became of a case."""

    OPEN = auto()
    IN_TIME = auto()
    LATE = auto()


@dataclass(frozen=True)
class OfCause:
    """The closed cases that came of a cause; None where none is set."""

    code: str | None


#: A part of the cases; None is all of them.
Part = State | OfCause | None
#: The first places of both divisions: all cases, and those that are open.
_STEM: tuple[Part, ...] = (None, State.OPEN)


def state(case: Case) -> State:
    """What became of a case, by the first due day."""
    if case.closed_day is None:
        return State.OPEN
    return State.IN_TIME if case.closed_day <= case.first_due_day else State.LATE


@dataclass(frozen=True)
class _Division:
    """One way to divide cases: the place of each part, and what is hidden."""

    places: Mapping[Part, int]
    #: Shape (units, parts, periods).
    hidden: NDArray[np.bool_]


@dataclass(frozen=True)
class CaseCounts:
    """The counts that who sees everything of some units, and nothing else, is told."""

    release_rule: ReleaseRule
    units: UnitPlaces
    periods: Mapping[str, int]
    divisions: Sequence[_Division]
    #: Shape (units, periods): where there is any case of which the reader does not see it all.
    others: NDArray[np.bool_]
    exempt: frozenset[int]

    def theirs(self, of: Iterable[Members]) -> bool:
        """Whether the reader sees everything of some units."""
        ids = frozenset().union(*(each.whole | each.shared for each in of))
        return bool(ids) and ids <= self.exempt

    def tells(self, of: Collection[Members], span: Span, part: Part = None) -> bool:
        """Whether a count of some units together is told; of all cases without a part."""
        if self.theirs(of):
            return True
        if not span.calendar or span.last >= self.release_rule.today:
            return False
        at = [self.periods[name] for name in parts_of(span.name) if name in self.periods]
        standings = [self.units.find(each) for each in of]
        if any(self.others[np.ix_(each.left_out, at)].any() for each in standings):
            return False
        return not any(
            division.hidden[np.ix_(each.places, [division.places[part]], at)].any()
            for division in self.divisions
            if part in division.places
            for each in standings
        )


def find_case_counts(
    session: Session, release_rule: ReleaseRule, exempt: frozenset[int]
) -> CaseCounts:
    """Which counts are told to whoever sees everything of ``exempt``, and nothing else."""
    return per_session(
        session, ("cases", release_rule, exempt), lambda: _build(session, release_rule, exempt)
    )


def _build(session: Session, release_rule: ReleaseRule, exempt: frozenset[int]) -> CaseCounts:
    cases = [
        case
        for case in session.scalars(
            select(Case).where(
                Case.confidential.is_(False), Case.opened_day < release_rule.today.replace(day=1)
            )
        )
        if case.unit_id not in exempt
    ]
    units = unit_places(
        visible.units_of_all_times(session), release_rule.today, {case.unit_id for case in cases}
    )
    periods, time = time_axis({case.opened_day.replace(day=1) for case in cases})
    in_time = [state(case) for case in cases]
    of_cause = [
        OfCause(case.cause) if case.closed_day is not None else State.OPEN for case in cases
    ]
    people = [_people(cases, of, units, periods, time) for of in (in_time, of_cause)]
    least = max(release_rule.least, 1)
    hidden = [np.zeros(n.shape, dtype=np.bool_) for _, n, _ in people]
    stem = np.zeros((len(units.axis.parent), len(_STEM), len(time.parent)), dtype=np.bool_)
    while True:
        for number, (_, n, axes) in enumerate(people):
            hidden[number][:, : len(_STEM)] |= stem
            hidden[number] = protect(n, axes, least, hidden=hidden[number])
        found = np.logical_or.reduce([each[:, : len(_STEM)] for each in hidden])
        if (found == stem).all():
            break
        stem = found
    return CaseCounts(
        release_rule,
        units,
        periods,
        [_Division(places, each) for (places, _, _), each in zip(people, hidden, strict=True)],
        people[0][1][:, 0] > 0,
        exempt,
    )


def _people(
    cases: Sequence[Case],
    of: Sequence[State | OfCause],
    units: UnitPlaces,
    periods: Mapping[str, int],
    time: Axis,
) -> tuple[dict[Part, int], NDArray[np.int64], tuple[Axis, Axis, Axis]]:
    """How many cases there are of each unit, part and period; the places of parts; the axes."""
    # In an order that is always the same: of parts of one size not now this is hidden, now that.
    names: list[Part] = [*_STEM, *sorted(set(of) - set(_STEM), key=_order)]
    places = {part: place for place, part in enumerate(names)}
    axes = (units.axis, Axis(np.array([-1] + [0] * (len(names) - 1), dtype=np.intp)), time)
    n = np.zeros([len(axis.parent) for axis in axes], dtype=np.int64)
    for case, part in zip(cases, of, strict=True):
        period = periods[name_of(_month(case), Length.MONTH)]
        n[units.alone[case.unit_id], places[part], period] += 1
    for number, axis in enumerate(axes):
        add_upwards(n, axis, number)
    return places, n, axes


def _order(part: Part) -> str:
    return part.code or "" if isinstance(part, OfCause) else str(part)


def _month(case: Case) -> date:
    return case.opened_day.replace(day=1)
