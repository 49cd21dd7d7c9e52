"""Signing in with a password, and proving again who one is.

Attempts are counted by who makes them, so that nobody outside can lock a person out: those in a
browser that the person has signed in with before are counted apart from all others
(``known_browsers``); of others, those from one network for one account, from all networks for one
account, and from one network for all accounts. Each is counted before its password is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from limits import parse
from sqlalchemy import func, select

from app.access import accounts, passwords, rate_limits, sessions
from app.access.buckets import network_of
from app.access.callers import Person
from app.access.known_browsers import KnownBrowsers
from app.access.models import Account
from app.access.rate_limits import Hit, RateLimits
from app.audit.log import record
from app.db import Database
from app.problems import Problem
from app.settings import Settings


class SignInRefused(Problem):
    """E-mail address or password is wrong, or the account is disabled: it is not told which."""

    code, status = "sign-in-refused", 401


class SignInLocked(Problem):
    """Too many wrong passwords from this network or browser; try again later."""

    code, status, passing = "sign-in-locked", 429, True


@dataclass(frozen=True)
class Visitor:
    """Who wants to sign in: from where, with what browser, and what it has of us."""

    address: str
    browser: str = ""
    #: The cookie by which we know a browser again.
    cookie: str = ""


@dataclass(frozen=True)
class SignedIn:
    """The token of a session that began, and the cookie to know its browser again by."""

    token: str
    cookie: str


class SigningIn:
    """What signing in needs of a server process."""

    def __init__(
        self, database: Database, limits: RateLimits, settings: Settings, known: KnownBrowsers
    ) -> None:
        self._database, self._limits, self._settings = database, limits, settings
        self._known = known

    def remember(self, cookie: str, account_id: int) -> str:
        """The cookie for a browser in which a person has proved who it is."""
        return self._known.remember(cookie, account_id, datetime.now(UTC))

    def sign_in(self, email: str, password: str, visitor: Visitor) -> SignedIn:
        """Begin a session for whoever has the right password.

        Takes as long for an address without an account, and limits it as well, so that nobody
        learns who has one.

        Raises
        ------
        SignInRefused, SignInLocked
            See there.
        """
        email = email.strip().lower()
        with self._database.reading() as session:
            account = session.scalar(select(Account).where(func.lower(Account.email) == email))
            kept = account.password_hash if account and account.disabled_at is None else None
            account_id = account.id if account else 0
        now = datetime.now(UTC)
        hits = self._hits(email, visitor, self._known.number(visitor.cookie, account_id, now))
        self._count(hits, email, account_id)
        if not passwords.verify(password, kept):
            raise SignInRefused
        with self._database.writing(email) as session:
            account = accounts.find(session, email)
            if account.disabled_at is not None or account.password_hash != kept:
                raise SignInRefused
            # What others tried meanwhile stays counted.
            rate_limits.forget(session, hits[:1])
            token = sessions.begin(session, account, visitor.browser, self._settings, by="password")
        return SignedIn(token, self.remember(visitor.cookie, account_id))

    def confirm(self, person: Person, password: str) -> None:
        """Have a person who is signed in prove again who it is, with the password.

        Raises
        ------
        SignInRefused, SignInLocked
            See there.
        """
        with self._database.reading() as session:
            kept = session.scalar(
                select(Account.password_hash).where(Account.id == person.account_id)
            )
        self._make_ready()
        rate = parse(self._settings.sign_in_rate)
        hit = self._limits.hit(rate, "confirm", person.account_id, person.session_id)
        self._count([hit], person.email, person.account_id or 0)
        if not passwords.verify(password, kept):
            raise SignInRefused
        with self._database.writing(person.name) as session:
            rate_limits.forget(session, [hit])
            sessions.confirm(session, person.session_id)

    def _hits(self, email: str, visitor: Visitor, browser: str | None) -> list[Hit]:
        """What an attempt counts against; the first is the visitor's own."""
        self._make_ready()
        settings, hit = self._settings, self._limits.hit
        rate = parse(settings.sign_in_rate)
        if browser is not None:
            return [hit(rate, "sign-in", email, "browser", browser)]
        network = network_of(visitor.address)
        return [
            hit(rate, "sign-in", email, "network", network),
            hit(parse(settings.sign_in_account_rate), "sign-in", email),
            hit(parse(settings.sign_in_address_rate), "sign-in from", network),
        ]

    def _count(self, hits: Sequence[Hit], email: str, account_id: int) -> None:
        """Count an attempt.

        Raises
        ------
        SignInLocked
            Where there were too many.
        """
        for hit in hits:
            if self._limits.is_over(hit):
                raise _locked(hit)
        with self._database.writing() as session:
            allowed = rate_limits.count(session, hits)
            if account_id and not allowed[0]:
                record(session, "account.locked", email, seconds=hits[0].retry_after())
        for hit, fine in zip(hits, allowed, strict=True):
            if not fine:
                self._limits.note_over(hit)
                raise _locked(hit)

    def _make_ready(self) -> None:
        if not self._limits.ready:
            self._limits.prepare()


def _locked(hit: Hit) -> SignInLocked:
    seconds = hit.retry_after()
    return SignInLocked(
        headers={"Retry-After": str(seconds)}, minutes=-(-seconds // 60), field="password"
    )
