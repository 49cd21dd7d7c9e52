"""Whoever a device thanked is counted, or set aside by a rule that can be looked up."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.intake.models import AsideResponse, ReceiptDated, Response
from app.intake.rollup_rebuild import verify
from app.registry.models import PointState
from app.registry.points import change_state, find_by_code
from tests.small_province import body, new_id

URL = "/api/v1/responses"


def sent(client, device, *responses, **more):
    answer = client.post(URL, json={"responses": list(responses), **more}, headers=device)
    assert answer.status_code == 200, answer.text
    return [each["status"] for each in answer.json()["responses"]]


def rows(database, table):
    with database.reading() as session:
        return list(session.scalars(select(table)))


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"answered_at": "2020-01-01T07:00:00+07:00"}, "beyond-backlog"),
        ({"age_s": 40 * 86_400}, "beyond-backlog"),
        ({"answered_at": "2028-11-24T07:00:00+07:00"}, "ahead-of-server"),
        ({"clock_lost": True}, "clock-lost"),
    ],
)
def test_what_cannot_be_dated_is_counted_at_receipt_and_marked(
    client, province, database, more, rule
):
    device, response = province.device(), body(**more)
    assert sent(client, device, response) == ["accepted"]
    (row,) = rows(database, Response)
    assert row.answered_at == row.received_at and row.disposition == "counted"
    (mark,) = rows(database, ReceiptDated)
    assert (mark.response_id, mark.rule, mark.unit_id) == (row.id, rule, row.unit_id)
    assert row.claimed_at == datetime.fromisoformat(response["answered_at"])
    # Sent again, it is the same response, and marked once.
    assert sent(client, device, response) == ["duplicate"]
    assert len(rows(database, ReceiptDated)) == 1 and verify(database) == []


def test_an_age_dates_a_response_and_may_differ_when_it_is_sent_again(client, province, database):
    device = province.device()
    response = body(answered_at="2020-01-01T07:00:00+07:00")
    assert sent(client, device, response | {"age_s": 7200}) == ["accepted"]
    assert sent(client, device, response | {"age_s": 7260}) == ["duplicate"]
    (row,) = rows(database, Response)
    assert row.received_at - row.answered_at == timedelta(seconds=7200)
    assert rows(database, ReceiptDated) == []


def test_what_a_device_is_refused_for_good_is_set_aside_by_its_rule(client, province, database):
    device, code = province.device(), province.points[("C1", "sipas-desk")]
    wrong, malformed, other = body(answers={"A1": 9}), body() | {"nonsense": 1}, body()
    assert sent(client, device, wrong, malformed, other) == ["refused", "refused", "accepted"]
    assert sent(client, device, wrong, other | {"answers": {"A1": 1}}) == ["refused", "refused"]
    with database.writing() as session:
        change_state(session, find_by_code(session, code), PointState.REVOKED)
    late = body()
    assert sent(client, device, late, body(version=99)) == ["refused", "refused"]
    kept = {row.response_id: row for row in rows(database, AsideResponse)}
    # What may be taken later (a version that is not published yet) is not among them.
    assert {id: row.rule for id, row in kept.items()} == {
        wrong["id"]: "invalid-fields",
        malformed["id"]: "invalid-fields",
        other["id"]: "conflicting-response",
        late["id"]: "point-closed",
    }
    assert '"A1":9' in kept[wrong["id"]].body and "nonsense" in kept[malformed["id"]].body
    assert {row.unit_id for row in kept.values()} == {province.units["C1"]}
    for row in kept.values():
        assert client.get(f"/problems/{row.rule}").status_code == 200


def test_what_strangers_and_importers_are_refused_is_not_kept(client, province, database):
    code = province.points[("C1", "sipas-desk")]
    for headers in ({}, province.importer()):
        refused = body(code, answers={"A1": 9}, id=new_id(datetime.now(UTC)))
        assert client.post(URL, json=refused, headers=headers).status_code == 422
        sent(client, headers, refused, {"id": 7})
    assert rows(database, AsideResponse) == []
