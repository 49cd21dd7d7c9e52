"""Mails digests: to each account each month once, by one of several servers, over a night without
a mail server too.

What is done stands in the store. A process takes an account in hand before it writes the mail, and
notes afterwards that the mail server took it. One that dies gives it back by time: what the mail
server took just before is sent twice, under the same id, rather than not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, delete, exists, or_, select
from sqlalchemy.orm import Session

from app.access.callers import Caller, grants_begun
from app.access.models import Account, RoleGrant
from app.access.roles import HEADING
from app.audit.log import record
from app.background import beat
from app.db import Database
from app.db.locks import Lock, hold
from app.dead_letters import MOST_TRIES, pause, reason_of
from app.digest.contents import Digest, Reader, gather, month_over, reader_of
from app.digest.models import DigestMail
from app.digest.writing import message
from app.mail import is_refusal, send_mail
from app.messages import house_language
from app.messages.words import Words
from app.settings import Settings

log = logging.getLogger("hailong.digest")

#: So long after it was taken nobody still has an account in hand.
IN_HAND = timedelta(minutes=15)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1800, 24 * 3600


@dataclass(frozen=True)
class Sent:
    """How many mails the mail server took, how many it refused, and whether it was away."""

    taken: int = 0
    refused: int = 0
    away: bool = False


def is_time(settings: Settings, today: date) -> bool:
    """Whether digests of the month before are sent on a day."""
    return bool(settings.mail_server and settings.digest_day) and today.day >= settings.digest_day


def due(session: Session, settings: Settings, now: datetime) -> Sequence[int]:
    """The accounts whose digest is to be sent now, in order.

    An account that is younger than the month's day of digests waits for the next one.
    """
    today = now.astimezone(settings.zone).date()
    month = month_over(today)
    begun = datetime.combine(today.replace(day=max(settings.digest_day, 1)), time(), settings.zone)
    noted = select(DigestMail.account_id).where(
        DigestMail.account_id == Account.id, DigestMail.month == month, ~_waits(now)
    )
    return session.scalars(
        select(Account.id)
        .where(*_wants(), Account.created_at < begun.astimezone(UTC), ~exists(noted))
        .order_by(Account.id)
    ).all()


def _wants() -> tuple[ColumnElement[bool], ...]:
    heads = select(RoleGrant.id).where(
        RoleGrant.account_id == Account.id, RoleGrant.role.in_(sorted(HEADING))
    )
    return Account.disabled_at.is_(None), Account.digest.is_(True), exists(heads)


def _waits(now: datetime) -> ColumnElement[bool]:
    """The condition that what was begun is to be tried again."""
    return (
        DigestMail.done_at.is_(None)
        & (DigestMail.tries < MOST_TRIES)
        & or_(DigestMail.in_hand_until.is_(None), DigestMail.in_hand_until <= now)
        & or_(DigestMail.again_at.is_(None), DigestMail.again_at <= now)
    )


def send_due(database: Database, settings: Settings, now: datetime) -> Sent:
    """Mail the digests that are due; where the mail server is away, the others wait."""
    if not is_time(settings, now.astimezone(settings.zone).date()):
        return Sent()
    month = month_over(now.astimezone(settings.zone).date())
    with database.reading() as session:
        ids = due(session, settings, now)
    taken = refused = 0
    away = False
    for id in ids:
        if not _take(database, id, month, now):
            continue
        try:
            with database.reading() as session:
                found = digest_of(session, settings, id, month)
        except BaseException:
            _note(database, id, month, in_hand_until=None)
            raise
        if found is None or not found[1].sections:
            _note(database, id, month, in_hand_until=None, done_at=datetime.now(UTC))
            continue
        account, digest = found
        try:
            send_mail(settings, message(settings, digest, account.email, id))
        except (OSError, ValueError) as error:
            if not is_refusal(error):
                _note(database, id, month, in_hand_until=None)
                log.warning("digests wait: the mail server is away (%s)", type(error).__name__)
                away = True
                break
            refused += 1
            _refused(database, id, month, now, reason_of(error, account.email))
            log.warning("account %s had no digest: %s", id, type(error).__name__)
        else:
            taken += 1
            _note(database, id, month, in_hand_until=None, done_at=datetime.now(UTC))
        beat()
    _end(database, month, taken)
    return Sent(taken, refused, away)


def digest_of(
    session: Session, settings: Settings, id: int, month: date
) -> tuple[Account, Digest] | None:
    """An account with its digest of a month; None where it wants none any more."""
    account = session.scalar(select(Account).where(Account.id == id, *_wants()))
    if account is None:
        return None
    return account, gather(session, settings, reader(session, settings, account), month)


def reader(session: Session, settings: Settings, account: Account) -> Reader:
    """An account as whoever reads its digest, with the rights that it has today."""
    today = datetime.now(settings.zone).date()
    caller = Caller(account.email, grants_begun(session, account, today), account_id=account.id)
    return reader_of(session, account, caller, Words(house_language(account.language)))


def _take(database: Database, id: int, month: date, now: datetime) -> bool:
    """Whether an account's digest is this process's to send; nobody else does meanwhile."""
    with database.writing() as session:
        hold(session.connection(), Lock.MAILING_DIGESTS)
        row = session.get(DigestMail, (id, month))
        if row is None:
            session.add(DigestMail(account_id=id, month=month, in_hand_until=now + IN_HAND))
            return True
        waits = select(DigestMail.account_id).where(
            DigestMail.account_id == id, DigestMail.month == month, _waits(now)
        )
        if session.scalar(waits) is None:
            return False
        row.in_hand_until = now + IN_HAND
        return True


def _note(
    database: Database,
    id: int,
    month: date,
    *,
    in_hand_until: datetime | None,
    done_at: datetime | None = None,
) -> None:
    with database.writing() as session:
        row = session.get_one(DigestMail, (id, month))
        row.in_hand_until, row.done_at = in_hand_until, done_at


def _refused(database: Database, id: int, month: date, now: datetime, reason: str) -> None:
    with database.writing() as session:
        row = session.get_one(DigestMail, (id, month))
        row.tries, row.reason, row.in_hand_until = row.tries + 1, reason, None
        row.again_at = now + pause(row.tries, _FIRST_PAUSE_S, _LONGEST_PAUSE_S)


def _end(database: Database, month: date, taken: int) -> None:
    """Note in the audit log how many were sent, and forget earlier months but the last."""
    last = month_over(month)
    with database.reading() as session:
        old = session.scalar(select(DigestMail.month).where(DigestMail.month < last).limit(1))
    if not taken and old is None:
        return
    with database.writing() as session:
        session.execute(delete(DigestMail).where(DigestMail.month < last))
        if taken:
            record(session, "digest.mail", f"{month:%Y-%m}", count=taken)
