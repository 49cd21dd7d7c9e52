"""Mails reviewers the batches that wait for them: one mail a person, of all that is new."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.callers import Caller, grants_of
from app.access.models import Account, Right
from app.audit.log import record
from app.audit.models import AuditEntry
from app.db import Database
from app.intake.setting_aside import Together
from app.integrity import reviewing
from app.integrity.reviewing import BatchShown
from app.mail import send_mail
from app.messages import house_language
from app.messages.words import Words
from app.settings import Settings

log = logging.getLogger("hailong.integrity")

#: Batches that a mail lists; the page has all.
MOST_LISTED = 20


#: Entries of the audit log: before mails are sent, and after it where none was taken.
_MAILED, _FAILED = "integrity.mail", "integrity.mail_failed"


@dataclass(frozen=True)
class Mailed:
    """How many mails the mail server took, and how many it did not."""

    taken: int
    refused: int


def mail_daily(database: Database, settings: Settings, now: datetime) -> int:
    """Mail reviewers what was found since they were last mailed, once a local day; how many mails.

    A server that begins anew examines the night's months again; the log says that its mails went
    out. They are noted before they are sent: what breaks off midway is mailed to nobody twice, and
    waits on the page all the same. Where the mail server took none, as it does while it is down,
    the next day's mails have that day's batches too.
    """
    if not settings.mail_server:
        return 0
    with database.writing() as session:
        last = session.scalar(select(func.max(AuditEntry.at)).where(AuditEntry.action == _MAILED))
        today = now.astimezone(settings.zone).date()
        if last is not None and last.astimezone(settings.zone).date() >= today:
            return 0
        since = _mailed_until(session) or now - timedelta(days=1)
        record(session, "integrity.mail", "all")
    with database.reading() as session:
        mailed = mail_reviewers(session, settings, since)
    if mailed.refused and not mailed.taken:
        with database.writing() as session:
            record(session, "integrity.mail_failed", "all", mails=mailed.refused)
    return mailed.taken


def _mailed_until(session: Session) -> datetime | None:
    """Since when batches were mailed to nobody; None before the first mails."""
    entries = session.execute(
        select(AuditEntry.action, AuditEntry.at)
        .where(AuditEntry.action.in_((_MAILED, _FAILED)))
        .order_by(AuditEntry.id.desc())
    )
    failed, since = False, None
    for action, at in entries:
        if action == _MAILED and not failed:
            return at
        failed, since = action == _FAILED, at - timedelta(days=1)
    return since


def mail_reviewers(session: Session, settings: Settings, since: datetime) -> Mailed:
    """Mail everybody who may review them the batches that were found since, and wait.

    A person has one mail however many batches there are, and none where there is none for them.
    What the mail server refuses is logged without the address, and holds up nobody else's. None
    is sent where no mail server is set up.
    """
    taken = refused = 0
    if not settings.mail_server:
        return Mailed(taken, refused)
    for account, found in _due(session, settings, since):
        try:
            send_mail(settings, _message(settings, account, found))
            taken += 1
        except (smtplib.SMTPException, OSError, ValueError) as error:
            refused += 1
            log.warning("a reviewer (account %s) had no mail: %s", account.id, type(error).__name__)
    return Mailed(taken, refused)


def _due(
    session: Session, settings: Settings, since: datetime
) -> list[tuple[Account, list[BatchShown]]]:
    together = Together.of(settings)
    accounts = session.scalars(
        select(Account).where(Account.disabled_at.is_(None)).order_by(Account.id)
    )
    due = []
    for account in accounts:
        caller = Caller(account.email, grants_of(account), account_id=account.id)
        if Right.REVIEW_BATCHES not in caller.rights:
            continue
        found = [
            each
            for each in reviewing.shown(session, caller, together)
            if each.may_review and each.batch.found_at >= since
        ]
        if found:
            due.append((account, found))
    return due


def _message(settings: Settings, account: Account, found: Sequence[BatchShown]) -> EmailMessage:
    words, count = Words(house_language(account.language)), len(found)
    page = f"{(settings.public_url or '').rstrip('/')}/integrity"
    message = EmailMessage()
    message["Subject"] = words("integrity.mail_subject", count=count)
    message["From"] = settings.mail_from
    message["To"] = account.email
    lines = [
        words("integrity.mail_greeting", name=account.name),
        "",
        words("integrity.mail_body", count=count),
        *(_line(words, page, each) for each in found[:MOST_LISTED]),
        "",
        words("integrity.mail_foot", link=page),
    ]
    message.set_content("\n".join(lines) + "\n")
    return message


def _line(words: Words, page: str, one: BatchShown) -> str:
    batch = one.batch
    name = one.unit.name_vi if words.language == "vi" else one.unit.name_en
    return words(
        "integrity.mail_line",
        unit=f"{name} ({one.unit.code})",
        month=words.period(f"{batch.month:%Y-%m}"),
        channel=words(f"channel.{batch.channel}"),
        probability=words.percent(min(batch.probability, 0.999)),
        state=words(f"integrity.state.{batch.state}"),
        link=f"{page}/{batch.id}",
    )
