"""Doors: what a route declares about who may call it. A route without one fails the tests."""

from __future__ import annotations

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from app.access.credentials import STRANGER, Caller, Callers
from app.access.models import Right
from app.problems import Problem


class CredentialMissing(Problem):
    """The route wants a credential and the request has none."""

    code, status = "credential-missing", 401


class CredentialUnknown(Problem):
    """The credential opens nothing: unknown, expired or revoked."""

    code, status = "credential-unknown", 401


class RightMissing(Problem):
    """The credential is good and lacks the right."""

    code, status = "right-missing", 403


class Door:
    """A route's dependency that lets in whoever has one of the rights; its value is the caller.

    ``strangers`` says that the route also takes callers without a credential; what they may do
    there is then the route's to limit. A credential that is given must be good all the same.
    """

    def __init__(self, *rights: Right, strangers: bool = False) -> None:
        if not rights and not strangers:
            raise ValueError("a door that nobody may pass")
        self.rights, self.strangers = frozenset(rights), strangers

    async def __call__(self, request: Request) -> Caller:
        """The caller, if the door opens; a problem otherwise."""
        header = request.headers.get("authorization")
        if header is None:
            if self.strangers:
                return STRANGER
            raise CredentialMissing(headers={"WWW-Authenticate": "Bearer"})
        scheme, _, secret = header.partition(" ")
        callers: Callers = request.app.state.callers
        caller = None
        if scheme.lower() == "bearer":
            secret = secret.strip()
            caller = callers.cached(secret) or await run_in_threadpool(callers.find, secret)
        if caller is None:
            raise CredentialUnknown(headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if self.rights and not self.rights & caller.rights and not self.strangers:
            raise RightMissing(right=" | ".join(sorted(self.rights)))
        return caller


#: For pages and addresses that everybody may see.
ANYONE = Door(strangers=True)
