"""Reads units from CSV or XLSX: any organisation in our own columns, or the list of communes.

Own columns, in any order: ``kind, code, name_vi`` and, where known, ``name_en, parent_code,
valid_from, valid_to, latitude, longitude``. A row's parent stands in the file or in the registry.

The country's list (columns ``province_code, province, district_code, district, commune_code,
commune, commune_type, lat, lon``, a row a commune, or a district that has none) is known by its
header; provinces and districts are made from it. That of today has no districts.

Units of one code never overlap in time: what a decision changed is a plan's business
(``app.registry.reorganisation``), not a list's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.problems import FieldError
from app.registry.days_in_tables import why_no_day
from app.registry.models import SurveyPoint, Unit, UnitKind, UnitPeriod
from app.registry.points import follow_name
from app.tables import Row, Table, Value, WrongTable, day_of, folded, text, unfit_sign

_REQUIRED = ("kind", "code", "name_vi")
#: Our columns, and what else each may be called.
_OWN: Mapping[str, tuple[str, ...]] = {
    "kind": ("loại", "loại đơn vị"),
    "code": ("mã", "mã đơn vị"),
    "name_vi": ("tên", "tên đơn vị", "tên tiếng Việt"),
    "name_en": ("tên tiếng Anh",),
    "parent_code": ("mã đơn vị cấp trên",),
    "valid_from": ("từ ngày",),
    "valid_to": ("đến ngày",),
    "latitude": ("vĩ độ",),
    "longitude": ("kinh độ",),
}
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
_OF_DISTRICTS = ("district_code", "district")
#: Most characters of what names a unit.
_LENGTHS = {"code": 32, "name_vi": 200, "name_en": 200}


@dataclass(frozen=True)
class UnitRow:
    """A unit as a file gives it; ``mistake`` names its row, and a column, in the file's words."""

    line: int
    kind: UnitKind
    code: str
    name_vi: str
    name_en: str
    parent_code: str | None
    valid_from: date
    mistake: Callable[..., FieldError]
    valid_to: date | None = None
    latitude: float | None = None
    longitude: float | None = None


class _Wrong(Exception):  # noqa: N818 - a signal within one row
    def __init__(self, column: str, reason: str, **values: object) -> None:
        super().__init__(reason)
        self.column, self.reason, self.values = column, reason, values


class _Cells:
    """The cells of a row by the names of their columns."""

    def __init__(self, table: Table, columns: list[str], row: Row) -> None:
        self._table, self.line = table, row.number
        self._place = {name: place for place, name in enumerate(columns) if name}
        self._cells = row.cells

    def value(self, name: str) -> Value:
        """A cell as it was read; none where there is no such column."""
        return self._cells[self._place[name]] if name in self._place else None

    def text(self, name: str) -> str:
        """A cell as text, fit to be printed and put into an address."""
        found = text(self.value(name))
        if reason := unfit_sign(found):
            raise _Wrong(name, reason)
        return found

    def mistake(self, name: str, reason: str, **values: object) -> FieldError:
        """What is wrong with a cell of this row."""
        return self._table.mistake(self.line, self._place.get(name), reason, **values)


def read_units(file: Path, valid_from: date) -> list[UnitRow]:
    """All units of a file; ``valid_from`` for rows that name no first day.

    Raises
    ------
    WrongTable
        With every mistake, by row and column.
    """
    table = Table(file)
    titles = set(map(folded, table.titles))
    today = tuple(name for name in _COUNTRY if name not in _OF_DISTRICTS)
    for names, parse in ((_COUNTRY, _country_row), (today, _row_of_today)):
        if {folded(name) for name in names} <= titles:
            columns = table.columns(dict.fromkeys(names, ()), names, further=True)
            return _collect(table, columns, parse, valid_from)
    return _collect(table, table.columns(_OWN, _REQUIRED), _own_row, valid_from)


def _collect(
    table: Table,
    columns: list[str],
    parse: Callable[[_Cells, date], Iterable[UnitRow]],
    valid_from: date,
) -> list[UnitRow]:
    units: dict[tuple[str, date], UnitRow] = {}
    mistakes: list[FieldError] = []
    for row in table:
        if faults := table.faults(row):
            mistakes += faults
            continue
        cells = _Cells(table, columns, row)
        try:
            parsed = list(parse(cells, valid_from))
        except _Wrong as wrong:
            mistakes.append(cells.mistake(wrong.column, wrong.reason, **wrong.values))
            continue
        for unit in parsed:
            known = units.setdefault((unit.code, unit.valid_from), unit)
            if known is not unit and (
                parse is _own_row or (known.name_vi, known.kind) != (unit.name_vi, unit.kind)
            ):
                values = {"value": unit.code, "first": known.line}
                column = "code" if parse is _own_row else f"{unit.kind}_code"
                mistakes.append(cells.mistake(column, "table.stands_already", **values))
    if not units and not mistakes:
        mistakes.append(FieldError("", "table.no_rows"))
    if mistakes:
        raise WrongTable(table.file.name, mistakes)
    return list(units.values())


def _own_row(row: _Cells, valid_from: date) -> Iterator[UnitRow]:
    for name in _REQUIRED:
        if not row.text(name):
            raise _Wrong(name, "table.needed")
    kind = row.text("kind")
    if kind not in set(UnitKind):
        raise _Wrong("kind", "table.not_kind", value=kind, kinds=", ".join(UnitKind))
    for name, most in _LENGTHS.items():
        if len(row.text(name)) > most:
            raise _Wrong(name, "table.too_long", most=most)
    first = _day(row, "valid_from") or valid_from
    last = _day(row, "valid_to")
    if last == date.max:  # how other systems write that there is no end
        last = None
    if last is not None and last < first:
        raise _Wrong("valid_to", "table.ends_before")
    yield UnitRow(
        line=row.line,
        kind=UnitKind(kind),
        code=row.text("code"),
        name_vi=row.text("name_vi"),
        name_en=row.text("name_en") or row.text("name_vi"),
        parent_code=row.text("parent_code") or None,
        valid_from=first,
        valid_to=last,
        latitude=_degrees(row, "latitude", 90),
        longitude=_degrees(row, "longitude", 180),
        mistake=row.mistake,
    )


#: Levels of the country's list: kind, the columns' name, and where the code above stands.
_Levels = tuple[tuple[UnitKind, str, str | None], ...]
_LEVELS: _Levels = (
    (UnitKind.PROVINCE, "province", None),
    (UnitKind.DISTRICT, "district", "province_code"),
    (UnitKind.COMMUNE, "commune", "district_code"),
)
_LEVELS_TODAY: _Levels = (
    (UnitKind.PROVINCE, "province", None),
    (UnitKind.COMMUNE, "commune", "province_code"),
)


def _country_row(row: _Cells, valid_from: date) -> Iterator[UnitRow]:
    return _listed(row, valid_from, _LEVELS)


def _row_of_today(row: _Cells, valid_from: date) -> Iterator[UnitRow]:
    return _listed(row, valid_from, _LEVELS_TODAY)


def _listed(row: _Cells, valid_from: date, levels: _Levels) -> Iterator[UnitRow]:
    for kind, name, parent in levels:
        code, title = row.text(f"{name}_code"), row.text(name)
        if kind is UnitKind.COMMUNE and not code and not title:
            return  # an island district that has no communes
        for column, given, most in ((f"{name}_code", code, 32), (name, title, 200)):
            if not given:
                raise _Wrong(column, "table.needed")
            if len(given) > most:
                raise _Wrong(column, "table.too_long", most=most)
        placed = kind is UnitKind.COMMUNE
        yield UnitRow(
            line=row.line,
            kind=kind,
            code=code,
            name_vi=title,
            name_en=title,
            parent_code=row.text(parent) if parent else None,
            valid_from=valid_from,
            latitude=_degrees(row, "lat", 90) if placed else None,
            longitude=_degrees(row, "lon", 180) if placed else None,
            mistake=row.mistake,
        )


def _day(row: _Cells, name: str) -> date | None:
    value = row.value(name)
    if not text(value):
        return None
    day = day_of(value)
    if day is None:
        reason, values = why_no_day(value)
        raise _Wrong(name, reason, **values)
    return day


def _degrees(row: _Cells, name: str, most: float) -> float | None:
    value = text(row.value(name))
    if not value:
        return None
    try:
        degrees = float(value.replace(",", "."))  # no degree has thousands
    except ValueError:
        raise _Wrong(name, "table.not_number", value=value) from None
    if not -most <= degrees <= most:
        raise _Wrong(name, "table.outside", value=value, most=f"{most:g}")
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
    WrongTable
        Where a parent is unknown, units stand above themselves, two of one code overlap in time, or
        a plan has changed what the file says otherwise; the session must then be rolled back.
    """
    stored = {(unit.code, unit.valid_from): unit for unit in session.scalars(select(Unit))}
    latest = {unit.code: unit for _, unit in sorted(stored.items(), key=lambda entry: entry[0][1])}
    mistakes = _overlapping(units, stored.values())
    planned = set(session.scalars(select(UnitPeriod.unit_id)))
    added = changed = 0
    by_row: list[tuple[UnitRow, Unit]] = []
    for row in units:
        unit = stored.get((row.code, row.valid_from))
        if unit is None:
            unit = Unit(code=row.code, valid_from=row.valid_from)
            session.add(unit)
            added += 1
        else:
            differs = _differs(unit, row)
            changed += differs
            if differs and unit.id in planned:
                mistakes.append(row.mistake("code", "table.planned", value=row.code))
            if unit.name_vi != row.name_vi:
                with session.no_autoflush:
                    of_unit = select(SurveyPoint).where(SurveyPoint.unit_id == unit.id)
                    follow_name(session, session.scalars(of_unit), unit.name_vi, row.name_vi)
        unit.kind, unit.name_vi, unit.name_en = row.kind.value, row.name_vi, row.name_en
        unit.valid_to, unit.latitude, unit.longitude = row.valid_to, row.latitude, row.longitude
        latest[row.code] = unit
        by_row.append((row, unit))
    for done, (row, unit) in enumerate(by_row, start=1):
        parent = latest.get(row.parent_code) if row.parent_code else None
        if row.parent_code and parent is None:
            mistakes.append(row.mistake("parent_code", "table.no_parent", value=row.parent_code))
        unit.parent = parent
        tell(done)
    mistakes += _rings(by_row)
    if mistakes:
        raise WrongTable(file.name, mistakes)
    session.flush()
    if added or changed:
        record(session, "units.import", file.name, added=added, changed=changed)
    return added, changed


def _overlapping(rows: Sequence[UnitRow], stored: Iterable[Unit]) -> list[FieldError]:
    """Rows that are of a time in which another unit has their code, be it stored or in the file."""
    given = {(row.code, row.valid_from) for row in rows}
    there: dict[str, list[tuple[date, date, str]]] = {}
    for unit in stored:
        if (unit.code, unit.valid_from) not in given:
            last = unit.valid_to or date.max
            there.setdefault(unit.code, []).append((unit.valid_from, last, unit.name_vi))
    mistakes = []
    for row in rows:
        others, last = there.setdefault(row.code, []), row.valid_to or date.max
        for first, until, name in others:
            # One that a plan founded and that was undone ends before it begins.
            if first <= until and first <= last and row.valid_from <= until:
                values = {"value": row.code, "unit": row.name_vi, "other": name, "since": first}
                mistakes.append(row.mistake("code", "table.overlaps", **values))
                break
        others.append((row.valid_from, last, row.name_vi))
    return mistakes


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


def _rings(by_row: list[tuple[UnitRow, Unit]]) -> list[FieldError]:
    """Units that stand, over some steps, above themselves."""
    mistakes = []
    for row, unit in by_row:
        above, steps = unit.parent, 0
        while above is not None and above is not unit and steps < 100:
            above, steps = above.parent, steps + 1
        if above is not None:
            mistakes.append(row.mistake("parent_code", "table.ring", value=row.code))
    return mistakes
