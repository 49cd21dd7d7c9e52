"""An answer has a tag, and is not sent again until what it is made of changes."""

from datetime import UTC, datetime

import pytest

from app.access import accounts, sessions
from app.access.models import Account, Right
from app.access.roles import Role
from app.figures import lattice, visible
from app.settings import Settings
from tests.small_province import body

PATHS = (
    "/api/v1/satisfaction?by=unit&expand=all&unit=77&questionnaire=sipas-desk",
    "/api/v1/satisfaction/trend?unit=77&questionnaire=sipas-desk",
    "/api/v1/response-rates?from=2026-01-01&to=2026-12-31",
)


def send(client, province, unit="C1"):
    answer = client.post("/api/v1/responses", json=body(), headers=province.device(unit))
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_is_sent_once_until_somebody_answers(client, province, path):
    send(client, province)
    reader = province.reader()
    first = client.get(path, headers=reader)
    assert first.status_code == 200
    known = reader | {"If-None-Match": first.headers["etag"]}
    again = client.get(path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    send(client, province)
    assert client.get(path, headers=known).status_code == 200


def test_csv_has_a_tag_of_its_own(client, province):
    send(client, province)
    reader = province.reader()
    json = client.get(PATHS[0], headers=reader)
    table = client.get(PATHS[0], headers=reader | {"Accept": "text/csv"})
    assert table.headers["etag"] != json.headers["etag"]
    known = reader | {"Accept": "text/csv", "If-None-Match": f'"x", {table.headers["etag"]}'}
    assert client.get(PATHS[0], headers=known).status_code == 304


def test_a_tag_is_worth_nothing_to_somebody_with_other_rights(client, province, month_over):
    send(client, province)
    whole = client.get(PATHS[0], headers=province.reader()).headers["etag"]
    limited = province.public_reader() | {"If-None-Match": whole}
    answer = client.get(PATHS[0], headers=limited)
    assert answer.status_code == 200
    assert answer.json()["rows"][0]["suppressed"]


def test_rights_that_change_change_the_tag(client, province):
    send(client, province)
    head = province.person((Role.UNIT_HEAD, "C1"))
    path = "/api/v1/satisfaction?by=unit&questionnaire=sipas-desk"
    tag = client.get(path, headers=head.headers).headers["etag"]
    other = province.person((Role.UNIT_HEAD, "C1"))
    # An account was made meanwhile: the log says so, and nothing is taken for unchanged.
    assert client.get(path, headers=head.headers | {"If-None-Match": tag}).status_code == 200
    assert client.get(path, headers=other.headers | {"If-None-Match": tag}).status_code == 200


def test_who_comes_and_goes_changes_no_figure(client, province, month_over, monkeypatch):
    send(client, province)
    reader = province.public_reader()
    somebody = province.person((Role.UNIT_HEAD, "C1"))
    tag = client.get(PATHS[0], headers=reader).headers["etag"]
    built = []
    for room, name in ((lattice, "_build"), (visible, "read_units")):
        build = getattr(room, name)

        def noted(*given, build=build):
            built.append(given)
            return build(*given)

        monkeypatch.setattr(room, name, noted)
    with province.database.writing() as session:
        account = session.get_one(Account, somebody.account_id)
        sessions.begin(session, account, "a test", Settings(), by="test")
        accounts.set_password(session, account, "mat khau moi cua toi", "mat khau moi cua toi")
    assert client.get(PATHS[0], headers=reader | {"If-None-Match": tag}).status_code == 304
    # Nor is what strangers may not see decided anew for one who is told something else.
    answer = client.get(PATHS[0].replace("77", "C1"), headers=reader)
    assert (answer.status_code, built) == (200, [])
    assert answer.json()["rows"][0]["suppressed"]


def test_an_invitation_changes_response_rates(client, province):
    reader, issuer = province.reader(), province.credential(Right.INVITE)
    path = PATHS[2]
    tag = client.get(path, headers=reader).headers["etag"]
    case = {"case": "HS-1", "unit": "A1", "finished_at": datetime.now(UTC).isoformat()}
    issued = client.post("/api/v1/invitations", json=case, headers=issuer)
    assert issued.status_code == 201, issued.text
    assert client.get(path, headers=reader | {"If-None-Match": tag}).status_code == 200
