"""What respondents wrote: whose it is to read, what is told with it, and that reading is logged."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from app.access.roles import Role
from app.audit.models import AuditEntry
from app.retention.deleting import delete_before
from app.retention.limits import Limits
from app.settings import Settings
from tests.small_province import body

pytestmark = pytest.mark.usefixtures("month_over")

URL = "/api/v1/comments"
MONTH = f"{datetime.now(Settings().zone):%Y-%m}"


@pytest.fixture
def written(client, province):
    """Twelve people write about C1, in an order that they tell; one says nothing."""
    headers = province.device("C1")
    for number in range(12):
        sent = body(answers={"A1": 4, "comment": f"người thứ {number:02}"})
        answer = client.post("/api/v1/responses", json=sent, headers=headers)
        assert answer.status_code == 201
    client.post("/api/v1/responses", json=body(), headers=headers)


def test_comments_tell_neither_their_time_nor_their_order(written, client, province):
    head = province.person((Role.UNIT_HEAD, "D1"))
    found = client.get(URL, params={"month": MONTH}, headers=head.headers).json()
    assert (found["few"], found["waiting"], found["indistinct"]) == (0, False, 0)
    for comment in found["comments"]:
        assert set(comment) == {
            "unit", "questionnaire", "month", "item", "body", "themes", "tone",
        }  # fmt: skip
        assert comment["unit"]["code"] == "C1" and comment["item"] == "comment"
    said = [comment["body"] for comment in found["comments"]]
    assert sorted(said) == [f"người thứ {number:02}" for number in range(12)]
    assert said != sorted(said)
    again = client.get(URL, params={"month": MONTH}, headers=head.headers).json()
    assert again == found


def test_every_reading_stands_in_the_audit_log_without_the_words(written, client, province):
    head = province.person((Role.UNIT_HEAD, "D1"))
    client.get(URL, params={"month": MONTH, "unit": "C1"}, headers=head.headers)
    with province.database.reading() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.actor, entry.action, entry.subject) == (head.email, "comments.read", MONTH)
    assert '"comments": 12' in entry.details and '"C1"' in entry.details
    assert "người thứ" not in entry.details


def test_another_units_comments_are_as_if_not_there(written, client, province):
    head = province.person((Role.UNIT_HEAD, "C2"))
    answer = client.get(URL, params={"month": MONTH, "unit": "C1"}, headers=head.headers)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-unit")
    none = client.get(URL, params={"month": MONTH, "unit": "NONE"}, headers=head.headers)
    assert none.json()["detail"].replace("NONE", "C1") == answer.json()["detail"]
    assert client.get(URL, params={"month": MONTH}, headers=head.headers).json()["comments"] == []


def test_months_and_questionnaires_are_kept_apart(written, client, province):
    head = province.person((Role.UNIT_HEAD, "C1"))
    first = datetime.strptime(MONTH, "%Y-%m")
    before = f"{first - timedelta(days=1):%Y-%m}"
    for query in ({"month": before}, {"month": MONTH, "questionnaire": "kiosk-face"}):
        assert client.get(URL, params=query, headers=head.headers).json()["comments"] == []
    wrong = client.get(URL, params={"month": "2026-13"}, headers=head.headers)
    assert wrong.json()["errors"][0]["field"] == "month"
    answer = client.get(URL, params={"month": MONTH}, headers=head.headers)
    assert answer.headers["cache-control"] == "no-store"


@pytest.fixture
def varied(client, province):
    """Forty respondents of C1 in March 2026, of C2 twelve, of D1 three, each saying one thing."""
    said = {
        "C1": ["Hoà nhã, không phải chờ", "nhan vien nhiet tinh", "Chờ lâu quá", "Ghế ngồi ít"],
        "C2": ["Thuỷ tận tình"],
        "D1": ["Chờ lâu ở huyện"],
    }
    bodies = []
    for unit, n in (("C1", 40), ("C2", 12), ("D1", 3)):
        for number in range(n):
            text = said[unit][number % len(said[unit])]
            when = f"2026-03-{number % 20 + 1:02}T09:00:00+07:00"
            answers = {"A1": 5, "B1": 5, "comment": text}
            bodies.append(
                body(province.points[unit, "sipas-desk"], answers=answers, answered_at=when)
            )
    province.send(client, bodies)


def asked(client, person, **query):
    answer = client.get(URL, params={"month": "2026-03"} | query, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def bodies_of(found):
    return {each["body"] for each in found["comments"]}


def test_a_unit_above_shows_what_those_below_it_were_told(varied, client, province):
    head = province.person((Role.UNIT_HEAD, "D1"))
    found = asked(client, head, unit="D1")
    assert {each["unit"]["code"] for each in found["comments"]} == {"C1", "C2"}
    assert (found["found"], found["pages"], len(found["comments"])) == (52, 2, 50)
    assert len(asked(client, head, unit="D1", page=2)["comments"]) == 2
    assert asked(client, head, unit="D1", page=9)["page"] == 2
    assert found["few"] == 1  # D1's own three
    assert asked(client, head, unit="D1", descendants=False)["comments"] == []
    analyst = province.person((Role.PROVINCIAL_ANALYST, None))
    assert asked(client, analyst, unit="77")["found"] == 55
    assert asked(client, analyst, unit="D1", descendants=False)["found"] == 3


def test_words_are_found_with_marks_or_without_and_in_either_placement(varied, client, province):
    head = province.person((Role.UNIT_HEAD, "D1"))

    def found(search):
        return bodies_of(asked(client, head, search=search))

    assert found("hòa") == found("hoà") == found("HOA") == {"Hoà nhã, không phải chờ"}
    assert found("thủy") == found("THUỶ") == {"Thuỷ tận tình"}
    assert found("nhân viên nhiệt tình") == found("nhan vien") == {"nhan vien nhiet tinh"}
    assert found("cho lau") == {"Chờ lâu quá"} and found("chợ") == set()
    assert found('"phải chờ"') and not found('"chờ phải"') and found("chờ phải")
    assert found("") == found(" ") != set()  # nothing was looked for
    assert found("%") == set()  # something was, that no word is


def test_themes_and_tones_filter(varied, client, province):
    head = province.person((Role.UNIT_HEAD, "D1"))
    assert bodies_of(asked(client, head, theme="waiting")) == {
        "Hoà nhã, không phải chờ", "Chờ lâu quá",
    }  # fmt: skip
    assert bodies_of(asked(client, head, theme="waiting", tone="praise")) == {
        "Hoà nhã, không phải chờ"
    }
    found = asked(client, head, tone="blame")
    assert bodies_of(found) == {"Chờ lâu quá", "Ghế ngồi ít"}
    assert {each["theme"] for one in found["comments"] for each in one["themes"]} == {
        "waiting", "facilities",
    }  # fmt: skip
    assert asked(client, head, theme="other")["comments"] == []


def test_what_is_withheld_is_the_same_whatever_is_looked_for(varied, client, province):
    head = province.person((Role.UNIT_HEAD, "D1"))
    kept = ("few", "waiting")
    whole = asked(client, head, unit="D1")
    for query in (
        {"search": "huyện"}, {"search": "không có đâu"}, {"theme": "waiting"}, {"item": "other"},
        {"level": "low"}, {"channel": "paper"}, {"tone": "praise"},
    ):  # fmt: skip
        found = asked(client, head, unit="D1", **query)
        assert {name: found[name] for name in kept} == {name: whole[name] for name in kept}
        assert "Chờ lâu ở huyện" not in bodies_of(found)


def test_months_may_be_several_and_must_be_in_order(varied, client, province):
    head = province.person((Role.UNIT_HEAD, "C1"))
    found = asked(client, head, month="2026-02", to="2026-04")
    assert found["found"] == 40 and {each["month"] for each in found["comments"]} == {"2026-03"}
    for query in ({"month": "2026-03", "to": "2026-02"}, {"month": "2023-01", "to": "2026-03"}):
        assert client.get(URL, params=query, headers=head.headers).status_code == 422


def test_what_speaks_of_misconduct_is_no_heads_to_read_nor_to_count(written, client, province):
    sent = body(answers={"A1": 1, "comment": "Cán bộ đòi tien mới làm"})
    assert client.post("/api/v1/responses", json=sent, headers=province.device("C1")).is_success
    query = {"month": MONTH, "unit": "C1"}
    head = province.person((Role.UNIT_HEAD, "C1"))
    found = client.get(URL, params=query, headers=head.headers).json()
    assert len(found["comments"]) == found["found"] == 12 and found["few"] == 0
    analyst = province.person((Role.PROVINCIAL_ANALYST, None))
    found = client.get(URL, params=query, headers=analyst.headers).json()
    assert len(found["comments"]) == 13


def test_of_months_whose_words_are_deleted_it_says_since_when_they_are_kept(client, province):
    """Whoever looks at an old month is not told that nobody wrote; nor how many did."""
    for month in ("2026-01", "2026-02", "2026-03"):
        bodies = [
            body(
                province.points["C1", "sipas-desk"],
                answers={"A1": 4, "comment": f"ý kiến {n}"},
                answered_at=f"{month}-{n + 1:02}T09:00:00+07:00",
            )
            for n in range(12)
        ]
        province.send(client, bodies)
    settings = Settings()
    limits = Limits.of(settings, datetime.now(settings.zone))
    limits = replace(limits, texts=date(2026, 3, 1), responses=None)
    delete_before(province.database, settings, limits, "test")
    head = province.person((Role.UNIT_HEAD, "D1"))

    def told(**query):
        found = client.get(URL, params=query, headers=head.headers).json()
        page = client.get(
            "/dashboard/comments", params={"unit": "D1", **query}, headers=head.headers
        )
        return found["kept_since"], found["found"], page.text

    since, found, page = told(month="2026-01")
    assert (since, found) == ("2026-03-01", 0)
    assert "không còn được lưu" in page and "lưu từ ngày 01/03/2026" in page
    assert "Không có ý kiến nào như đã chọn" not in page
    since, found, page = told(month="2026-02", to="2026-03")
    assert (since, found) == ("2026-03-01", 12) and "chỉ còn từ ngày 01/03/2026" in page
    since, found, page = told(month="2026-03")
    assert (since, found) == (None, 12) and "01/03/2026" not in page
    # It is the same of a unit of which nobody wrote.
    other = client.get(URL, params={"month": "2026-01", "unit": "C2"}, headers=head.headers).json()
    assert (other["kept_since"], other["few"]) == ("2026-03-01", 0)
