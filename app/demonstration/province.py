"""The demonstration's registry: Bà Rịa – Vũng Tàu of 2020, with survey points for its units.

Communes, districts and their codes are the official ones of 2020 (tests/data/README.md tells
the source), positions those of the same communes in 2025 where the code still exists. Agencies
and hospitals carry their names of 2020; their codes and the wards are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.registry.models import Channel, Installation, SurveyPoint, Unit, UnitKind
from app.registry.points import current_code, open_point
from app.registry.unit_import import add_units, read_units
from app.registry.volumes import keep_volumes

UNITS = Path(__file__).parent / "data/units.csv"
FOUNDED = date(2020, 1, 1)

#: Which points a unit of each kind gets: questionnaire and channel.
POINTS: dict[str, tuple[tuple[str, Channel], ...]] = {
    UnitKind.AGENCY: (("sipas-desk", Channel.QR), ("online-service", Channel.WEB)),
    UnitKind.DISTRICT: (("sipas-desk", Channel.QR), ("kiosk-face", Channel.KIOSK)),
    UnitKind.COMMUNE: (("sipas-desk", Channel.QR),),
}


@dataclass(frozen=True)
class DemoPoint:
    """A survey point as the generator needs it."""

    code: str
    unit: str
    kind: str
    parent: str
    questionnaire: str
    channel: str


def found(session: Session) -> None:
    """Make units and survey points where the database has none, and label it as synthetic."""
    session.execute(update(Installation).values(synthetic=True))
    add_units(session, read_units(UNITS, FOUNDED), UNITS)
    rows = session.execute(select(SurveyPoint.unit_id, SurveyPoint.questionnaire))
    have = {tuple(row) for row in rows}
    for unit in session.scalars(select(Unit).order_by(Unit.id)):
        for questionnaire, channel in _points_of(unit):
            if (unit.id, questionnaire) not in have:
                open_point(session, unit, questionnaire, channel, unit.name_vi)


def serve(session: Session, first: date, last: date, seed: int) -> None:
    """Draw how many each unit with a survey point serves, month by month."""
    rng = np.random.default_rng([seed, 3])
    months = [
        date(ordinal // 12, ordinal % 12 + 1, 1)
        for ordinal in range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    ]
    codes = session.scalars(
        select(Unit.code).where(Unit.id.in_(select(SurveyPoint.unit_id))).order_by(Unit.code)
    ).all()
    level = rng.lognormal(5.0, 0.7, len(codes))
    drawn = rng.poisson(level[:, None], (len(codes), len(months)))
    keep_volumes(
        session,
        [
            (code, month, int(cases))
            for code, row in zip(codes, drawn, strict=True)
            for month, cases in zip(months, row, strict=True)
        ],
        "demonstration",
    )


def _points_of(unit: Unit) -> tuple[tuple[str, Channel], ...]:
    if unit.kind == UnitKind.WARD:
        outpatient = unit.code.endswith("-K")
        return (("moh-outpatient" if outpatient else "moh-inpatient", Channel.KIOSK),)
    return POINTS.get(unit.kind, ())


def points(session: Session) -> list[DemoPoint]:
    """All survey points with their units, in a fixed order."""
    rows = session.scalars(select(SurveyPoint).join(Unit).order_by(Unit.code, SurveyPoint.id))
    return [
        DemoPoint(
            code=current_code(point),
            unit=point.unit.code,
            kind=point.unit.kind,
            parent=point.unit.parent.code if point.unit.parent else "",
            questionnaire=point.questionnaire,
            channel=point.channel,
        )
        for point in rows
    ]
