"""/api/v1/batches: suspected batches by rights, with pictures, and decided by a person's key."""

from datetime import date

import pytest

from app.access import credentials
from app.access.models import Account, Right
from app.access.roles import Role
from app.clock import local_today
from app.integrity.models import State
from app.integrity.reasons import Reason
from app.settings import Settings
from tests.integrity.suspected import ALIKE, MIXED, batch_of, suspected

READ, SMALL, REVIEW = Right.READ_BATCHES, Right.READ_SMALL_CELLS, Right.REVIEW_BATCHES


@pytest.fixture
def key(database, province):
    """The header of a key of somebody with roles."""

    def issued(*roles, rights=(READ, SMALL, REVIEW)):
        who = province.person(*roles)
        with database.writing() as session:
            account = session.get_one(Account, who.account_id)
            secret = credentials.issue(session, "máy của tôi", rights, None, account=account)
        return {"Authorization": f"Bearer {secret}"}

    return issued


@pytest.fixture
def batch(province, client):
    return suspected(province, client)


def test_a_batch_has_its_pictures_as_counted_by_hand(client, province, batch, key):
    answer = client.get(f"/api/v1/batches/{batch.id}", headers=key((Role.PROVINCIAL_ANALYST, None)))
    found = answer.json()
    assert answer.status_code == 200
    drawn = found.pop("pictures")
    told = {name: found[name] for name in ("unit", "questionnaire", "channel", "month", "rule")}
    assert told == {
        "unit": "C1", "questionnaire": "sipas-desk", "channel": "qr", "month": "2026-09",
        "rule": "stuffing",
    }  # fmt: skip
    assert (found["state"], found["responses"], found["set_aside"]) == ("open", 30, 0)
    assert found["may_review"] is True and found["suspected"] == 29.4
    assert found["reasons"][0] == {"why": "pressed", "n": 30, "of": 30, "usual": 0.12}
    here, there = drawn["suspected"], drawn["others"]
    # Thirty from 16:40:00 on, 20 seconds apart; forty from 8:00 on, an hour later each.
    assert here["by_hour"] == [30 if hour == 16 else 0 for hour in range(24)]
    assert there["by_hour"] == [5 if 8 <= hour < 16 else 0 for hour in range(24)]
    assert here["levels"] == [0, 0, 0, 0, 30 * len(ALIKE)]
    assert there["levels"] == [0, 40, 40, 40, 0] and sorted(MIXED.values()) == [2, 3, 4]
    assert here["durations"] == {"measured": 30, "low": 8, "median": 8, "high": 8}
    # numpy.quantile of 60 … 99: the median is between 79 and 80.
    assert there["durations"] == {"measured": 40, "low": 69.75, "median": 79.5, "high": 89.25}
    days = {each["day"]: (each["suspected"], each["others"]) for each in drawn["by_day"]}
    assert len(days) == 30 and days["2026-09-29"] == (30, 0) and days["2026-09-01"] == (0, 1)
    assert sum(others for _, others in days.values()) == 20
    assert (drawn["others_from"], drawn["others_to"]) == ("2026-07-01", "2026-09-30")


def test_of_few_neither_levels_nor_durations_are_told(client, province, key):
    batch = suspected(province, client, suspected=9, others=9)
    headers = key((Role.PROVINCIAL_ANALYST, None))
    drawn = client.get(f"/api/v1/batches/{batch.id}", headers=headers).json()["pictures"]
    for side in ("suspected", "others"):
        assert drawn[side]["responses"] == 9
        assert drawn[side]["levels"] is drawn[side]["durations"] is None


def test_what_is_suspected_elsewhere_is_not_the_units_usual(client, database, province, batch, key):
    """Of another batch its responses are the usual once it is released, and not before."""
    headers = key((Role.PROVINCIAL_ANALYST, None))
    other = batch_of(database, province.units["C1"], [])

    def others():
        answer = client.get(f"/api/v1/batches/{other}", headers=headers)
        return answer.json()["pictures"]["others"]["responses"]

    assert others() == 40
    path = f"/api/v1/batches/{batch.id}"
    client.post(f"{path}/release", json={"reason": "đoàn khách"}, headers=headers)
    assert others() == 70
    client.post(f"{path}/reject", json={"reason": "đã hỏi lại"}, headers=headers)
    assert others() == 40


def test_a_person_decides_by_a_key_and_a_system_does_not(client, database, province, batch, key):
    path, sent = f"/api/v1/batches/{batch.id}", {"reason": "đã hỏi đơn vị"}
    own, system = key((Role.PROVINCIAL_ANALYST, None)), province.credential(READ, SMALL, REVIEW)
    answer = client.post(f"{path}/reject", json=sent, headers=own)
    assert answer.json() == {"state": "rejected", "moved": 30, "stayed": 0}
    assert client.get(path, headers=own).json()["set_aside"] == 30
    for headers, code, status in (
        (own, "batch-decided", 409),
        (system, "reviewer-unnamed", 403),
        (key((Role.PROVINCIAL_ANALYST, "C1")), "reviewer-of-unit", 403),
        (key((Role.PROVINCIAL_ANALYST, None), (Role.DESK_STAFF, "C1")), "reviewer-of-unit", 403),
        (key((Role.PROVINCIAL_ANALYST, None), rights=[READ]), "right-missing", 403),
        (key((Role.UNIT_HEAD, "C1")), "right-missing", 403),
        (key((Role.PROVINCIAL_ANALYST, "C2")), "unknown-batch", 404),
    ):
        answer = client.post(f"{path}/reject", json=sent, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{code}")
    for wrong in ({}, {"reason": ""}, {"reason": "x" * 501}, {"reason": "x", "more": 1}):
        assert client.post(f"{path}/release", json=wrong, headers=own).status_code == 422
    # A browser's session reads, and decides on the page alone.
    analyst = province.person((Role.PROVINCIAL_ANALYST, None))
    assert client.get(path, headers=analyst.headers).status_code == 200
    assert client.post(f"{path}/release", json=sent, headers=analyst.headers).status_code == 401


def test_without_small_figures_no_picture_and_no_number_of_few(client, province, key):
    reasons = Reason("pressed", 20, 30, 0.12, 19.0), Reason("instant", 9, 30, 0.01, 8.9)
    batch = suspected(province, client, reasons=reasons)
    found = client.get(
        f"/api/v1/batches/{batch.id}", headers=key((Role.PROVINCIAL_ANALYST, None), rights=[READ])
    ).json()
    assert found["pictures"] is found["set_aside"] is found["suspected"] is None
    assert [(each["n"], each["of"]) for each in found["reasons"]] == [(20, 30), (None, None)]


def test_lists_wait_or_are_of_states(client, database, province, key):
    at, headers = province.units, key((Role.PROVINCIAL_ANALYST, None))
    month = local_today(Settings().zone).replace(day=1)
    waits = batch_of(database, at["C1"], [], month=month, probability=0.7)
    first = batch_of(database, at["W1"], [], month=date(2026, 8, 1), probability=0.8)
    over = batch_of(database, at["C2"], [], state=State.REJECTED)

    def ids(**query):
        answer = client.get("/api/v1/batches", params=query, headers=headers)
        assert answer.status_code == 200
        return [each["id"] for each in answer.json()["batches"]]

    assert ids() == [first, waits]
    assert ids(state="rejected") == [over]
    assert ids(state=["rejected", "open"], unit="D1") == [over, waits]
    assert client.get("/api/v1/batches?state=x", headers=headers).status_code == 422
    assert client.get("/api/v1/batches?unit=XX", headers=headers).status_code == 404
    assert client.get("/api/v1/batches/99", headers=headers).status_code == 404
