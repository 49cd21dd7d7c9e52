"""Which posters show a name that is no longer that of the point's unit."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from app.registry.models import PointMove, SurveyPoint, Unit, UnitPeriod
from app.registry.places import called_on
from app.registry.points import as_point


def find_outdated(session: Session, day: date, zone: ZoneInfo) -> set[int]:
    """The ids of points whose unit was called otherwise when their code was issued than on a day.

    When a poster was drawn nobody keeps: one that was drawn again since, with the same code, is
    named as well. Points of a unit that is no more on the day need no poster.
    """
    moved = select(PointMove.point_id)
    renamed = select(UnitPeriod.unit_id)
    candidates = session.scalars(
        select(SurveyPoint)
        .where(or_(SurveyPoint.id.in_(moved), SurveyPoint.unit_id.in_(renamed)))
        .options(selectinload(SurveyPoint.codes), selectinload(SurveyPoint.moves))
    )
    found = set()
    for row in candidates:
        point = as_point(row)
        printed = max(code.issued_at for code in row.codes if code.replaced_at is None)
        now, then = (point.unit_on(each) for each in (day, printed.astimezone(zone).date()))
        if now is None:
            continue
        names = {
            called_on(session, session.get_one(Unit, id), on).name_vi
            for id, on in ((now, day), (then or now, printed.astimezone(zone).date()))
        }
        if len(names) > 1:
            found.add(row.id)
    return found
