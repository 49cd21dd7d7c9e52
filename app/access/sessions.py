"""Sessions of browsers: they begin with signing in, and end by themselves when not used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.access.models import Account, AccountSession
from app.access.tokens import hash_of, new_token
from app.audit.log import record
from app.settings import Settings

#: A session's last use is noted to this precision, so that reading a page seldom writes.
_PRECISION = timedelta(minutes=1)


def begin(session: Session, account: Account, browser: str, settings: Settings, *, by: str) -> str:
    """Begin a session; its token, for the cookie. ``by`` says how the person proved who it is."""
    token, now = new_token(), datetime.now(UTC)
    session.add(
        AccountSession(
            token_hash=hash_of(token),
            account=account,
            began_at=now,
            seen_at=now,
            confirmed_at=now,
            expires_at=now + timedelta(seconds=settings.session_s),
            browser=browser[:200],
        )
    )
    record(session, "account.sign_in", account.email, by=by)
    return token


def find(session: Session, token: str, now: datetime, settings: Settings) -> AccountSession | None:
    """The session behind a token, if it is not over."""
    found = session.scalar(
        select(AccountSession).where(AccountSession.token_hash == hash_of(token))
    )
    if found is None or found.expires_at <= now:
        return None
    idle = timedelta(seconds=settings.session_idle_s)
    return found if found.seen_at + idle > now else None


def is_stale(found: AccountSession, now: datetime) -> bool:
    """Whether the note of its last use wants to be renewed."""
    return found.seen_at + _PRECISION < now


def touch(session: Session, session_id: int, now: datetime) -> None:
    """Note that the session was used."""
    session.execute(
        update(AccountSession).where(AccountSession.id == session_id).values(seen_at=now)
    )


def confirm(session: Session, session_id: int) -> None:
    """Note that the person has proved again who it is."""
    session.execute(
        update(AccountSession)
        .where(AccountSession.id == session_id)
        .values(confirmed_at=datetime.now(UTC))
    )


def of_account(session: Session, account_id: int) -> Sequence[AccountSession]:
    """An account's sessions that are not over by age, the last used first."""
    return session.scalars(
        select(AccountSession)
        .where(
            AccountSession.account_id == account_id,
            AccountSession.expires_at > datetime.now(UTC),
        )
        .order_by(AccountSession.seen_at.desc())
    ).all()


def end(session: Session, session_id: int) -> None:
    """End one session."""
    session.execute(delete(AccountSession).where(AccountSession.id == session_id))


def end_all(session: Session, account_id: int, *, but: int | None = None) -> None:
    """End an account's sessions, but for one."""
    session.execute(
        delete(AccountSession).where(
            AccountSession.account_id == account_id, AccountSession.id != (but or 0)
        )
    )
