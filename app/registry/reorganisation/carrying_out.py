"""Carries a plan out: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.audit.log import SYSTEM, record
from app.audit.log import last as take_turns
from app.db.database import ACTOR
from app.registry.models import PointMove, Reorganisation, Succession, Unit, UnitPeriod
from app.registry.reorganisation.changes import Changes, Founding, read_points
from app.registry.reorganisation.checking import checked
from app.registry.reorganisation.plan import Plan
from app.registry.reorganisation.portions import portions
from app.registry.structures import UnitState, read_units
from app.registry.today import bring_up_to_date

#: Where a plan changes more units than this, its text is the record of each.
MOST_AUDITED = 500


@dataclass(frozen=True)
class CarriedOut:
    """A plan that was carried out, and what it changed."""

    id: int
    name: str
    changes: Changes


def carry_out(
    session: Session,
    plan: Plan,
    *,
    name: str,
    decision: str,
    today: date,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> CarriedOut:
    """Change units and points as a plan says; ``tell`` is told how many rows of how many are done.

    The session must be one that writes; its actor is whose doing it is.

    Raises
    ------
    WrongTable
        With every line that cannot be; nothing was changed then.
    """
    take_turns(session)
    found = checked(plan, read_units(session), read_points(session))
    row = Reorganisation(
        name=name,
        decision=decision,
        plan=plan.as_csv(),
        first_day=found.first_day(),
        applied_by=str(session.info.get(ACTOR, SYSTEM))[:200],
        applied_at=datetime.now(UTC),
    )
    session.add(row)
    session.flush()
    done = 0
    steps = _Writing(session, row.id, found)
    for count in steps.write():
        done += count
        tell(done, steps.total)
    changes = found.numbered(steps.ids)
    _log(session, row, changes)
    bring_up_to_date(session, today)
    session.expire_all()
    return CarriedOut(row.id, name, changes)


class _Writing:
    """Writes what a plan changes, kind by kind."""

    def __init__(self, session: Session, id: int, found: Changes) -> None:
        self._session, self._id, self._found = session, id, found
        self.ids: dict[int, int] = {}
        self.total = sum(
            map(len, (found.foundings, found.endings, found.changes, found.becomings, found.moves))
        )

    def write(self) -> Iterator[int]:
        """Write; how many rows each step wrote."""
        yield from self._end()
        yield from self._found_units()
        numbered = self._found.numbered(self.ids)
        self._change(numbered)
        yield len(numbered.changes)
        yield from self._insert(
            Succession,
            [
                {
                    "from_id": each.from_id, "to_id": each.to_id, "day": each.day,
                    "share": each.share, "reorganisation_id": self._id,
                }
                for each in numbered.becomings
            ],
        )  # fmt: skip
        yield from self._insert(
            PointMove,
            [
                {
                    "point_id": each.point_id, "day": each.day, "unit_id": each.unit_id,
                    "before_id": each.before_id,
                }
                for each in numbered.moves
            ],
        )  # fmt: skip

    def _insert(self, table: type, rows: Sequence[Mapping[str, Any]]) -> Iterator[int]:
        for some in portions(rows):
            self._session.execute(insert(table), list(some))
            yield len(some)

    def _end(self) -> Iterator[int]:
        founded = self._found.founded
        by_day: dict[date, list[int]] = {}
        for ending in self._found.endings:
            # What a later day of the plan ends again begins with that last day.
            if ending.unit_id not in founded:
                by_day.setdefault(ending.last_day, []).append(ending.unit_id)
        for day, ids in by_day.items():
            for some in portions(ids):
                self._session.execute(update(Unit).where(Unit.id.in_(some)).values(valid_to=day))
                yield len(some)

    def _found_units(self) -> Iterator[int]:
        session = self._session
        last = {each.unit_id: each.last_day for each in self._found.endings}
        again = [each for each in self._found.foundings if each.again]
        self.ids |= {each.unit_id: each.unit_id for each in again}
        _forget(session, [each.unit_id for each in again])
        for some in portions(_parents_first(self._found.foundings)):
            new = [each for each in some if not each.again]
            rows = [self._row(each, last.get(each.unit_id)) for each in new]
            if rows:
                made = session.execute(
                    insert(Unit).returning(Unit.id, Unit.code, Unit.valid_from), rows
                )
                known = {(code, day): id for id, code, day in made}
                self.ids |= {each.unit_id: known[each.code, each.state.first_day] for each in new}
            yield len(some)
        # Parents last: all that begins has its number now.
        placed = [
            {"id": self.ids[each.unit_id]} | self._state(each.state)
            for each in self._found.foundings
        ]
        for each in again:
            session.execute(
                update(Unit).where(Unit.id == each.unit_id).values(valid_to=last.get(each.unit_id))
            )
        for some_placed in portions(placed):
            session.execute(update(Unit), list(some_placed))

    def _row(self, founding: Founding, last: date | None) -> dict[str, Any]:
        row = self._state(founding.state) | {"parent_id": None}
        first = founding.state.first_day
        return row | {"code": founding.code, "valid_from": first, "valid_to": last}

    def _state(self, state: UnitState) -> dict[str, Any]:
        parent = state.parent_id
        return _columns(state) | {
            "parent_id": None if parent is None else self.ids.get(parent, parent)
        }

    def _change(self, numbered: Changes) -> None:
        """A period from the day on; and the one before, where nothing was changed yet."""
        ids = {each.unit_id for each in numbered.changes}
        known: set[int] = set()
        for some in portions(sorted(ids)):
            known |= set(
                self._session.scalars(
                    select(UnitPeriod.unit_id).where(UnitPeriod.unit_id.in_(some)).distinct()
                )
            )
        rows = []
        for each in numbered.changes:
            states = [each.after]
            if each.unit_id not in known:
                states.insert(0, each.before)
                known.add(each.unit_id)
            rows += [
                {"unit_id": each.unit_id, "first_day": state.first_day, **_columns(state)}
                for state in states
            ]
        for _ in self._insert(UnitPeriod, rows):
            pass


def _columns(state: UnitState) -> dict[str, Any]:
    return {
        "kind": str(state.kind), "name_vi": state.name_vi, "name_en": state.name_en,
        "parent_id": state.parent_id, "latitude": state.latitude, "longitude": state.longitude,
    }  # fmt: skip


def _parents_first(foundings: Iterable[Founding]) -> list[Founding]:
    return sorted(foundings, key=lambda each: (each.state.first_day, each.code))


def _forget(session: Session, ids: Collection[int]) -> None:
    """What a plan that was undone said of units that begin again now."""
    for some in portions(sorted(ids)):
        session.execute(delete(Succession).where(Succession.to_id.in_(some)))
        session.execute(delete(Succession).where(Succession.from_id.in_(some)))
        session.execute(delete(UnitPeriod).where(UnitPeriod.unit_id.in_(some)))


def _log(session: Session, row: Reorganisation, changes: Changes) -> None:
    """One entry about the plan, and one a unit where these are not too many."""
    if len(changes.touched) <= MOST_AUDITED:
        _log_units(session, changes)
    record(
        session, "units.reorganise", row.name, number=row.id, decision=row.decision,
        first_day=row.first_day, began=len(changes.foundings), ended=len(changes.endings),
        changed=len(changes.changes), points=len(changes.moves), closed=len(changes.closings),
    )  # fmt: skip


def _log_units(session: Session, changes: Changes) -> None:
    codes = {id: code for id, code in session.execute(select(Unit.id, Unit.code))}  # noqa: C416

    def told(state: UnitState, other: UnitState | None = None) -> dict[str, object]:
        """What a unit is; beside another state what differs."""
        was = {} if other is None else _columns(other)
        found = {name: value for name, value in _columns(state).items()
                 if other is None or value != was[name]}  # fmt: skip
        if "parent_id" in found:
            found["parent"] = codes.get(found.pop("parent_id") or 0)
        return {name: "" if value is None else value for name, value in found.items()}

    for founding in changes.foundings:
        record(
            session, "unit.found", founding.code, day=founding.state.first_day,
            after=told(founding.state),
        )  # fmt: skip
    becomes: dict[int, list[str]] = {}
    for each in changes.becomings:
        becomes.setdefault(each.from_id, []).append(codes[each.to_id])
    for ending in changes.endings:
        record(
            session, "unit.end", ending.code, last_day=ending.last_day,
            becomes=becomes.get(ending.unit_id, []),
        )  # fmt: skip
    for change in changes.changes:
        record(
            session, "unit.change", change.code, day=change.after.first_day,
            before=told(change.before, change.after), after=told(change.after, change.before),
        )  # fmt: skip
