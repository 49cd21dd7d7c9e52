"""No figure that is served moves by what the last citizen said, as answers come in."""

import json
import threading
from datetime import UTC, date, datetime

import numpy as np
import pytest

from app.access.models import Right, Sector
from app.access.roles import Role
from app.figures.release import ReleaseRule
from app.registry.volumes import keep_volumes
from tests.figures.district import CODES
from tests.small_province import body

LEAST = 10
TODAY = date(2026, 9, 20)
SATISFACTION = "/api/v1/satisfaction"
ASKED = {"questionnaire": "sipas-desk"}
#: Every figure of the running month that a head can ask for.
QUESTIONS = [
    (SATISFACTION, {}),
    *((SATISFACTION, {"by": by}) for by in ("unit", "factor", "item", "channel", "month")),
    (SATISFACTION, {"from": "2026-09-01", "to": "2026-09-20"}),
    (SATISFACTION, {"channel": "qr"}),
    (SATISFACTION, {"convention": "nhs-fft", "by": "item"}),
    *(
        (f"{SATISFACTION}/{name}", {})
        for name in (
            "ranking", "funnel", "compare", "trend", "alerts", "drivers", "reliability",
            "weighted", "stratified",
        )
    ),
    ("/api/v1/feed.csv", {"step": "month"}),
    *(
        (f"/api/v1/views/{name}", {"period": "2026-09", "unit": "D1"})
        for name in ("overview", "units", "unit", "comparison", "items", "quality", "sections")
    ),
]  # fmt: skip
#: How many answered, and of what kind, may be told at once.
COUNTED = {"unreleased", "collecting", "volume", "responses", "set_aside", "silent", "few"}


@pytest.fixture
def running(client, province, monkeypatch):
    """The month of TODAY: 24 each about C1 and C2 on days that are over, and August's."""
    monkeypatch.setattr(
        ReleaseRule, "of", classmethod(lambda cls, settings: cls(settings.least_respondents, TODAY))
    )

    rng = np.random.default_rng(9)

    def answers(level):
        """A whole form about what one felt, or one level throughout."""
        felt = rng.normal(3.9, 0.8, len(CODES)) + rng.normal(0, 0.7)
        levels = np.clip(np.round(felt), 1, 5) if level is None else np.full(len(CODES), level)
        return dict(zip(CODES, levels.astype(int).tolist(), strict=True))

    def answer(unit, days, level=None):
        batch = [
            body(
                province.points[(unit, "sipas-desk")],
                answers(level) | {"comment": f"{unit} ngày {day}"},
                answered_at=f"{day}T09:00:00+07:00",
            )
            for day in days
        ]
        sent = client.post(
            "/api/v1/responses", json={"responses": batch}, headers=province.importer()
        )
        assert {each["status"] for each in sent.json()["responses"]} == {"accepted"}

    for unit in ("C1", "C2"):
        answer(unit, [f"2026-08-{day:02}" for day in range(1, 31)])
        answer(unit, [f"2026-09-{day:02}" for day in range(1, 13)] * 2)
    return answer


def uncounted(found):
    """A view without what is counted."""
    if isinstance(found, dict):
        return {name: uncounted(part) for name, part in found.items() if name not in COUNTED}
    return [uncounted(part) for part in found] if isinstance(found, list) else found


def told(client, headers):
    """What each question is answered with, without counts."""
    answers = []
    for url, more in QUESTIONS:
        answer = client.get(url, params=ASKED | more, headers=headers)
        assert answer.status_code in (200, 422), (url, answer.text)
        if "json" in answer.headers["content-type"]:
            found = answer.json()
            answers.append(json.dumps(found if "views" not in url else uncounted(found)))
        else:
            answers.append(answer.text)
    return answers


def test_no_figure_moves_when_somebody_has_just_answered(client, province, running):
    head = province.person((Role.UNIT_HEAD, "D1")).headers
    analyst = province.person((Role.PROVINCIAL_ANALYST, None)).headers
    running("C1", [str(TODAY)])  # the last day of all figures is no secret
    before, seen = told(client, head), told(client, analyst)
    for _ in range(2):
        running("C1", [str(TODAY)], level=1)
        for question, one, two in zip(QUESTIONS, before, told(client, head), strict=True):
            assert one == two, question
    moved = [one != two for one, two in zip(seen, told(client, analyst), strict=True)]
    still = [question for question, each in zip(QUESTIONS, moved, strict=True) if not each]
    assert len(still) <= 3, still  # whoever may see what one says does


PARTS_OF_MONTHS = [
    ({"from": "2026-08-02"}, "from"),
    ({"to": "2026-08-30"}, "to"),
    ({"from": "2026-08-01", "to": "2026-09-19"}, "to"),
    ({"from": "2026-09-20"}, "from"),
    ({"by": "day"}, "by"),
    ({"by": ["unit", "week"]}, "by"),
]


@pytest.mark.parametrize(("part", "field"), PARTS_OF_MONTHS)
def test_no_day_is_cut_out_of_a_month(client, province, running, part, field):
    """Of two periods that one citizen sets apart, the difference would tell what they said."""
    running("C1", [str(TODAY)])
    head = province.person((Role.UNIT_HEAD, "C1")).headers
    answer = client.get(SATISFACTION, params=ASKED | part, headers=head)
    assert answer.status_code == 422
    assert (
        answer.json()["type"] == "/problems/calendar-periods-only"
        and answer.json()["field"] == field
    )
    # Whoever may see small figures may ask for any days, where they may see them.
    analyst = province.person((Role.DEPARTMENT_ANALYST, None, Sector.HEALTH)).headers
    whole = province.person((Role.PROVINCIAL_ANALYST, None)).headers
    assert client.get(SATISFACTION, params=ASKED | part, headers=whole).status_code == 200
    own = part | {"unit": "H1", "questionnaire": "moh-inpatient"}
    assert client.get(SATISFACTION, params=own, headers=analyst).status_code == 200
    # Also where somebody answered.
    key = province.credential(Right.READ_FIGURES, Right.READ_SMALL_CELLS, unit="C1")
    asked = ASKED | part | {"unit": "C1"}
    assert client.get(SATISFACTION, params=asked, headers=key).status_code == 200


@pytest.mark.parametrize(
    "name", ["overview", "units", "unit", "comparison", "sections", "items", "quality", "levels"]
)
def test_no_view_cuts_a_day_out_of_a_month(client, province, running, name):
    head = province.person((Role.UNIT_HEAD, "C1")).headers
    for period, status in (("2026-08-01..2026-08-30", 422), ("2026-08-01..2026-08-31", 200)):
        asked = ASKED | {"period": period}
        answer = client.get(f"/api/v1/views/{name}", params=asked, headers=head)
        assert answer.status_code == status, answer.text
    page = client.get(
        "/dashboard/unit",
        params=ASKED | {"period": "2026-08-01..2026-08-30"},
        headers=head | {"Accept": "text/html"},
        follow_redirects=False,
    )
    assert page.status_code in (303, 422)


@pytest.mark.parametrize(
    ("path", "more", "field"),
    [
        ("trend", {"step": "week"}, "step"),
        ("alerts", {"step": "week"}, "step"),
        ("drivers", {"from": "2026-08-02", "outcome": "trips"}, "from"),
        ("reliability", {"to": "2026-08-30"}, "to"),
        ("ranking", {"to": "2026-08-30"}, "to"),
        ("compare", {"from": "2026-08-01", "to": str(TODAY), "with": "year-before"}, None),
        ("compare", {"with": "previous"}, None),
        ("compare", {"with": "year-before"}, None),
    ],
)
def test_no_statistic_cuts_a_day_out_of_a_month(client, province, running, path, more, field):
    head = province.person((Role.UNIT_HEAD, "D1")).headers
    answer = client.get(f"{SATISFACTION}/{path}", params=ASKED | more, headers=head)
    if field is None:  # the days until now, or all that is known, cut no month
        assert answer.status_code == 200, answer.text
    else:
        assert answer.status_code == 422 and answer.json()["field"] == field, answer.text


def test_whole_months_and_the_days_until_now_may_be_asked_for(client, province, running):
    head = province.person((Role.UNIT_HEAD, "C1")).headers
    for part in (
        {"from": "2026-08-01", "to": "2026-08-31"},
        {"from": "2026-09-01", "to": str(TODAY)},
        {"from": "2020-05-17", "to": "2027-01-15"},  # before the first and after the last answer
        {"to": "9999-12-31"},
    ):
        answer = client.get(SATISFACTION, params=ASKED | part, headers=head)
        assert answer.status_code == 200, answer.text


def test_days_that_are_over_are_told_by_batches(client, province, running):
    head = province.person((Role.UNIT_HEAD, "C1")).headers

    def respondents():
        answer = client.get(
            SATISFACTION, params=ASKED | {"from": "2026-09-01", "unit": "C1"}, headers=head
        )
        return answer.json()["rows"][0]["respondents"]

    def held():
        asked = ASKED | {"unit": "C1", "period": "2026-09"}
        return client.get("/api/v1/views/unit", params=asked, headers=head).json()["unreleased"]

    # Two a day: ten after five days, and fourteen came after them.
    assert (respondents(), held()) == (10, 14)
    running("C1", [str(TODAY)] * 5)
    assert (respondents(), held()) == (10, 19)
    running("C1", [str(TODAY)])
    assert (respondents(), held()) == (20, 10)
    # How many were heard is a count, and told at once.
    with province.database.writing() as session:
        keep_volumes(session, [("C1", TODAY.replace(day=1), 120)], "test")
    asked = ASKED | {"unit": "C1", "period": "2026-09"}
    volume = client.get("/api/v1/views/unit", params=asked, headers=head).json()["volume"]
    assert (volume["cases"], volume["respondents_to_cases"]) == (120, 30 / 120)


def test_no_question_moves_by_fewer_than_its_batch(client, province, running):
    head = province.person((Role.UNIT_HEAD, "D1")).headers

    def send(day, times):
        sent = [
            body(
                province.points[("C1", "sipas-desk")],
                dict.fromkeys(CODES, 3) | {"trips": 1},
                answered_at=f"2026-09-{day:02}T09:00:00+07:00",
            )
            for _ in range(times)
        ]
        client.post("/api/v1/responses", json={"responses": sent}, headers=province.importer())

    def told():
        asked = ASKED | {"unit": "C1", "period": "2026-09"}
        found = client.get("/api/v1/views/levels", params=asked, headers=head).json()
        trips = [each["n"] for each in found["besides"] if each["item"] == "trips"]
        return found["whole"]["respondents"], trips

    assert told() == (10, [0])
    send(2, 3)
    assert told() == (0, [])  # in ten others three would tell how often they came
    send(8, 7)
    assert told() == (0, [])  # of ten; and the month's end would tell what comes after them
    send(20, 9)
    assert told() == (0, [])
    send(20, 1)
    assert told() == (26, [10])


def test_a_page_without_a_figure_says_that_answers_wait(client, province, running, monkeypatch):
    """On the fourth, three days with six people are over: too few to be told."""
    early = ReleaseRule(LEAST, date(2026, 9, 4))
    monkeypatch.setattr(ReleaseRule, "of", classmethod(lambda cls, settings: early))
    head = province.person((Role.UNIT_HEAD, "C1")).headers
    for period, said, others in (
        ("2026-09", "nhưng chưa ý kiến nào được công bố", "Chưa có ai trả lời"),
        ("2026-07", "Chưa có ai trả lời trong tháng 7", "chưa ý kiến nào được công bố"),
    ):
        query = f"unit=C1&questionnaire=sipas-desk&period={period}"
        page = client.get(f"/dashboard/unit?{query}", headers=head).text
        assert said in page and others not in page
        assert 'id="factors"' not in page and 'id="items"' not in page  # no empty axes


def test_comments_come_with_their_batch(client, province, running):
    head = province.person((Role.UNIT_HEAD, "C1")).headers
    found = client.get("/api/v1/comments", params={"month": "2026-09"}, headers=head).json()
    said = {each["body"] for each in found["comments"]}
    assert said == {f"C1 ngày 2026-09-{day:02}" for day in range(1, 6)}
    assert found["waiting"] and found["few"] == 0


def test_a_month_that_is_over_is_told_whole(client, province, running):
    head = province.person((Role.UNIT_HEAD, "C1")).headers
    asked = ASKED | {"unit": "C1", "by": "month"}
    rows = client.get(SATISFACTION, params=asked, headers=head).json()["rows"]
    assert [row["respondents"] for row in rows] == [30, 10]


def test_a_stream_counts_at_once_and_moves_its_rate_later(client, province, running, monkeypatch):
    """The stream's day is the real one: answers come today, and on no day that is over."""
    today = datetime.now(UTC).date()
    monkeypatch.setattr(
        ReleaseRule, "of", classmethod(lambda cls, settings: cls(settings.least_respondents, today))
    )
    device = province.device("C1")
    batch = [body(answers={"A1": 5, "B1": 4}) for _ in range(30)]
    client.post("/api/v1/responses", json={"responses": batch}, headers=device)
    head = province.person((Role.UNIT_HEAD, "C1")).headers
    url = "/api/v1/stream?unit=C1&questionnaire=sipas-desk"
    with client.stream("GET", url, headers=head) as answer:
        lines = answer.iter_lines()

        def next_event():
            line = next(line for line in lines if line.startswith("data: "))
            return json.loads(line.removeprefix("data: "))

        first = next_event()
        sent = body(answers={"A1": 1, "B1": 1})
        thread = threading.Thread(
            target=lambda: client.post("/api/v1/responses", json=sent, headers=device)
        )
        thread.start()
        second = next_event()
        thread.join()
    assert second["today"] == first["today"] + 1
    for name in ("period", "rate", "low", "high", "respondents", "answers"):
        assert second[name] == first[name]


def test_a_wall_shows_no_small_cell_whoever_opened_it(client, province, month_over):
    analyst = province.person((Role.PROVINCIAL_ANALYST, None)).headers
    batch = [body(answers={"A1": 5, "B1": 4}) for _ in range(4)]
    client.post("/api/v1/responses", json={"responses": batch}, headers=province.device("A1"))
    few = client.get("/wall/A1?questionnaire=sipas-desk", headers=analyst).text
    assert "chưa đủ người trả lời" in few and "%" not in few.partition('id="rate"')[2][:200]
    shown = {}
    for path in ("/wall/A1/stream", "/api/v1/stream"):
        with client.stream("GET", path, params=ASKED | {"unit": "A1"}, headers=analyst) as answer:
            line = next(line for line in answer.iter_lines() if line.startswith("data: "))
        shown[path] = json.loads(line.removeprefix("data: "))
    assert shown["/wall/A1/stream"]["rate"] is shown["/wall/A1/stream"]["respondents"] is None
    assert (shown["/wall/A1/stream"]["suppressed"], shown["/wall/A1/stream"]["today"]) == (True, 4)
    assert shown["/api/v1/stream"]["respondents"] == 4  # which the analyst may see alone
