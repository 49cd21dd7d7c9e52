"""Signing in over HTTP: cookies, lock-out over several processes, and what is not told."""

import re

import pytest
from sqlalchemy import func, select

from app.access.models import RateCount
from app.access.roles import Role
from app.audit.models import AuditEntry
from tests.conftest import serving

GOOD = "bốn từ ngẫu nhiên đây"
PAGE = {"Accept": "text/html"}


@pytest.fixture
def somebody(province):
    return province.person((Role.OPERATOR, None), email="an@tinh.vn", password=GOOD)


def sign_in(client, email="an@tinh.vn", password=GOOD, **options):
    return client.post("/sign-in", data={"email": email, "password": password}, **options)


def test_the_right_password_begins_a_session(client, somebody):
    answer = sign_in(client, email=" AN@tinh.vn ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert client.get("/profile").status_code == 200
    page = client.get("/profile").text
    token = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page)[1]
    assert token not in cookie
    gone = client.post("/sign-out", data={"csrf_token": token})
    assert gone.headers["location"].startswith("/sign-in")
    client.cookies.clear()


def test_the_cookie_after_signing_out_opens_nothing(client, somebody):
    sign_in(client)
    kept = dict(client.cookies)
    token = re.search(r'value="([0-9a-f]{64})"', client.get("/profile").text)[1]
    client.post("/sign-out", data={"csrf_token": token})
    client.cookies.update(kept)
    assert client.get("/profile", headers=PAGE).headers["location"].startswith("/sign-in?next=")


def test_sessions_begin_and_end_in_the_audit_log(client, somebody, province):
    sign_in(client)
    token = re.search(r'value="([0-9a-f]{64})"', client.get("/profile").text)[1]
    for path in ("/profile/sessions/end", "/sign-out"):
        assert client.post(path, data={"csrf_token": token}).status_code == 303
    with province.database.reading() as session:
        log = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(3))
        assert log.all() == ["account.sign_out", "account.end_sessions", "account.sign_in"]


def test_over_https_the_cookie_is_bound_to_host_and_transport(province, somebody, settings):
    public = settings.model_copy(update={"public_url": "https://hailong.example.vn"})
    with serving(public) as client:
        cookie = sign_in(client).headers["set-cookie"]
    assert cookie.startswith("__Host-hailong=") and "Secure" in cookie and "Domain" not in cookie


def test_a_password_does_not_cross_a_network_in_the_clear(client, somebody):
    from_afar = {"X-Forwarded-For": "203.0.113.9", **PAGE}
    answer = sign_in(client, headers=from_afar)
    assert answer.status_code == 403 and "HTTPS" in answer.text
    assert client.get("/sign-in", headers=from_afar).status_code == 403
    over_https = from_afar | {"X-Forwarded-Proto": "https"}
    assert sign_in(client, headers=over_https).status_code == 303


def test_it_is_not_told_who_has_an_account(client, somebody, province):
    disabled = province.person(email="cu@tinh.vn", password=GOOD)
    from app.access import accounts

    with province.database.writing() as session:
        accounts.disable(session, accounts.find(session, disabled.email))
    texts = set()
    for email, password in (
        ("an@tinh.vn", "sai mật khẩu rồi"),
        ("khong@tinh.vn", "sai mật khẩu rồi"),
        ("cu@tinh.vn", GOOD),
    ):
        answer = sign_in(client, email, password)
        assert answer.status_code == 401
        texts.add(answer.text.replace(email, "…"))
    assert len(texts) == 1


def test_an_account_is_locked_over_all_processes_whether_it_exists_or_not(
    province, somebody, settings
):
    few = settings.model_copy(update={"sign_in_rate": "4 per 1 hour"})
    with serving(few) as one, serving(few) as other:
        for email in ("an@tinh.vn", "khong@tinh.vn"):
            for attempt in range(4):
                server = one if attempt % 2 else other
                assert sign_in(server, email, "sai mật khẩu rồi").status_code == 401
            for server in (one, other):
                # From there the right password does not help any more, either.
                answer = sign_in(server, email)
                assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0
                assert "phút" in answer.text
    with province.database.reading() as session:
        locked = session.scalars(
            select(AuditEntry.subject).where(AuditEntry.action == "account.locked")
        ).all()
    # Each process says so once; of an account that is not there, nothing is said.
    assert set(locked) == {"an@tinh.vn"} and len(locked) <= 2


def test_nobody_outside_locks_a_person_out(province, somebody, settings):
    """Wrong passwords from one network or many hold up no browser that the person used before."""
    few = settings.model_copy(
        update={
            "sign_in_rate": "3 per 1 hour",
            "sign_in_account_rate": "9 per 1 hour",
            "public_url": "http://hailong.example.vn",
        }
    )
    with serving(few) as client:

        def attempt(address, password=GOOD, cookies=""):
            return sign_in(
                client, password=password, headers={"X-Forwarded-For": address, "Cookie": cookies}
            )

        def cookie_of(answer):
            return re.search(r"known_browser=[^;]+", answer.headers["set-cookie"])[0]

        known = cookie_of(attempt("203.0.113.1"))
        client.cookies.clear()
        # One network, as an office or a household has it, is held up alone …
        for number in range(5):
            status = attempt(f"2001:db8::{number:x}", "sai mật khẩu rồi").status_code
            assert status == (401 if number < 3 else 429)
        assert attempt("203.0.113.2").status_code == 303
        client.cookies.clear()
        # … and from so many networks that strangers are held up everywhere, the person is not, not
        # even in the network that the attempts come from.
        for number in range(6):
            attempt(f"198.51.100.{number}", "sai mật khẩu rồi")
        assert attempt("203.0.113.3").status_code == 429
        for address in ("203.0.113.1", "203.0.113.9", "2001:db8::1"):
            again = attempt(address, cookies=known)
            assert again.status_code == 303
            client.cookies.clear()
        # A browser that others signed in with is none of this person's.
        other = province.person(email="binh@tinh.vn", password=GOOD)
        theirs = cookie_of(
            client.post(
                "/sign-in",
                data={"email": other.email, "password": GOOD},
                headers={"X-Forwarded-For": "203.0.113.77"},
            )
        )
        client.cookies.clear()
        forged = known[:-1] + ("0" if known[-1] != "0" else "1")
        for cookies in (theirs, forged, "known_browser=x.y.z"):
            assert attempt("203.0.113.4", cookies=cookies).status_code == 429
        # In the known browser, too, nobody tries without end.
        codes = [attempt("203.0.113.1", "sai", known).status_code for _ in range(4)]
        assert codes == [401] * 3 + [429]


def test_a_browser_in_which_a_password_was_set_is_known(province, somebody, settings):
    from app.access import accounts

    few = settings.model_copy(update={"sign_in_rate": "2 per 1 hour"})
    with province.database.writing() as session:
        link = accounts.reset(session, accounts.find(session, "an@tinh.vn"))
    with serving(few) as client:
        for _ in range(3):
            last = sign_in(client, password="sai mật khẩu rồi")
        assert last.status_code == 429
        client.post(f"/password/{link}", data={"password": GOOD, "again": GOOD})
        assert sign_in(client).status_code == 303


def test_the_right_password_begins_the_count_anew(province, somebody, settings):
    few = settings.model_copy(update={"sign_in_rate": "3 per 1 hour"})
    with serving(few) as client:
        for _ in range(4):
            for _ in range(2):
                assert sign_in(client, password="sai mật khẩu rồi").status_code == 401
            assert sign_in(client).status_code == 303
            client.cookies.clear()


def test_one_address_cannot_try_many_accounts(province, settings):
    few = settings.model_copy(update={"sign_in_address_rate": "5 per 1 hour"})
    with serving(few) as client:
        codes = [sign_in(client, f"n{n}@tinh.vn", "x").status_code for n in range(8)]
    assert codes == [401] * 5 + [429] * 3
    with province.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(RateCount))


def test_a_stranger_is_led_to_sign_in_and_back(client, somebody):
    answer = client.get("/accounts?q=an", headers=PAGE)
    assert answer.headers["location"] == "/sign-in?next=%2Faccounts%3Fq%3Dan"
    page = client.get(answer.headers["location"]).text
    target = re.search(r'name="next" value="([^"]+)"', page)[1]
    back = client.post("/sign-in", data={"email": "an@tinh.vn", "password": GOOD, "next": target})
    assert back.headers["location"] == "/accounts?q=an"
    client.cookies.clear()
    # A script is told in its own way.
    assert client.get("/accounts").json()["type"] == "/problems/sign-in-needed"


def test_what_is_dangerous_asks_for_the_password_again(province, somebody, settings):
    from datetime import UTC, datetime, timedelta

    from sqlalchemy import update

    from app.access.models import AccountSession

    with serving(settings) as client:
        sign_in(client)
        assert client.get("/accounts/new").status_code == 200
        with province.database.writing() as session:
            long_ago = datetime.now(UTC) - timedelta(hours=1)
            session.execute(update(AccountSession).values(confirmed_at=long_ago))
        assert client.get("/accounts").status_code == 200
        answer = client.get("/accounts/new", headers=PAGE)
        assert answer.headers["location"] == "/sign-in/confirm?next=%2Faccounts%2Fnew"
        page = client.get(answer.headers["location"]).text
        token = re.search(r'value="([0-9a-f]{64})"', page)[1]
        form = {"csrf_token": token, "next": "/accounts/new"}
        # A form is refused as well, and leads back to the page that it stood on.
        refused = client.post(
            "/keys/new",
            data={"csrf_token": token, "name": "k", "days": "30", "right": "figures:read"},
            headers=PAGE | {"Referer": f"{client.base_url}/keys/new"},
        )
        assert refused.headers["location"] == "/sign-in/confirm?next=%2Fkeys%2Fnew"
        wrong = client.post("/sign-in/confirm", data=form | {"password": "x"})
        assert wrong.status_code == 401
        right = client.post("/sign-in/confirm", data=form | {"password": GOOD})
        assert right.headers["location"] == "/accounts/new"
        assert client.get("/accounts/new").status_code == 200
