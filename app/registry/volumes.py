"""How many each unit serves by month: what parents' rates are weighted with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import cast

from sqlalchemy import Table as SqlTable
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.db import bulk
from app.problems import FieldError
from app.registry.models import ServiceVolume, Unit
from app.tables import Table, Value, WrongTable, day_of, text, unfit_sign
from surveys.numbers import TwoNumbersError, UnreadableNumberError, read

_TABLE = cast(SqlTable, ServiceVolume.__table__)
#: The columns, and what else each may be called.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "unit": ("mã đơn vị", "đơn vị"),
    "month": ("tháng",),
    "cases": ("số hồ sơ", "số lượt khám", "số lượt"),
}
_MOST_CASES = 999_999_999

#: A unit's code, the first day of a month, and how many were served.
Volume = tuple[str, date, int]


def read_volumes(file: Path, units: Collection[str]) -> list[Volume]:
    """The volumes of a CSV or XLSX file with the columns unit, month (2026-11) and cases.

    ``units`` are the codes that there are.

    Raises
    ------
    WrongTable
        With every mistake, by row and column.
    """
    table = Table(file)
    columns = table.columns(COLUMNS, list(COLUMNS), further=True)
    place = {name: columns.index(name) for name in COLUMNS}
    found: dict[tuple[str, date], tuple[int, int]] = {}
    mistakes: list[FieldError] = []
    for row in table:
        if faults := table.faults(row):
            mistakes += faults
            continue
        given: dict[str, Value] = {name: row.cells[place[name]] for name in COLUMNS}
        unit, month, cases = text(given["unit"]), _month(given["month"]), _count(given["cases"])
        wrong: dict[str, str | None] = {
            "unit": unfit_sign(unit) if unit else "table.needed",
            "month": None if month else "table.not_month",
            "cases": cases if isinstance(cases, str) else None,
        }
        mistakes += [
            table.mistake(row.number, place[name], reason, value=text(given[name]))
            for name, reason in wrong.items()
            if reason
        ]
        if month is None or isinstance(cases, str) or any(wrong.values()):
            continue
        first, _ = found.setdefault((unit, month), (row.number, cases))
        if first != row.number:
            values = {"unit": unit, "month": f"{month:%Y-%m}", "first": first}
            mistakes.append(table.mistake(row.number, None, "table.month_twice", **values))
        elif unit not in units:
            mistakes.append(table.mistake(row.number, place["unit"], "table.no_unit", value=unit))
    if mistakes:
        raise WrongTable(file.name, mistakes)
    return [(unit, month, cases) for (unit, month), (_, cases) in found.items()]


def _month(value: Value) -> date | None:
    """A month as 2026-11 or 11/2026, or as a spreadsheet makes of it: its first day."""
    written = text(value)
    for whole in (f"{written}-01", f"01/{written}"):
        if (day := day_of(whole)) is not None:
            return day
    day = day_of(value)
    return day if day is not None and day.day == 1 else None


def _count(value: Value) -> int | str:
    """How many a cell says, or as a key of the catalogue why it says no number."""
    number: object = value
    if isinstance(value, str):
        try:
            number = read(value, 0, "vi")
        except TwoNumbersError:
            return "table.two_numbers"
        except UnreadableNumberError:
            return "table.not_count"
    # A cell that says true is an int to Python.
    if isinstance(number, bool) or not isinstance(number, int | float):
        return "table.not_count"
    # Not "in range(…)", which looks at every whole number for one that is a float.
    whole = 0 <= number <= _MOST_CASES and number == int(number)
    return int(number) if whole else "table.not_count"


def keep_volumes(session: Session, volumes: Collection[Volume], source: str) -> int:
    """Keep volumes, each in the place of what was known of its unit and month; how many.

    A code names the unit that had it when the month began.

    Raises
    ------
    WrongTable
        For units that are not in the registry; nothing is kept then.
    """
    valid = select(Unit.code, Unit.id, Unit.valid_from, Unit.valid_to).order_by(Unit.valid_from)
    of_code: dict[str, list[tuple[int, date, date]]] = {}
    for code, id, first, last in session.execute(valid):
        of_code.setdefault(code, []).append((id, first, last or date.max))
    unknown = sorted({unit for unit, _, _ in volumes} - set(of_code))
    if unknown:
        raise WrongTable(source, [FieldError(u, "table.no_unit", {"value": u}) for u in unknown])
    bulk.replace(
        session.connection(),
        _TABLE,
        ("unit_id", "month", "cases"),
        sorted((_id_in(of_code[unit], month), month, cases) for unit, month, cases in volumes),
    )
    record(session, "volumes.import", source, rows=len(volumes))
    return len(volumes)


def _id_in(units: list[tuple[int, date, date]], month: date) -> int:
    """The unit of a code that existed when a month began; if none did, the latest."""
    return next((id for id, first, last in units if first <= month <= last), units[-1][0])


def volumes_between(session: Session, first: date | None, last: date | None) -> dict[int, int]:
    """Cases by unit id over the months from that of ``first`` to that of ``last``.

    None is an open end: all months before, or after.
    """
    query = select(ServiceVolume.unit_id, func.sum(ServiceVolume.cases))
    if first is not None:
        query = query.where(ServiceVolume.month >= first.replace(day=1))
    if last is not None:
        query = query.where(ServiceVolume.month <= last)
    rows = session.execute(query.group_by(ServiceVolume.unit_id))
    return {unit_id: int(cases) for unit_id, cases in rows}


def months_known(session: Session, first: date, last: date) -> dict[int, set[date]]:
    """The months, by their first days, of which each unit's cases are known in some days."""
    query = select(ServiceVolume.unit_id, ServiceVolume.month).where(
        ServiceVolume.month >= first.replace(day=1), ServiceVolume.month <= last
    )
    found: dict[int, set[date]] = {}
    for unit_id, month in session.execute(query):
        found.setdefault(unit_id, set()).add(month)
    return found


def are_complete(session: Session, units: Collection[int], first: date, last: date) -> bool:
    """Whether every unit's cases of every month that the days touch are known."""
    return not without_volumes(session, units, first, last)


def without_volumes(
    session: Session, units: Collection[int], first: date, last: date
) -> frozenset[int]:
    """Those of some units whose cases of some month that the days touch are not known."""
    months = 12 * (last.year - first.year) + last.month - first.month + 1
    rows = session.execute(
        select(ServiceVolume.unit_id, func.count())
        .where(ServiceVolume.month >= first.replace(day=1), ServiceVolume.month <= last)
        .group_by(ServiceVolume.unit_id)
    )
    known = {unit_id for unit_id, count in rows if count == months}
    return frozenset(units) - known
