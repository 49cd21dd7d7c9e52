"""POST /api/v1/responses over a real server, on both stores."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from app.access.models import Right
from app.clock import local_today
from app.intake.models import Response, ResponseText
from app.intake.rollup_rebuild import verify
from app.registry.models import Channel, PointState, Unit
from app.registry.points import change_state, current_code, find_by_code, open_point, reprint
from app.registry.questionnaires import publish
from app.settings import Settings
from surveys.loader import FORMS, load_file
from tests import changed_tree
from tests.small_province import body, new_id

URL = "/api/v1/responses"
JSON = {"Content-Type": "application/json"}


def stored(database):
    with database.reading() as session:
        rows = session.query(Response).order_by(Response.id).all()
        session.expunge_all()
        return rows


def problem(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["type"] == f"/problems/{code}" and document["status"] == status
    assert document["title"] and document["detail"]
    return document


def test_a_device_submits_one(client, province, database):
    sent = body(answers={"A1": 4, "B2": None, "comment": " Tốt "}, duration_s=70, language="en")
    answer = client.post(URL, json=sent, headers=province.device())
    assert (answer.status_code, answer.json()) == (201, {"id": sent["id"], "status": "accepted"})
    (row,) = stored(database)
    assert (row.id, row.unit_id, row.channel, row.duration_s, row.language, row.disposition) == (
        sent["id"],
        province.units["C1"],
        "qr",
        70,
        "en",
        "counted",
    )
    assert row.claimed_at == datetime.fromisoformat(sent["answered_at"])
    with database.reading() as session:
        assert [(t.item, t.body) for t in session.query(ResponseText)] == [("comment", "Tốt")]
    assert verify(database) == []


def test_anybody_submits_with_a_points_public_code(client, province):
    answer = client.post(URL, json=body(province.points[("D1", "sipas-desk")]))
    assert answer.status_code == 201
    problem(client.post(URL, json=body()), 422, "point-missing")
    problem(client.post(URL, json=body("ZZZZZZZ")), 422, "unknown-point")


def test_the_same_again_is_acknowledged_and_counted_once(client, province, database):
    sent, device = body(answers={"A1": 5, "comment": "x"}), province.device()
    first, *again = [client.post(URL, json=sent, headers=device) for _ in range(3)]
    assert first.status_code == 201
    for answer in again:
        assert (answer.status_code, answer.json()["status"]) == (200, "duplicate")
    upper = client.post(URL, json=sent | {"id": sent["id"].upper()}, headers=device)
    assert upper.json()["status"] == "duplicate"
    assert len(stored(database)) == 1
    assert verify(database) == []


@pytest.mark.parametrize(
    "change",
    [
        {"answers": {"A1": 5}},
        {"answers": {"A1": 4, "comment": "y"}},
        {"answers": {"A1": 4}},
        {"language": "en"},
        {"duration_s": 3},
        {"answered_at": (datetime.now(UTC) - timedelta(minutes=1)).isoformat()},
    ],
    ids=["answers", "text", "no text", "language", "duration", "moment"],
)
def test_the_same_id_with_other_content_is_a_conflict(client, province, database, change):
    sent, device = body(answers={"A1": 4, "comment": "x"}), province.device()
    client.post(URL, json=sent, headers=device)
    document = problem(
        client.post(URL, json=sent | change, headers=device), 409, "conflicting-response"
    )
    assert document["field"] == "id" and document["retry"] is False
    assert len(stored(database)) == 1
    assert verify(database) == []


def test_a_batch_is_answered_for_response_by_response(client, province, database):
    good, wrong, other = body(), body(answers={"A1": 9}), body()
    changed = good | {"answers": {"A1": 1}}
    unknown_field = body() | {"unit": "C2"}
    answer = client.post(
        URL,
        json={"responses": [good, wrong, good, changed, unknown_field, "?", other]},
        headers=province.device() | {"Accept-Language": "en"},
    )
    assert answer.status_code == 200
    results = answer.json()["responses"]
    assert [r["id"] for r in results] == [
        good["id"], wrong["id"], good["id"], good["id"], unknown_field["id"], None, other["id"],
    ]  # fmt: skip
    assert [r["status"] for r in results] == [
        "accepted", "refused", "duplicate", "refused", "refused", "refused", "accepted",
    ]  # fmt: skip
    assert results[1]["problem"]["errors"] == [
        {
            "field": "answers.A1",
            "code": "answer.not_a_level",
            "detail": "Takes one of: 1, 2, 3, 4, 5.",
        }
    ]
    assert results[3]["problem"]["type"] == "/problems/conflicting-response"
    assert results[4]["problem"]["errors"][0]["field"] == "unit"
    assert len(stored(database)) == 2
    assert verify(database) == []


def test_a_batch_whose_list_does_not_come_first_is_a_batch(client, province):
    text = json.dumps({"sent_at": datetime.now(UTC).isoformat(), "responses": [body()]})
    for content in (text, " \n" + text, json.dumps({"x": 1, "responses": [body()]})):
        answer = client.post(URL, content=content, headers=province.device() | JSON)
        assert "responses" in answer.json() or answer.json()["errors"][0]["field"] == "x"


def test_a_comment_that_holds_the_word_is_no_batch(client, province):
    sent = body(answers={"A1": 4, "comment": '"responses"'})
    assert client.post(URL, json=sent, headers=province.device()).status_code == 201


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"id": "01937b3c-1f3a-4c3e-9c65-2f2f3c1b0a11"}, "id", "field.not_uuid7"),
        ({"id": "7"}, "id", "field.not_uuid7"),
        ({"id": None}, "id", "field.invalid"),
        ({"answered_at": "2026-11-24T09:30:00"}, "answered_at", "field.no_offset"),
        ({"answered_at": "yesterday"}, "answered_at", "field.invalid"),
        ({"version": "1"}, "version", "field.invalid"),
        ({"duration_s": False}, "duration_s", "field.invalid"),
        ({"version": 10**30}, "version", "field.invalid"),
        ({"language": "fr"}, "language", "field.invalid"),
        ({"duration_s": -1}, "duration_s", "field.invalid"),
        ({"answers": []}, "answers", "field.invalid"),
        ({"answers": {f"A{i}": 1 for i in range(301)}}, "answers", "field.invalid"),
        ({"colour": "red"}, "colour", "field.unknown"),
        ({"answers": {"Z9": 1}}, "answers.Z9", "answer.unknown_item"),
        ({"answers": {"A1": 6}}, "answers.A1", "answer.not_a_level"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_field_is_named(client, province, database, change, field, code):
    answer = client.post(URL, json=body() | change, headers=province.device())
    document = problem(answer, 422, "invalid-fields")
    assert [(e["field"], e["code"]) for e in document["errors"]] == [(field, code)]
    assert stored(database) == []


def test_missing_fields_are_named_in_the_callers_language(client, province):
    answer = client.post(URL, json={}, headers=province.device())
    document = problem(answer, 422, "invalid-fields")
    assert {e["field"] for e in document["errors"]} == {
        "id", "questionnaire", "version", "answered_at", "answers",
    }  # fmt: skip
    assert answer.headers["content-language"] == "vi"
    assert document["errors"][0]["detail"] == "Thiếu trường này."
    english = client.post(URL, json={}, headers=province.device() | {"Accept-Language": "en-GB"})
    assert english.json()["errors"][0]["detail"] == "This field is missing."


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"nul", b'{"responses": [', b"\xff\xfe", b"[" * 99_999]
)
def test_what_is_no_json_object_is_malformed(client, province, content):
    answer = client.post(URL, content=content, headers=province.device() | JSON)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_size_and_count_are_limited(client, province, settings):
    device = province.device() | JSON
    too_long = b" " * (settings.body_limit + 1)
    problem(client.post(URL, content=too_long, headers=device), 413, "body-too-large")

    def pieces():
        for _ in range(settings.body_limit // 65_536 + 1):
            yield b" " * 65_536

    problem(client.post(URL, content=pieces(), headers=device), 413, "body-too-large")
    batch = {"responses": [body() for _ in range(settings.batch_limit + 1)]}
    problem(client.post(URL, json=batch, headers=device), 413, "batch-too-large")
    batch["responses"][0] = "malformed"
    problem(client.post(URL, json=batch, headers=device), 413, "batch-too-large")
    answer = client.post(URL, json={"responses": []}, headers=device)
    problem(answer, 422, "invalid-fields")


def test_only_the_exact_version_and_form_of_the_point_are_taken(client, province):
    device = province.device()
    answer = client.post(URL, json=body() | {"version": 3}, headers=device)
    assert problem(answer, 422, "unknown-questionnaire-version")["retry"] is True
    faces = body(answers={"S1": 5}, questionnaire="kiosk-face")
    problem(client.post(URL, json=faces, headers=device), 422, "wrong-questionnaire")
    at_kiosk = province.device("C1", "kiosk-face")
    assert client.post(URL, json=faces, headers=at_kiosk).status_code == 201
    elsewhere = body(province.points[("D1", "sipas-desk")])
    problem(client.post(URL, json=elsewhere, headers=device), 403, "point-not-yours")


def test_credentials(client, province):
    sent = body(province.points[("C1", "sipas-desk")])
    problem(
        client.post(URL, json=sent, headers={"Authorization": "Bearer x"}),
        401,
        "credential-unknown",
    )
    problem(
        client.post(URL, json=sent, headers={"Authorization": "Basic x"}), 401, "credential-unknown"
    )
    problem(client.post(URL, json=sent, headers=province.reader()), 403, "right-missing")
    expired = province.credential(
        Right.SUBMIT,
        point=province.points[("C1", "sipas-desk")],
        expires_at=datetime.now(UTC) - timedelta(seconds=1),
    )
    problem(client.post(URL, json=sent, headers=expired), 401, "credential-unknown")


def test_a_paused_or_revoked_point_takes_no_new_answers(client, province, database):
    code = province.points[("C1", "sipas-desk")]
    device, kept_offline = province.device(), body()
    with database.writing() as session:
        change_state(session, find_by_code(session, code), PointState.PAUSED)
    later = body(answered_at=(datetime.now(UTC) + timedelta(seconds=1)).isoformat())
    problem(client.post(URL, json=later, headers=device), 422, "point-closed")
    problem(client.post(URL, json=body(code)), 422, "point-closed")
    # What the device answered before the pause is taken.
    assert client.post(URL, json=kept_offline, headers=device).status_code == 201
    with database.writing() as session:
        new_code = reprint(session, find_by_code(session, code))
        change_state(session, find_by_code(session, new_code), PointState.ACTIVE)
    problem(client.post(URL, json=body(code)), 422, "unknown-point")
    assert client.post(URL, json=body(new_code)).status_code == 201


def test_an_unfinished_response_is_kept_and_marked_only_where_its_questionnaire_says_so(
    client, province, database, tmp_path
):
    text = (FORMS / "sipas-desk.yaml").read_text("utf-8")
    file = tmp_path / "partial.yaml"
    file.write_text(
        text.replace("code: sipas-desk\n", "code: partial-desk\n", 1)
        .replace("estimated_minutes: 3", "estimated_minutes: 3\nkeep_partial: true")
        .replace("{ code: A1, ", "{ code: A1, required: true, ", 1),
        "utf-8",
    )
    with database.writing() as session:
        publish(session, [load_file(file)])
        unit = session.get_one(Unit, province.units["C1"])
        code = current_code(open_point(session, unit, "partial-desk", Channel.WEB, "Bỏ dở"))
    sent = body(code, questionnaire="partial-desk", answers={"B1": 4})
    problem(client.post(URL, json=sent), 422, "invalid-fields")
    assert client.post(URL, json=sent | {"partial": True}).status_code == 201
    assert client.post(URL, json=sent | {"partial": True}).status_code == 200
    finished = sent | {"answers": {"A1": 4, "B1": 4}}
    problem(client.post(URL, json=finished), 409, "conflicting-response")
    whole = body(code, questionnaire="partial-desk", answers={"A1": 4})
    assert client.post(URL, json=whole).status_code == 201
    assert {row.id: row.partial for row in stored(database)} == {
        sent["id"]: True,
        whole["id"]: False,
    }
    # Elsewhere it is taken where nothing that is required lacks: its respondent ended it.
    ended = body(province.points[("C1", "sipas-desk")], answers={"A1": 4}) | {"partial": True}
    assert client.post(URL, json=ended).status_code == 201
    assert {row.id: row.partial for row in stored(database)}[ended["id"]] is True
    face = body(province.points[("C1", "kiosk-face")], questionnaire="kiosk-face")
    lacking = face | {"answers": {}, "partial": True}
    problem(client.post(URL, json=lacking), 422, "partial-not-kept")
    problem(client.post(URL, json=lacking | {"answers": {"S1": 9}}), 422, "invalid-fields")


def test_what_was_counted_in_time_is_acknowledged_even_when_asked_again_late(
    client, province, database
):
    code = province.points[("C1", "sipas-desk")]
    sent, other = body(code), body(code)
    for each in (sent, other):
        assert client.post(URL, json=each).status_code == 201
    with database.writing() as session:
        change_state(session, find_by_code(session, code), PointState.REVOKED)
    again = client.post(URL, json=sent)
    assert (again.status_code, again.json()["status"]) == (200, "duplicate")
    problem(client.post(URL, json=sent | {"language": "en"}), 422, "point-closed")
    problem(client.post(URL, json=sent | {"id": new_id()}), 422, "point-closed")
    batch = [sent, other, sent | {"language": "en"}, body(code)]
    results = client.post(URL, json={"responses": batch}).json()["responses"]
    assert [r["status"] for r in results] == ["duplicate", "duplicate", "refused", "refused"]


def test_a_stranger_is_limited_by_address_and_point(province, settings):
    from tests.conftest import serving

    code = province.points[("C1", "sipas-desk")]
    limited = settings.model_copy(update={"public_rate": "3/minute"})
    with serving(limited) as client:
        answers = [client.post(URL, json=body(code)) for _ in range(4)]
        assert [a.status_code for a in answers] == [201, 201, 201, 429]
        document = problem(answers[-1], 429, "rate-exceeded")
        assert document["retry"] is True and int(answers[-1].headers["retry-after"]) > 0
        batch = client.post(URL, json={"responses": [body(code)]}).json()["responses"]
        assert batch[0]["problem"]["type"] == "/problems/rate-exceeded"
        assert client.post(URL, json=body(), headers=province.device()).status_code == 201
        other = client.post(URL, json=body(province.points[("D1", "sipas-desk")]))
        assert other.status_code == 201


def test_a_key_of_a_unit_imports_to_no_other(client, province):
    headers = province.credential(Right.IMPORT_HISTORY, unit="D1")
    there = {"C1": 201, "C2": 201, "D1": 201, "A1": 422}
    points = {unit: province.points[(unit, "sipas-desk")] for unit in there}
    for unit in there:
        sent = body(points[unit])
        answer = client.post(URL, json=sent, headers=headers)
        assert answer.status_code == there[unit], (unit, answer.text)
        if answer.status_code == 422:
            assert problem(answer, 422, "unknown-point")["field"] == "point"
        batch = client.post(URL, json={"responses": [body(points[unit])]}, headers=headers)
        (result,) = batch.json()["responses"]
        assert result["status"] == ("accepted" if there[unit] == 201 else "refused")
    everywhere = client.post(URL, json=body(points["A1"]), headers=province.importer())
    assert everywhere.status_code == 201


def test_a_point_that_moved_brings_nothing_to_a_unit_out_of_reach(client, province, database):
    today = local_today(Settings().zone)
    code = province.points[("A1", "sipas-desk")]
    with database.writing() as session:
        target = session.get_one(Unit, province.units["C1"])
        changed_tree.move(session, find_by_code(session, code), target, today, today=today)
    headers = province.credential(Right.IMPORT_HISTORY, unit="C1")
    now, before = datetime.now(UTC), datetime.now(UTC) - timedelta(days=40)
    own = client.post(URL, json=body(code, answered_at=now.isoformat()), headers=headers)
    assert own.status_code == 201, own.text
    others = client.post(URL, json=body(code, answered_at=before.isoformat()), headers=headers)
    assert problem(others, 422, "unknown-point")["field"] == "point"
