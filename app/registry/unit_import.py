"""Reads units from CSV: any organisation in our own columns, or the country's list of communes.

Own columns, in any order: ``kind, code, name_vi`` and, where known, ``name_en, parent_code,
valid_from, valid_to, latitude, longitude``. A row's parent stands in the file or in the registry.

The country's list (columns ``province_code, province, district_code, district, commune_code,
commune, commune_type, lat, lon``, a row a commune, or a district that has none) is known by its
header; provinces and districts are made from it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.registry.models import Unit, UnitKind

_REQUIRED = ("kind", "code", "name_vi")
_OPTIONAL = ("name_en", "parent_code", "valid_from", "valid_to", "latitude", "longitude")
_COUNTRY = (
    "province_code",
    "province",
    "district_code",
    "district",
    "commune_code",
    "commune",
    "lat",
    "lon",
)


class UnitFileError(ValueError):
    """The file cannot be imported; ``mistakes`` are sentences with file and line."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True)
class UnitRow:
    """A unit as a file gives it."""

    line: int
    kind: UnitKind
    code: str
    name_vi: str
    name_en: str
    parent_code: str | None
    valid_from: date
    valid_to: date | None = None
    latitude: float | None = None
    longitude: float | None = None


class _Wrong(Exception):  # noqa: N818 - a signal within one row
    pass


def read_units(file: Path, valid_from: date) -> list[UnitRow]:
    """All units of a file; ``valid_from`` for rows that name no first day.

    Raises
    ------
    UnitFileError
        With every mistake, by line.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnitFileError([f"{file}: not UTF-8 text ({error.reason})"]) from error
    lines = text.splitlines()
    delimiter = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    reader = csv.DictReader(lines, delimiter=delimiter, strict=True)
    header = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    if set(_COUNTRY) <= set(header):
        parse: Callable[[dict[str, str], int, date], Iterable[UnitRow]] = _country_row
    else:
        parse = _own_row
        mistakes = [
            f"{file}:1: column {name} is missing" for name in _REQUIRED if name not in header
        ]
        mistakes += [
            f"{file}:1: {name!r} is no column of ours; known are {', '.join(_REQUIRED + _OPTIONAL)}"
            for name in header
            if name not in _REQUIRED + _OPTIONAL
        ]
        if mistakes:
            raise UnitFileError(mistakes)
    return _collect(file, reader, parse, valid_from)


def _collect(
    file: Path,
    reader: csv.DictReader[str],
    parse: Callable[[dict[str, str], int, date], Iterable[UnitRow]],
    valid_from: date,
) -> list[UnitRow]:
    units: dict[tuple[str, date], UnitRow] = {}
    mistakes: list[str] = []
    rows = iter(reader)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            raise UnitFileError([*mistakes, f"{file}:{reader.line_num}: {error}"]) from error
        line = reader.line_num
        if None in row or None in row.values():
            mistakes.append(f"{file}:{line}: {len(reader.fieldnames or ())} columns expected")
            continue
        try:
            parsed = list(parse({k: v.strip() for k, v in row.items()}, line, valid_from))
        except _Wrong as wrong:
            mistakes.append(f"{file}:{line}: {wrong}")
            continue
        for unit in parsed:
            known = units.setdefault((unit.code, unit.valid_from), unit)
            if known is not unit and (
                parse is _own_row or (known.name_vi, known.kind) != (unit.name_vi, unit.kind)
            ):
                mistakes.append(
                    f"{file}:{line}: code {unit.code} stands in line {known.line} already"
                )
    if mistakes:
        raise UnitFileError(mistakes)
    if not units:
        raise UnitFileError([f"{file}: the file has no units"])
    return list(units.values())


def _own_row(row: dict[str, str], line: int, valid_from: date) -> Iterator[UnitRow]:
    for name in _REQUIRED:
        if not row[name]:
            raise _Wrong(f"{name} is empty")
    if row["kind"] not in set(UnitKind):
        raise _Wrong(f"kind {row['kind']!r} is none of {', '.join(UnitKind)}")
    for name, most in (("code", 32), ("name_vi", 200), ("name_en", 200)):
        if len(row.get(name, "")) > most:
            raise _Wrong(f"{name} is longer than {most} characters")
    first = _day(row, "valid_from") or valid_from
    last = _day(row, "valid_to")
    if last is not None and last < first:
        raise _Wrong("valid_to lies before valid_from")
    yield UnitRow(
        line=line,
        kind=UnitKind(row["kind"]),
        code=row["code"],
        name_vi=row["name_vi"],
        name_en=row.get("name_en") or row["name_vi"],
        parent_code=row.get("parent_code") or None,
        valid_from=first,
        valid_to=last,
        latitude=_degrees(row, "latitude", 90),
        longitude=_degrees(row, "longitude", 180),
    )


def _country_row(row: dict[str, str], line: int, valid_from: date) -> Iterator[UnitRow]:
    levels = (
        (UnitKind.PROVINCE, "province", None),
        (UnitKind.DISTRICT, "district", "province_code"),
        (UnitKind.COMMUNE, "commune", "district_code"),
    )
    for kind, name, parent in levels:
        code = row[f"{name}_code"]
        if kind is UnitKind.COMMUNE and not code and not row[name]:
            return  # an island district that has no communes
        if not code or not row[name]:
            raise _Wrong(f"{name} has no code or no name")
        placed = kind is UnitKind.COMMUNE
        yield UnitRow(
            line=line,
            kind=kind,
            code=code,
            name_vi=row[name],
            name_en=row[name],
            parent_code=row[parent] if parent else None,
            valid_from=valid_from,
            latitude=_degrees(row, "lat", 90) if placed else None,
            longitude=_degrees(row, "lon", 180) if placed else None,
        )


def _day(row: dict[str, str], name: str) -> date | None:
    value = row.get(name)
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _Wrong(f"{name} {value!r} is not a day like 2026-11-24") from None


def _degrees(row: dict[str, str], name: str, most: float) -> float | None:
    value = row.get(name)
    if not value:
        return None
    try:
        degrees = float(value)
    except ValueError:
        raise _Wrong(f"{name} {value!r} is not a number") from None
    if not -most <= degrees <= most:
        raise _Wrong(f"{name} {value} lies outside ±{most:g}")
    return degrees


def add_units(
    session: Session,
    units: list[UnitRow],
    file: Path,
    tell: Callable[[int], None] = lambda done: None,
) -> tuple[int, int]:
    """Add units that are new, change those that differ; how many of each.

    A unit is known by code and first day, so a file may be imported again.

    Raises
    ------
    UnitFileError
        Where a parent is unknown or units stand above themselves; the session must then be
        rolled back.
    """
    stored = {(unit.code, unit.valid_from): unit for unit in session.scalars(select(Unit))}
    latest = {unit.code: unit for _, unit in sorted(stored.items(), key=lambda entry: entry[0][1])}
    mistakes: list[str] = []
    added = changed = 0
    by_row: list[tuple[UnitRow, Unit]] = []
    for row in units:
        unit = stored.get((row.code, row.valid_from))
        if unit is None:
            unit = Unit(code=row.code, valid_from=row.valid_from)
            session.add(unit)
            added += 1
        else:
            changed += _differs(unit, row)
        unit.kind, unit.name_vi, unit.name_en = row.kind.value, row.name_vi, row.name_en
        unit.valid_to, unit.latitude, unit.longitude = row.valid_to, row.latitude, row.longitude
        latest[row.code] = unit
        by_row.append((row, unit))
    for done, (row, unit) in enumerate(by_row, start=1):
        parent = latest.get(row.parent_code) if row.parent_code else None
        if row.parent_code and parent is None:
            mistakes.append(f"{file}:{row.line}: no unit has the parent_code {row.parent_code}")
        unit.parent = parent
        tell(done)
    mistakes += _rings(by_row, file)
    if mistakes:
        raise UnitFileError(mistakes)
    session.flush()
    if added or changed:
        record(session, "units.import", file.name, added=added, changed=changed)
    return added, changed


def _differs(unit: Unit, row: UnitRow) -> bool:
    parent = unit.parent.code if unit.parent else None
    return (
        unit.kind,
        unit.name_vi,
        unit.name_en,
        parent,
        unit.valid_to,
        unit.latitude,
        unit.longitude,
    ) != (
        row.kind.value,
        row.name_vi,
        row.name_en,
        row.parent_code,
        row.valid_to,
        row.latitude,
        row.longitude,
    )


def _rings(by_row: list[tuple[UnitRow, Unit]], file: Path) -> list[str]:
    """Units that stand, over some steps, above themselves."""
    mistakes = []
    for row, unit in by_row:
        above, steps = unit.parent, 0
        while above is not None and above is not unit and steps < 100:
            above, steps = above.parent, steps + 1
        if above is not None:
            mistakes.append(f"{file}:{row.line}: unit {row.code} stands above itself")
    return mistakes
