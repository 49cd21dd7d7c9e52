"""What a caller sees, and what figures are of, read once a session: a page asks for it often."""

from __future__ import annotations

from datetime import date
from threading import Lock
from weakref import WeakKeyDictionary

from cachetools import LRUCache
from sqlalchemy import ColumnElement, Engine, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.access import scope
from app.access.callers import Caller, Grant
from app.access.models import Right
from app.audit.log import last_change
from app.db.database import ACTOR
from app.figures.session_cache import per_session
from app.registry import points, questionnaires
from app.registry.carrying_back import carried_back, readable_nodes
from app.registry.kinship import reached
from app.registry.queries import NamedThen, NamedUnit, UnitNode, UnitTree, UnknownUnit, is_synthetic
from app.registry.questionnaires import Published
from app.registry.structures import Structure, UnitHistory, Units, read_units
from app.rollups import queries

#: Whoever reads what is published: everything, and of nobody few respondents.
PUBLIC = Caller("public", (Grant(frozenset({Right.READ_FIGURES})),))


#: Structures of that many days are kept for a store.
_MOST_STRUCTURES = 8


class _Kept:
    """Units of all times and their structures, read anew once the audit log has a change.

    Whatever changes a unit is in the log. 13,000 units take half a second.
    """

    def __init__(self) -> None:
        self._by_engine: WeakKeyDictionary[Engine, tuple[int, Units, LRUCache[date, Structure]]] = (
            WeakKeyDictionary()
        )
        self._lock = Lock()

    def get(self, session: Session) -> tuple[Units, LRUCache[date, Structure]]:
        """The units, and the structures that were built of them."""
        engine = session.get_bind().engine
        now = last_change(session)
        with self._lock:
            kept = self._by_engine.get(engine)
            if kept is None or kept[0] != now:
                kept = now, read_units(session), LRUCache[date, Structure](_MOST_STRUCTURES)
                self._by_engine[engine] = kept
        return kept[1], kept[2]

    def on(self, session: Session, day: date) -> Structure:
        """The structure of a day."""
        found, structures = self.get(session)
        with self._lock:
            if day not in structures:
                structures[day] = found.on(day)
            return structures[day]


_KEPT = _Kept()


def units_of_all_times(session: Session) -> Units:
    """All units that ever were or are planned."""
    return per_session(session, ("units of all times",), lambda: _unkept(session))


def _unkept(session: Session) -> Units:
    # What a session that writes has changed is not in the log yet.
    return read_units(session) if ACTOR in session.info else _KEPT.get(session)[0]


def structure(session: Session, day: date) -> Structure:
    """The tree of units of a day, and where all others stand in it."""

    def found() -> Structure:
        return _unkept(session).on(day) if ACTOR in session.info else _KEPT.on(session, day)

    return per_session(session, ("structure", day), found)


def change_days(session: Session, first: date | None, last: date | None) -> list[date]:
    """The days on which the tree changed, after the first of some days and up to the last."""
    days = per_session(session, ("change days",), lambda: units_of_all_times(session).change_days())
    return [
        day for day in days
        if first is not None and first < day and last is not None and day <= last
    ]  # fmt: skip


def readable(session: Session, caller: Caller, today: date) -> frozenset[int] | None:
    """The ids of units of all times whose figures the caller may read; None for all units."""

    def found() -> frozenset[int] | None:
        granted = scope.unit_ids(session, caller, Right.READ_FIGURES)
        if granted is None:
            return None
        return frozenset(carried_back(units_of_all_times(session), granted, today))

    return per_session(session, ("readable", caller.grants, today), found)


def within(
    session: Session, unit_id: InstrumentedAttribute[int], caller: Caller, today: date
) -> ColumnElement[bool]:
    """The condition that a row's unit, of whatever time, is one whose figures may be read."""
    theirs = readable(session, caller, today)
    return true() if theirs is None else unit_id.in_(sorted(theirs))


def units(session: Session, caller: Caller, day: date, today: date) -> UnitTree:
    """The units of the structure of a day whose figures the caller may read."""

    def found() -> UnitTree:
        theirs, whole = readable(session, caller, today), structure(session, day)
        nodes = set(whole.tree.nodes) if theirs is None else readable_nodes(whole, theirs)
        # A row in which nobody ever could answer is nobody's business.
        empty = {id for id in nodes if id < 0 and not _asked(session, whole, id)}
        return whole.among(nodes - empty)

    return per_session(session, ("units", caller.grants, day, today), found)


def usual_day(session: Session, caller: Caller, today: date) -> date:
    """The day whose structure a caller is shown who names none: today.

    Whoever has nothing but older rights, on units that are no more, is shown the last day of these.
    """
    theirs = readable(session, caller, today)
    if not theirs or units(session, caller, today, today).nodes:
        return today
    histories = units_of_all_times(session).histories
    lasts = [last for id in theirs if (last := histories[id].last_day) is not None and last < today]
    return max(lasts, default=today)


def _asked(session: Session, whole: Structure, node: int) -> bool:
    """Whether anybody can have answered about a unit that stands in an undivided row."""
    held = whole.held[node] | whole.shared[node]
    return bool(held & per_session(session, ("answering",), lambda: _answering(session)))


def _answering(session: Session) -> frozenset[int]:
    """The units that have, or had, survey points, and those that had while a plan held."""
    found = points.units_with_points(session)
    void = {unit.id: unit.first_day for unit in units_of_all_times(session).histories.values()
            if unit.void}  # fmt: skip
    if void:
        found |= queries.units_with_cells(session, void, min(void.values()))
    return frozenset(found)


def find(session: Session, units: UnitTree, code: str, day: date) -> UnitNode:
    """The unit with a code among those of a day that the caller may read.

    Raises
    ------
    UnknownUnit
        Where there is none; it says what the code named at other times, which is no secret.
    """
    try:
        return units.find(code)
    except UnknownUnit as unknown:
        others = [
            unit for unit in units_of_all_times(session).histories.values()
            if unit.code == code and not unit.void and not unit.valid_on(day)
        ]  # fmt: skip
        of_the_day = code in structure(session, day).tree.by_code
        if not others or of_the_day:
            raise unknown from None
        raise UnknownUnit(
            code=code,
            field="unit",
            day=day,
            others=tuple(_named_then(session, units, each) for each in others),
        ) from None


def _named_then(session: Session, units: UnitTree, unit: UnitHistory) -> NamedThen:
    state, after = unit.states[-1], units_of_all_times(session).after
    became = reached([unit.id], lambda id: [step.to_id for step in after.get(id, ())])
    nodes = [units.nodes[id] for id in sorted(became - {unit.id}) if id in units.nodes]
    return NamedThen(
        state.name_vi, state.name_en, unit.first_day, unit.last_day,
        tuple(NamedUnit(node.code, node.name_vi, node.name_en) for node in nodes),
    )  # fmt: skip


def small_units(session: Session, caller: Caller) -> frozenset[int] | None:
    """The ids of the units of which the caller may see small figures; None for all units."""
    return per_session(
        session,
        ("units with small cells", caller.grants),
        lambda: scope.unit_ids(session, caller, Right.READ_SMALL_CELLS),
    )


def published(session: Session) -> list[Published]:
    """All published versions of questionnaires, oldest first."""
    return per_session(session, ("published",), lambda: questionnaires.published(session))


def synthetic(session: Session) -> bool:
    """Whether the answers were drawn by a generator."""
    return per_session(session, ("synthetic",), lambda: is_synthetic(session))


def span(session: Session) -> tuple[date, date] | None:
    """The first and the last day that have answers; None where there are none."""
    return per_session(session, ("span",), lambda: queries.span(session))


def versions_of(session: Session, code: str | None) -> list[Published]:
    """The published versions of one questionnaire, oldest first; none where there is none."""
    return [version for version in published(session) if version.form.code == code]
