"""The reform of 1 July 2025 on the units that a registry has: the whole country, or a province.

The plan is shipped with its sources (``data/README.md``). Of it is carried out what concerns units
that are here, and what stands below them besides (agencies, hospitals, desks) goes along.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from app.problems import Problem
from app.registry.names import bare_name, folded_name, same_name
from app.registry.reorganisation.plan import Action, Plan, PlanLine, kept_plan
from app.registry.structures import UnitHistory, Units

FOLDER = Path(__file__).parent / "data"
DAY = date(2025, 7, 1)
NAME = "Sắp xếp đơn vị hành chính từ 01/07/2025"
DECISION = (
    "Nghị quyết số 202/2025/QH15; các nghị quyết của Ủy ban Thường vụ Quốc hội về sắp xếp "
    "đơn vị hành chính cấp xã của từng tỉnh, thành phố năm 2025"
)


class UnknownProvince(Problem):
    """No province of the day before has this code, or it is not in the registry."""

    code, status = "unknown-province", 404


class OtherNames(Problem):
    """Units have codes of the list and other names: they may be other units."""

    code, status = "other-names", 422


class NothingToReform(Problem):
    """The registry has no unit that the reform changed."""

    code, status = "nothing-to-reform", 422


@dataclass(frozen=True)
class OtherName:
    """A unit whose name is not the one that its code had on the day before."""

    code: str
    name: str
    expected: str


@dataclass(frozen=True)
class Selection:
    """The lines that concern a registry, and what a person should look at."""

    plan: Plan
    other_names: tuple[OtherName, ...]
    #: Units besides, which go along with what they stand below: code and where they go.
    along: tuple[PlanLine, ...]
    #: Units with another word for their kind than the list has, which nothing else is called.
    other_kinds: tuple[OtherName, ...] = ()


@cache
def whole_plan() -> Plan:
    """The plan of the country; it is kept as plans are, which are read at once."""
    file = FOLDER / f"{DAY}.csv"
    return kept_plan(file.read_text(encoding="utf-8"), file.name)


@dataclass(frozen=True)
class _Known:
    name: str
    parent: str


@cache
def _units_before() -> Mapping[str, _Known]:
    with (FOLDER / f"{DAY - timedelta(days=1)}-units.csv").open(encoding="utf-8") as stream:
        rows = csv.DictReader(stream)
        return {row["code"]: _Known(row["name"], row["parent"]) for row in rows}


def selected(units: Units, province: str | None = None) -> Selection:
    """The part of the country's plan that concerns the units of a registry.

    ``province`` is a code of the day before; those that became one with it go along, since what
    they became has a code that one of them had.

    Raises
    ------
    UnknownProvince, NothingToReform
        Where there is nothing that it could be about.
    """
    before = DAY - timedelta(days=1)
    here = {unit.code: unit for unit in units.histories.values() if unit.valid_on(before)}
    known = _units_before()
    if province is not None and (province not in known or known[province].parent):
        raise UnknownProvince(province=province, field="province")
    official = {
        code for code, unit in here.items()
        if code in known and _is_of(unit, known[code])
        and (province is None or _becomes(_province_of(code)) == _becomes(province))
    }  # fmt: skip
    if province is not None and province not in official:
        raise UnknownProvince(province=province, field="province")
    lines = [*_lines_of(official)]
    if not lines:
        raise NothingToReform
    along = tuple(_along(units, here, lines))
    differing, other_kinds = [], []
    for code in sorted(official):
        each = OtherName(code, here[code].on(before).name_vi, known[code].name)
        folded = folded_name(each.name)
        if folded == folded_name(each.expected):
            continue
        if not same_name(each.name, each.expected) or folded in _names_in(_province_of(code)):
            differing.append(each)
        elif folded != bare_name(each.name):  # a name without any such word says nothing else
            other_kinds.append(each)
    plan = Plan((*lines, *along), f"{DAY}.csv")
    return Selection(plan, tuple(differing), along, tuple(other_kinds))


def _names_in(province: str) -> frozenset[str]:
    """What units are called in a province of before, or in what it became, on either side."""
    return _names_by_province()[_becomes(province)]


@cache
def _names_by_province() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for code, unit in _units_before().items():
        found.setdefault(_becomes(_province_of(code)), set()).add(folded_name(unit.name))
    for line in whole_plan().lines:
        if line.action is Action.FOUND:
            found.setdefault(line.parent or line.code, set()).add(folded_name(line.name_vi))
        elif line.action is Action.RENAME:
            of = _becomes(_province_of(line.code))
            found.setdefault(of, set()).add(folded_name(line.name_vi))
    return {province: frozenset(names) for province, names in found.items()}


def _is_of(unit: UnitHistory, known: _Known) -> bool:
    """Whether a unit is of a kind that the list has; codes of other kinds are one's own."""
    kind = unit.states[0].kind
    if not known.parent:
        return kind == "province"
    return kind in ("district", "commune")


def _province_of(code: str) -> str:
    known = _units_before()
    while known[code].parent:
        code = known[code].parent
    return code


@cache
def _becomes(province: str) -> str:
    """The code of the province of today that one of the day before is part of."""
    lines = whole_plan().lines
    return next((line.to for line in lines if line.code == province and line.to), province)


def _lines_of(official: set[str]) -> Iterator[PlanLine]:
    """Lines about units that are here, what these become, and where that stands, if it is here."""
    plan = whole_plan()
    kept = [
        line for line in plan.lines if line.action is not Action.FOUND and line.code in official
    ]
    reached = {line.to for line in kept if line.to}
    there = reached | {line.code for line in kept if line.action in (Action.RENAME, Action.MOVE)}
    there |= official - {
        line.code for line in kept if line.action not in (Action.RENAME, Action.MOVE)
    }
    for line in plan.lines:
        if line.action is Action.FOUND:
            if line.code in reached:
                yield line if line.parent in there else replace(line, parent="")
        elif line.code in official and not (
            line.action is Action.MOVE and line.parent not in there
        ):
            yield line


def _along(
    units: Units, here: Mapping[str, UnitHistory], lines: Sequence[PlanLine]
) -> Iterator[PlanLine]:
    """Moves of units that the plan does not name and whose parents it ends."""
    before = DAY - timedelta(days=1)
    named = {line.code for line in lines if line.action is not Action.FOUND}
    goes_to: dict[str, str] = {}
    for line in lines:
        if line.action is Action.MERGE or (
            line.action is Action.SPLIT and (line.main or line.code not in goes_to)
        ):
            goes_to[line.code] = line.to
    closed = {line.code for line in lines if line.action is Action.CLOSE}

    def place(unit: UnitHistory) -> str | None:
        """What stands on the day where a unit stood; None where it goes on itself."""
        if unit.code in goes_to:
            return goes_to[unit.code]
        if unit.code not in closed:
            return None
        above = unit.on(before).parent_id
        parent = units.histories[above] if above is not None else None
        return "" if parent is None else (place(parent) or parent.code)

    number = max(line.number for line in lines)
    for unit in here.values():
        above = unit.on(before).parent_id
        if unit.code in named or above is None:
            continue
        target = place(units.histories[above])
        if target:
            number += 1
            yield PlanLine(number, DAY, Action.MOVE, unit.code, parent=target)
