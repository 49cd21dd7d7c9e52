"""The changes of one day of a plan, against what the registry and the days before make."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date

from app.registry.models import UnitKind
from app.registry.reorganisation.changes import (
    ONE_DAY,
    Becoming,
    Change,
    Closing,
    Ending,
    Founding,
    Move,
)
from app.registry.reorganisation.ground import Ground
from app.registry.reorganisation.plan import Action, PlanLine
from app.registry.structures import Step, UnitHistory, UnitState

#: By how much shares of a divided unit may miss one.
_SHARES_MISS = 0.001
#: What may have wards below it.
_WITH_WARDS = frozenset({UnitKind.HOSPITAL, UnitKind.HEALTH_CENTRE, UnitKind.WARD})
_ENDS = frozenset({Action.MERGE, Action.SPLIT, Action.CLOSE})


class Day:
    """The lines of one day."""

    def __init__(self, ground: Ground, day: date, lines: list[PlanLine]) -> None:
        self._ground, self._day, self._eve = ground, day, day - ONE_DAY
        self._by_action: dict[Action, list[PlanLine]] = defaultdict(list)
        for line in lines:
            self._by_action[line.action].append(line)
        #: What begins, by code, with the line that says so; and the ids once they are known.
        self._founded: dict[str, PlanLine] = {}
        #: What others join, which therefore ends and begins again, by code.
        self._again: dict[str, PlanLine] = {}
        self._new: dict[str, int] = {}
        self._ending: dict[int, list[PlanLine]] = {}
        self._renamed: dict[int, PlanLine] = {}
        self._moved: dict[int, PlanLine] = {}
        self._successors: dict[int, list[int]] = defaultdict(list)
        self._main: dict[int, int] = {}
        self._states: dict[int, tuple[UnitState, PlanLine]] = {}

    def run(self) -> None:
        """Find what changes; mistakes and changes go into the ground."""
        self._find_foundings()
        self._find_endings()
        self._find_targets()
        self._find_others()
        self._begin()
        self._end()
        self._place()
        self._succeed()
        self._change()
        self._look_for_rings()
        self._look_for_wards()
        self._move_points()

    def _wrong(self, line: PlanLine, column: str, reason: str, **values: object) -> None:
        if not self._ground.carried_out:
            values = {"value": getattr(line, column), **values}
            self._ground.mistakes.append(line.mistake(column, reason, **values))

    def _cause(self, ended: int) -> PlanLine:
        """The line by which a unit ends; of one that begins again, by which another joins it."""
        lines = self._ending[ended]
        return lines[0] if lines else self._again[self._ground.histories[ended].code]

    def _find_foundings(self) -> None:
        for line in self._by_action[Action.FOUND]:
            if line.code in self._founded:
                first = self._founded[line.code].number
                self._wrong(line, "code", "plan.founded_twice", first=first)
            else:
                self._founded[line.code] = line

    def _old(self, line: PlanLine, column: str = "code") -> UnitHistory | None:
        """The unit that a line changes, which must be there and have no later change."""
        code = getattr(line, column)
        unit = self._ground.find(code, self._eve)
        if unit is None:
            reason = "plan.not_valid" if self._ground.by_code.get(code) else "plan.no_unit"
            self._wrong(line, column, reason, eve=self._eve)
            return None
        later = [state.first_day for state in unit.states if state.first_day >= self._day]
        if unit.last_day is not None:
            later.append(unit.last_day + ONE_DAY)
        if later:
            self._wrong(line, column, "plan.changes_later", day=min(later))
        return unit

    def _find_endings(self) -> None:
        for line in [line for action in _ENDS for line in self._by_action[action]]:
            unit = self._old(line)
            if unit is None:
                continue
            others = self._ending.setdefault(unit.id, [])
            if others and not others[0].action == line.action == Action.SPLIT:
                self._wrong(line, "code", "plan.contradicts", first=others[0].number)
            elif line.to and line.to in [other.to for other in others]:
                self._wrong(line, "to", "plan.part_twice")
            else:
                others.append(line)
        for lines in self._ending.values():
            if lines[0].action == Action.SPLIT:
                self._look_at_parts(lines)

    def _look_at_parts(self, lines: list[PlanLine]) -> None:
        if len(lines) < 2:
            self._wrong(lines[0], "to", "plan.one_part", unit=lines[0].code)
        shares = [line.share for line in lines if line.share is not None]
        if shares and len(shares) < len(lines):
            line = next(line for line in lines if line.share is None)
            self._wrong(line, "share", "plan.some_shares", unit=line.code)
        elif shares and abs(sum(shares) - 1) > _SHARES_MISS:
            self._wrong(
                lines[0], "share", "plan.shares_miss", unit=lines[0].code, sum=f"{sum(shares):g}"
            )
        for line in [line for line in lines if line.main][1:]:
            self._wrong(line, "main", "plan.two_mains", unit=line.code)

    def _find_targets(self) -> None:
        """A unit that others join, and that no line founds, ends and begins again by itself."""
        for lines in list(self._ending.values()):
            for line in lines:
                if not line.to or line.to in self._founded or line.to in self._again:
                    continue
                unit = self._ground.find(line.to, self._eve)
                if unit is None:
                    self._wrong(line, "to", "plan.no_target", day=self._day)
                    continue
                own = self._ending.get(unit.id)
                if own is not None and line.to not in [each.to for each in own]:
                    self._wrong(line, "to", "plan.target_ends", first=own[0].number)
                    continue
                if own is None and self._old(line, "to") is None:
                    continue
                self._again[line.to] = line

    def _find_others(self) -> None:
        for action, found in ((Action.RENAME, self._renamed), (Action.MOVE, self._moved)):
            for line in self._by_action[action]:
                unit = self._old(line)
                if unit is None:
                    continue
                own = self._ending.get(unit.id)
                if unit.id in found:
                    self._wrong(line, "code", "plan.contradicts", first=found[unit.id].number)
                elif own is not None and line.code not in self._again:
                    self._wrong(line, "code", "plan.contradicts", first=own[0].number)
                else:
                    found[unit.id] = line

    def _begin(self) -> None:
        """Give what begins its number; codes may not overlap."""
        ground = self._ground
        for code, line in {**self._founded, **self._again}.items():
            again = False
            number = None
            for id in ground.by_code.get(code, ()):
                unit = ground.histories[id]
                if unit.first_day == self._day and (unit.void or ground.carried_out):
                    number, again = id, unit.void
                elif not unit.void and (unit.last_day is None or unit.last_day >= self._day):
                    if id in self._ending or code in self._again:
                        continue
                    name = line.name_vi or code
                    self._wrong(
                        line, "code", "plan.overlaps", new=name, other=unit.on(self._day).name_vi,
                        since=unit.first_day,
                    )  # fmt: skip
            if number is None:
                number = ground.next_id
                ground.next_id += 1
                ground.by_code[code].append(number)
            self._new[code] = number
            if again:
                ground.before.pop(number, None)
            ground.foundings.append(
                Founding(number, code, UnitState(self._day, "", "", "", None), again)
            )

    def _end(self) -> None:
        ground = self._ground
        for code in self._again:
            unit = ground.find(code, self._eve)
            if unit is not None:
                self._ending.setdefault(unit.id, [])
        for id in self._ending:
            unit = ground.histories[id]
            ground.histories[id] = replace(unit, last_day=self._eve)
            ground.endings.append(Ending(id, unit.code, self._eve))

    def _parent(self, line: PlanLine) -> int | None:
        """The unit that a line puts another one below."""
        if not line.parent:
            return None
        if line.parent in self._new:
            return self._new[line.parent]
        unit = self._ground.find(line.parent, self._day)
        if unit is not None:
            return unit.id
        ended = self._ground.find(line.parent, self._eve) is not None
        self._wrong(
            line, "parent", "plan.parent_ends" if ended else "plan.no_parent", day=self._day
        )
        return None

    def _place(self) -> None:
        """What begins is called and stands as its line says, or as it did before."""
        self._find_successors()
        ground = self._ground
        founded = len(self._new)
        for at in range(len(ground.foundings) - founded, len(ground.foundings)):
            founding = ground.foundings[at]
            line = self._founded.get(founding.code) or self._again[founding.code]
            if line.action == Action.FOUND:
                state = UnitState(
                    self._day, line.kind or "", line.name_vi, line.name_en, self._parent(line),
                    line.latitude, line.longitude,
                )  # fmt: skip
            else:
                old = next(
                    ground.histories[id]
                    for id in self._ending
                    if ground.histories[id].code == founding.code
                )
                state = self._changed(old)
            ground.foundings[at] = replace(founding, state=state)
            ground.histories[founding.unit_id] = UnitHistory(
                founding.unit_id, founding.code, self._day, self._last_known(founding), (state,)
            )
            self._states[founding.unit_id] = state, line

    def _last_known(self, founding: Founding) -> date | None:
        """Its last day where it is there, because its plan was carried out."""
        known = self._ground.histories.get(founding.unit_id)
        return None if known is None or known.void else known.last_day

    def _changed(self, unit: UnitHistory) -> UnitState:
        """How a unit is called and where it stands, by lines about it or about its parent."""
        state = replace(unit.on(self._eve), first_day=self._day)
        if renaming := self._renamed.get(unit.id):
            state = replace(state, name_vi=renaming.name_vi, name_en=renaming.name_en)
        if moving := self._moved.get(unit.id):
            return replace(state, parent_id=self._parent(moving))
        if state.parent_id in self._ending:
            after = self._successors[state.parent_id]
            if len(after) != 1:
                named = self._ground.named(unit.id, self._eve)
                self._wrong(self._cause(state.parent_id), "code", "plan.children_left", child=named)
                return state
            return replace(state, parent_id=after[0])
        return state

    def _find_successors(self) -> None:
        for id, lines in self._ending.items():
            for line in lines:
                if line.to in self._new:
                    self._successors[id].append(self._new[line.to])
                    if line.main or line.action == Action.MERGE:
                        self._main[id] = self._new[line.to]
            if not lines:
                new = self._new[self._ground.histories[id].code]
                self._successors[id].append(new)
                self._main[id] = new

    def _succeed(self) -> None:
        ground = self._ground
        for id, lines in self._ending.items():
            by_target = {self._new[line.to]: line for line in lines if line.to in self._new}
            steps = []
            for to_id in self._successors[id]:
                line = by_target.get(to_id)
                share = line.share if line else None
                steps.append(Step(to_id, share))
                ground.before.setdefault(to_id, []).append(id)
                ground.becomings.append(
                    Becoming(id, to_id, self._day, share, line.accounts if line else False)
                )
            if steps:
                ground.after[id] = steps

    def _change(self) -> None:
        ground = self._ground
        new = set(self._new.values())
        for unit in list(ground.histories.values()):
            if unit.id in new or unit.id in self._ending or unit.void:
                continue
            line = self._moved.get(unit.id) or self._renamed.get(unit.id)
            if unit.valid_on(self._day):
                orphan = unit.on(self._eve).parent_id in self._ending
                if line is None and not orphan:
                    continue
                self._change_one(unit, line)
            elif unit.first_day > self._day:
                self._look_ahead(unit)

    def _change_one(self, unit: UnitHistory, line: PlanLine | None) -> None:
        ground = self._ground
        before = unit.on(self._eve)
        cause = line
        if cause is None:
            cause = self._cause(before.parent_id or 0)
            if any(state.first_day >= self._day for state in unit.states):
                named = ground.named(unit.id, self._eve)
                self._wrong(cause, "code", "plan.child_changes_later", child=named)
        after = self._changed(unit)
        ground.changed.append(Change(unit.id, unit.code, before, after, line is None))
        kept = [state for state in unit.states if state.first_day != self._day]
        ground.histories[unit.id] = replace(
            unit, states=tuple(sorted([*kept, after], key=lambda state: state.first_day))
        )
        self._states[unit.id] = after, cause

    def _look_ahead(self, unit: UnitHistory) -> None:
        """What a later plan puts below a unit cannot stand there if that ends before."""
        parent = unit.states[0].parent_id
        if parent is not None and (lines := self._ending.get(parent)):
            named = self._ground.named(unit.id, unit.first_day)
            self._wrong(lines[0], "code", "plan.child_changes_later", child=named)

    def _look_for_rings(self) -> None:
        histories = self._ground.histories
        for id, (state, line) in self._states.items():
            above, seen = state.parent_id, {id}
            while above is not None and above not in seen:
                seen.add(above)
                above = histories[above].on(self._day).parent_id
            if above == id:
                column = "parent" if line.parent else "code"
                self._wrong(line, column, "plan.ring", unit=histories[id].code)

    def _look_for_wards(self) -> None:
        """A ward is part of a hospital and called by it; a phường is a commune."""
        for state, line in self._states.values():
            if state.kind != UnitKind.WARD or line.action not in (Action.FOUND, Action.MOVE):
                continue
            above = self._ground.histories.get(state.parent_id or 0)
            if above is None or above.on(self._day).kind not in _WITH_WARDS:
                column = "kind" if line.action == Action.FOUND else "parent"
                self._wrong(line, column, "plan.no_ward", unit=line.code)

    def _move_points(self) -> None:
        ground = self._ground
        chosen: dict[int, tuple[PlanLine, int]] = {}
        for line in self._by_action[Action.POINT]:
            known = ground.points.by_code.get(line.code)
            unit = ground.find(line.to, self._day)
            if known is None:
                self._wrong(line, "code", "plan.no_point")
            elif unit is None:
                self._wrong(line, "to", "plan.no_target", day=self._day)
            elif known in chosen:
                self._wrong(line, "code", "plan.contradicts", first=chosen[known][0].number)
            else:
                chosen[known] = line, unit.id
        for id, point in ground.points.by_id.items():
            unit_id = point.on(self._eve)
            given = chosen.get(id)
            if given is None and unit_id not in self._ending:
                continue
            line = given[0] if given else self._cause(unit_id)
            if point.moves_after(self._day):
                self._wrong(line, "code", "plan.point_moves_later", point=id)
            to = given[1] if given else self._to_of_point(unit_id)
            if to == unit_id:
                self._wrong(line, "to", "plan.point_there", point=line.code)
            if to is None:
                ground.closings.append(Closing(id, self._day, unit_id))
            elif to != unit_id:
                move = Move(id, self._day, unit_id, to)
                ground.moves.append(move)
                if not ground.carried_out:
                    point.moves.append(move)

    def _to_of_point(self, unit_id: int) -> int | None:
        after = self._successors[unit_id]
        return self._main.get(unit_id, after[0] if len(after) == 1 else None)
