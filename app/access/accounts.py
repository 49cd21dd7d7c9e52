"""Accounts of persons: made, disabled, given roles and passwords."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.access import credentials, passwords, sessions
from app.access.models import Account, Credential, PasswordLink, RoleGrant, Sector
from app.access.roles import NEED_SECTOR, NEED_UNIT, Role
from app.access.tokens import hash_of, new_token
from app.audit.log import record
from app.messages import LANGUAGES
from app.problems import FieldError, InvalidFields, Problem
from app.registry.models import Unit

_EMAIL = re.compile(r"[^\s@<>\"',;:\\]+@[^\s@<>\"',;:\\]+\.[^\s@<>\"',;:\\]+")
LINK_DAYS = 3


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


def change_profile(
    session: Session, account: Account, name: str, language: str, *, digest: bool | None = None
) -> None:
    """Give an account another name or language, or have the digest of each month sent or not.

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
    if digest is not None and digest != account.digest:
        record(session, "account.digest", account.email, active=digest)
        account.digest = digest


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


def take_back(session: Session, account: Account) -> str:
    """Reset an account and end its keys too: nobody who had it before has it any longer."""
    for key in session.scalars(
        select(Credential.id).where(
            Credential.account_id == account.id, Credential.revoked_at.is_(None)
        )
    ).all():
        credentials.revoke(session, key)
    return reset(session, account)


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
    hashed = hash_new_password(account.email, account.name, password, again)
    keep_password(session, account, hashed, keep=keep)


def hash_new_password(email: str, name: str, password: str, again: str) -> str:
    """What is to be kept of a new password: worked out before anything is locked to keep it.

    Raises
    ------
    InvalidFields
        Where it is easily guessed, or was not typed the same twice.
    """
    error = passwords.judge(password, email, name)
    if error is None and password != again:
        error = FieldError("again", "password.not_the_same")
    if error is not None:
        raise InvalidFields(errors=[error], count=1)
    return passwords.hash_password(password)


def keep_password(
    session: Session, account: Account, hashed: str, *, keep: int | None = None
) -> None:
    """Give an account a hashed password; its links and its sessions (but ``keep``) are over."""
    account.password_hash = hashed
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
