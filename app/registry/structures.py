"""The tree of units as it was, is or will be on a day, and where all other times stand in it.

A unit stays the same people and places as long as it is valid. What ended before the day is
followed forwards along successions, what begins later backwards. What leads to one unit belongs
to it. What was divided, and nobody knows how, is not dealt out: it stands in an **undivided** row
under the lowest unit that holds all it may belong to, and so does what was closed, or founded
later, with nothing before or after it. A share that a plan gives divides by weight. So every
answer stands in every structure once, and totals are equal in all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.registry.models import Succession, Unit, UnitPeriod
from app.registry.queries import UnitNode, UnitTree, told_apart

#: What an undivided row is, instead of a kind of units.
UNDIVIDED = "undivided"
#: What follows the code of the unit that an undivided row stands under.
UNDIVIDED_SIGN = "~"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class UnitState:
    """What a unit is called, what it is and where it stands, from a day on."""

    first_day: date
    kind: str
    name_vi: str
    name_en: str
    parent_id: int | None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class UnitHistory:
    """A unit over time; ``last_day`` before ``first_day`` says that it was never valid."""

    id: int
    code: str
    first_day: date
    last_day: date | None
    #: In the order of their first days, at least one.
    states: tuple[UnitState, ...]

    @property
    def void(self) -> bool:
        """Whether the plan that founded it was undone."""
        return self.last_day is not None and self.last_day < self.first_day

    def valid_on(self, day: date) -> bool:
        """Whether it exists on a day."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    def on(self, day: date) -> UnitState:
        """Its state on a day; before its first day the first, after its last day the last."""
        found = self.states[0]
        for state in self.states[1:]:
            if state.first_day <= day and (
                self.last_day is None or state.first_day <= self.last_day
            ):
                found = state
        return found


@dataclass(frozen=True)
class Step:
    """A succession: how much of a unit became another one's; None where nobody knows."""

    to_id: int
    share: float | None


@dataclass(frozen=True)
class Units:
    """All units that ever were or are planned, and which became which."""

    histories: Mapping[int, UnitHistory]
    after: Mapping[int, Sequence[Step]] = field(default_factory=dict)
    before: Mapping[int, Sequence[int]] = field(default_factory=dict)

    def change_days(self) -> list[date]:
        """The days on which units begin, end or stand elsewhere, in order, without repeats."""
        days: set[date] = set()
        for unit in self.histories.values():
            if unit.void:
                continue
            days.add(unit.first_day)
            if unit.last_day is not None:
                days.add(unit.last_day + _DAY)
            days |= {
                after.first_day
                for before, after in zip(unit.states, unit.states[1:], strict=False)
                if before.parent_id != after.parent_id
            }
        return sorted(days)

    def on(self, day: date) -> Structure:
        """The structure of a day."""
        return _Builder(self, day).structure()


@dataclass(frozen=True)
class Placement:
    """Where a unit's answers stand in a structure: nodes, with the weight of each.

    The weights add up to one; they are one and nothing else where no share was given.
    """

    parts: tuple[tuple[int, float], ...]

    @property
    def whole(self) -> int | None:
        """The one node where all of it stands; None where it is dealt out by shares."""
        return self.parts[0][0] if len(self.parts) == 1 else None


@dataclass(frozen=True)
class Structure:
    """The tree of a day, and where every unit of all times stands in it."""

    day: date
    #: Units valid on the day, and undivided rows, which have ids below zero.
    tree: UnitTree
    placements: Mapping[int, Placement]
    #: Of each node the units of all times that stand in it whole.
    held: Mapping[int, frozenset[int]]
    #: Of each node those that stand in it by a share.
    shared: Mapping[int, frozenset[int]]

    def among(self, nodes: Collection[int]) -> UnitTree:
        """Some of its nodes, as a tree."""
        if len(nodes) == len(self.tree.nodes):
            return self.tree
        return UnitTree([n for id, n in self.tree.nodes.items() if id in nodes], whole=False)


def read_units(session: Session) -> Units:
    """All units with their periods, and the successions."""
    states: dict[int, list[UnitState]] = {}
    rows = session.execute(
        select(
            UnitPeriod.unit_id, UnitPeriod.first_day, UnitPeriod.kind, UnitPeriod.name_vi,
            UnitPeriod.name_en, UnitPeriod.parent_id, UnitPeriod.latitude, UnitPeriod.longitude,
        ).order_by(UnitPeriod.unit_id, UnitPeriod.first_day)
    )  # fmt: skip
    for unit_id, first, kind, vi, en, parent, latitude, longitude in rows:
        state = UnitState(first, kind, vi, en, parent, latitude, longitude)
        states.setdefault(unit_id, []).append(state)
    histories = {}
    units = session.execute(
        select(
            Unit.id, Unit.code, Unit.valid_from, Unit.valid_to, Unit.kind, Unit.name_vi,
            Unit.name_en, Unit.parent_id, Unit.latitude, Unit.longitude,
        ).order_by(Unit.valid_from, Unit.id)
    )  # fmt: skip
    for id, code, first, last, kind, vi, en, parent, latitude, longitude in units:
        known = states.get(id) or [UnitState(first, kind, vi, en, parent, latitude, longitude)]
        # Other systems write their last day for no end, and no day follows that one.
        last = None if last == date.max else last
        histories[id] = UnitHistory(id, code, first, last, tuple(known))
    after: dict[int, list[Step]] = {}
    before: dict[int, list[int]] = {}
    found = select(Succession.from_id, Succession.to_id, Succession.share)
    for from_id, to_id, share in session.execute(
        found.order_by(Succession.from_id, Succession.to_id)
    ):
        if not histories[to_id].void:
            after.setdefault(from_id, []).append(Step(to_id, share))
        before.setdefault(to_id, []).append(from_id)
    return Units(histories, after, before)


#: A mass of answers by where it stands: a node, or None and the nodes that it may belong to.
_Masses = dict[int | frozenset[int], float]


class _Builder:
    """Finds where each unit stands on a day; each is looked at once."""

    def __init__(self, units: Units, day: date) -> None:
        self._units, self._day = units, day
        self._valid = {id for id, unit in units.histories.items() if unit.valid_on(day)}
        self._parents = _without_rings({id: self._parent(id) for id in self._valid})
        self._found: dict[int, _Masses] = {}

    def structure(self) -> Structure:
        """The whole of it."""
        histories = self._units.histories
        placed: dict[int, dict[int, float]] = {}
        undivided: dict[int, int | None] = {}
        for id in histories:
            parts: dict[int, float] = {}
            for where, weight in self._masses(id).items():
                node = where
                if isinstance(where, frozenset):
                    above = self._holding(where)
                    node = _undivided_id(above)
                    undivided[node] = above
                parts[node] = parts.get(node, 0.0) + weight  # type: ignore[index,arg-type]
            placed[id] = parts
        nodes = self._nodes() + self._undivided_nodes(undivided)
        held: dict[int, set[int]] = {node.id: set() for node in nodes}
        shared: dict[int, set[int]] = {node.id: set() for node in nodes}
        for id, parts in placed.items():
            for node in parts:
                (held if len(parts) == 1 else shared)[node].add(id)
        return Structure(
            day=self._day,
            tree=UnitTree(nodes),
            placements={id: Placement(tuple(parts.items())) for id, parts in placed.items()},
            held={node: frozenset(ids) for node, ids in held.items()},
            shared={node: frozenset(ids) for node, ids in shared.items()},
        )

    def _parent(self, id: int) -> int | None:
        """The node above a valid unit; where its parent has ended, what that became."""
        above = self._units.histories[id].on(self._day).parent_id
        seen = {id}
        while above is not None and above not in self._valid:
            if above in seen:
                return None
            seen.add(above)
            after = self._units.after.get(above, ())
            above = (
                after[0].to_id if len(after) == 1
                else self._units.histories[above].on(self._day).parent_id
            )  # fmt: skip
        return above

    def _masses(self, id: int) -> _Masses:
        """Where a unit's answers stand, by steps through time in one direction."""
        # Without recursion: chains of mergers may be long.
        stack = [id]
        while stack:
            at = stack[-1]
            if at in self._found:
                stack.pop()
                continue
            needed = [each for each in self._next(at) if each not in self._found]
            if needed:
                stack += needed
            else:
                self._found[at] = self._combined(at)
                stack.pop()
        return self._found[id]

    def _is_past(self, id: int) -> bool:
        unit = self._units.histories[id]
        return not unit.void and unit.last_day is not None and unit.last_day < self._day

    def _next(self, id: int) -> list[int]:
        """What a unit is followed to: later ones forwards, earlier ones backwards, so it ends."""
        if id in self._valid:
            return []
        histories, begun = self._units.histories, self._units.histories[id].first_day
        if self._is_past(id):
            steps = self._units.after.get(id, ())
            return [step.to_id for step in steps if histories[step.to_id].first_day > begun]
        before = self._units.before.get(id, ())
        return [each for each in before if histories[each].first_day < begun]

    def _combined(self, id: int) -> _Masses:
        if id in self._valid:
            return {id: 1.0}
        following = self._next(id)
        if not following:
            return self._without_others(id)
        steps = self._units.after.get(id, ()) if self._is_past(id) else ()
        steps = [step for step in steps if step.to_id in following]
        shares = [step.share for step in steps]
        if len(following) > 1 and shares and all(share is not None for share in shares):
            found: _Masses = {}
            total = sum(share for share in shares if share is not None)
            for step in steps:
                for where, weight in self._found[step.to_id].items():
                    found[where] = found.get(where, 0.0) + weight * (step.share or 0.0) / total
            return found
        if len(following) == 1:
            return self._found[following[0]]
        reached: set[int] = set()
        for each in following:
            for where in self._found[each]:
                reached |= where if isinstance(where, frozenset) else {where}
        if len(reached) == 1 and all(
            not isinstance(where, frozenset) for each in following for where in self._found[each]
        ):
            return {reached.pop(): 1.0}
        return {frozenset(reached): 1.0}

    def _without_others(self, id: int) -> _Masses:
        """Of what was closed, or founded later, with nothing after or before: under its parent."""
        unit = self._units.histories[id]
        state = unit.states[-1] if self._is_past(id) else unit.states[0]
        above, seen = state.parent_id, {id}
        while above is not None and above not in self._valid and above not in seen:
            seen.add(above)
            following = self._next(above)
            if len(following) == 1:
                above = following[0]
            else:
                other = self._units.histories[above]
                above = (other.states[-1] if self._is_past(above) else other.states[0]).parent_id
        inside = above if above in self._valid else None
        # Two things are the same for what holds it: the unit above, and anything else below that.
        return {frozenset() if inside is None else frozenset({inside, -inside}): 1.0}

    def _holding(self, nodes: frozenset[int]) -> int | None:
        """The lowest unit that has all of some below it; None where nothing has."""
        chains = []
        for id in sorted(nodes):
            if id < 0:  # whatever else stands below that one
                continue
            chain, above = [], id if -id in nodes else self._parents.get(id)
            while above is not None and above not in chain:
                chain.append(above)
                above = self._parents.get(above)
            chains.append(chain)
        if not chains:
            return None
        rest = [set(chain) for chain in chains[1:]]
        return next((id for id in chains[0] if all(id in chain for chain in rest)), None)

    def _nodes(self) -> list[UnitNode]:
        histories = self._units.histories
        nodes = []
        for id in histories:
            if id in self._valid:
                state = histories[id].on(self._day)
                nodes.append(
                    UnitNode(
                        id, histories[id].code, state.kind, state.name_vi, state.name_en,
                        self._parents[id],
                    )
                )  # fmt: skip
        return told_apart(nodes)

    def _undivided_nodes(self, undivided: Mapping[int, int | None]) -> list[UnitNode]:
        found = []
        for id, above in sorted(undivided.items(), reverse=True):
            code = self._units.histories[above].code if above is not None else ""
            found.append(
                UnitNode(id, code + UNDIVIDED_SIGN, UNDIVIDED, "Chưa chia", "Not divided", above)
            )
        by_id = {node.id: node for node in self._nodes()} if found else {}
        return [
            replace(node, within=by_id[node.parent_id].as_named())
            if node.parent_id is not None
            else node
            for node in found
        ]


def _without_rings(parents: dict[int, int | None]) -> dict[int, int | None]:
    """Parents, where none stands above itself: whatever a damaged row says, sums come to an end."""
    sound: set[int] = set()
    for id in parents:
        way: list[int] = []
        at: int | None = id
        while at is not None and at not in sound:
            if at in way:
                parents[at] = None
                break
            way.append(at)
            at = parents.get(at)
        sound.update(way)
    return parents


def _undivided_id(above: int | None) -> int:
    return -(above + 1) if above is not None else -1
