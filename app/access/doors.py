"""Doors: what a route declares about who may call it. A route without one fails the tests."""

from __future__ import annotations

import base64
import hmac
from datetime import timedelta
from typing import TypedDict, cast
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from app.access.callers import STRANGER, Caller, Person
from app.access.dependencies import CALLERS
from app.access.models import Right
from app.dependencies import CLOCK, SETTINGS
from app.problems import Problem


class FormLimits(TypedDict, total=False):
    """What a form may have at most: files, fields, and bytes of a field."""

    max_files: int
    max_fields: int
    max_part_size: int


_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_FIELD = "csrf_token"
#: How much of a form is read, whoever reads it first: FastAPI, before any door, where a route
#: declares fields. A route that takes files says so itself, by ``form_limits``.
FORM_LIMITS: FormLimits = {"max_files": 0, "max_fields": 100}


class CredentialMissing(Problem):
    """The route wants a credential and the request has none."""

    code, status = "credential-missing", 401


class CredentialUnknown(Problem):
    """The credential opens nothing: unknown, expired or revoked."""

    code, status = "credential-unknown", 401


class RightMissing(Problem):
    """The caller is known and lacks the right."""

    code, status = "right-missing", 403


class SignInNeeded(Problem):
    """The page is for people who have signed in; a browser is led to do so."""

    code, status = "sign-in-needed", 401
    #: Where a browser is led to.
    page = "/sign-in"


class ConfirmationNeeded(Problem):
    """What is dangerous wants the password to have been given recently; a browser is led there."""

    code, status = "confirmation-needed", 403
    #: Where a browser is led to.
    page = "/sign-in/confirm"


class ForeignForm(Problem):
    """The form did not come from a page of ours, or its session is over: nothing was changed."""

    code, status = "foreign-form", 403


class Door:
    """A route's dependency that lets in whoever has one of the rights; its value is the caller.

    ``strangers`` says that the route also takes callers without a credential; what they may do
    there is then the route's to limit. A credential that is given must be good all the same.
    ``everywhere`` wants the right to be bound to no units. Where reading is all that a request
    does, a session's cookie opens the door too: another site can neither read the answer nor
    change anything by it.
    """

    def __init__(self, *rights: Right, strangers: bool = False, everywhere: bool = False) -> None:
        if not rights and not strangers:
            raise ValueError("a door that nobody may pass")
        self.rights, self.strangers, self.everywhere = frozenset(rights), strangers, everywhere

    async def __call__(self, request: Request) -> Caller:
        """The caller, if the door opens; a problem otherwise."""
        header = request.headers.get("authorization")
        if header is not None:
            caller = await self._bearer(request, header)
        elif self.strangers:
            return STRANGER
        else:
            person = await person_of(request) if request.method in _SAFE else None
            if person is None:
                raise CredentialMissing(headers={"WWW-Authenticate": "Bearer"})
            caller = person
        self._check(caller)
        return caller

    async def _bearer(self, request: Request, header: str) -> Caller:
        secret = _secret(header)
        callers = CALLERS.of(request)
        caller = None
        if secret:
            caller = callers.cached(secret) or await run_in_threadpool(callers.find, secret)
        if caller is None:
            raise CredentialUnknown(headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return caller

    def _check(self, caller: Caller) -> None:
        if not self.rights or self.strangers:
            return
        having = self.rights & caller.rights
        if self.everywhere:
            having = frozenset(right for right in having if caller.has_everywhere(right))
        if not having:
            raise RightMissing(right=" | ".join(sorted(self.rights)))


def _secret(header: str) -> str:
    """The key in a header: a bearer's, or the password of Basic, which spreadsheets can send."""
    scheme, _, value = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            try:
                pair = base64.b64decode(value.strip(), validate=True).decode()
            except ValueError:
                return ""
            name, _, password = pair.partition(":")
            return password or name
    return ""


class ClientDoor(Door):
    """The door of the token endpoint: what stands in the header is the endpoint's to judge."""

    async def __call__(self, request: Request) -> Caller:
        """A stranger, until the endpoint has looked."""
        return STRANGER


class PageDoor(Door):
    """The door of a page: opened by a session's cookie, and by nothing else.

    Without one, a browser is led to the sign-in page. A form must come from a page of ours: by
    its origin and, within a session, by the token in it. ``recent`` wants the password to have
    been given lately.
    """

    def __init__(
        self,
        *rights: Right,
        strangers: bool = False,
        everywhere: bool = False,
        recent: bool = False,
        anyone_signed_in: bool = False,
    ) -> None:
        super().__init__(*rights, strangers=strangers or anyone_signed_in, everywhere=everywhere)
        self.strangers = strangers
        self.recent = recent

    async def __call__(self, request: Request) -> Caller:
        """The person behind the session; a stranger where strangers may come in."""
        person = await person_of(request)
        if request.method not in _SAFE:
            await _check_form(request, person)
        if person is None:
            if not self.strangers:
                raise SignInNeeded
            return STRANGER
        self._check(person)
        if self.recent:
            settings = SETTINGS.of(request)
            # A form that was opened in time may take as long again to be filled in.
            factor = 1 if request.method in _SAFE else 2
            limit = timedelta(seconds=factor * settings.confirmation_s)
            if person.confirmed_at + limit < CLOCK.of(request).now():
                raise ConfirmationNeeded
        return person


class ScreenDoor(PageDoor):
    """The door of a wall screen: a session, or a key that the browser keeps for its screens.

    Nobody stays signed in on a screen that everybody can reach, and a session ends; a key for
    one unit's figures does neither.
    """

    #: The name of the cookie with the key.
    cookie = "screen_key"

    async def __call__(self, request: Request) -> Caller:
        """The person behind the session, or what the key opens; a stranger without either."""
        caller = await super().__call__(request)
        key = request.cookies.get(self.cookie)
        if caller is not STRANGER or not key:
            return caller
        callers = CALLERS.of(request)
        found = callers.cached(key) or await run_in_threadpool(callers.find, key)
        return found or STRANGER


async def person_of(request: Request) -> Person | None:
    """Who has signed in with the browser that asks."""
    settings = SETTINGS.of(request)
    token = request.cookies.get(settings.session_cookie)
    if not token:
        return None
    callers = CALLERS.of(request)
    return await run_in_threadpool(callers.find_person, token)


async def _check_form(request: Request, person: Person | None) -> None:
    """Refuse a form that another site sent.

    Raises
    ------
    ForeignForm
        By its origin, or for want of the session's token.
    """
    fetched = request.headers.get("sec-fetch-site")
    if fetched is not None:
        if fetched != "same-origin":
            raise ForeignForm
    else:
        # Browsers that do not tell this tell the origin of a form at least.
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            raise ForeignForm
    if person is None:
        return
    # The one who reads first reads for all: a route's own limits hold here, too.
    own = getattr(request.scope.get("route"), "form_limits", None) or {}
    form = await request.form(**cast(FormLimits, {**FORM_LIMITS, **own}))
    given = form.get(CSRF_FIELD)
    if not isinstance(given, str) or not hmac.compare_digest(
        given.encode("utf-8", "replace"), person.csrf_token.encode()
    ):
        raise ForeignForm


#: For pages and addresses that everybody may see.
ANYONE = Door(strangers=True)
CLIENTS = ClientDoor(strangers=True)
