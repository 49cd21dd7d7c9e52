"""What a restored database must not do again: what had ended by now ends again before it serves."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.access.models import (
    AccessToken,
    AccountSession,
    PairingCode,
    PasswordLink,
    SignInAttempt,
)
from app.access.tidying import tidy
from app.dead_letters import Fate, Item
from app.intake.tidying import drop_some
from app.invitations.models import SmsMessage
from app.rollups.version import RollupVersion
from app.settings import Settings
from app.webhooks.models import Delivery

#: Waiting items, and what they are called when they are told of.
QUEUES: dict[str, type[Item]] = {"SMS": SmsMessage, "tellings of webhooks": Delivery}
_HASHES_AT_ONCE = 500
_RESTORED = "it waited in a backup that was restored, and may have been sent since"


def replay_retention(session: Session, now: datetime, settings: Settings) -> None:
    """Delete again what rules had deleted by now of what lets somebody in, or waits.

    Of what citizens gave, ``app.retention.repeating`` does.
    """
    tidy(session, now)
    while drop_some(session, settings, now, _HASHES_AT_ONCE) == _HASHES_AT_ONCE:
        pass
    forgotten = now - timedelta(days=settings.dead_letter_days)
    for table in QUEUES.values():
        session.execute(delete(table).where(table.failed_at < forgotten))


def end_sessions(session: Session) -> None:
    """End whatever somebody could come in by without a password or a key.

    What was ended or used since the backup was made would open again: a session that was ended, a
    code by which another device was paired, a link by which a password was set.
    """
    for table in (AccountSession, AccessToken, PairingCode, PasswordLink, SignInAttempt):
        session.execute(delete(table))


def hold_queues(session: Session, now: datetime) -> dict[str, int]:
    """Have a person decide about all that waited: it may have been sent since; how many of each."""
    held = {}
    for name, table in QUEUES.items():
        held[name] = session.execute(
            update(table)
            .where(table.due_at.is_not(None))
            .values(due_at=None, failed_at=now, fate=Fate.UNSURE.value, reason=_RESTORED),
            execution_options={"synchronize_session": False},
        ).rowcount  # type: ignore[attr-defined]
    return held


def leave_versions_behind(session: Session, now: datetime) -> None:
    """Let the version of the figures be one that was never told.

    It would come to the same numbers again with other figures, and browsers would keep what they
    were shown before the restore. Seconds since 1970 are more than there were changes since.
    """
    slot = session.scalar(select(func.min(RollupVersion.slot)))
    jump = int(now.timestamp())
    if slot is None:
        session.add(RollupVersion(slot=0, changes=jump))
        return
    session.get_one(RollupVersion, slot).changes += jump
