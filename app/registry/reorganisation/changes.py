"""What a plan means for the registry: each unit and point that it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.registry.models import PointCode, PointMove, SurveyPoint
from app.registry.structures import Units, UnitState

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Founding:
    """A unit that begins; where its plan was not carried out yet, under a number for now."""

    unit_id: int
    code: str
    state: UnitState
    #: Whether its row is there from a plan that was undone.
    again: bool = False


@dataclass(frozen=True)
class Ending:
    """A unit that ends, with its last day."""

    unit_id: int
    code: str
    last_day: date


@dataclass(frozen=True)
class Change:
    """A unit that goes on, otherwise called or below another one."""

    unit_id: int
    code: str
    before: UnitState
    after: UnitState
    #: Whether no line says so: what it stood below became another unit.
    implied: bool


@dataclass(frozen=True)
class Becoming:
    """That a unit, or a part of it, becomes another one's."""

    from_id: int
    to_id: int
    day: date
    share: float | None
    #: Whether the plan says that accounts follow; without that they do where nothing else joins.
    accounts: bool = False


@dataclass(frozen=True)
class Move:
    """A survey point that is of another unit from a day on."""

    point_id: int
    day: date
    before_id: int
    unit_id: int


@dataclass(frozen=True)
class Closing:
    """A survey point that closes with its unit: nobody knows where it goes."""

    point_id: int
    day: date
    unit_id: int


@dataclass(frozen=True)
class Changes:
    """All that a plan changes, and the units of all times as they are then."""

    foundings: tuple[Founding, ...]
    endings: tuple[Ending, ...]
    changes: tuple[Change, ...]
    becomings: tuple[Becoming, ...]
    moves: tuple[Move, ...]
    closings: tuple[Closing, ...]
    units: Units

    @property
    def founded(self) -> frozenset[int]:
        """The units that begin."""
        return frozenset(each.unit_id for each in self.foundings)

    @property
    def touched(self) -> frozenset[int]:
        """The units that begin, end or change."""
        ended = {each.unit_id for each in self.endings}
        return self.founded | ended | {each.unit_id for each in self.changes}

    @property
    def rested_on(self) -> frozenset[int]:
        """The units that must be there for what it changes."""
        states = [each.state for each in self.foundings] + [each.after for each in self.changes]
        parents = {state.parent_id for state in states if state.parent_id is not None}
        return self.touched | parents | {each.unit_id for each in self.moves}

    def first_day(self) -> date:
        """The first day on which anything is otherwise."""
        days = [each.state.first_day for each in self.foundings]
        days += [each.last_day + ONE_DAY for each in self.endings]
        days += [each.after.first_day for each in self.changes]
        return min(days + [each.day for each in self.moves])

    def follows(self) -> dict[int, int]:
        """Of ended units whose accounts follow by themselves, or by the plan's word, to which."""
        made_of: dict[int, int] = {}
        parts: dict[int, int] = {}
        for each in self.becomings:
            made_of[each.to_id] = made_of.get(each.to_id, 0) + 1
            parts[each.from_id] = parts.get(each.from_id, 0) + 1
        return {
            each.from_id: each.to_id
            for each in self.becomings
            if parts[each.from_id] == 1 and (made_of[each.to_id] == 1 or each.accounts)
        }

    def numbered(self, ids: Mapping[int, int]) -> Changes:
        """The same with other numbers of units."""

        def of(id: int) -> int:
            return ids.get(id, id)

        def state(given: UnitState) -> UnitState:
            parent = given.parent_id
            return replace(given, parent_id=None if parent is None else of(parent))

        return Changes(
            tuple(
                replace(each, unit_id=of(each.unit_id), state=state(each.state))
                for each in self.foundings
            ),
            # A later line of a plan may end or change what an earlier one founds.
            tuple(replace(each, unit_id=of(each.unit_id)) for each in self.endings),
            tuple(
                replace(
                    each, unit_id=of(each.unit_id), before=state(each.before),
                    after=state(each.after),
                )
                for each in self.changes
            ),
            tuple(
                replace(each, from_id=of(each.from_id), to_id=of(each.to_id))
                for each in self.becomings
            ),
            tuple(
                replace(each, before_id=of(each.before_id), unit_id=of(each.unit_id))
                for each in self.moves
            ),
            tuple(replace(each, unit_id=of(each.unit_id)) for each in self.closings),
            self.units,
        )  # fmt: skip


@dataclass
class PointHistory:
    """Of which unit a survey point is, by day."""

    id: int
    #: Today's, and before its first move what that says.
    unit_id: int
    moves: list[Move]

    def on(self, day: date) -> int:
        """Its unit on a day."""
        found = self.moves[0].before_id if self.moves else self.unit_id
        for move in self.moves:
            if move.day <= day:
                found = move.unit_id
        return found

    def moves_after(self, day: date) -> bool:
        """Whether it moves on a day or later."""
        return bool(self.moves) and self.moves[-1].day >= day


@dataclass(frozen=True)
class Points:
    """All survey points, and which each public code is of, printed ones that are over too."""

    by_id: Mapping[int, PointHistory]
    by_code: Mapping[str, int]


def read_points(session: Session) -> Points:
    """All survey points with their moves and codes."""
    points = {
        id: PointHistory(id, unit_id, [])
        for id, unit_id in session.execute(select(SurveyPoint.id, SurveyPoint.unit_id))
    }
    moves = select(PointMove.point_id, PointMove.day, PointMove.before_id, PointMove.unit_id)
    for row in session.execute(moves.order_by(PointMove.day)):
        points[row[0]].moves.append(Move(*row))
    codes = session.execute(select(PointCode.code, PointCode.point_id))
    return Points(points, {code: id for code, id in codes})  # noqa: C416
