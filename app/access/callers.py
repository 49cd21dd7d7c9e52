"""Who calls: found by the secret of a device, a system or a script, or by a session's cookie."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.access import sessions
from app.access.models import AccessToken, Account, AccountSession, Credential, Right, Sector
from app.access.roles import RIGHTS, Role
from app.access.tokens import hash_of
from app.caches import Recent
from app.clock import ClockInDoubt
from app.db import Database
from app.registry.models import Unit
from app.registry.points import Point, as_point
from app.settings import Settings

#: Secrets whose callers are remembered.
_MOST_KNOWN = 10_000
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Grant:
    """Rights on a unit and all below it (everywhere if there is none), in a sector if one is."""

    rights: frozenset[Right]
    unit_id: int | None = None
    sector: Sector | None = None


@dataclass(frozen=True)
class Caller:
    """Who calls, as proved by a secret; without one, a stranger with no rights.

    ``name`` stands in the audit log. ``rights`` are those that the caller has anywhere; where
    it has them, ``app.access.scope`` tells.
    """

    name: str
    grants: tuple[Grant, ...] = ()
    point: Point | None = None
    credential_id: int | None = None
    account_id: int | None = None
    rights: frozenset[Right] = field(init=False)

    def __post_init__(self) -> None:
        """Derive what is asked for in every request."""
        rights: frozenset[Right] = frozenset().union(*(grant.rights for grant in self.grants))
        object.__setattr__(self, "rights", rights)

    def has_everywhere(self, right: Right) -> bool:
        """Whether the right is not bound to some units."""
        return any(
            right in grant.rights and grant.unit_id is None and grant.sector is None
            for grant in self.grants
        )


@dataclass(frozen=True)
class Person(Caller):
    """A caller who signed in with a browser."""

    email: str = ""
    full_name: str = ""
    language: str = "vi"
    has_password: bool = True
    session_id: int = 0
    confirmed_at: datetime = _LONG_AGO
    #: Stands in every form, and not in the cookie: another site's form does not have it.
    csrf_token: str = ""


STRANGER = Caller("stranger")


def owner(name: str) -> Caller:
    """Whoever runs commands on the machine: the database is theirs, nothing is hidden."""
    return Caller(name, (Grant(frozenset(Right)),))


def grants_of(account: Account) -> tuple[Grant, ...]:
    """What an account's roles let it do."""
    if account.disabled_at is not None:
        return ()
    return tuple(
        Grant(RIGHTS[Role(each.role)], each.unit_id, Sector(each.sector) if each.sector else None)
        for each in account.grants
    )


class Callers:
    """Finds callers, trusting what was read of a secret for a few seconds."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database, self._settings, self._now = database, settings, now
        self._known = Recent[str, Caller](_MOST_KNOWN, settings.cache_s)

    def cached(self, secret: str) -> Caller | None:
        """The caller if a fresh answer is at hand; None says nothing."""
        return self._known.find(hash_of(secret))[1]

    def find(self, secret: str) -> Caller | None:
        """The caller behind a key or an access token, from the database; None for none."""
        hashed = hash_of(secret)
        with self._database.reading() as session:
            now = self._now()
            caller = _by_credential(session, hashed, now)
            if caller is not None:
                caller = replace(caller, grants=_begun(session, caller, self._day(now)))
        if caller is not None:
            self._known.keep(hashed, caller)
        return caller

    def find_person(self, token: str) -> Person | None:
        """Who signed in, behind a session's token; None where the session is over."""
        now = self._now()
        with self._database.reading() as session:
            found = sessions.find(session, token, now, self._settings)
            person = _person(found, token) if found else None
            if person is not None:
                person = replace(person, grants=_begun(session, person, self._day(now)))
            stale = found is not None and sessions.is_stale(found, now)
        if person is not None and stale:
            # By a clock in doubt nothing is noted, and nobody is signed out.
            with suppress(ClockInDoubt), self._database.writing(person.name) as session:
                sessions.touch(session, person.session_id, now)
        return person

    def _day(self, now: datetime) -> date:
        return now.astimezone(self._settings.zone).date()


def _begun(session: Session, caller: Caller, today: date) -> tuple[Grant, ...]:
    """The grants that give something today: a unit whose first day lies ahead is nobody's yet.

    What has ended is still its head's, and tells of its past.
    """
    named = {grant.unit_id for grant in caller.grants} - {None}
    if not named:
        return caller.grants
    ahead = set(session.scalars(select(Unit.id).where(Unit.id.in_(named), Unit.valid_from > today)))
    return tuple(grant for grant in caller.grants if grant.unit_id not in ahead)


def grants_begun(session: Session, account: Account, today: date) -> tuple[Grant, ...]:
    """What an account's roles let it do on a day, as where it signs in."""
    return _begun(session, Caller(account.email, grants_of(account)), today)


def csrf_token_of(session_token: str) -> str:
    """The token in the forms of a session: only who has the cookie can compute it."""
    return hmac.new(session_token.encode("utf-8", "replace"), b"csrf", "sha256").hexdigest()


def _person(found: AccountSession, token: str) -> Person | None:
    account = found.account
    if account.disabled_at is not None:
        return None
    return Person(
        name=account.email,
        grants=grants_of(account),
        account_id=account.id,
        email=account.email,
        full_name=account.name,
        language=account.language,
        has_password=account.password_hash is not None,
        session_id=found.id,
        confirmed_at=found.confirmed_at,
        csrf_token=csrf_token_of(token),
    )


def _by_credential(session: Session, hashed: str, now: datetime) -> Caller | None:
    options = (joinedload(Credential.point), joinedload(Credential.account))
    credential = session.scalar(
        select(Credential).where(Credential.secret_hash == hashed).options(*options)
    )
    rights = None
    if credential is None:
        token = session.get(AccessToken, hashed)
        if token is None or token.expires_at <= now:
            return None
        credential, rights = token.credential, _rights(token.rights.split())
    if credential.revoked_at is not None:
        return None
    if credential.expires_at is not None and credential.expires_at <= now:
        return None
    return as_caller(credential, rights)


def as_caller(credential: Credential, rights: frozenset[Right] | None = None) -> Caller | None:
    """What a credential, or a token with fewer ``rights``, lets its holder do.

    A person's key opens what the person may at this moment, and no more than it was issued for.
    """
    allowed = _rights(credential.rights.split())
    if rights is not None:
        allowed &= rights
    account = credential.account
    if account is None:
        grants: tuple[Grant, ...] = (Grant(allowed, credential.unit_id),)
    elif account.disabled_at is not None:
        return None
    else:
        grants = tuple(
            Grant(grant.rights & allowed, grant.unit_id, grant.sector)
            for grant in grants_of(account)
        )
    return Caller(
        name=f"key {credential.id} {credential.name}",
        grants=grants,
        point=as_point(credential.point) if credential.point else None,
        credential_id=credential.id,
        account_id=credential.account_id,
    )


def _rights(names: Iterable[str]) -> frozenset[Right]:
    return frozenset(map(Right, names))
