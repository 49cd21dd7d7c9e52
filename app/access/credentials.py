"""Issues and revokes the keys of devices, systems and scripts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from app.access.models import Account, Credential, Right
from app.access.tokens import hash_of, new_token
from app.audit.log import record
from app.registry.models import SurveyPoint, Unit

PREFIX = "hl_"


def issue(
    session: Session,
    name: str,
    rights: Iterable[Right],
    point: SurveyPoint | None = None,
    expires_at: datetime | None = None,
    *,
    unit: Unit | None = None,
    account: Account | None = None,
) -> str:
    """Make a key; its secret, which is shown now and never again.

    With ``point`` it is a device's. Otherwise it is a system's, for ``unit`` and all below it or
    for everything, or, with ``account``, a person's, for what the person may do.
    """
    secret = new_token(PREFIX)
    credential = Credential(
        name=name,
        secret_hash=hash_of(secret),
        rights=" ".join(sorted(rights)),
        point=point,
        unit=unit,
        account=account,
        issued_at=datetime.now(UTC),
        expires_at=expires_at,
    )
    session.add(credential)
    session.flush()
    record(
        session,
        "key.issue",
        credential.id,
        name=name,
        rights=credential.rights,
        point=credential.point_id,
        unit=unit.code if unit else None,
        account=account.email if account else None,
        expires_at=expires_at,
    )
    return secret


def revoke(session: Session, credential_id: int) -> None:
    """End a key, and the tokens that were got for it.

    Raises
    ------
    KeyError
        Where there is no such key.
    """
    credential = session.get(Credential, credential_id)
    if credential is None:
        raise KeyError(credential_id)
    if credential.revoked_at is None:
        credential.revoked_at = datetime.now(UTC)
        record(session, "key.revoke", credential_id, name=credential.name)
