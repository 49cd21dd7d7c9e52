"""A form that was opened before a new version of its questionnaire was published, over HTTP."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import update

from app.registry.models import QuestionnaireVersion
from app.registry.questionnaires import offer_again, withdraw
from app.web.citizen.form_versions import carried_over
from tests.conftest import serving
from tests.web.two_versions import (
    CODE,
    FIRST,
    SECOND,
    form,
    opened_point,
    publish_version,
    stored_answers,
)


@pytest.fixture
def code(database, province):
    return opened_point(database, province)


def opened(client, code):
    """The hidden fields of a form, as a browser has them once the page is open."""
    page = client.get(f"/q/{code}").text
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page))


def checked(page):
    return set(re.findall(r'name="a\.(\w+)" value="(\w+)" checked', page))


def test_answers_are_stored_in_the_version_that_the_page_showed(client, code, database):
    before = opened(client, code)
    publish_version(database, form(2, SECOND))
    after = opened(client, code)
    assert (before["version"], after["version"]) == ("1", "2")
    with httpx.Client(base_url=client.base_url) as other:
        assert other.post(f"/q/{code}", data=before | {"a.again": "2"}).status_code == 303
        again = opened(other, f"{code}?new=1")
        assert other.post(f"/q/{code}", data=again | {"a.again": "2"}).status_code == 303
    assert stored_answers(database) == [(1, {"again": 2}), (2, {"again": 2})]


def test_a_mistake_in_an_older_form_is_shown_in_that_version(client, code, database):
    before = opened(client, code)
    publish_version(database, form(2, SECOND))
    answer = client.post(f"/q/{code}", data=before | {"a.again": "2", "a.A1": "9"})
    assert answer.status_code == 422 and 'name="version" value="1"' in answer.text
    assert "Không bao giờ" not in answer.text and checked(answer.text) == {("again", "2")}


def test_a_form_is_taken_after_a_newer_version_is_asked_again(client, code, database):
    """It was opened a moment before, and that version was published months ago."""
    publish_version(database, form(2, SECOND))
    months = {"published_at": datetime.now(UTC) - timedelta(days=90)}
    with database.writing() as session:
        session.execute(update(QuestionnaireVersion).values(months))
        withdraw(session, CODE, 2)
    before = opened(client, code)
    assert before["version"] == "1"
    with database.writing() as session:
        offer_again(session, CODE, 2)
    assert opened(client, code)["version"] == "2"
    assert client.post(f"/q/{code}", data=before | {"a.again": "2"}).status_code == 303
    assert stored_answers(database) == [(1, {"again": 2})]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("vi", "Phiếu khảo sát đã thay đổi sau khi"), ("en", "The questions have changed since")],
)
def test_later_the_form_is_shown_anew_with_what_still_fits(
    settings, code, database, language, sentence
):
    with serving(settings.model_copy(update={"older_form_s": 0})) as client:
        before = opened(client, code)
        publish_version(database, form(2, SECOND))
        answers = {"a.again": "2", "a.A1": "3", "a.remark": "còn đây"}
        answer = client.post(f"/q/{code}?lang={language}", data=before | answers)
        assert answer.status_code == 409 and sentence in answer.text
        assert 'id="summary" role="alert"' in answer.text and stored_answers(database) == []
        # “Certainly” was 2 and is 1: kept is what was said, not the number.
        assert checked(answer.text) == {("again", "1"), ("A1", "3")}
        assert "còn đây</textarea>" in answer.text
        shown = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', answer.text))
        assert shown == before | {"version": "2"}
        sent = client.post(f"/q/{code}", data=shown | {"a.again": "1", "a.A1": "3"})
        assert sent.status_code == 303
    assert stored_answers(database) == [(2, {"again": 1, "A1": 3})]


def test_sent_again_after_the_time_it_is_still_counted_once(settings, code, database):
    """It was taken, and the browser did not learn of it."""
    with serving(settings) as client:
        before = opened(client, code) | {"a.again": "2"}
        assert client.post(f"/q/{code}", data=before).status_code == 303
    publish_version(database, form(2, SECOND))
    with serving(settings.model_copy(update={"older_form_s": 0})) as client:
        answer = client.post(f"/q/{code}", data=before)
        assert answer.status_code == 409
        again = client.post(f"/q/{code}", data=before | {"version": "2", "a.again": "1"})
        assert again.headers["location"].endswith("?already=1")
    assert stored_answers(database) == [(1, {"again": 2})]


@pytest.mark.parametrize("version", [None, "3", "0", "", "x", "²", "1" * 300])
def test_a_form_of_no_known_version_is_guessed_to_be_none(client, code, database, version):
    publish_version(database, form(2, SECOND))
    data = {"a.again": "2"} | ({} if version is None else {"version": version})
    answer = client.post(f"/q/{code}", data=data)
    assert answer.status_code == 409 and checked(answer.text) == set()
    assert stored_answers(database) == []


def test_without_a_version_a_form_is_the_only_one_there_is(client, code, database):
    assert client.post(f"/q/{code}", data={"a.again": "2"}).status_code == 303
    assert stored_answers(database) == [(1, {"again": 2})]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"again": ["1"]}, {"again": ["2"]}),
        ({"again": ["2"]}, {"again": ["1"]}),
        # What the new version does not offer is asked anew.
        ({"again": ["3"]}, {}),
        ({"again": ["none"]}, {}),
        ({"again": ["9"]}, {}),
        # Another question under the same code.
        ({"remark": ["lời"], "A1": ["2"]}, {"A1": ["2"]}),
    ],
)
def test_an_answer_fits_where_question_and_answer_say_the_same(sent, kept):
    assert carried_over(form(1, FIRST), form(2, SECOND, "Góp ý gì?"), sent) == kept


def test_the_interface_takes_older_versions_as_before(client, code, database):
    """A kiosk keeps answers for days: with the version they name nothing can be mistaken."""
    publish_version(database, form(2, SECOND))
    body = {
        "id": "0192f0c1-0000-7000-8000-000000000001",
        "questionnaire": CODE,
        "version": 1,
        "point": code,
        "answered_at": datetime.now(UTC).isoformat(),
        "answers": {"again": 2},
    }
    assert client.post("/api/v1/responses", json=body).status_code == 201
    assert stored_answers(database) == [(1, {"again": 2})]
