"""A province goes through 1 July 2025 while kiosks send what they queued on both sides of it.

The real server as a process of its own, on both stores. Whenever an answer arrives, it is counted
in the unit that existed on its day.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from threading import Event

import httpx
import pytest
from sqlalchemy import select, update

from app.clock import local_today
from app.intake.models import AsideResponse, Response
from app.intake.rollup_rebuild import verify
from app.reform import service
from app.reform.preview import preview
from app.registry.models import Unit, UnitKind
from app.registry.reorganisation.plan import Action, Plan, PlanLine
from app.rollups.models import RollupCell
from app.settings import Settings
from tests.small_province import body

URL = "/api/v1/responses"
FOUNDED, DAY = date(2024, 1, 1), date(2025, 7, 1)
ZONE = Settings().zone
#: Kiosks: two of communes that are merged, one of the district that is no more, one of an agency.
KIOSKS = ("C1", "C2", "D1", "A1")


#: Communes C1 and C2 are one, under C1's code, below the province; there are no districts.
REFORM = Plan((
    PlanLine(2, DAY, Action.FOUND, "C1", name_vi="Phường Mới", name_en="New ward",
             kind=UnitKind.COMMUNE, parent="77"),
    PlanLine(3, DAY, Action.MERGE, "C1", to="C1"),
    PlanLine(4, DAY, Action.MERGE, "C2", to="C1"),
    PlanLine(5, DAY, Action.CLOSE, "D1"),
))  # fmt: skip


def ahead(day):
    """The agency becomes another, with its point."""
    return Plan((
        PlanLine(2, day, Action.FOUND, "A2", name_vi="Sở Mới", name_en="New agency",
                 kind=UnitKind.AGENCY, parent="77"),
        PlanLine(3, day, Action.MERGE, "A1", to="A2"),
    ))  # fmt: skip


def carried_out(database, plan):
    with database.writing("operator") as session:
        return service.carry_out(
            session, plan, name="Sắp xếp", decision="NQ", today=local_today(ZONE)
        )


def carry_out(database):
    """The reform by dry run and plan; the new commune's id."""
    with database.reading() as session:
        seen = preview(session, REFORM, local_today(ZONE))
    assert {each.unit.code for each in seen.ends} == {"C1", "C2", "D1"}
    carried_out(database, REFORM)
    with database.reading() as session:
        found = select(Unit.id).where(Unit.code == "C1", Unit.valid_from == DAY)
        return session.scalars(found).one()


@pytest.fixture
def founded(database, province):
    """The province, founded in 2024."""
    with database.writing() as session:
        session.execute(update(Unit).values(valid_from=FOUNDED))
    return province


class Kiosk:
    """A paired device: what it sent, and of which day each answer is."""

    def __init__(self, province, unit):
        self.unit, self.headers = unit, province.device(unit)
        self.sent: dict[str, tuple[dict, date]] = {}

    def queue(self, *days):
        bodies = []
        for day in days:
            moment = datetime.combine(day, time(10), ZONE)
            made = body(answered_at=moment.isoformat(), answers={"A1": 1 + len(self.sent) % 5})
            self.sent[made["id"]] = (made, day)
            bodies.append(made)
        return bodies

    def send(self, http, bodies):
        answer = http.post(URL, json={"responses": bodies}, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return [each["status"] for each in answer.json()["responses"]]


@pytest.fixture
def kiosks(founded):
    return {unit: Kiosk(founded, unit) for unit in KIOSKS}


def days_of(first, last, count):
    step = (last - first) / (count - 1)
    return [first + step * n for n in range(count)]


def test_each_answer_lands_in_the_unit_that_existed_on_its_day(serve, founded, database, kiosks):
    server = serve(cache_s=0, backlog_days=3650)
    today = local_today(ZONE)
    last = DAY - timedelta(days=1)
    with httpx.Client(base_url=server.address, timeout=60) as http:
        # A year of answers before anybody plans anything.
        for kiosk in kiosks.values():
            year = kiosk.queue(*days_of(FOUNDED, last, 60))
            assert set(kiosk.send(http, year)) == {"accepted"}

        # What was queued before the day goes on arriving while the tree is changed.
        over = Event()

        def go_on(kiosk):
            rounds = 0
            with httpx.Client(base_url=server.address, timeout=60) as own:
                while not over.is_set() or rounds < 3:
                    bodies = kiosk.queue(*days_of(last - timedelta(days=30), last, 5))
                    assert set(kiosk.send(own, bodies)) == {"accepted"}
                    rounds += 1
            return rounds

        with ThreadPoolExecutor(len(kiosks)) as pool:
            sending = [pool.submit(go_on, kiosk) for kiosk in kiosks.values()]
            try:
                merged = carry_out(database)
            finally:
                over.set()
            assert all(each.result() >= 3 for each in sending)
        carried_out(database, ahead(today + timedelta(days=1)))

        # Afterwards devices and strangers with printed codes send from both sides.
        refused = set()
        for unit, kiosk in kiosks.items():
            before, after = kiosk.queue(last, FOUNDED), kiosk.queue(DAY, today)
            told = kiosk.send(http, [after[0], before[0], after[1], before[1]])
            if unit == "D1":
                assert told[1] == told[3] == "accepted"
                assert "accepted" not in (told[0], told[2])
                refused |= {each["id"] for each in after}
            else:
                assert told == ["accepted"] * 4
            # Whoever asks again is told the same.
            assert kiosk.send(http, before) == ["duplicate"] * 2
        passers_by = {}
        for unit in ("C1", "C2", "A1"):
            posted = body(founded.points[(unit, "sipas-desk")])
            assert http.post(URL, json=posted).status_code == 201
            passers_by[posted["id"]] = unit
        closed = http.post(URL, json=body(founded.points[("D1", "sipas-desk")]))
        assert closed.json()["type"] == "/problems/point-closed"

    with database.reading() as session:
        stored = {row.id: row for row in session.scalars(select(Response))}
        aside = set(session.scalars(select(AsideResponse.response_id)))
        cells = session.execute(select(RollupCell.day, RollupCell.unit_id)).all()
        units = {unit.id: unit for unit in session.scalars(select(Unit))}
        assert all(units[unit_id].valid_on(day) for day, unit_id in cells)
    assert aside == refused

    def expected(unit, day):
        return merged if unit in ("C1", "C2") and day >= DAY else founded.units[unit]

    wanted = {
        id: expected(kiosk.unit, day)
        for kiosk in kiosks.values()
        for id, (_, day) in kiosk.sent.items()
        if id not in refused
    } | {id: expected(unit, today) for id, unit in passers_by.items()}
    assert {id: row.unit_id for id, row in stored.items()} == wanted
    assert set(wanted.values()) > {merged, founded.units["C1"]}
    assert verify(database) == []
