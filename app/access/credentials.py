"""Issues, finds and revokes credentials."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.models import Credential, Right
from app.audit.log import record
from app.db import Database
from app.registry.models import SurveyPoint
from app.registry.points import Point, as_point

PREFIX = "hl_"


@dataclass(frozen=True)
class Caller:
    """Who calls, as proved by a credential; without one, a stranger with no rights."""

    name: str
    rights: frozenset[Right]
    point: Point | None = None
    credential_id: int | None = None


STRANGER = Caller("stranger", frozenset())


def issue(
    session: Session,
    name: str,
    rights: Iterable[Right],
    point: SurveyPoint | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Make a credential; its secret, which is shown now and never again."""
    secret = PREFIX + secrets.token_urlsafe(32)
    credential = Credential(
        name=name,
        secret_hash=_hash(secret),
        rights=" ".join(sorted(rights)),
        point_id=point.id if point else None,
        issued_at=datetime.now(UTC),
        expires_at=expires_at,
    )
    session.add(credential)
    session.flush()
    record(
        session,
        "credential.issue",
        credential.id,
        name=name,
        rights=credential.rights,
        point=credential.point_id,
        expires_at=expires_at,
    )
    return secret


def revoke(session: Session, credential_id: int) -> None:
    """End a credential.

    Raises
    ------
    KeyError
        Where there is no such credential.
    """
    credential = session.get(Credential, credential_id)
    if credential is None:
        raise KeyError(credential_id)
    if credential.revoked_at is None:
        credential.revoked_at = datetime.now(UTC)
        record(session, "credential.revoke", credential_id, name=credential.name)


class Callers:
    """Finds the caller behind a secret, trusting what was read for a few seconds.

    The secret has 256 random bits, so a plain SHA-256 keeps it safe in a stolen database; only
    secrets that people choose need a slow hash.
    """

    def __init__(self, database: Database, trust_s: float) -> None:
        self._database, self._trust_s = database, trust_s
        self._known: dict[str, tuple[float, Caller | None]] = {}

    def cached(self, secret: str) -> Caller | None:
        """The caller if a fresh answer is at hand; None says nothing."""
        entry = self._known.get(_hash(secret))
        if entry is None or entry[0] < time.monotonic():
            return None
        return entry[1]

    def find(self, secret: str) -> Caller | None:
        """The caller behind the secret, from the database; None where it opens nothing."""
        hashed = _hash(secret)
        caller = self._read(hashed)
        if len(self._known) > 10_000:
            self._known.clear()
        if caller is not None:
            self._known[hashed] = (time.monotonic() + self._trust_s, caller)
        return caller

    def _read(self, hashed: str) -> Caller | None:
        with self._database.reading() as session:
            found = session.execute(
                select(Credential, SurveyPoint)
                .outerjoin(SurveyPoint, Credential.point_id == SurveyPoint.id)
                .where(Credential.secret_hash == hashed, Credential.revoked_at.is_(None))
            ).one_or_none()
            if found is None:
                return None
            credential, point = found
            if credential.expires_at is not None and credential.expires_at <= datetime.now(UTC):
                return None
            return Caller(
                name=credential.name,
                rights=frozenset(map(Right, credential.rights.split())),
                point=as_point(point) if point else None,
                credential_id=credential.id,
            )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
