"""Invitations go on where their point moved, and none is issued for a unit that is no more."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.access.models import Right
from app.clock import local_today
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from app.invitations.models import Invitation
from app.registry.models import Unit
from app.settings import Settings
from tests import changed_tree
from tests.invitations.test_invitations import URL, a_case, fill, invite

TODAY = local_today(Settings().zone)


@pytest.fixture
def software(province):
    return province.credential(Right.INVITE)


def merge(database, province, code, *, points=True):
    with database.writing() as session:
        old = [session.get_one(Unit, province.units[each]) for each in ("C1", "C2")]
        return changed_tree.merge(session, old, code, TODAY, today=TODAY, points=points).id


def test_an_open_invitation_goes_on_and_its_answer_is_of_the_unit_of_its_day(
    client, province, software, database
):
    path = invite(client, province, software)
    merged = merge(database, province, "C9")
    assert "Đơn vị mới C9" in client.get(path).text
    answer = fill(client, path, A1="5")
    assert answer.status_code == 303 and client.get(answer.headers["location"]).status_code == 200
    with database.reading() as session:
        assert session.scalars(select(Response.unit_id)).all() == [merged]
        # The rate of answers stays with the unit that invited.
        (invitation,) = session.scalars(select(Invitation))
        assert (invitation.unit_id, invitation.answered) == (province.units["C1"], True)
    assert verify(database) == []


@pytest.mark.parametrize("code", ["C1", "C9"])
def test_a_case_that_was_invited_before_the_day_has_the_same_link_after(
    client, province, software, database, code
):
    first = client.post(URL, json=a_case(province), headers=software)
    merge(database, province, code)
    again = client.post(URL, json=a_case(province, unit=code), headers=software)
    assert (first.status_code, again.status_code) == (201, 200), again.text
    assert again.json()["link"] == first.json()["link"]
    other = province.credential(Right.INVITE)
    refused = client.post(URL, json=a_case(province, unit=code), headers=other)
    assert refused.json()["type"] == "/problems/already-invited"
    new = client.post(URL, json=a_case(province, "H05.2", unit=code), headers=software)
    assert new.status_code == 201


def test_for_a_closed_unit_none_is_issued_and_its_open_ones_say_who_goes_on(
    client, province, software, database
):
    path = invite(client, province, software)
    merge(database, province, "C9", points=False)
    refused = client.post(URL, json=a_case(province, "H05.2"), headers=software)
    assert refused.status_code == 422 and refused.json()["type"] == "/problems/unit-closed"
    assert "Đơn vị mới C9" in refused.json()["detail"]
    page = client.get(path)
    assert page.status_code == 410 and "Đơn vị mới C9" in page.text


def test_a_unit_that_lies_ahead_takes_no_codes_place(client, province, software, database):
    tomorrow = TODAY + timedelta(days=1)
    with database.writing() as session:
        old = session.get_one(Unit, province.units["C1"])
        changed_tree.merge(session, [old], "C1", tomorrow, today=TODAY)
    invite(client, province, software)
    with database.reading() as session:
        assert session.scalars(select(Invitation.unit_id)).all() == [province.units["C1"]]
