"""Tokens for scripts, got by a client that others wrote (Authlib over requests)."""

from base64 import b64encode
from urllib.parse import quote

import httpx
import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from sqlalchemy import select, update

from app.access import credentials
from app.access.models import AccessToken, Credential, Right
from tests.conftest import serving

FIGURES = "/api/v1/satisfaction?questionnaire=sipas-desk"


@pytest.fixture
def key(database, province):
    """A key for D1: its number and its secret."""
    header = province.credential(Right.READ_FIGURES, Right.READ_REGISTRY, unit="D1")
    with database.reading() as session:
        number = session.scalars(select(Credential.id)).one()
    return str(number), header["Authorization"].split()[1]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_token_opens_what_its_key_opens(client, key, method):
    with OAuth2Session(*key, token_endpoint_auth_method=method) as script:
        token = script.fetch_token(f"{client.base_url}/oauth/token")
        assert token["token_type"] == "Bearer" and 3500 < token["expires_in"] <= 3600
        assert token["scope"] == "figures:read registry:read"
        assert script.get(f"{client.base_url}{FIGURES}&unit=C1").status_code == 200
        assert script.get(f"{client.base_url}{FIGURES}&unit=A1").status_code == 404


@pytest.mark.parametrize("number", ["²", "9" * 5000, "", "-1"], ids=["two", "long", "no", "minus"])
def test_a_number_that_is_no_key_s_is_refused(client, number):
    header = b64encode(f"{quote(number)}:x".encode()).decode()
    refused = client.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {header}"},
    )
    assert refused.status_code == 401 and refused.json()["error"] == "invalid_client"


def test_a_scope_narrows_it(client, key):
    with OAuth2Session(*key, scope="registry:read") as script:
        script.fetch_token(f"{client.base_url}/oauth/token")
        assert script.get(f"{client.base_url}/api/v1/units").status_code == 200
        assert script.get(f"{client.base_url}{FIGURES}").status_code == 403
    with OAuth2Session(*key, scope="comments:read") as script, pytest.raises(OAuthError) as no:
        script.fetch_token(f"{client.base_url}/oauth/token")
    assert no.value.error == "invalid_scope"


def test_it_ends_with_its_key_and_with_time(database, province, settings, key):
    with serving(settings) as client, OAuth2Session(*key) as script:
        token = script.fetch_token(f"{client.base_url}/oauth/token")
        header = {"Authorization": f"Bearer {token['access_token']}"}
        assert client.get(FIGURES, headers=header).status_code == 200
        from datetime import UTC, datetime

        with database.writing() as session:
            session.execute(update(AccessToken).values(expires_at=datetime.now(UTC)))
        assert client.get(FIGURES, headers=header).status_code == 401
        script.fetch_token(f"{client.base_url}/oauth/token")
        header = {"Authorization": f"Bearer {script.token['access_token']}"}
        assert client.get(FIGURES, headers=header).status_code == 200
        with database.writing() as session:
            credentials.revoke(session, int(key[0]))
        assert client.get(FIGURES, headers=header).status_code == 401


@pytest.mark.parametrize(
    ("form", "auth", "error", "status"),
    [
        ({"grant_type": "password"}, None, "unsupported_grant_type", 400),
        ({}, None, "unsupported_grant_type", 400),
        ({"grant_type": "client_credentials"}, None, "invalid_client", 401),
        ({"grant_type": "client_credentials"}, ("1", "wrong"), "invalid_client", 401),
        ({"grant_type": "client_credentials"}, ("9" * 30, "x"), "invalid_client", 401),
        ({"grant_type": "client_credentials"}, ("²", "x"), "invalid_client", 401),
        (
            {"grant_type": "client_credentials", "client_secret": "x"},
            ("1", "x"),
            "invalid_request",
            400,
        ),
    ],
)
def test_refusals_are_in_the_standards_words(client, key, form, auth, error, status):
    answer = client.post("/oauth/token", data=form, auth=auth)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"
    assert status != 401 or answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic eA==", "Bearer x", "Basic w6k="])
def test_a_malformed_header_is_no_defect(client, header):
    answer = client.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": header},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_token_stands_nowhere_in_the_database(client, database, key):
    answer = httpx.post(
        f"{client.base_url}/oauth/token", data={"grant_type": "client_credentials"}, auth=key
    )
    with database.reading() as session:
        kept = session.scalars(select(AccessToken.token_hash)).one()
    assert answer.json()["access_token"] not in kept
