"""Secrets of the service itself, by which it knows again what it signed.

They stand in the database, so that all processes of a service have the same, and after a restart
too. Whoever has a copy of the database can sign by them; nothing that they sign lets anybody in.
"""

from __future__ import annotations

import hmac
import secrets

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from app.access.models import ServerSecret
from app.db import Database

_SIGNS = 20


class Signer:
    """Signs texts for one purpose, and knows them again."""

    def __init__(self, database: Database, purpose: str) -> None:
        self._database, self._purpose = database, purpose
        #: Has its secret already, and is copied for each signature.
        self._begun: hmac.HMAC | None = None

    @property
    def at_hand(self) -> bool:
        """Whether its secret was read already."""
        return self._begun is not None

    def sign(self, *said: object) -> str:
        """The signature of what is said, of eighty bits; the first time it asks the database."""
        if self._begun is None:
            secret = secret_of(self._database, self._purpose)
            self._begun = hmac.new(secret, digestmod="sha256")
        signing = self._begun.copy()
        signing.update("\0".join(map(str, said)).encode("utf-8", "replace"))
        return signing.hexdigest()[:_SIGNS]

    def is_mine(self, signature: str, *said: object) -> bool:
        """Whether this is the signature of what is said."""
        return hmac.compare_digest(self.sign(*said), signature.encode("ascii", "replace").decode())


def secret_of(database: Database, purpose: str) -> bytes:
    """The secret of a purpose, of 32 bytes; drawn when it is first wanted."""
    with database.reading() as session:
        # Read where it is: a form is shown, too, while nothing may be written.
        kept = session.scalar(_kept(purpose))
    if kept is not None:
        return bytes(kept)
    with database.writing() as session:
        return secret_in(session, purpose)


def secret_in(session: Session, purpose: str) -> bytes:
    """The same within a transaction that writes."""
    kept = session.scalar(_kept(purpose))
    if kept is not None:
        return bytes(kept)
    # Whichever process is first, its secret is everybody's.
    session.execute(
        text(
            "INSERT INTO server_secret (purpose, secret) VALUES (:purpose, :secret) "
            "ON CONFLICT (purpose) DO NOTHING"
        ),
        {"purpose": purpose, "secret": secrets.token_bytes(32)},
    )
    return bytes(session.scalars(_kept(purpose)).one())


def _kept(purpose: str) -> Select[bytes]:
    return select(ServerSecret.secret).where(ServerSecret.purpose == purpose)
