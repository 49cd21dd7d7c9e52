"""Signing in through an OpenID Connect provider (Core 1.0, authorization code with PKCE).

The provider vouches for an e-mail address; the account must be there already, since only an
operator says who may come in. From the first time on the person is known by the provider's
subject, which outlives a change of the address. Authlib builds the requests and validates the
claims; its clients are not used, since they leave httpx.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from sqlalchemy import select
from sqlalchemy.orm import Session, make_transient

from app.access.models import Account, SignInAttempt
from app.access.tokens import hash_of, new_token
from app.audit.log import record
from app.problems import Problem
from app.settings import Settings

CALLBACK = "/sign-in/openid/callback"
_ATTEMPT_MINUTES = 10
_LEEWAY_S = 120


class ProviderFailed(Problem):
    """The identity provider does not answer, or not as the standard says."""

    code, status, passing = "provider-failed", 502, True


class ProviderRefused(Problem):
    """The identity provider did not confirm who it is, or the attempt is not of this browser."""

    code, status = "provider-refused", 403


class NoAccount(Problem):
    """The identity provider knows the person, and there is no account for their address."""

    code, status = "no-account", 403


@dataclass(frozen=True)
class Identity:
    """Who the provider says the person is; the address only if the provider has verified it."""

    issuer: str
    subject: str
    email: str | None


@dataclass(frozen=True)
class Sent:
    """Where a browser is sent, and the cookie's value by which it is known again."""

    url: str
    browser: str


class Provider:
    """The identity provider of the settings."""

    def __init__(self, settings: Settings) -> None:
        if not settings.public_url:
            raise ValueError("HAILONG_OIDC_ISSUER needs HAILONG_PUBLIC_URL to return to")
        self._issuer = str(settings.oidc_issuer).rstrip("/")
        self._id, self._secret = settings.oidc_client_id, settings.oidc_client_secret
        self._return_to = settings.public_url.rstrip("/") + CALLBACK
        self._http = httpx.Client(timeout=10)

    @cached_property
    def _metadata(self) -> dict[str, Any]:
        found = self._get(f"{self._issuer}/.well-known/openid-configuration")
        if str(found.get("issuer", "")).rstrip("/") != self._issuer:
            raise ProviderFailed
        return found

    def begin(self, session: Session, target: str) -> Sent:
        """Note an attempt and tell where the browser goes; ``target`` is where it ends up."""
        state, browser = new_token(), new_token()
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        session.add(
            SignInAttempt(
                state_hash=hash_of(state),
                browser_hash=hash_of(browser),
                nonce=nonce,
                code_verifier=verifier,
                target=target,
                expires_at=datetime.now(UTC) + timedelta(minutes=_ATTEMPT_MINUTES),
            )
        )
        url = prepare_grant_uri(
            self._metadata["authorization_endpoint"],
            client_id=self._id,
            response_type="code",
            redirect_uri=self._return_to,
            scope="openid email profile",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            # Whoever comes here is to prove it anew, though the provider remembers them.
            prompt="login",
        )
        return Sent(url, browser)

    def identify(self, attempt: SignInAttempt, code: str) -> Identity:
        """Who the code stands for.

        Raises
        ------
        ProviderFailed, ProviderRefused
            See there.
        """
        answer = self._post(
            self._metadata["token_endpoint"],
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._return_to,
                "code_verifier": attempt.code_verifier,
            },
        )
        claims = self._validated(answer, attempt.nonce)
        told: dict[str, Any] = dict(claims)
        if "email" not in told and "userinfo_endpoint" in self._metadata:
            more = self._get(self._metadata["userinfo_endpoint"], answer.get("access_token"))
            # By Core 1.0, 5.3.2, what is told of another subject must not be used.
            if more.get("sub") == told["sub"]:
                told = more | told
        verified = told.get("email_verified") in (True, "true")
        email = str(told["email"]).lower() if verified and told.get("email") else None
        return Identity(self._issuer, str(told["sub"]), email)

    def _validated(self, answer: dict[str, Any], nonce: str) -> CodeIDToken:
        keys = self._get(self._metadata["jwks_uri"])
        algorithms = [
            each
            for each in self._metadata.get("id_token_signing_alg_values_supported", ["RS256"])
            # Not "none", and nothing that a shared secret signs.
            if each[:2] in ("RS", "ES", "PS", "Ed")
        ]
        try:
            token = jwt.decode(
                str(answer.get("id_token")),
                KeySet.import_key_set(keys),  # type: ignore[arg-type]
                registry=JWSRegistry(algorithms=algorithms, strict_check_header=False),
            )
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "values": [self._metadata["issuer"]]},
                    "aud": {"essential": True, "value": self._id},
                    "nonce": {"essential": True, "value": nonce},
                },
                {"client_id": self._id, "nonce": nonce},
            )
            claims.validate(leeway=_LEEWAY_S)
        except (JoseError, ValueError, KeyError) as error:
            raise ProviderRefused from error
        return claims

    def _get(self, url: str, token: str | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._asked(self._http.build_request("GET", url, headers=headers))

    def _post(self, url: str, form: dict[str, str]) -> dict[str, Any]:
        auth = httpx.BasicAuth(self._id, self._secret)
        return self._asked(self._http.build_request("POST", url, data=form), auth)

    def _asked(self, request: httpx.Request, auth: httpx.Auth | None = None) -> dict[str, Any]:
        try:
            answer = self._http.send(request, auth=auth)
            if answer.status_code in (400, 401, 403):
                raise ProviderRefused
            answer.raise_for_status()
            document = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderFailed from error
        if not isinstance(document, dict):
            raise ProviderFailed
        return document


def take_attempt(session: Session, state: str) -> SignInAttempt | None:
    """The attempt that comes back, if there was one; it is used up, fit or not."""
    attempt = session.get(SignInAttempt, hash_of(state))
    if attempt is not None:
        session.delete(attempt)
        session.flush()
        make_transient(attempt)
    return attempt


def check_attempt(attempt: SignInAttempt | None, browser: str) -> SignInAttempt:
    """The attempt, if it is of this browser.

    Raises
    ------
    ProviderRefused
        Where there was none, or it is too old, or began in another browser.
    """
    if attempt is None or attempt.expires_at <= datetime.now(UTC):
        raise ProviderRefused
    if attempt.browser_hash != hash_of(browser):
        raise ProviderRefused
    return attempt


def account_of(session: Session, identity: Identity) -> Account:
    """The account of a person whom the provider has identified.

    Raises
    ------
    NoAccount
        Where there is none, or it is disabled, or another person of the provider has it.
    """
    account = session.scalar(
        select(Account).where(
            Account.oidc_issuer == identity.issuer, Account.oidc_subject == identity.subject
        )
    )
    if account is None and identity.email is not None:
        account = session.scalar(
            select(Account).where(Account.email == identity.email, Account.oidc_subject.is_(None))
        )
        if account is not None and account.disabled_at is None:
            account.oidc_issuer, account.oidc_subject = identity.issuer, identity.subject
            record(session, "account.link_identity", account.email, issuer=identity.issuer)
    if account is None or account.disabled_at is not None:
        raise NoAccount
    return account
