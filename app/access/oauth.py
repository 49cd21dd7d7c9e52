"""OAuth 2.0 client credentials (RFC 6749, 4.4): a script changes its key into a short-lived token.

The client is a key: its number is the client's id, its secret the client's secret. A token opens
what the key opens, or the part of it that ``scope`` names, for an hour; it ends with its key.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_plus

from sqlalchemy.orm import Session

from app.access.callers import as_caller
from app.access.models import AccessToken, Credential, Right
from app.access.tokens import hash_of, new_token

TOKEN_S = 3600
PREFIX = "hlt_"


class Refusal(Exception):  # noqa: N818 - RFC 6749's error response
    """A refusal in the words of RFC 6749, 5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status


@dataclass(frozen=True)
class Granted:
    """A token, and the rights that it has."""

    token: str
    rights: frozenset[Right]


def client_of(authorization: str | None, form_id: str, form_secret: str) -> tuple[str, str]:
    """Id and secret of the client, from the header (RFC 6749, 2.3.1) or from the form.

    Raises
    ------
    Refusal
        Where there are none, or both, or the header is malformed.
    """
    if authorization is None:
        if not form_id or not form_secret:
            raise Refusal("invalid_client", "client_id and client_secret are needed", 401)
        return form_id, form_secret
    scheme, _, value = authorization.partition(" ")
    if form_secret:
        raise Refusal("invalid_request", "the client is named twice")
    try:
        if scheme.lower() != "basic":
            raise ValueError
        id, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
        if not colon:
            raise ValueError
    except (binascii.Error, ValueError):
        raise Refusal("invalid_client", "the Authorization header is malformed", 401) from None
    return unquote_plus(id), unquote_plus(secret)


def grant(session: Session, client_id: str, secret: str, wanted: str) -> Granted:
    """A token for a key; ``wanted`` names rights, or is empty for all that the key has.

    Raises
    ------
    Refusal
        Where the key opens nothing, or less than what is wanted.
    """
    now = datetime.now(UTC)
    number = int(client_id) if re.fullmatch("[0-9]{1,10}", client_id) else 0
    credential = session.get(Credential, number) if 0 < number < 2**31 else None
    caller = None
    if (
        credential is not None
        and hmac.compare_digest(credential.secret_hash, hash_of(secret))
        and credential.revoked_at is None
        and (credential.expires_at is None or credential.expires_at > now)
    ):
        caller = as_caller(credential)
    if credential is None or caller is None:
        raise Refusal("invalid_client", "the key does not exist, has expired or is revoked", 401)
    rights = caller.rights
    if wanted:
        names = set(wanted.split())
        if not names <= {right.value for right in rights}:
            raise Refusal("invalid_scope", "the key has fewer rights than the scope names")
        rights = frozenset(map(Right, names))
    token = new_token(PREFIX)
    expires_at = now + timedelta(seconds=TOKEN_S)
    session.add(
        AccessToken(
            token_hash=hash_of(token),
            credential_id=credential.id,
            rights=" ".join(sorted(rights)),
            expires_at=min(expires_at, credential.expires_at or expires_at),
        )
    )
    return Granted(token, rights)
