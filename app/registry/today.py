"""Keeps what rows say of today: names and parents of units, and of which unit a point is.

A plan's changes hold from their day on by what ``UnitPeriod`` and ``PointMove`` say. The columns
that say what is so today follow when their day has come: after a plan, when a server starts, and
just after midnight.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from app.audit.log import last as take_turns
from app.audit.log import record
from app.background import beat
from app.clock import ClockInDoubt
from app.db import Database
from app.registry.models import PointMove, Succession, SurveyPoint, Unit, UnitPeriod
from app.registry.points import follow_name
from app.registry.reorganisation.portions import portions

log = logging.getLogger("hailong.registry")

#: How often a server looks whether a new day has begun, in seconds.
EVERY_S = 30.0
_OF_TODAY = ("kind", "name_vi", "name_en", "parent_id", "latitude", "longitude")


def bring_up_to_date(session: Session, today: date) -> int:
    """Make rows say what is so today; how many units and points changed. Safe to repeat."""
    take_turns(session)  # each process of the server does it at midnight
    units = _bring_units(session, today)
    followed = _follow(session, today)
    points = _bring_points(session, today)
    if units or points or followed:
        record(session, "units.day", today, units=units, points=points, followed=followed)
        session.expire_all()
    return units + points


async def keep_up_to_date(
    database: Database,
    today: Callable[[], date],
    bring: Callable[[Session, date], int] = bring_up_to_date,
) -> None:
    """Bring rows up to date when a day has begun, for ever; ``bring`` does, for all rooms."""
    done: date | None = None

    def run(day: date) -> None:
        with database.writing() as session:
            bring(session, day)

    while True:
        day = today()
        if day != done:
            try:
                await asyncio.to_thread(run, day)
                done = day
            except ClockInDoubt:
                log.warning("no day begins while the clock is in doubt")
        beat()
        await asyncio.sleep(EVERY_S)


def _bring_units(session: Session, today: date) -> int:
    """Units take the state of their period of today; one that has ended keeps its last."""
    begun = select(UnitPeriod.unit_id, func.max(UnitPeriod.first_day).label("first_day")).join(
        Unit, Unit.id == UnitPeriod.unit_id
    )
    # Before its first day a unit is what it will be then; after its last nothing changes it.
    begun = begun.where(
        or_(
            UnitPeriod.first_day == Unit.valid_from,
            (UnitPeriod.first_day <= today)
            & (Unit.valid_to.is_(None) | (UnitPeriod.first_day <= Unit.valid_to)),
        )
    )
    latest = begun.group_by(UnitPeriod.unit_id).subquery()
    query = (
        select(UnitPeriod.unit_id, *(getattr(UnitPeriod, name) for name in _OF_TODAY))
        .join(Unit, Unit.id == UnitPeriod.unit_id)
        .join(
            latest,
            (latest.c.unit_id == UnitPeriod.unit_id) & (latest.c.first_day == UnitPeriod.first_day),
        )
        .where(
            or_(
                *(
                    getattr(UnitPeriod, name).is_distinct_from(getattr(Unit, name))
                    for name in _OF_TODAY
                )
            )
        )
        .order_by(UnitPeriod.unit_id)
    )
    rows = [dict(zip(("id", *_OF_TODAY), row, strict=True)) for row in session.execute(query).all()]
    if rows:
        before = _names_of(session, [row["id"] for row in rows])
        session.execute(update(Unit), rows)
        _rename_points(session, {row["id"]: (before[row["id"]], row["name_vi"]) for row in rows})
    return len(rows)


def _names_of(session: Session, ids: Collection[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in portions(sorted(ids)):
        rows = session.execute(select(Unit.id, Unit.name_vi).where(Unit.id.in_(some)))
        found |= {row.id: row.name_vi for row in rows}
    return found


def _rename_points(session: Session, names: Mapping[int, tuple[str, str]]) -> None:
    """Points that were called as their unit was are called as it is now."""
    renamed = {id: pair for id, pair in names.items() if pair[0] != pair[1]}
    for some in portions(sorted(renamed)):
        for point in session.scalars(select(SurveyPoint).where(SurveyPoint.unit_id.in_(some))):
            follow_name(session, [point], *renamed[point.unit_id])


def _follow(session: Session, today: date) -> int:
    """Points that were opened after the plan at a unit that has ended go where all of it went."""
    ends = (
        select(Succession.from_id, func.min(Succession.to_id).label("to_id"))
        .join(Unit, Unit.id == Succession.to_id)
        .where(Unit.valid_to.is_(None) | (Unit.valid_to >= Unit.valid_from))
        .group_by(Succession.from_id)
        .having(func.count() == 1)
        .subquery()
    )
    moved = select(PointMove.point_id)
    query = (
        select(SurveyPoint.id, SurveyPoint.unit_id, ends.c.to_id, Unit.valid_to)
        .join(Unit, Unit.id == SurveyPoint.unit_id)
        .join(ends, ends.c.from_id == Unit.id)
        .where(Unit.valid_to < today, SurveyPoint.id.not_in(moved))
    )
    rows = [
        {"point_id": id, "day": last + timedelta(days=1), "unit_id": after, "before_id": before}
        for id, before, after, last in session.execute(query).all()
    ]
    if rows:
        session.execute(insert(PointMove), rows)
    return len(rows)


def _bring_points(session: Session, today: date) -> int:
    """A point is of the unit of its last move until today, or of the one before its first."""
    units: dict[int, int] = {}
    begun: set[int] = set()
    moves = select(PointMove.point_id, PointMove.day, PointMove.unit_id, PointMove.before_id)
    for point, day, unit, before in session.execute(
        moves.order_by(PointMove.point_id, PointMove.day)
    ):
        if day <= today:
            units[point] = unit
            begun.add(point)
        elif point not in begun:
            units.setdefault(point, before)
    found = select(SurveyPoint.id, SurveyPoint.unit_id).where(
        SurveyPoint.id.in_(select(PointMove.point_id))
    )
    rows = [
        {"id": id, "unit_id": units[id]} for id, unit in session.execute(found) if unit != units[id]
    ]
    if rows:
        stood = {row.id: row.unit_id for row in session.execute(found)}
        called = _names_of(session, {*stood.values(), *(row["unit_id"] for row in rows)})
        session.execute(update(SurveyPoint), rows)
        for some in portions([row["id"] for row in rows]):
            for moved in session.scalars(select(SurveyPoint).where(SurveyPoint.id.in_(some))):
                names = called[stood[moved.id]], called[units[moved.id]]
                follow_name(session, [moved], *names)
    return len(rows)
