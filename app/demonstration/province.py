"""The demonstration's registry: a province with survey points for its units.

By default Bà Rịa – Vũng Tàu from 2024 on, which is a part of Ho Chi Minh City since 1 July 2025:
its tree of 2024 is that of 30 June 2025, and the registry's "Ho Chi Minh City" holds no other
part. Or, one setting away, Bà Rịa – Vũng Tàu of 2020. ``data/README.md`` tells the sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.registry.models import Channel, Installation, SurveyPoint, Unit, UnitKind
from app.registry.points import as_point, current_code, open_point
from app.registry.structures import UnitHistory
from app.registry.structures import read_units as read_histories
from app.registry.unit_import import add_units, read_units
from app.registry.volumes import keep_volumes

_DATA = Path(__file__).parent / "data"
_YEARS = 2


@dataclass(frozen=True)
class Province:
    """What a demonstration can be of."""

    #: The word for it in the settings.
    word: str
    units: Path
    #: First day of the units of the file.
    founded: date
    #: The plan that its tree goes through.
    plan: Path | None = None
    #: First day of answers; without one they go two years back.
    since: date | None = None

    def first_day(self, last: date) -> date:
        """The day of the first answers."""
        return self.since or last - timedelta(days=365 * _YEARS - 1)


OF_2020 = Province("2020", _DATA / "units-2020.csv", date(2020, 1, 1))
OF_TODAY = Province(
    "2025",
    _DATA / "units-2024.csv",
    date(2024, 1, 1),
    plan=_DATA / "plan-2025-07-01.csv",
    since=date(2024, 1, 1),
)
PROVINCES = {each.word: each for each in (OF_2020, OF_TODAY)}

#: Which points a unit of each kind gets: questionnaire and channel.
POINTS: dict[str, tuple[tuple[str, Channel], ...]] = {
    UnitKind.AGENCY: (("sipas-desk", Channel.QR), ("online-service", Channel.WEB)),
    UnitKind.DISTRICT: (("sipas-desk", Channel.QR), ("kiosk-face", Channel.KIOSK)),
    UnitKind.COMMUNE: (("sipas-desk", Channel.QR),),
}


@dataclass(frozen=True)
class Place:
    """A unit as the generator needs it: its code, its kind, and what it stood below."""

    unit: str
    kind: str
    parent: str


@dataclass(frozen=True)
class DemoPoint:
    """A survey point as the generator needs it, with the unit that it is of now."""

    code: str
    unit: str
    kind: str
    parent: str
    questionnaire: str
    channel: str
    #: Where it was opened; the same as now, if there is none.
    opened_at: Place | None = None
    #: The first day on which it is of its unit, if it was another one's before.
    moved: date | None = None
    #: The last day on which it takes answers.
    last_day: date | None = None

    @property
    def origin(self) -> Place:
        """Where it was opened: who answers here are the same people ever since."""
        return self.opened_at or Place(self.unit, self.kind, self.parent)

    def unit_on(self, day: date) -> tuple[str, bool]:
        """The code of its unit on a day, and whether that is the unit of now.

        A code alone says less: it may have been another unit's before.
        """
        before = self.moved is not None and day < self.moved
        return (self.origin.unit if before else self.unit), not before


def found(session: Session, province: Province = OF_TODAY) -> None:
    """Make units and survey points where the database has none, and label it as synthetic."""
    session.execute(update(Installation).values(synthetic=True))
    if session.scalar(select(Unit.id).limit(1)) is not None:
        # To import the units again would undo what a plan changed since.
        return
    add_units(session, read_units(province.units, province.founded), province.units)
    for unit in session.scalars(select(Unit).order_by(Unit.id)):
        for questionnaire, channel in _points_of(unit):
            open_point(session, unit, questionnaire, channel, unit.name_vi)


def serve(session: Session, first: date, last: date, seed: int) -> None:
    """Draw how many each unit with a survey point serves, month by month.

    A unit that others became serves as many as all of them did.
    """
    rng = np.random.default_rng([seed, 3])
    months = [
        date(ordinal // 12, ordinal % 12 + 1, 1)
        for ordinal in range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    ]
    opened = points(session)
    codes = sorted({point.origin.unit for point in opened})
    level = dict(zip(codes, rng.lognormal(5.0, 0.7, len(codes)), strict=True))
    volumes = []
    for month in months:
        parts: dict[str, set[str]] = {}
        for point in opened:
            if point.last_day is None or month <= point.last_day:
                parts.setdefault(point.unit_on(month)[0], set()).add(point.origin.unit)
        for code, origins in sorted(parts.items()):
            expected = sum(level[origin] for origin in sorted(origins))
            volumes.append((code, month, int(rng.poisson(expected))))
    keep_volumes(session, volumes, "demonstration")


def _points_of(unit: Unit) -> tuple[tuple[str, Channel], ...]:
    if unit.kind == UnitKind.WARD:
        outpatient = unit.code.endswith("-K")
        return (("moh-outpatient" if outpatient else "moh-inpatient", Channel.KIOSK),)
    return POINTS.get(unit.kind, ())


def points(session: Session) -> list[DemoPoint]:
    """All survey points with their units, in a fixed order."""
    histories = read_histories(session).histories
    rows = session.scalars(select(SurveyPoint).join(Unit).order_by(Unit.code, SurveyPoint.id))
    found = []
    for row in rows:
        stays = as_point(row).stays
        first, now = histories[stays[-1].unit_id], stays[0]
        found.append(
            DemoPoint(
                code=current_code(row),
                unit=row.unit.code,
                kind=row.unit.kind,
                parent=row.unit.parent.code if row.unit.parent else "",
                questionnaire=row.questionnaire,
                channel=row.channel,
                opened_at=_place(histories, first),
                moved=now.first if len(stays) > 1 else None,
                last_day=now.last,
            )
        )
    return found


def _place(histories: Mapping[int, UnitHistory], unit: UnitHistory) -> Place:
    """A unit as it was founded."""
    state = unit.states[0]
    above = histories[state.parent_id].code if state.parent_id is not None else ""
    return Place(unit.code, state.kind, above)
