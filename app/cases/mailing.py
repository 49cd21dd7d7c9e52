"""Mails those who deal with a case that there is news of it: its number and address, nothing else.

What is to be mailed stands on the case, so that it is mailed once, also after the server was down.
It is taken from there before the mail server is called, and put back where that takes no mail.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence
from email.message import EmailMessage
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.models import Account, RoleGrant
from app.background import item_failed
from app.cases.models import Case
from app.cases.reach import HANDLING, barred_by
from app.clock import local_today
from app.db import Database
from app.mail import send_mail
from app.messages import house_language
from app.messages.words import Words
from app.registry.structures import read_units
from app.settings import Settings

log = logging.getLogger("hailong.cases")

#: Cases in one round.
_AT_ONCE = 50


class News(StrEnum):
    """What there is to be told of a case."""

    #: It is overdue, and was handed to the unit above.
    OVERDUE = "overdue"
    #: Its citizen has written to the reply.
    WRITTEN = "written"


def mail_news(database: Database, settings: Settings) -> int:
    """Mail all news that wait; how many mails the mail server took.

    Its owner is mailed; what nobody has taken is mailed to the care desks and heads of the unit
    that it is handed to. Without a mail server nothing waits.
    """
    with database.reading() as session:
        waiting = select(Case.id).where(Case.news.is_not(None)).order_by(Case.id).limit(_AT_ONCE)
        ids = session.scalars(waiting).all()
    taken = 0
    for id in ids:
        with database.writing() as session:
            case = session.scalar(select(Case).where(Case.id == id).with_for_update())
            if case is None or case.news is None:
                continue
            news, case.news = News(case.news), None
            messages = _messages(session, settings, case, news)
        if not settings.mail_server:
            continue
        sent = [_sent(settings, each) for each in messages]
        if messages and not any(sent):
            with database.writing() as session:
                case = session.get_one(Case, id)
                case.news = case.news or news
            break
        taken += sum(sent)
    return taken


def _sent(settings: Settings, message: EmailMessage) -> bool:
    try:
        send_mail(settings, message)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        item_failed("mail")
        log.warning("news of a case were not mailed: %s", type(error).__name__)
        return False
    return True


def _messages(
    session: Session, settings: Settings, case: Case, news: News
) -> Sequence[EmailMessage]:
    address = f"{(settings.public_url or '').rstrip('/')}/cases/{case.id}"
    found = []
    for account in _recipients(session, settings, case):
        words = Words(house_language(account.language))
        message = EmailMessage()
        message["Subject"] = words(f"case.mail_{news}", number=case.id)
        message["From"], message["To"] = settings.mail_from, account.email
        message.set_content(
            words("case.mail_body", name=account.name, news=words(f"case.mail_{news}",
                  number=case.id), link=address) + "\n"
        )  # fmt: skip
        found.append(message)
    return found


def _recipients(session: Session, settings: Settings, case: Case) -> Sequence[Account]:
    active = Account.disabled_at.is_(None)
    if case.owner_id is not None:
        return session.scalars(select(Account).where(Account.id == case.owner_id, active)).all()
    accounts = session.scalars(
        select(Account)
        .where(
            active,
            Account.id.in_(
                select(RoleGrant.account_id).where(
                    RoleGrant.unit_id == case.handed_to_id, RoleGrant.role.in_(HANDLING)
                )
            ),
        )
        .order_by(Account.id)
    ).all()
    if not case.confidential:
        return accounts
    units, today = read_units(session), local_today(settings.zone)
    return [
        each
        for each in accounts
        if case.unit_id not in barred_by(units, {grant.unit_id for grant in each.grants}, today)
    ]
