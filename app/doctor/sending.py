"""What leaves the machine: mail, SMS, webhooks. Nothing is sent by looking."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import dead_letters
from app.db import Database
from app.digest.models import DigestMail
from app.digest.sending import due, is_time
from app.doctor.findings import Finding, look, unknown, well, wrong
from app.invitations.models import SmsMessage
from app.mail import connected
from app.settings import Settings
from app.webhooks.models import Delivery

_PATIENCE_S = 8
_LATE, _A_DAY = timedelta(hours=1), timedelta(days=1)


def mail(settings: Settings) -> Iterator[Finding]:
    """Whether the mail server takes our name and password."""
    if not settings.mail_server:
        if settings.report_mail:
            yield wrong(
                "mail", "HAILONG_REPORT_MAIL names people, and no HAILONG_MAIL_SERVER is set",
                "Set HAILONG_MAIL_SERVER=smtp://user:password@host:587.",
            )  # fmt: skip
        else:
            yield unknown("mail", "no mail server is set")
        return
    where = urlsplit(settings.mail_server)
    name = f"{where.hostname}:{where.port or (465 if where.scheme == 'smtps' else 25)}"
    try:
        with closing(connected(settings, _PATIENCE_S)) as server:
            server.noop()
            server.quit()
    except smtplib.SMTPAuthenticationError:
        yield wrong(
            "mail", f"{name} does not take the name and password",
            "Mend them in HAILONG_MAIL_SERVER; signs like @ and / in them are written %40 and %2F.",
        )  # fmt: skip
    except (OSError, ValueError) as error:
        yield wrong(
            "mail", f"{name} does not answer as a mail server does: {error}",
            "Mend HAILONG_MAIL_SERVER, the firewall, or the server's certificate.",
        )  # fmt: skip
    else:
        yield well("mail", f"{name} takes mail from us")


def digests(settings: Settings, now: datetime | None = None) -> Iterator[Finding]:
    """Whether those who head units have the digest of the month that is over."""
    now = now or datetime.now(UTC)
    if not is_time(settings, now.astimezone(settings.zone).date()):
        return
    with closing(Database(settings.database_url)) as database, database.reading() as session:
        waiting = len(due(session, settings, now - _A_DAY))
        refused = session.scalar(
            select(func.count())
            .select_from(DigestMail)
            .where(DigestMail.done_at.is_(None), DigestMail.tries > 0)
        )
    if waiting and now.astimezone(settings.zone).day > settings.digest_day:
        yield look(
            "digest", f"{waiting} have not had the digest of the last month",
            "See above whether the mail server takes mail, and in the server's log task digest; "
            "send now: hailong digest send",
        )  # fmt: skip
    if refused:
        yield look(
            "digest", f"the mail server refuses {refused} addresses",
            "They are tried again by themselves; mend the accounts' addresses.",
        )  # fmt: skip
    if not waiting and not refused:
        yield well("digest", "all of the last month were mailed")


def sms(settings: Settings) -> Iterator[Finding]:
    """Whether the gateway can be reached, and whether SMS wait in vain."""
    if settings.sms_url:
        where = urlsplit(settings.sms_url)
        port = where.port or (443 if where.scheme == "https" else 80)
        try:
            with socket.create_connection((where.hostname or "", port), timeout=_PATIENCE_S):
                pass
        except (OSError, UnicodeError) as error:
            yield wrong(
                "SMS", f"the gateway {where.hostname}:{port} cannot be reached: {error}",
                "Mend HAILONG_SMS_URL or the firewall; SMS wait meanwhile.",
            )  # fmt: skip
        else:
            yield well("SMS", f"the gateway {where.hostname}:{port} can be reached")
    elif settings.sms_outbox:
        yield look(
            "SMS", f"SMS are written to {settings.sms_outbox} and not sent",
            "For a trial that is right; else set HAILONG_SMS_URL.",
        )  # fmt: skip
    with closing(Database(settings.database_url)) as database, database.reading() as session:
        waiting = session.scalar(select(func.count()).where(SmsMessage.due_at.is_not(None))) or 0
        dead = dead_letters.count(session, SmsMessage)
        overdue = _overdue(session, SmsMessage)
    if waiting and not (settings.sms_url or settings.sms_outbox):
        yield wrong("SMS", f"{waiting} SMS wait, and no gateway is set", "Set HAILONG_SMS_URL.")
    elif overdue:
        yield wrong("SMS", f"{overdue} SMS should have left an hour ago", "See: hailong sms list")
    else:
        yield well("SMS", f"{waiting} wait")
    if dead:
        yield look("SMS", f"{dead} were given up", "Send again or drop: /dead-letters")


def webhooks(settings: Settings) -> Iterator[Finding]:
    """Whether systems that are to be told are told."""
    with closing(Database(settings.database_url)) as database, database.reading() as session:
        overdue, dead = _overdue(session, Delivery), dead_letters.count(session, Delivery)
    if overdue:
        yield wrong(
            "webhooks", f"{overdue} webhooks should have been told an hour ago",
            "Look whether a server runs, and in its log whether the task webhooks does.",
        )  # fmt: skip
    else:
        yield well("webhooks", "none waits longer than an hour")
    if dead:
        yield look("webhooks", f"{dead} were told in vain", "Tell again or drop: /dead-letters")


def _overdue(session: Session, table: type[dead_letters.Item]) -> int:
    late = table.due_at < datetime.now(UTC) - _LATE
    return session.scalar(select(func.count()).select_from(table).where(late)) or 0
