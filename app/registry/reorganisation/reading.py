"""Reads a plan from CSV or XLSX; ``docs/reorganisations.md`` tells its columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from app.problems import FieldError
from app.registry.days_in_tables import why_no_day
from app.registry.models import UnitKind
from app.registry.reorganisation.plan import COLUMNS, Action, Plan, PlanLine
from app.tables import Row, Table, Value, WrongTable, day_of, text, unfit_sign

#: What each action needs, beside day and code, and what it may have besides; all else is empty.
_NEEDED: Mapping[Action, tuple[str, ...]] = {
    Action.FOUND: ("name_vi", "kind"),
    Action.MERGE: ("to",),
    Action.SPLIT: ("to",),
    Action.RENAME: ("name_vi",),
    Action.MOVE: ("parent",),
    Action.CLOSE: (),
    Action.POINT: ("to",),
}
_ALLOWED: Mapping[Action, tuple[str, ...]] = {
    Action.FOUND: ("name_en", "parent", "latitude", "longitude"),
    Action.MERGE: ("accounts",),
    Action.SPLIT: ("share", "main"),
    Action.RENAME: ("name_en",),
    Action.MOVE: (),
    Action.CLOSE: (),
    Action.POINT: (),
}
#: The years that a plan may be of; others are slips of the pen, and have no day before or after.
FIRST_YEAR, LAST_YEAR = 1900, 2199
_LENGTHS = {"code": 32, "to": 32, "parent": 32, "name_vi": 200, "name_en": 200, "decision": 500}
#: What says yes in a cell.
_YES = frozenset({"yes", "true", "1", "x", "có"})
_NO = frozenset({"", "no", "false", "0", "không"})
_FOLLOW = frozenset({"follow", "theo"})


def read_plan(file: Path) -> Plan:
    """All lines of a plan.

    Raises
    ------
    WrongTable
        With every cell that says nothing, or something else than it may.
    """
    table = Table(file)
    columns = table.columns(COLUMNS, ("day", "action", "code"))
    place = {name: at for at, name in enumerate(columns) if name}
    lines: list[PlanLine] = []
    mistakes: list[FieldError] = []
    for row in table:
        found = table.faults(row)
        if not found:
            reader = _Reader(table, place, row)
            line = reader.line()
            found = reader.mistakes
            if line is not None:
                lines.append(line)
        mistakes += found
    if not lines and not mistakes:
        mistakes.append(FieldError("", "table.no_rows"))
    if mistakes:
        raise WrongTable(file.name, mistakes)
    return Plan(tuple(lines), file.name)


class _Reader:
    """Reads one row, and keeps what is wrong with it."""

    def __init__(self, table: Table, place: Mapping[str, int], row: Row) -> None:
        self._table, self._place, self._row = table, place, row
        self.mistakes: list[FieldError] = []

    def line(self) -> PlanLine | None:
        """The row as a line; None where anything is wrong."""
        values: dict[str, Any] = {name: self._text(name) for name in COLUMNS}
        day = self._day()
        action = self._action(values["action"])
        if not values["code"]:
            self._wrong("code", "table.needed")
        if action is not None:
            self._fitting(action, values)
        values["kind"] = self._kind(values["kind"])
        values["latitude"] = self._number("latitude", -90, 90)
        values["longitude"] = self._number("longitude", -180, 180)
        values["share"] = self._number("share", 0, 1)
        values["main"] = self._truth("main", _YES, _NO, "plan.not_yes")
        values["accounts"] = self._truth("accounts", _FOLLOW, _NO, "plan.not_follow")
        if self.mistakes or day is None or action is None:
            return None
        values |= {"day": day, "action": action}
        if action in (Action.FOUND, Action.RENAME):
            values["name_en"] = values["name_en"] or values["name_vi"]
        return PlanLine(number=self._row.number, named=self._mistake, **values)

    def _value(self, name: str) -> Value:
        return self._row.cells[self._place[name]] if name in self._place else None

    def _text(self, name: str) -> str:
        found = text(self._value(name))
        if reason := unfit_sign(found):
            self._wrong(name, reason)
        elif len(found) > (most := _LENGTHS.get(name, 200)):
            self._wrong(name, "table.too_long", most=most)
        return found

    def _mistake(self, name: str, reason: str, **values: object) -> FieldError:
        return self._table.mistake(self._row.number, self._place.get(name), reason, **values)

    def _wrong(self, name: str, reason: str, **values: object) -> None:
        self.mistakes.append(self._mistake(name, reason, **values))

    def _day(self) -> date | None:
        written = text(self._value("day"))
        day = day_of(self._value("day"))
        if not written:
            self._wrong("day", "table.needed")
        elif day is None:
            reason, values = why_no_day(self._value("day"))
            self._wrong("day", reason, **values)
        elif not FIRST_YEAR <= day.year <= LAST_YEAR:
            self._wrong("day", "plan.day_outside", value=written, first=FIRST_YEAR, last=LAST_YEAR)
        return day

    def _action(self, written: str) -> Action | None:
        if written.lower() in set(Action):
            return Action(written.lower())
        known = ", ".join(Action)
        reason = "plan.not_action" if written else "table.needed"
        self._wrong("action", reason, value=written, known=known)
        return None

    def _fitting(self, action: Action, values: Mapping[str, str]) -> None:
        for name in _NEEDED[action]:
            if not values[name]:
                self._wrong(name, "table.needed")
        fitting = {"day", "action", "code", "decision", *_NEEDED[action], *_ALLOWED[action]}
        for name in COLUMNS:
            if values[name] and name not in fitting:
                self._wrong(name, "plan.not_of_action", action=action.value)

    def _kind(self, written: str) -> UnitKind | None:
        if written and written not in set(UnitKind):
            self._wrong("kind", "table.not_kind", value=written, kinds=", ".join(UnitKind))
            return None
        return UnitKind(written) if written else None

    def _number(self, name: str, least: float, most: float) -> float | None:
        written = text(self._value(name))
        if not written:
            return None
        try:
            number = float(written.replace(",", "."))
        except ValueError:
            self._wrong(name, "table.not_number", value=written)
            return None
        if name == "share" and not 0 < number <= 1:
            self._wrong(name, "plan.no_share", value=written)
        elif not least <= number <= most:
            self._wrong(name, "table.outside", value=written, most=f"{most:g}")
        return number

    def _truth(self, name: str, yes: frozenset[str], no: frozenset[str], reason: str) -> bool:
        written = text(self._value(name)).lower()
        if written not in yes | no:
            self._wrong(name, reason, value=written)
        return written in yes
