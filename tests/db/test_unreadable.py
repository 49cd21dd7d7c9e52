"""A NUL, which PostgreSQL keeps in no text: whoever sends one is answered, and harms nobody."""

import httpx
import pytest
from sqlalchemy import select

from app.audit.log import record, verify
from app.audit.models import AuditEntry
from app.intake.models import AsideResponse, Response
from tests.small_province import body

URL = "/api/v1/responses"


def test_responses_beside_one_with_a_nul_are_taken(client, province, database):
    device, code = province.device(), province.points[("C1", "sipas-desk")]
    batch = [body(), body(point="A\0B"), body() | {"id": "\0"}, body()]
    answer = client.post(URL, json={"responses": batch}, headers=device)
    assert answer.status_code == 200, answer.text
    told = [each["status"] for each in answer.json()["responses"]]
    assert told == ["accepted", "refused", "refused", "accepted"]
    stranger = client.post(URL, json={"responses": [body("A\0B"), body(code)]})
    assert [each["status"] for each in stranger.json()["responses"]] == ["refused", "accepted"]
    with database.reading() as session:
        assert len(session.scalars(select(Response)).all()) == 3
        # Both that the device brought and was refused are kept, as they were sent.
        kept = [row.body for row in session.scalars(select(AsideResponse))]
    assert len(kept) == 2 and all(r"\u0000" in each for each in kept)


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("GET", "/q/%00", {}, 404),
        ("GET", "/i/%00", {}, 404),
        ("POST", URL, {"json": body("A\0B")}, 422),
        ("POST", "/sign-in", {"data": {"email": "a\0@example.vn", "password": "x"}}, 401),
        ("POST", "/api/v1/pairings", {"json": {"code": "AB\0CD"}}, 404),
        ("GET", "/api/v1/satisfaction?questionnaire=%00", {"read": True}, 404),
        ("GET", "/api/v1/satisfaction?questionnaire=sipas-desk&unit=%00", {"read": True}, 404),
    ],
)  # fmt: skip
def test_an_address_or_a_name_with_a_nul_is_one_that_is_not_there(
    client: httpx.Client, province, method, path, more, status
):
    sent = dict(more)
    headers = province.reader() if sent.pop("read", False) else {}
    assert client.request(method, path, headers=headers, **sent).status_code == status


def test_the_log_stays_whole_where_a_name_has_one(database):
    with database.writing("a\0b") as session:
        record(session, "points.pause", "x\0y")
    with database.reading() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "points.pause"))
        assert (entry.actor, entry.subject) == ("a�b", "x�y")
        assert verify(session).breach is None
