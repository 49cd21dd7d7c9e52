"""Every route declares who may call it."""

from urllib.parse import urlencode

import pytest
from fastapi import APIRouter

from app.access.doors import CSRF_FIELD, Door
from app.access.models import Right
from app.access.roles import Role
from app.main import create_app
from app.settings import Settings
from app.web.openapi import door_of, routes_of


@pytest.fixture
def app(tmp_path):
    return create_app(Settings(database_url=f"sqlite:///{tmp_path / 'x.db'}"))


def test_every_route_declares_who_may_call_it(app):
    paths = set()
    for route in routes_of(app):
        assert door_of(route) is not None, f"{route.path} does not declare who may call it"
        paths.add(route.path)
    assert {"/api/v1/responses", "/api/v1/satisfaction", "/healthz"} <= paths


def test_a_route_without_a_door_is_found(app):
    router = APIRouter()

    @router.get("/open")
    def open_to_all() -> str:
        return ""

    app.include_router(router)
    assert any(door_of(route) is None for route in routes_of(app))


def test_the_document_says_what_each_door_asks_for(app):
    document = app.openapi()
    assert document["paths"]["/api/v1/satisfaction"]["get"]["security"] == [
        {"credential": ["figures:read"]},
        {"basic": ["figures:read"]},
        {"oauth": ["figures:read"]},
    ]
    submit = document["paths"]["/api/v1/responses"]["post"]
    rights = ["responses:import", "responses:submit"]
    assert submit["security"] == [{"credential": rights}, {"basic": rights}, {}]
    assert "requestBody" in submit and "ResponseIn" in document["components"]["schemas"]


def test_a_door_that_nobody_may_pass_is_no_door():
    with pytest.raises(ValueError, match="nobody"):
        Door()


def test_routes_ask_for_a_credential(client, province):
    answer = client.get("/api/v1/satisfaction")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["type"] == "/problems/credential-missing"
    answer = client.get("/api/v1/satisfaction", headers=province.device())
    assert answer.json()["type"] == "/problems/right-missing"
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


FORM = {"name": "Tên khác", "language": "vi"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_sites_form_changes_nothing_even_with_the_token(client, province, headers):
    somebody = province.person((Role.AUDITOR, None))
    answer = client.post("/profile", data=FORM | somebody.csrf, headers=somebody.headers | headers)
    assert answer.json()["type"] == "/problems/foreign-form"
    assert "Tên khác" not in client.get("/profile", headers=somebody.headers).text


def test_a_form_needs_the_token_of_its_own_session(client, province):
    somebody, other = province.person(), province.person()
    for token in ({}, {CSRF_FIELD: ""}, {CSRF_FIELD: "\ud800"}, other.csrf):
        data = urlencode(FORM | token, errors="surrogatepass")
        answer = client.post(
            "/profile",
            content=data,
            headers=somebody.headers | {"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert answer.json()["type"] == "/problems/foreign-form"
    same = {"Sec-Fetch-Site": "same-origin"}
    answer = client.post("/profile", data=FORM | somebody.csrf, headers=somebody.headers | same)
    assert answer.headers["location"] == "/profile?done=saved"


def test_another_site_cannot_sign_somebody_in(client, province):
    """Or else it could have a citizen's clerk work in the attacker's account."""
    answer = client.post("/sign-in", data={"email": "x"}, headers={"Origin": "https://evil.vn"})
    assert answer.json()["type"] == "/problems/foreign-form"


def test_a_session_opens_what_is_read_and_changes_nothing_by_the_interface(client, province):
    analyst = province.person((Role.PROVINCIAL_ANALYST, None))
    answer = client.get("/api/v1/satisfaction", headers=analyst.headers)
    assert answer.status_code == 200
    # The page's door takes no key: a key that leaks opens no page.
    key = province.credential(Right.READ_ACCESS)
    assert client.get("/accounts", headers=key).json()["type"] == "/problems/sign-in-needed"


def test_a_cookie_that_is_none_is_a_stranger(client):
    for cookie in ("hailong=", "hailong=x", "hailong=" + "y" * 5000, "hailong=\xff"):
        answer = client.get("/profile", headers={"Cookie": cookie.encode("latin-1")})
        assert answer.status_code == 401
