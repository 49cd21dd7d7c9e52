"""Accounts of persons: made, disabled, given roles, signed in."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from limits import parse
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.access import passwords, rate_limits, sessions
from app.access.callers import Person
from app.access.models import Account, PasswordLink, RoleGrant, Sector
from app.access.rate_limits import RateLimits
from app.access.roles import NEED_SECTOR, NEED_UNIT, Role
from app.access.tokens import hash_of, new_token
from app.audit.log import record
from app.db import Database
from app.messages import LANGUAGES
from app.problems import FieldError, InvalidFields, Problem
from app.registry.models import Unit
from app.settings import Settings

_EMAIL = re.compile(r"[^\s@<>\"',;:\\]+@[^\s@<>\"',;:\\]+\.[^\s@<>\"',;:\\]+")
LINK_DAYS = 3


class SignInRefused(Problem):
    """E-mail address or password is wrong, or the account is disabled: it is not told which."""

    code, status = "sign-in-refused", 401


class SignInLocked(Problem):
    """Too many wrong passwords for this account, or from this address; try again later."""

    code, status, passing = "sign-in-locked", 429, True


class LinkUnknown(Problem):
    """The link to set a password does not exist, was used, or is too old."""

    code, status = "link-unknown", 404


class UnknownAccount(Problem):
    """No account has this e-mail address."""

    code, status = "unknown-account", 404


def add(session: Session, email: str, name: str, language: str = "vi") -> Account:
    """A new account without a password and without a role.

    Raises
    ------
    InvalidFields
        Where a field is no address or no name, or the address has an account.
    """
    email, name = email.strip().lower(), " ".join(name.split())
    errors = []
    if len(email) > 200 or not _EMAIL.fullmatch(email):
        errors.append(FieldError("email", "account.no_email"))
    elif session.scalar(select(Account.id).where(Account.email == email)) is not None:
        errors.append(FieldError("email", "account.email_taken"))
    if not 1 <= len(name) <= 200:
        errors.append(FieldError("name", "account.no_name"))
    if language not in LANGUAGES:
        errors.append(FieldError("language", "account.no_language"))
    if errors:
        raise InvalidFields(errors=errors, count=len(errors))
    account = Account(email=email, name=name, language=language, created_at=datetime.now(UTC))
    session.add(account)
    record(session, "account.add", email, name=name)
    return account


def find(session: Session, email: str) -> Account:
    """The account with this address.

    Raises
    ------
    UnknownAccount
        Where there is none.
    """
    account = session.scalar(select(Account).where(Account.email == email.strip().lower()))
    if account is None:
        raise UnknownAccount(email=email)
    return account


def change_profile(session: Session, account: Account, name: str, language: str) -> None:
    """Give an account another name or language.

    Raises
    ------
    InvalidFields
        Naming the field.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= 200:
        raise InvalidFields(errors=[FieldError("name", "account.no_name")], count=1)
    if language not in LANGUAGES:
        raise InvalidFields(errors=[FieldError("language", "account.no_language")], count=1)
    if (name, language) != (account.name, account.language):
        record(session, "account.change", account.email, name=name, language=language)
        account.name, account.language = name, language


def disable(session: Session, account: Account) -> None:
    """End an account: its sessions, its keys and links no longer open anything."""
    if account.disabled_at is None:
        account.disabled_at = datetime.now(UTC)
        sessions.end_all(session, account.id)
        session.execute(delete(PasswordLink).where(PasswordLink.account_id == account.id))
        record(session, "account.disable", account.email)


def enable(session: Session, account: Account) -> None:
    """Let a disabled account sign in again."""
    if account.disabled_at is not None:
        account.disabled_at = None
        record(session, "account.enable", account.email)


def link_for_password(session: Session, account: Account) -> str:
    """A token with which the person sets a password, once; former links no longer work."""
    session.flush()
    session.execute(delete(PasswordLink).where(PasswordLink.account_id == account.id))
    token = new_token()
    expires_at = datetime.now(UTC) + timedelta(days=LINK_DAYS)
    session.add(
        PasswordLink(token_hash=hash_of(token), account_id=account.id, expires_at=expires_at)
    )
    record(session, "account.link", account.email, expires_at=expires_at)
    return token


def reset(session: Session, account: Account) -> str:
    """Take the password away and end all sessions; a token with which a new one is set."""
    account.password_hash = None
    sessions.end_all(session, account.id)
    record(session, "account.reset", account.email)
    return link_for_password(session, account)


def account_of_link(session: Session, token: str) -> Account:
    """Whose link this is.

    Raises
    ------
    LinkUnknown
        Where the link opens nothing (any more).
    """
    link = session.get(PasswordLink, hash_of(token))
    if link is None or link.expires_at <= datetime.now(UTC) or link.account.disabled_at is not None:
        raise LinkUnknown
    return link.account


def set_password(
    session: Session, account: Account, password: str, again: str, *, keep: int | None = None
) -> None:
    """Give an account a password; its links and its sessions (but ``keep``) are over.

    Raises
    ------
    InvalidFields
        Where it is easily guessed, or was not typed the same twice.
    """
    error = passwords.judge(password, account.email, account.name)
    if error is None and password != again:
        error = FieldError("again", "password.not_the_same")
    if error is not None:
        raise InvalidFields(errors=[error], count=1)
    account.password_hash = passwords.hash_password(password)
    session.execute(delete(PasswordLink).where(PasswordLink.account_id == account.id))
    sessions.end_all(session, account.id, but=keep)
    record(session, "account.set_password", account.email)


def grant(
    session: Session, account: Account, role: Role, unit: Unit | None, sector: Sector | None
) -> RoleGrant:
    """Give an account a role on a unit and all below it; without a unit, everywhere.

    Raises
    ------
    InvalidFields
        Where the role wants a unit or a sector and has none, or the account has it already.
    """
    error = None
    if role in NEED_UNIT and unit is None:
        error = FieldError("unit", "role.needs_unit")
    elif role in NEED_SECTOR and sector is None:
        error = FieldError("sector", "role.needs_sector")
    elif role not in NEED_SECTOR and sector is not None:
        error = FieldError("sector", "role.has_no_sector")
    elif any(
        (each.role, each.unit_id, each.sector) == (role, unit.id if unit else None, sector)
        for each in account.grants
    ):
        error = FieldError("role", "role.had_already")
    if error is not None:
        raise InvalidFields(errors=[error], count=1)
    made = RoleGrant(
        account=account, role=role, unit=unit, sector=sector, granted_at=datetime.now(UTC)
    )
    session.add(made)
    record(session, "role.grant", account.email, **_told(made))
    return made


def revoke_grant(session: Session, grant_: RoleGrant) -> None:
    """Take a role away."""
    record(session, "role.revoke", grant_.account.email, **_told(grant_))
    grant_.account.grants.remove(grant_)


def _told(grant_: RoleGrant) -> dict[str, object]:
    unit = grant_.unit.code if grant_.unit else None
    return {"role": grant_.role, "unit": unit, "sector": grant_.sector}


def sign_in(
    database: Database,
    limits: RateLimits,
    settings: Settings,
    *,
    email: str,
    password: str,
    address: str,
    browser: str,
) -> str:
    """Begin a session for whoever has the right password; its token.

    Takes as long for an address without an account, and locks it as well, so that nobody learns
    who has one.

    Raises
    ------
    SignInRefused, SignInLocked
        See there.
    """
    email = email.strip().lower()
    with database.reading() as session:
        account = session.scalar(select(Account).where(func.lower(Account.email) == email))
        kept = account.password_hash if account and account.disabled_at is None else None
    mine = _attempt(database, limits, settings, email, address)
    if not passwords.verify(password, kept):
        raise SignInRefused
    with database.writing(email) as session:
        account = find(session, email)
        if account.disabled_at is not None or account.password_hash != kept:
            raise SignInRefused
        rate_limits.forget(session, [mine])
        return sessions.begin(session, account, browser, settings, by="password")


def confirm(
    database: Database,
    limits: RateLimits,
    settings: Settings,
    person: Person,
    password: str,
    address: str,
) -> None:
    """Have a person who is signed in prove again who it is, with the password.

    Raises
    ------
    SignInRefused, SignInLocked
        See there.
    """
    with database.reading() as session:
        kept = session.scalar(select(Account.password_hash).where(Account.id == person.account_id))
    mine = _attempt(database, limits, settings, person.email, address)
    if not passwords.verify(password, kept):
        raise SignInRefused
    with database.writing(person.name) as session:
        rate_limits.forget(session, [mine])
        sessions.confirm(session, person.session_id)


def _attempt(
    database: Database, limits: RateLimits, settings: Settings, email: str, address: str
) -> rate_limits.Hit:
    """Count an attempt before its password is looked at; the hit on the account.

    Raises
    ------
    SignInLocked
        Where there were too many.
    """
    if not limits.ready:
        limits.prepare()
    mine = limits.hit(parse(settings.sign_in_rate), "sign-in", email)
    theirs = limits.hit(parse(settings.sign_in_address_rate), "sign-in from", address)
    for hit in (mine, theirs):
        if limits.is_over(hit):
            raise _locked(hit)
    with database.writing() as session:
        allowed = rate_limits.count(session, [mine, theirs])
        for hit, fine in zip((mine, theirs), allowed, strict=True):
            if not fine:
                known = session.scalar(select(Account.id).where(Account.email == email))
                if known is not None and hit is mine:
                    record(session, "account.locked", email, seconds=hit.retry_after())
    for hit, fine in zip((mine, theirs), allowed, strict=True):
        if not fine:
            limits.note_over(hit)
            raise _locked(hit)
    return mine


def _locked(hit: rate_limits.Hit) -> SignInLocked:
    seconds = hit.retry_after()
    return SignInLocked(
        headers={"Retry-After": str(seconds)}, minutes=-(-seconds // 60), field="password"
    )
