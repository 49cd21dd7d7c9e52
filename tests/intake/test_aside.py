"""Whoever a device thanked is counted, or set aside by a rule that can be looked up."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.access.roles import Role
from app.audit.models import AuditEntry
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


@pytest.mark.parametrize(
    ("answered_at", "rule"),
    [
        ("1969-12-31T23:00:00Z", "beyond-backlog"),
        ("0001-01-01T00:00:00+14:00", "beyond-backlog"),
        ("-000001-01-01T00:00:00.000Z", "beyond-backlog"),
        ("2200-01-01T00:00:00Z", "ahead-of-server"),
        ("9999-12-31T23:59:59Z", "ahead-of-server"),
        ("+012345-01-01T00:00:00.000Z", "ahead-of-server"),
    ],
)
def test_a_year_that_no_clock_should_show_loses_no_answer(
    client, province, database, answered_at, rule
):
    """Also where the whole batch says so, as a kiosk's does, and where it is sent alone."""
    device, code = province.device(), province.points[("C1", "sipas-desk")]
    far = [body(answered_at=answered_at) for _ in range(3)]
    assert sent(client, device, far[0], body()) == ["accepted", "accepted"]
    assert sent(client, device, far[0], sent_at=answered_at) == ["duplicate"]
    assert sent(client, device, far[1], sent_at=answered_at) == ["accepted"]
    assert client.post(URL, json=far[2], headers=device).status_code == 201
    assert {row.rule for row in rows(database, ReceiptDated)} == {rule}
    assert len(rows(database, ReceiptDated)) == 3 and rows(database, AsideResponse) == []
    assert client.post(URL, json=body(code, answered_at=answered_at)).status_code == 201
    # History can be put right, and is refused.
    history = body(code, answered_at=answered_at)
    assert client.post(URL, json=history, headers=province.importer()).status_code == 422
    assert verify(database) == []


@pytest.mark.parametrize(
    ("age_s", "rule"),
    [(-1, "clock-lost"), (3_000_000_001, "beyond-backlog"), (10**30, "beyond-backlog")],
)
def test_an_age_that_none_is_loses_no_answer(client, province, database, age_s, rule):
    device, response = province.device(), body(age_s=age_s)
    assert sent(client, device, response) == ["accepted"]
    assert sent(client, device, response | {"age_s": 60}) == ["duplicate"]
    assert [row.rule for row in rows(database, ReceiptDated)] == [rule]


def test_what_is_refused_alone_or_without_an_id_or_twice_with_one_is_kept(
    client, province, database
):
    device, good = province.device(), body()
    alone = body() | {"nonsense": 1}
    for _ in range(2):
        assert client.post(URL, json=alone, headers=device).status_code == 422
    for nameless in ({"a": 1}, {"a": 2}, {"a": 1, "age_s": 5}, {"a": 1, "age_s": 6}):
        assert sent(client, device, nameless, body()) == ["refused", "accepted"]
    others = [good | {"answers": {"A1": n}} for n in (1, 2)]
    assert sent(client, device, good, *others) == ["accepted", "refused", "refused"]
    assert sent(client, device, *others) == ["refused", "refused"]
    long = [body() | {"id": "x" * 100 + end} for end in "ab"]
    assert sent(client, device, *long) == ["refused", "refused"]
    kept = [json.loads(row.body) for row in rows(database, AsideResponse)]
    told = sorted(json.dumps(each.get("answers", each.get("a"))) for each in kept)
    assert len(kept) == 1 + 2 + 2 + 2, told
    assert {each["answers"]["A1"] for each in kept if each.get("id") == good["id"]} == {1, 2}
    assert {each["a"] for each in kept if "a" in each} == {1, 2}
    assert verify(database) == []


def test_what_is_no_number_of_json_is_handed_out_with_the_others(client, province, database):
    device, number = province.device(), "-777"
    text = json.dumps({"responses": [body(age_s=-777), body(answers={"A1": 9})]})
    for word in ("NaN", "1e999"):
        headers = device | {"Content-Type": "application/json"}
        told = client.post(URL, content=text.replace(number, word), headers=headers)
        assert told.status_code == 200
    analyst = province.person((Role.PROVINCIAL_ANALYST, None))
    found = client.get("/api/v1/aside", headers=analyst.headers)
    assert found.status_code == 200
    ages = {each["response"].get("age_s") for each in found.json()["responses"]}
    assert "NaN" in ages and len(found.json()["responses"]) == 2


def test_what_strangers_and_importers_are_refused_is_not_kept(client, province, database):
    code = province.points[("C1", "sipas-desk")]
    for headers in ({}, province.importer()):
        refused = body(code, answers={"A1": 9}, id=new_id(datetime.now(UTC)))
        assert client.post(URL, json=refused, headers=headers).status_code == 422
        sent(client, headers, refused, {"id": 7})
    assert rows(database, AsideResponse) == []


@pytest.fixture
def refused_at_two(client, province):
    """A response about C1 and one about W1 that were refused for good."""
    ids = {}
    for unit, form in (("C1", "sipas-desk"), ("W1", "moh-inpatient")):
        response = body(questionnaire=form, answers={"A1": 9})
        assert sent(client, province.device(unit, form), response) == ["refused"]
        ids[unit] = response["id"]
    return ids


def test_staff_export_what_is_aside_of_their_units_and_the_log_says_so(
    client, province, database, refused_at_two
):
    def read(who, **query):
        return client.get("/api/v1/aside", headers=who.headers, params=query)

    analyst = province.person((Role.PROVINCIAL_ANALYST, None))
    found = read(analyst).json()["responses"]
    assert {each["unit"]: each["response"]["id"] for each in found} == refused_at_two
    assert {each["rule"] for each in found} == {"invalid-fields"}
    assert [each["unit"] for each in read(analyst, unit="W1").json()["responses"]] == ["W1"]
    # One person's whole response: not for a head, who knows her patients, nor for the desk.
    assert read(province.person((Role.UNIT_HEAD, "W1"))).json()["responses"] == []
    assert read(province.person((Role.DESK_STAFF, "C1"))).status_code == 403
    with database.reading() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "aside.export").order_by(AuditEntry.id)
        ).all()
    assert json.loads(entries[0].details) == {"responses": 2, "units": ["C1", "W1"]}
    assert entries[0].actor == analyst.email


def test_the_command_lists_and_exports(hailong, province, refused_at_two, tmp_path, database):
    assert "C1 invalid-fields: 1 set aside" in hailong("aside", "list")
    file = tmp_path / "aside.jsonl"
    hailong("aside", "export", file)
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert {each["unit"]: each["response"]["id"] for each in lines} == refused_at_two
    hailong("aside", "export", file, code=1)
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "aside.export")).one()
    assert entry.actor.startswith("command:")


def test_the_page_of_devices_counts_by_rule_for_those_who_manage_them(
    client, province, refused_at_two
):
    assert sent(client, province.device("C2"), body(clock_lost=True)) == ["accepted"]
    local = province.person((Role.OPERATOR, "D1"))
    page = client.get("/devices", headers=local.headers | {"Accept": "text/html"}).text
    assert "/problems/invalid-fields" in page and "Đơn vị C1" in page
    assert "Đồng hồ của máy bị chỉnh khi máy đang tắt" in page and "tính theo ngày nhận" in page
    desk = province.person((Role.DESK_STAFF, "W1"))
    page = client.get("/devices", headers=desk.headers | {"Accept": "text/html"}).text
    assert "/problems/invalid-fields" in page and "Đơn vị C1" not in page
