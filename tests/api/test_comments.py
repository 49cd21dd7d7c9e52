"""What respondents wrote: whose it is to read, what is told with it, and that reading is logged."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.access.roles import Role
from app.audit.models import AuditEntry
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
    assert found["withheld"] == 0
    for comment in found["comments"]:
        assert set(comment) == {"unit", "questionnaire", "item", "body"}
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


def test_what_speaks_of_misconduct_is_no_heads_to_read_nor_to_count(written, client, province):
    sent = body(answers={"A1": 1, "comment": "Cán bộ đòi tien mới làm"})
    assert client.post("/api/v1/responses", json=sent, headers=province.device("C1")).is_success
    query = {"month": MONTH, "unit": "C1"}
    head = province.person((Role.UNIT_HEAD, "C1"))
    found = client.get(URL, params=query, headers=head.headers).json()
    assert len(found["comments"]) == 12 and found["withheld"] == 0
    analyst = province.person((Role.PROVINCIAL_ANALYST, None))
    found = client.get(URL, params=query, headers=analyst.headers).json()
    assert len(found["comments"]) == 13
