"""The tidy feed and the stream: what spreadsheets and wall screens read."""

import base64
import csv
import io
import json
import threading
from datetime import UTC, datetime

import pytest

from app.access.roles import Role
from app.api.feed import COLUMNS
from tests.small_province import body

pytestmark = pytest.mark.usefixtures("month_over")
FEED = "/api/v1/feed.csv"


@pytest.fixture
def answered(client, province):
    """Twelve people about C1, three about A1."""
    for unit, times in (("C1", 12), ("A1", 3)):
        batch = [body(answers={"A1": 5, "B1": 2, "C1": 4}) for _ in range(times)]
        sent = client.post(
            "/api/v1/responses", json={"responses": batch}, headers=province.device(unit)
        )
        assert sent.status_code == 200, sent.text


def read(answer):
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))


def basic(headers):
    key = headers["Authorization"].split()[1]
    return {"Authorization": "Basic " + base64.b64encode(f"excel:{key}".encode()).decode()}


def test_each_line_is_a_figure_of_the_api(client, province, answered):
    reader = province.reader()
    rows = read(client.get(FEED, headers=reader, params={"step": "month"}))
    assert list(rows[0]) == list(COLUMNS)
    above = {row["unit_code"]: (row["parent_code"], row["parent_name"]) for row in rows}
    assert above["C1"] == ("D1", "Đơn vị D1") and above["77"] == ("", "")
    for factor in ("", "A"):
        asked = {"questionnaire": "sipas-desk", "by": ["unit", "month"]}
        if factor:
            asked["by"].append("factor")
        right = client.get("/api/v1/satisfaction", params=asked, headers=reader).json()["rows"]
        for row in right:
            if row["respondents"] and row.get("factor", "") == factor:
                (found,) = [
                    each for each in rows
                    if (each["unit_code"], each["period"], each["factor"], each["questionnaire"])
                    == (row["unit"]["code"], row["period"], factor, "sipas-desk")
                ]  # fmt: skip
                assert float(found["rate"]) == row["rate"]
                assert int(found["respondents"]) == row["respondents"]


def test_a_spreadsheet_sends_the_key_as_a_password(client, province, answered):
    reader = province.reader()
    assert read(client.get(FEED, headers=basic(reader))) == read(client.get(FEED, headers=reader))
    wrong = {"Authorization": "Basic " + base64.b64encode(b"excel:hl_wrong").decode()}
    for header in (wrong, {"Authorization": "Basic %%%"}):
        assert client.get(FEED, headers=header).status_code == 401


def test_few_respondents_have_a_line_without_figures(client, province, answered):
    rows = read(client.get(FEED, headers=province.public_reader()))
    few = [row for row in rows if row["unit_code"] == "A1"]
    assert few and all(row["suppressed"] == "true" for row in few)
    assert all(row["rate"] == row["respondents"] == row["mean_score"] == "" for row in few)


def test_without_answers_there_is_the_heading(client, province):
    answer = client.get(FEED, headers=province.reader())
    assert answer.text.lstrip("\ufeff").strip().split(",") == list(COLUMNS)


def test_the_feed_is_ones_own_units_and_is_not_sent_again(client, province, answered):
    head = province.person((Role.UNIT_HEAD, "C1"))
    first = client.get(FEED, headers=head.headers)
    assert {row["unit_code"] for row in read(first)} == {"C1"}
    known = head.headers | {"If-None-Match": first.headers["etag"]}
    assert client.get(FEED, headers=known).status_code == 304


def test_a_stream_tells_of_an_answer_that_has_just_come(client, province, answered):
    reader = province.reader()
    told = []
    with client.stream(
        "GET", "/api/v1/stream?unit=C1&questionnaire=sipas-desk", headers=reader
    ) as s:
        lines = s.iter_lines()

        def next_event():
            line = next(line for line in lines if line.startswith("data: "))
            return json.loads(line.removeprefix("data: "))

        told.append(next_event())

        def answer():
            sent = body(answers={"A1": 1}, answered_at=datetime.now(UTC).isoformat())
            client.post("/api/v1/responses", json=sent, headers=province.device("C1"))

        thread = threading.Thread(target=answer)
        thread.start()
        told.append(next_event())
        thread.join()
    assert [each["respondents"] for each in told] == [12, 13]
    assert told[1]["today"] == told[0]["today"] + 1
    assert told[1]["rate"] < told[0]["rate"]


def test_a_stream_is_refused_before_it_begins(client, province):
    for ask, status in (({"unit": "none"}, 404), ({}, 422)):
        answer = client.get("/api/v1/stream", params=ask, headers=province.reader())
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/api/v1/stream?unit=C1").status_code == 401
