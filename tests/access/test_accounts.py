"""Accounts: made without a password, given roles, ended; passwords that are refused."""

import os
import re
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app.access import accounts, credentials, passwords, sessions
from app.access.callers import Callers
from app.access.models import Account, AccountSession, PasswordLink, Right, Sector
from app.access.roles import Role
from app.db import Base
from app.problems import InvalidFields
from app.registry.models import Unit
from app.settings import Settings
from tests.server import ROOT

GOOD = "bốn từ ngẫu nhiên đây"


@pytest.mark.parametrize(
    ("email", "name", "field"),
    [
        ("an", "An", "email"),
        ("an@x", "An", "email"),
        ("an nam@x.vn", "An", "email"),
        ("an@x.vn\nBcc: b@x.vn", "An", "email"),
        ("a" * 200 + "@x.vn", "An", "email"),
        ("an@x.vn", "  ", "name"),
        ("an@x.vn", "x" * 201, "name"),
    ],
)
def test_what_is_no_address_or_no_name_is_refused_by_field(database, email, name, field):
    with pytest.raises(InvalidFields) as refused, database.writing() as session:
        accounts.add(session, email, name)
    assert [error.field for error in refused.value.errors] == [field]


def test_an_address_has_one_account_however_it_is_written(database):
    with database.writing() as session:
        accounts.add(session, " An@Tinh.vn ", "An")
    with pytest.raises(InvalidFields), database.writing() as session:
        accounts.add(session, "AN@tinh.VN", "An")
    with database.reading() as session:
        assert accounts.find(session, "aN@tinh.vn").email == "an@tinh.vn"


@pytest.mark.parametrize(
    ("role", "unit", "sector", "field"),
    [
        (Role.UNIT_HEAD, None, None, "unit"),
        (Role.DESK_STAFF, None, None, "unit"),
        (Role.DEPARTMENT_ANALYST, None, None, "sector"),
        (Role.UNIT_HEAD, "C1", Sector.HEALTH, "sector"),
        (Role.AUDITOR, "C1", None, "role"),
    ],
)
def test_a_role_that_means_nothing_is_refused(database, province, role, unit, sector, field):
    somebody = province.person((Role.AUDITOR, "C1"))
    with pytest.raises(InvalidFields) as refused, database.writing() as session:
        place = session.get_one(Unit, province.units[unit]) if unit else None
        account = accounts.find(session, somebody.email)
        accounts.grant(session, account, role, place, sector)
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("ngắn", "password.too_short"),
        ("x" * 201, "password.too_long"),
        ("aaaaaaaaaaaaaaa", "password.too_easy"),
        ("password12345", "password.too_easy"),
        ("nguyenvanan1", "password.too_easy"),
        ("hailonghailong", "password.too_easy"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password, reason):
    error = passwords.judge(password, "nguyenvanan@tinh.vn", "Nguyễn Văn An")
    assert error is not None and error.reason == reason


def test_a_password_is_one_however_the_keyboard_composes_it():
    composed = "mật khẩu tiếng Việt"
    taken_apart = unicodedata.normalize("NFD", composed)
    assert taken_apart != composed
    kept = passwords.hash_password(composed)
    assert kept.startswith("$argon2id$") and passwords.verify(taken_apart, kept)
    assert not passwords.verify("mat khau tieng Viet", kept)
    assert not passwords.verify("nobody has this password", None)
    assert not passwords.verify("x" * 100_000, kept)


def test_a_password_takes_work_to_try_out():
    """In a process of its own: here they are kept with little work."""
    program = "from app.access import passwords; print(passwords.hash_password('mật khẩu'))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=ROOT, env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    memory, rounds = re.search(r"\$m=(\d+),t=(\d+),", done.stdout).groups()
    # RFC 9106's second recommended choice: 64 MiB, three times.
    assert int(memory) >= 2**16 and int(rounds) >= 3
    assert passwords.verify("mật khẩu", done.stdout.strip())


def test_a_link_sets_a_password_once_and_a_new_link_ends_the_old_one(database, province):
    somebody = province.person((Role.AUDITOR, "C1"))
    with database.writing() as session:
        first = accounts.link_for_password(session, accounts.find(session, somebody.email))
    with database.writing() as session:
        second = accounts.link_for_password(session, accounts.find(session, somebody.email))
    with pytest.raises(accounts.LinkUnknown), database.reading() as session:
        accounts.account_of_link(session, first)
    with database.writing() as session:
        account = accounts.account_of_link(session, second)
        accounts.set_password(session, account, GOOD, GOOD)
    with pytest.raises(accounts.LinkUnknown), database.reading() as session:
        accounts.account_of_link(session, second)


def test_a_link_grows_old(database, province):
    somebody = province.person((Role.AUDITOR, "C1"))
    with database.writing() as session:
        token = accounts.link_for_password(session, accounts.find(session, somebody.email))
        session.execute(update(PasswordLink).values(expires_at=datetime.now(UTC)))
    with pytest.raises(accounts.LinkUnknown), database.reading() as session:
        accounts.account_of_link(session, token)


def test_disabling_ends_sessions_keys_and_links_at_once(database, province):
    somebody = province.person((Role.AUDITOR, "C1"))
    (token,) = somebody.cookies.values()
    callers = Callers(database, Settings(cache_s=0))
    with database.writing() as session:
        account = accounts.find(session, somebody.email)
        key = credentials.issue(session, "script", [Right.READ_FIGURES], account=account)
        link = accounts.link_for_password(session, account)
    assert callers.find_person(token) is not None and callers.find(key) is not None
    with database.writing() as session:
        accounts.disable(session, accounts.find(session, somebody.email))
    assert callers.find_person(token) is None and callers.find(key) is None
    with pytest.raises(accounts.LinkUnknown), database.reading() as session:
        accounts.account_of_link(session, link)
    with database.writing() as session:
        accounts.enable(session, accounts.find(session, somebody.email))
    assert callers.find_person(token) is None and callers.find(key) is not None


def test_a_persons_key_opens_what_the_person_may_at_the_moment(database, province):
    somebody = province.person((Role.AUDITOR, "C1"))
    callers = Callers(database, Settings(cache_s=0))
    with database.writing() as session:
        account = accounts.find(session, somebody.email)
        key = credentials.issue(
            session, "script", [Right.READ_FIGURES, Right.IMPORT_HISTORY], account=account
        )
    assert callers.find(key).rights == {Right.READ_FIGURES}
    assert [grant.unit_id for grant in callers.find(key).grants] == [province.units["C1"]]
    with database.writing() as session:
        account = accounts.find(session, somebody.email)
        accounts.revoke_grant(session, account.grants[0])
    assert callers.find(key).rights == set()


def test_a_new_password_ends_other_sessions_and_keeps_this_one(database, province):
    somebody = province.person((Role.AUDITOR, "C1"))
    other = province.person()
    with database.writing() as session:
        account = accounts.find(session, somebody.email)
        (mine,) = session.scalars(
            select(AccountSession.id).where(AccountSession.account_id == account.id)
        )
        sessions.begin(session, account, "another", Settings(), by="test")
        accounts.set_password(session, account, GOOD, GOOD, keep=mine)
        left = session.scalars(
            select(AccountSession.id).where(AccountSession.account_id == account.id)
        ).all()
        assert left == [mine]
        assert session.scalar(
            select(func.count())
            .select_from(AccountSession)
            .where(AccountSession.account_id == other.account_id)
        )


def test_nothing_kept_opens_anything(database, province):
    """A copy of the database has no password, token, link or key in it, only hashes."""
    somebody = province.person((Role.AUDITOR, "C1"), password=GOOD)
    (token,) = somebody.cookies.values()
    with database.writing() as session:
        account = accounts.find(session, somebody.email)
        key = credentials.issue(session, "script", [Right.READ_FIGURES], account=account)
        link = accounts.link_for_password(session, account)
    with database.reading() as session:
        for table in Base.metadata.tables.values():
            for row in session.execute(select(table)):
                kept = repr(tuple(row))
                assert not any(each in kept for each in (token, key, link, GOOD))


def test_a_session_ends_when_it_is_old_or_not_used(database, province):
    somebody = province.person((Role.AUDITOR, "C1"))
    (token,) = somebody.cookies.values()
    callers = Callers(database, Settings(session_idle_s=3600, session_s=7200))
    now = datetime.now(UTC)

    def after(**changes):
        with database.writing() as session:
            session.execute(update(AccountSession).values(**changes))
        return callers.find_person(token)

    assert after(seen_at=now - timedelta(minutes=59)) is not None
    # Its use was noted.
    with database.reading() as session:
        assert session.scalars(select(AccountSession.seen_at)).one() >= now
    assert after(seen_at=now - timedelta(minutes=61)) is None
    assert after(seen_at=now) is not None
    assert after(expires_at=now) is None


def test_accounts_are_never_deleted(database, province):
    somebody = province.person((Role.AUDITOR, "C1"))
    with database.writing() as session:
        accounts.disable(session, accounts.find(session, somebody.email))
    with database.reading() as session:
        assert session.scalar(select(Account.email)) == somebody.email


@pytest.mark.parametrize("action", ["reset", "disable", "grants"])
def test_who_manages_a_unit_cannot_take_over_an_account_that_has_more(client, province, action):
    """By a new password one would have what the account has elsewhere."""
    local = province.person((Role.OPERATOR, "D1"))
    wider = province.person((Role.DESK_STAFF, "C1"), (Role.PROVINCIAL_ANALYST, None))
    mine = province.person((Role.DESK_STAFF, "C1"), (Role.UNIT_HEAD, "C2"))
    form = {"role": "unit-head", "unit": "C1"} | local.csrf
    for somebody, allowed in ((wider, False), (mine, True), (local, action == "grants")):
        answer = client.post(
            f"/accounts/{somebody.account_id}/{action}", data=form, headers=local.headers
        )
        assert (answer.status_code < 400) == allowed, answer.text
    # Nor grant what lies elsewhere.
    elsewhere = {"role": "unit-head", "unit": "A1"} | local.csrf
    answer = client.post(
        f"/accounts/{mine.account_id}/grants", data=elsewhere, headers=local.headers
    )
    assert answer.status_code == 422
    everywhere = {"role": "auditor", "unit": ""} | local.csrf
    answer = client.post(
        f"/accounts/{mine.account_id}/grants", data=everywhere, headers=local.headers
    )
    assert answer.status_code == 422


def _link_in(answer):
    return re.search(r"/password/([\w-]+)", answer.text)[1]


def _works(client, link):
    return client.get(f"/password/{link}").status_code == 200


@pytest.mark.parametrize("used", [False, True], ids=["link kept", "link used by its maker"])
def test_who_made_an_account_keeps_nothing_of_it_once_it_has_more(client, province, used):
    local = province.person((Role.OPERATOR, "D1"), email="huyen@tinh.vn")
    wide = province.person((Role.OPERATOR, None), email="tinh@tinh.vn")

    def post(path, who, **form):
        return client.post(path, data=form | who.csrf, headers=who.headers)

    made = post(
        "/accounts/new", local, email="moi@tinh.vn", name="Mới", role="unit-head", unit="C1"
    )
    old = _link_in(made)
    with province.database.reading() as session:
        account_id = accounts.find(session, "moi@tinh.vn").id
    grants = f"/accounts/{account_id}/grants"
    # Within what its maker manages nothing is reset, whoever grants it.
    within = post(grants, wide, role="unit-head", unit="C2")
    assert within.status_code == 303 and _works(client, old)
    with province.database.writing() as session:
        account = accounts.find(session, "moi@tinh.vn")
        if used:
            accounts.set_password(session, account, GOOD, GOOD)
        token = sessions.begin(session, account, "its maker's", Settings(), by="password")
        key = credentials.issue(session, "k", [Right.READ_FIGURES], account=account)
    bearer = {"Authorization": f"Bearer {key}"}
    assert client.get("/api/v1/units", headers=bearer).status_code != 401
    widened = post(grants, wide, role="provincial-analyst", unit="")
    assert widened.status_code == 200 and "rộng hơn phạm vi" in widened.text
    new = _link_in(widened)
    assert new != old and _works(client, new) and not _works(client, old)
    assert client.get("/profile", headers={"Cookie": f"hailong={token}"}).status_code == 401
    assert client.get("/api/v1/units", headers=bearer).status_code == 401
    sign_in = {"email": "moi@tinh.vn", "password": GOOD}
    assert client.post("/sign-in", data=sign_in).status_code == 401
    # The link is the widener's: the maker neither manages the account nor gets another.
    assert post(f"/accounts/{account_id}/reset", local).status_code == 404
    # Once it is the widener's, more within their scope resets nothing.
    again = post(grants, wide, role="auditor", unit="A1")
    assert again.status_code == 303 and _works(client, new)
