"""QuestionnaireResponses of FHIR: by POST, as an engine sends them, and from files."""

import copy
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from fhir.resources.bundle import Bundle
from fhir.resources.operationoutcome import OperationOutcome
from fhir.resources.questionnaireresponse import QuestionnaireResponse
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as OfR4
from sqlalchemy import select

from app.access.models import Right
from app.importing.fhir import read_response
from app.intake.models import Response, ResponseText
from app.intake.rollup_rebuild import verify
from app.problems import InvalidFields
from app.registry.questionnaires import Published
from surveys import Questionnaire, load_directory
from surveys.formats import Format, write_form
from tests.intake.paper_forms import stored

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
PATH = "/api/v1/fhir/QuestionnaireResponse"
FHIR = {"Content-Type": "application/fhir+json; charset=utf-8"}


def coding(code):
    return {"valueCoding": {"system": "urn:hailong:sipas-desk:satisfaction", "code": code}}


R5 = {
    "resourceType": "QuestionnaireResponse",
    "id": "r-17",
    "identifier": [{"system": "urn:oid:1.2.3", "value": "PHIEU-17"}],
    "questionnaire": "urn:hailong:questionnaire:sipas-desk|2",
    "status": "completed",
    "language": "vi-VN",
    "subject": {"reference": "Patient/1", "display": "Nguyễn Văn An"},
    "encounter": {"reference": "Encounter/5"},
    "authored": "2026-10-24T09:30:00+07:00",
    "item": [
        {"linkId": "group:A", "item": [
            {"linkId": "A1", "answer": [coding("5")]},
            {"linkId": "A2", "answer": [coding("na")]},
        ]},
        {"linkId": "trips", "answer": [
            {"valueCoding": {"system": "urn:hailong:sipas-desk:trips", "code": "2"},
             "item": [{"linkId": "comment", "answer": [
                 {"valueString": "Cô Lan ở quầy rất tốt, gọi 0912 345 678"}]}]},
        ]},
    ],
}  # fmt: skip
R4 = {**R5, "identifier": {"system": "urn:oid:1.2.3", "value": "PHIEU-18"}, "id": "r-18"}


def changed(resource, **fields):
    made = {**copy.deepcopy(resource), **fields}
    return {name: value for name, value in made.items() if value is not None}


def answered(*answers, link="A1"):
    return [{"linkId": link, "answer": list(answers)}]


@pytest.fixture
def engine(client, province):
    """Sends a resource as a hospital's interface engine does: status, and the checked outcome."""
    key = province.credential(Right.IMPORT_HISTORY, unit="D1")
    point = province.points[("D1", "sipas-desk")]

    def send(resource, headers=FHIR, path=PATH, point=point):
        content = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
        answer = client.post(path, params={"point": point} if point else {}, content=content,
                             headers=key | headers)  # fmt: skip
        assert answer.headers["content-type"].startswith("application/fhir+json"), answer.text
        document = answer.json()
        model = Bundle if document["resourceType"] == "Bundle" else OperationOutcome
        model.model_validate(document)
        return answer.status_code, document

    return send


def told(document):
    return [(issue["code"], *issue.get("expression", [])) for issue in document["issue"]]


def test_r4_and_r5_are_counted_once_and_say_nothing_of_who_answered(engine, database):
    QuestionnaireResponse.model_validate(R5)
    OfR4.model_validate(R4)
    for resource in (R5, R4):
        assert engine(resource)[0] == 201
        assert engine(resource)[0] == 200
    first, second = stored(database)
    assert first.id != second.id and first.day.isoformat() == "2026-10-24"
    with database.reading() as session:
        texts = session.scalars(select(ResponseText)).all()
        assert "0912" not in "".join(text.body for text in texts) and len(texts) == 2
        kept = [str(getattr(row, c.key)) for row in session.scalars(select(Response)).all()
                for c in Response.__table__.columns]  # fmt: skip
    assert not any(part in value for value in kept for part in ("PHIEU", "Nguyễn", "Patient"))
    status, outcome = engine(changed(R5, item=answered(coding("1"))))
    assert status == 409 and told(outcome) == [("conflict", "QuestionnaireResponse.identifier")]
    assert verify(database) == []


def test_without_an_identifier_it_is_known_by_its_id_at_the_point_or_by_its_content(
    engine, database
):
    bare = changed(R5, identifier=None)
    assert [engine(bare)[0], engine(bare)[0]] == [201, 200]
    nameless = changed(bare, id=None)
    assert [engine(nameless)[0], engine(nameless)[0]] == [201, 200]
    assert engine(changed(nameless, authored="2026-10-24T09:30:01+07:00"))[0] == 201
    assert len(stored(database)) == 3


ITEM = "QuestionnaireResponse.item[0]"


WRONG = [
        ({"status": "in-progress"}, [("invalid", "QuestionnaireResponse.status")]),
        ({"status": "entered-in-error"}, [("invalid", "QuestionnaireResponse.status")]),
        ({"authored": "2026-10"}, [("invalid", "QuestionnaireResponse.authored")]),
        ({"authored": "2026-10-24T09:30:00"}, [("invalid", "QuestionnaireResponse.authored")]),
        ({"authored": "2199-01-01"}, [("invalid", "QuestionnaireResponse.authored")]),
        ({"questionnaire": "urn:hailong:questionnaire:sipas-desk|9"},
         [("invalid", "QuestionnaireResponse.questionnaire")]),
        ({"questionnaire": None}, [("invalid", "QuestionnaireResponse.questionnaire")]),
        ({"modifierExtension": []}, [("invalid", "QuestionnaireResponse.modifierExtension")]),
        ({"item": answered(coding("9"))}, [("invalid", f"{ITEM}.answer")]),
        ({"item": answered(coding("5"), link="Z1")}, [("invalid", f"{ITEM}.linkId")]),
        ({"item": answered(coding("5"), coding("4"))}, [("invalid", f"{ITEM}.answer")]),
        ({"item": answered({"valueBoolean": True})},
         [("invalid", f"{ITEM}.answer[0].valueBoolean")]),
        ({"item": answered({"valueInteger": "4"})},
         [("invalid", f"{ITEM}.answer[0].valueInteger")]),
        ({"item": answered({"valueInteger": True})},
         [("invalid", f"{ITEM}.answer[0].valueInteger")]),
        ({"item": answered({"valueInteger": 4}, link="comment")},
         [("invalid", f"{ITEM}.answer[0].valueInteger")]),
        ({"item": [*answered(coding("5")), *answered(coding("4"))]},
         [("invalid", "QuestionnaireResponse.item[1].linkId")]),
        ({"language": "ja"}, [("invalid", "QuestionnaireResponse.language")]),
        ({"resourceType": "Patient"}, [("invalid", "QuestionnaireResponse.resourceType")]),
    ]  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_wrong_is_named_by_its_path(engine, database):
    for fields, issues in WRONG:
        status, outcome = engine(changed(R5, **fields))
        assert (status, told(outcome)) == (422, issues), outcome
    assert stored(database) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_numbers_and_words_that_are_taken(engine, database):
    for n, answer in enumerate((
        {"valueInteger": 4}, {"valueString": "Hài lòng"}, {"valueCoding": {"display": "Satisfied"}},
    )):  # fmt: skip
        identifier = [{"system": "s", "value": str(n)}]
        assert engine(changed(R5, identifier=identifier, item=answered(answer)))[0] == 201
    assert len({row.packed for row in stored(database)}) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_fhir_or_not_the_callers_is_refused_as_an_outcome(
    engine, client, province, database
):
    assert engine(b'{"resourceType": ')[0] == 400
    assert engine(b'{"a": NaN}')[0] == 400
    assert engine(b"[" * 100_000)[0] == 400
    assert engine(R5, {"Content-Type": "application/fhir+xml"})[0] == 415
    assert engine(R5, {"Authorization": "Bearer hl_wrong", **FHIR})[0] == 401
    assert engine(R5, FHIR | province.credential(Right.READ_FIGURES))[0] == 403
    # Of another unit, or of none: as if it were not there.
    status, outcome = engine(R5, point=province.points[("A1", "sipas-desk")])
    assert (status, told(outcome)) == (422, [("invalid", "QuestionnaireResponse.meta.tag")])
    assert engine(R5, point="NOSUCHX")[0] == 422 and engine(R5, point="")[0] == 422
    assert stored(database) == []
    tagged = {
        "tag": [{"system": "urn:hailong:point", "code": province.points[("C1", "sipas-desk")]}]
    }
    assert engine(changed(R5, meta=tagged), point="")[0] == 201
    # A device sends for its own point, and for no other.
    device = FHIR | province.device("C1")
    assert engine(R4, device, point="")[0] == 201
    assert engine(R4, device)[0] == 403


def bundle(*entries, type="batch"):
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


def test_a_bundle_is_answered_entry_by_entry(engine, database, path="/api/v1/fhir"):
    post = {"method": "POST", "url": "QuestionnaireResponse"}
    bare = changed(R5, identifier=None)
    url = "urn:uuid:01937b3c-1f3a-7c3e-9c65-2f2f3c1b0a11"
    sent = bundle(
        {"resource": R5, "request": post},
        {"resource": R4, "request": post},
        {"resource": changed(R5, item=answered(coding("9"))), "request": post},
        {"resource": {"resourceType": "Patient", "name": [{"text": "Nguyễn Văn An"}]}},
        {"resource": bare, "fullUrl": url, "request": post},
        {"resource": R5, "request": {"method": "DELETE", "url": "QuestionnaireResponse/1"}},
        {"resource": R5},
    )
    status, answer = engine(sent, path=path)
    assert status == 200 and answer["type"] == "batch-response"
    statuses = [entry["response"]["status"][:3] for entry in answer["entry"]]
    assert statuses == ["201", "201", "422", "200", "201", "422", "200"]
    left = answer["entry"][3]["response"]["outcome"]["issue"][0]
    assert (left["severity"], left["code"]) == ("information", "not-supported")
    assert len(stored(database)) == 3
    again = engine(sent)[1]
    assert [e["response"]["status"][:3] for e in again["entry"]][:2] == ["200", "200"]
    status, outcome = engine(bundle(type="transaction"))
    assert (status, told(outcome)) == (422, [("invalid", "Bundle.type")])
    assert engine(bundle(*[{}] * 501))[0] == 413
    assert engine(bundle())[1]["entry"] == []


def test_files_of_fhir_by_the_command(run, province, database, tmp_path):
    point = province.points[("D1", "sipas-desk")]
    file = tmp_path / "bundle.json"
    wrong = changed(R4, item=answered(coding("9")))
    file.write_text(json.dumps(bundle({"resource": R5}, {"resource": wrong}, type="collection")))
    for arguments, counted in (([], "1 right"), (["--store"], "1 accepted")):
        code, said = run("import", file, "--point", point, *arguments)
        assert code == 1 and counted in said and "1 wrong" in said and "0912" not in said
    errors = file.with_name("bundle.json.errors.csv").read_text("utf-8-sig")
    assert "Bundle.entry[1].resource.item[0].answer: " in errors
    lines = tmp_path / "bulk.ndjson"
    lines.write_text("\n".join(json.dumps(each) for each in (R5, R4)))
    code, said = run("import", lines, "--point", point, "--store")
    assert code == 0 and "1 duplicate" in said and "1 accepted" in said
    file.write_text('{"resourceType": "Bundle", ')
    code, said = run("import", file, "--point", point, "--store")
    assert code == 1 and "nothing was imported" in said.replace("\n", " ")
    assert len(stored(database)) == 2


def test_what_nobody_can_keep_is_refused_and_the_others_are_stored(engine, database):
    huge = changed(R5, id="r-1", identifier=None, item=answered({"valueInteger": 10**400}))
    early = changed(R5, id="r-2", identifier=None, authored="1899-12-30T00:00:00+07:00")
    content = json.dumps(bundle({"resource": huge}, {"resource": early}, {"resource": R5}))
    status, answer = engine(content.encode(), path="/api/v1/fhir")
    assert status == 200
    statuses = [each["response"]["status"][:3] for each in answer["entry"]]
    assert statuses == ["422", "422", "201"] and len(stored(database)) == 1
    half = json.dumps(R5).replace("r-17", "\\ud800").encode()
    assert engine(half)[0] == 400


def test_an_id_drawn_for_a_bundle_is_not_the_resources(engine, database):
    one = changed(R5, identifier=None)
    for url in ("urn:uuid:01937b3c-1f3a-7c3e-9c65-2f2f3c1b0a11", "urn:uuid:" + "2" * 36):
        entry = {"resource": one, "fullUrl": url}
        assert engine(bundle(entry), path="/api/v1/fhir")[0] == 200
    assert len(stored(database)) == 1


def several():
    """A form with a question of several options that may be answered by no opinion."""
    form = load_directory()[("kiosk-face", 2)].model_dump(mode="json", by_alias=True)
    more = [
        {
            "code": "ways", "kind": "multiple_choice", "text": {"vi": "Cách nào?", "en": "How?"},
            "options": [{"value": n, "text": {"vi": f"Cách {n}", "en": f"{n}"}} for n in (1, 2)],
            "no_opinion": {"text": {"vi": "Không rõ", "en": "Not sure"}},
        }
    ]  # fmt: skip
    return Questionnaire.model_validate(form | {"version": 9, "more": more})


@pytest.mark.parametrize("release", [Format.FHIR_R4, Format.FHIR_R5])
def test_no_opinion_as_our_questionnaire_writes_it_comes_back_and_stands_beside_nothing(release):
    form = several()
    written = json.loads(write_form(form, release).content)
    items = [i for each in written["item"] for i in (each, *each.get("item", ()))]
    (item,) = (each for each in items if each["linkId"] == "ways")
    one, other, none = item["answerOption"]
    (alone,) = none["extension"]
    assert alone["url"].endswith("questionnaire-optionExclusive") and alone["valueBoolean"]
    assert "extension" not in one
    published = Published(1, form, datetime(2026, 1, 1, tzinfo=UTC))

    def answer(*chosen):
        resource = changed(
            R5,
            questionnaire=f"{written['url']}|{written['version']}",
            item=answered(*({"valueCoding": each["valueCoding"]} for each in chosen), link="ways"),
        )
        read = read_response(resource, lambda code, number: published, ZONE, "ABCDEFG", "")
        return read.body["answers"]["ways"]

    assert answer(one, other) == [1, 2]
    assert answer(none) is None
    for both in ((one, none), (none, one)):
        with pytest.raises(InvalidFields) as refused:
            answer(*both)
        assert "“no opinion” beside other options" in refused.value.errors[0].detail("en")
