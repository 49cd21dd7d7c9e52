"""Every route declares who may call it."""

import pytest
from fastapi import APIRouter

from app.access.doors import Door
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
        {"credential": ["figures:read"]}
    ]
    submit = document["paths"]["/api/v1/responses"]["post"]
    assert submit["security"] == [{"credential": ["responses:import", "responses:submit"]}, {}]
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
