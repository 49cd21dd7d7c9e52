"""What pages of other websites send is refused; devices, scripts and old browsers are not."""

import re

import pytest
from sqlalchemy import func, select

from app.intake.models import Response
from tests.conftest import serving
from tests.small_province import body

URL = "/api/v1/responses"
FOREIGN = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
)
OWN = (
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "{own}"},
    # A proxy that names itself as the host: what the browser tells of the site is right.
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://hailong.example.vn"},
)


def stored(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Response))


@pytest.fixture
def code(province):
    return province.points[("C1", "sipas-desk")]


def filled_in(client, code):
    page = client.get(f"/q/{code}?new=1").text
    return dict(re.findall(r'name="(id|opened)" value="([^"]+)"', page)) | {"a.A1": "5"}


@pytest.mark.parametrize("headers", FOREIGN)
def test_what_another_website_sends_is_not_taken(client, code, database, headers):
    answers = (
        client.post(URL, json=body(point=code), headers=headers),
        client.post(URL, json={"responses": [body(point=code)]}, headers=headers),
        client.post(f"/q/{code}", data=filled_in(client, code), headers=headers),
    )
    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/foreign-page")
    page = client.post(f"/q/{code}", data={"a.A1": "5"}, headers=headers | {"Accept": "text/html"})
    assert page.status_code == 403 and "Xin quét mã QR" in page.text
    assert stored(database) == 0


@pytest.mark.parametrize("headers", OWN)
def test_our_pages_old_browsers_and_scripts_are_heard(client, code, database, headers):
    sent = {name: value.format(own=str(client.base_url)) for name, value in headers.items()}
    assert client.post(URL, json=body(point=code), headers=sent).status_code == 201
    answer = client.post(f"/q/{code}", data=filled_in(client, code), headers=sent)
    assert answer.status_code == 303 and stored(database) == 2


def test_a_link_on_another_website_may_be_followed(client, code):
    followed = {"Sec-Fetch-Site": "cross-site", "Referer": "https://news.example/"}
    assert client.get(f"/q/{code}", headers=followed).status_code == 200


def test_behind_a_proxy_the_public_address_is_ours_too(settings, code):
    public = settings.model_copy(update={"public_url": "https://hailong.example.vn"})
    with serving(public) as client:
        for origin, status in (("https://hailong.example.vn", 201), ("https://example.vn", 403)):
            answer = client.post(URL, json=body(point=code), headers={"Origin": origin})
            assert answer.status_code == status


def test_who_has_a_credential_is_known_by_it(client, province, database):
    """A foreign page has none, and could not send one without asking first."""
    headers = province.device() | {"Origin": "https://hospital.example"}
    assert client.post(URL, json=body(), headers=headers).status_code == 201
    assert stored(database) == 1


@pytest.mark.parametrize(
    "kind",
    [None, "", "text/plain", "text/plain; application/json", "application/x-www-form-urlencoded",
     "multipart/form-data; boundary=x", "application/jsonp", "x-application/json"],
)  # fmt: skip
def test_json_is_taken_only_as_json(client, province, database, kind):
    """What a page may send without being asked first is one of these kinds, or of none."""
    headers = province.device() | ({} if kind is None else {"Content-Type": kind})
    answer = client.post(URL, content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/not-json")
    assert stored(database) == 0


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON", "application/json;charset=utf-8"]
)
def test_json_may_name_its_letters(client, province, kind):
    answer = client.post(URL, content=b"{", headers=province.device() | {"Content-Type": kind})
    assert answer.json()["type"] == "/problems/malformed-body"
