"""What rows say of today, before, on and after the day of a plan."""

import asyncio
from datetime import date

import pytest
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.registry.models import Channel, PointMove, Succession, SurveyPoint, Unit, UnitPeriod
from app.registry.points import open_point
from app.registry.today import bring_up_to_date, keep_up_to_date

DAY, BEFORE = date(2025, 7, 1), date(2025, 6, 30)


@pytest.fixture
def renamed(province):
    """C1 is renamed and stands below 77 from the day on; its kiosk is the agency's then."""
    with province.database.writing() as session:
        units = province.units
        for first, name, parent in ((date(2020, 1, 1), "Cũ", "D1"), (DAY, "Mới", "77")):
            session.add(
                UnitPeriod(
                    unit_id=units["C1"], first_day=first, kind="commune", name_vi=name,
                    name_en=name, parent_id=units[parent],
                )
            )  # fmt: skip
        kiosk = session.scalars(
            select(SurveyPoint).where(SurveyPoint.questionnaire == "kiosk-face")
        ).one()
        session.add(
            PointMove(
                point_id=kiosk.id, day=DAY, unit_id=units["A1"], before_id=kiosk.unit_id
            )
        )  # fmt: skip
    return province


def shown(province):
    with province.database.reading() as session:
        unit = session.get(Unit, province.units["C1"])
        kiosk = session.scalars(
            select(SurveyPoint).where(SurveyPoint.questionnaire == "kiosk-face")
        ).one()
        return unit.name_vi, unit.parent.code, kiosk.unit.code


def brought(province, day):
    with province.database.writing() as session:
        return bring_up_to_date(session, day)


def test_rows_say_what_is_so_on_each_day_and_a_second_time_nothing_changes(renamed):
    assert brought(renamed, BEFORE) == 1 and shown(renamed) == ("Cũ", "D1", "C1")
    assert brought(renamed, DAY) == 2 and shown(renamed) == ("Mới", "77", "A1")
    with renamed.database.reading() as session:
        logged = select(func.count()).select_from(AuditEntry)
        before = session.scalar(logged)
    assert brought(renamed, DAY) == 0
    with renamed.database.reading() as session:
        assert session.scalar(logged) == before
    # A clock that was set back, or a plan that was undone.
    assert brought(renamed, BEFORE) == 2 and shown(renamed) == ("Cũ", "D1", "C1")


def test_a_change_after_a_units_last_day_is_none(renamed):
    with renamed.database.writing() as session:
        session.get(Unit, renamed.units["C1"]).valid_to = BEFORE
    brought(renamed, DAY)
    assert shown(renamed)[:2] == ("Cũ", "D1")


def test_a_point_opened_after_the_plan_goes_where_all_of_its_unit_went(province):
    units = province.units
    with province.database.writing() as session:
        for code in ("C1", "C2"):
            session.get(Unit, units[code]).valid_to = BEFORE
        session.add(Succession(from_id=units["C1"], to_id=units["A1"], day=DAY))
        for to in ("A1", "H1"):
            session.add(Succession(from_id=units["C2"], to_id=units[to], day=DAY))
        new = open_point(
            session, session.get(Unit, units["C1"]), "sipas-desk", Channel.WEB, "mới"
        ).id
        divided = open_point(
            session, session.get(Unit, units["C2"]), "sipas-desk", Channel.WEB, "chia"
        ).id
    brought(province, BEFORE)
    with province.database.reading() as session:
        assert session.get(SurveyPoint, new).unit_id == units["C1"]
    brought(province, DAY)
    with province.database.reading() as session:
        assert session.get(SurveyPoint, new).unit_id == units["A1"]
        assert session.get(PointMove, (new, DAY)).before_id == units["C1"]
        assert session.get(SurveyPoint, divided).unit_id == units["C2"]


def test_the_server_does_it_when_a_day_begins(renamed, monkeypatch):
    monkeypatch.setattr("app.registry.today.EVERY_S", 0.01)
    days = iter([BEFORE, BEFORE])

    async def wait():
        task = asyncio.create_task(keep_up_to_date(renamed.database, lambda: next(days, DAY)))
        for _ in range(500):
            await asyncio.sleep(0.02)
            if shown(renamed)[2] == "A1":
                break
        task.cancel()

    asyncio.run(wait())
    assert shown(renamed) == ("Mới", "77", "A1")
