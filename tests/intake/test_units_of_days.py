"""Each answer is of the unit that existed on its day, whenever it arrives and whoever sends it."""

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select

from app.clock import local_today
from app.intake.models import AsideResponse, Response
from app.intake.rollup_rebuild import verify
from app.registry.models import Unit
from app.settings import Settings
from tests import changed_tree
from tests.small_province import body

URL = "/api/v1/responses"
ZONE = Settings().zone
TODAY = local_today(ZONE)
#: The change was yesterday: devices still bring what was answered before.
DAY = TODAY - timedelta(days=1)


def noon(days):
    return datetime.combine(DAY + timedelta(days=days), time(12), ZONE).astimezone(UTC)


@pytest.fixture
def merged(database, province):
    with database.writing() as session:
        old = [session.get_one(Unit, province.units[code]) for code in ("C1", "C2")]
        return changed_tree.merge(session, old, "C1", DAY, today=TODAY).id


def units_of(database):
    with database.reading() as session:
        return {row.id: row.unit_id for row in session.scalars(select(Response))}


def test_queued_answers_of_both_sides_land_in_the_unit_of_their_day(
    client, province, database, merged
):
    device = province.device()
    before, after = (body(answered_at=noon(days).isoformat()) for days in (-1, 0))
    answer = client.post(URL, json={"responses": [after, before]}, headers=device)
    assert [each["status"] for each in answer.json()["responses"]] == ["accepted"] * 2
    assert units_of(database) == {before["id"]: province.units["C1"], after["id"]: merged}
    # Sent again, each is the same response.
    again = client.post(URL, json=before, headers=device)
    assert (again.status_code, again.json()["status"]) == (200, "duplicate")
    changed = client.post(URL, json=before | {"answers": {"A1": 1}}, headers=device)
    assert changed.status_code == 409
    assert verify(database) == []


def test_history_and_strangers_as_well(client, province, database, merged):
    code = province.points[("C1", "sipas-desk")]
    old, now = body(code, answered_at=noon(-400).isoformat()), body(code)
    assert client.post(URL, json=old, headers=province.importer()).status_code == 201
    assert client.post(URL, json=now).status_code == 201
    assert units_of(database) == {old["id"]: province.units["C1"], now["id"]: merged}
    before_all = body(code, answered_at="2019-12-31T12:00:00+07:00")
    refused = client.post(URL, json=before_all, headers=province.importer())
    assert refused.json()["type"] == "/problems/point-closed"


def test_a_device_that_knew_its_point_before_the_change_is_told_by_day_too(
    client, province, database
):
    device = province.device()
    assert client.post(URL, json=body(), headers=device).status_code == 201
    with database.writing() as session:
        old = session.get_one(Unit, province.units["C1"])
        new = changed_tree.merge(session, [old], "C1", DAY, today=TODAY).id
    queued = body(answered_at=noon(-1).isoformat())
    assert client.post(URL, json=queued, headers=device).status_code == 201
    later = body()
    assert client.post(URL, json=later, headers=device).status_code == 201
    kept = units_of(database)
    assert kept[queued["id"]] == province.units["C1"] and kept[later["id"]] == new


def test_what_a_closed_unit_is_told_afterwards_is_kept_aside(client, province, database):
    device = province.device()
    with database.writing() as session:
        changed_tree.end(session.get_one(Unit, province.units["C1"]), DAY)
    before, after = (body(answered_at=noon(days).isoformat()) for days in (-1, 0))
    answer = client.post(URL, json={"responses": [before, after]}, headers=device)
    first, second = answer.json()["responses"]
    assert first["status"] == "accepted" and second["problem"]["type"] == "/problems/point-closed"
    assert units_of(database) == {before["id"]: province.units["C1"]}
    with database.reading() as session:
        (aside,) = session.scalars(select(AsideResponse))
        assert (aside.response_id, aside.rule) == (after["id"], "point-closed")
