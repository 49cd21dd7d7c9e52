"""How many each unit serves by month: what parents' rates are weighted with."""

from __future__ import annotations

import csv
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import cast

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.db import bulk
from app.registry.models import ServiceVolume, Unit

_TABLE = cast(Table, ServiceVolume.__table__)
COLUMNS = ("unit", "month", "cases")
Volume = tuple[str, date, int]


class VolumeFileError(ValueError):
    """The file cannot be imported; ``mistakes`` are sentences with file and line."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def read_volumes(file: Path) -> list[Volume]:
    """The volumes of a CSV file with the columns unit, month (2026-11) and cases.

    Raises
    ------
    VolumeFileError
        With every mistake, by line.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise VolumeFileError([f"{file}: not UTF-8 text ({error.reason})"]) from error
    reader = csv.DictReader(lines, strict=True)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise VolumeFileError([f"{file}:1: column {name} is missing" for name in missing])
    found: dict[tuple[str, date], int] = {}
    mistakes = []
    try:
        for row in reader:
            at = f"{file}:{reader.line_num}"
            try:
                month = date.fromisoformat(f"{(row['month'] or '').strip()}-01")
            except ValueError:
                mistakes.append(f"{at}: month must be like 2026-11, not {row['month']!r}")
                continue
            cases = (row["cases"] or "").strip()
            if not cases.isascii() or not cases.isdigit() or len(cases) > 9:
                mistakes.append(f"{at}: cases must be a whole number, not {row['cases']!r}")
                continue
            key = ((row["unit"] or "").strip(), month)
            if key in found:
                mistakes.append(f"{at}: {key[0]} has {month:%Y-%m} twice")
            found[key] = int(cases)
    except csv.Error as error:
        mistakes.append(f"{file}:{reader.line_num}: {error}")
    if mistakes:
        raise VolumeFileError(mistakes)
    return [(unit, month, cases) for (unit, month), cases in found.items()]


def keep_volumes(session: Session, volumes: Collection[Volume], source: str) -> int:
    """Keep volumes, each in the place of what was known of its unit and month; how many.

    Raises
    ------
    VolumeFileError
        For units that are not in the registry; nothing is kept then.
    """
    rows = session.execute(select(Unit.code, Unit.id).order_by(Unit.valid_from))
    id_of = {code: id for code, id in rows}  # noqa: C416 - the last one of a code wins
    unknown = sorted({unit for unit, _, _ in volumes} - set(id_of))
    if unknown:
        raise VolumeFileError([f"{source}: no unit has the code {unit}" for unit in unknown])
    bulk.replace(
        session.connection(),
        _TABLE,
        ("unit_id", "month", "cases"),
        sorted((id_of[unit], month, cases) for unit, month, cases in volumes),
    )
    record(session, "volumes.import", source, rows=len(volumes))
    return len(volumes)


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
