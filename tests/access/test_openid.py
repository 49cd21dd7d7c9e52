"""Signing in with a real OpenID Connect provider: a process of its own (oidc-provider-mock)."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select, update

from app.access.models import Account, SignInAttempt
from app.access.openid import CALLBACK
from app.access.roles import Role
from app.main import create_app
from tests.conftest import serving
from tests.server import free_port

PEOPLE = (
    {"sub": "an", "email": "An@tinh.vn", "email_verified": True},
    {"sub": "xau", "email": "an@tinh.vn", "email_verified": False},
    {"sub": "la", "email": "la@tinh.vn", "email_verified": True},
)


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    port = free_port()
    people = [part for each in PEOPLE for part in ("--user-claims", json.dumps(each))]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port),
         "--require-nonce", "true", *people],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            if httpx.get(f"{address}/.well-known/openid-configuration").is_success:
                break
        except httpx.TransportError:
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(10)


@pytest.fixture
def client(provider, settings, province) -> Iterator[httpx.Client]:
    port = free_port()
    with_provider = settings.model_copy(
        update={
            "oidc_issuer": provider,
            "oidc_client_secret": "ours",
            "oidc_name": "Cổng của tỉnh",
            "public_url": f"http://127.0.0.1:{port}",
            "port": port,
        }
    )
    with serving(with_provider, port=port) as client:
        yield client


def go_through(client, subject, **form):
    """What a browser does: to the provider, through its form, and back."""
    away = client.get("/sign-in/openid", params={"next": "/keys"})
    assert away.status_code == 303
    back = httpx.post(away.headers["location"], data=form or {"sub": subject})
    assert back.status_code in (302, 303), back.text
    return away, client.get(back.headers["location"], headers={"Accept": "text/html"})


def test_whom_the_provider_vouches_for_is_signed_in(client, province, database):
    province.person((Role.AUDITOR, None), email="an@tinh.vn")
    assert "Cổng của tỉnh" in client.get("/sign-in").text
    away, back = go_through(client, "an")
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["scope"][0].startswith("openid")
    assert (back.status_code, back.headers["location"]) == (303, "/keys")
    assert client.get("/profile").status_code == 200
    with database.reading() as session:
        account = session.scalars(select(Account).where(Account.email == "an@tinh.vn")).one()
        assert account.oidc_subject == "an" and account.password_hash is None
    # From now on the subject counts, whatever happens to the address.
    with database.writing() as session:
        session.execute(update(Account).values(email="doi@tinh.vn"))
    client.cookies.clear()
    assert go_through(client, "an")[1].headers["location"] == "/keys"


@pytest.mark.parametrize("subject", ["xau", "la"], ids=["address not verified", "no account"])
def test_nobody_else_is(client, province, subject):
    province.person((Role.AUDITOR, None), email="an@tinh.vn")
    _, back = go_through(client, subject)
    assert back.status_code == 403 and "chưa có tài khoản" in back.text
    assert client.get("/profile").status_code == 401


def test_a_disabled_account_stays_out(client, province, database):
    from app.access import accounts

    province.person((Role.AUDITOR, None), email="an@tinh.vn")
    assert go_through(client, "an")[1].status_code == 303
    client.cookies.clear()
    with database.writing() as session:
        accounts.disable(session, accounts.find(session, "an@tinh.vn"))
    assert go_through(client, "an")[1].status_code == 403


def test_who_says_no_is_not_signed_in(client, province):
    province.person((Role.AUDITOR, None), email="an@tinh.vn")
    assert go_through(client, "an", action="deny")[1].status_code == 403


def test_the_answer_is_taken_once_and_in_the_browser_that_asked(client, province, database):
    province.person((Role.AUDITOR, None), email="an@tinh.vn")
    away = client.get("/sign-in/openid")
    back = httpx.post(away.headers["location"], data={"sub": "an"}).headers["location"]
    # Somebody else's browser: an attacker who sends the own answer to a victim gets nowhere.
    assert httpx.get(back).json()["type"] == "/problems/provider-refused"
    # And the attempt is used up by that.
    assert client.get(back).status_code == 403
    away = client.get("/sign-in/openid")
    back = httpx.post(away.headers["location"], data={"sub": "an"}).headers["location"]
    assert client.get(back).status_code == 303
    assert client.get(back).status_code == 403
    with database.reading() as session:
        assert session.scalars(select(SignInAttempt)).all() == []


def test_a_code_for_another_attempt_is_refused(client, province):
    """PKCE and the nonce: a code that was stolen from one attempt does not fit another one."""
    province.person((Role.AUDITOR, None), email="an@tinh.vn")
    first = client.get("/sign-in/openid").headers["location"]
    stolen = httpx.post(first, data={"sub": "an"}).headers["location"]
    second = client.get("/sign-in/openid").headers["location"]
    state = parse_qs(urlsplit(second).query)["state"][0]
    code = parse_qs(urlsplit(stolen).query)["code"][0]
    answer = client.get(CALLBACK, params={"state": state, "code": code})
    assert answer.json()["type"] == "/problems/provider-refused"


def test_a_provider_that_does_not_answer_is_said_so(settings, province):
    gone = settings.model_copy(
        update={
            "oidc_issuer": f"http://127.0.0.1:{free_port()}",
            "public_url": "http://127.0.0.1:1",
        }
    )
    with serving(gone) as client:
        answer = client.get("/sign-in/openid")
    assert (answer.status_code, answer.json()["type"]) == (502, "/problems/provider-failed")


def test_it_needs_an_address_to_return_to(settings):
    with pytest.raises(ValueError, match="HAILONG_PUBLIC_URL"):
        create_app(settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:1"}))
