"""Changes of the small province's tree, written as a plan writes them: rows that hold by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.registry.models import PointMove, Succession, SurveyPoint, Unit, UnitPeriod


def merge(
    session: Session,
    units: Sequence[Unit],
    code: str,
    day: date,
    *,
    today: date,
    points: bool = True,
) -> Unit:
    """Units end and become one under a code, to which their points move, or are closed."""
    new = Unit(
        code=code,
        kind=units[0].kind,
        name_vi=f"Đơn vị mới {code}",
        name_en=f"New unit {code}",
        parent_id=units[0].parent_id,
        valid_from=day,
    )
    session.add(new)
    session.flush()
    for unit in units:
        end(unit, day)
        session.add(Succession(from_id=unit.id, to_id=new.id, day=day))
        if points:
            for point in session.scalars(select(SurveyPoint).where(SurveyPoint.unit_id == unit.id)):
                move(session, point, new, day, today=today)
    session.flush()
    return new


def move(session: Session, point: SurveyPoint, to: Unit, day: date, *, today: date) -> None:
    """A point is of another unit from a day on."""
    session.add(PointMove(point_id=point.id, day=day, unit_id=to.id, before_id=point.unit_id))
    if day <= today:
        point.unit_id = to.id
    session.flush()


def end(unit: Unit, day: date) -> None:
    """A unit is no more from a day on."""
    unit.valid_to = day - timedelta(days=1)


def rename(session: Session, unit: Unit, name: str, day: date, *, today: date) -> None:
    """A unit is called otherwise from a day on."""
    states = ((unit.valid_from, unit.name_vi, unit.name_en), (day, f"{name} vi", f"{name} en"))
    for first, vi, en in states:
        session.add(
            UnitPeriod(
                unit_id=unit.id,
                first_day=first,
                kind=unit.kind,
                name_vi=vi,
                name_en=en,
                parent_id=unit.parent_id,
            )
        )
    if day <= today:
        unit.name_vi, unit.name_en = f"{name} vi", f"{name} en"
    session.flush()
