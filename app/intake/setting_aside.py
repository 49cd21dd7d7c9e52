"""Sets aside together what one credential sent, and counts it again.

A device that was stolen, or a key that leaked, may have sent what nobody said. Responses keep the
credential that sent them, so those from a moment on are found, whatever time they claim. They stay
stored; their cells are counted anew in the same transaction, and nothing else changes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from app.access.models import Credential, Right
from app.audit.log import record
from app.intake.models import Disposition, LateResponse, Response
from app.intake.rollup_rebuild import hold_off_writers, recount


class UnknownCredentialError(LookupError):
    """There is no credential with this number."""


class ReasonMissingError(ValueError):
    """What sets answers aside, or counts them again, needs a reason."""


def set_counted(
    session: Session,
    zone: ZoneInfo,
    credential_id: int,
    since: datetime,
    reason: str,
    *,
    counted: bool,
) -> int:
    """Count again, or no longer, what a credential sent from a moment of receipt on; how many.

    Raises
    ------
    UnknownCredentialError, ReasonMissingError
        See there.
    """
    credential = session.get(Credential, credential_id)
    if credential is None:
        raise UnknownCredentialError(f"no key number {credential_id}")
    reason = " ".join(reason.split())
    if not reason:
        raise ReasonMissingError("a reason is needed")
    hold_off_writers(session)
    before, after = Disposition.COUNTED, Disposition.DISTRUSTED
    if counted:
        before, after = after, before
    sent = (
        Response.credential_id == credential_id,
        Response.received_at >= since.astimezone(UTC),
        Response.disposition == before.value,
    )
    keys = session.execute(
        select(Response.day, Response.unit_id, Response.version_id, Response.channel)
        .where(*sent)
        .distinct()
    )
    cells = {(day, unit, version, channel) for day, unit, version, channel in keys}
    if not counted:
        # Who waits for nine others must not be shown with them, being counted no longer.
        late = select(Response.id).where(*sent)
        session.execute(delete(LateResponse).where(LateResponse.response_id.in_(late)))
    elif Right.IMPORT_HISTORY.value not in credential.rights.split():
        session.add_all(_late(session, zone, sent))
        session.flush()
    moved = session.execute(
        update(Response).where(*sent).values(disposition=after.value),
        execution_options={"synchronize_session": False},
    ).rowcount  # type: ignore[attr-defined]
    recount(session, cells)
    details = {"since": since, "reason": reason, "responses": moved}
    if counted:
        record(session, "responses.count_again", credential_id, **details)
    else:
        record(session, "responses.set_aside", credential_id, **details)
    return int(moved)


def _late(
    session: Session, zone: ZoneInfo, sent: tuple[ColumnElement[bool], ...]
) -> list[LateResponse]:
    """Those that came on a later local day than they were given, as they were noted at receipt."""
    columns = (
        Response.id, Response.version_id, Response.unit_id, Response.channel, Response.day,
        Response.received_at,
    )  # fmt: skip
    return [
        LateResponse(
            response_id=id,
            version_id=version,
            unit_id=unit,
            channel=channel,
            day=day,
            received=came,
        )
        for id, version, unit, channel, day, at in session.execute(select(*columns).where(*sent))
        if (came := at.astimezone(zone).date()) != day
    ]
