"""Mails those who deal with a case that there is news of it: its number and address, nothing else.

Of what is overdue each is told once a day how many they are, and where the list is.

What is to be mailed stands on the case until it is written down for each who is to read it; there
it stands until the mail server has taken it. A process that is killed loses nothing, and repeats at
most the one mail that it was handing over.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from app.access.models import Account, RoleGrant
from app.access.unit_roles import own_by
from app.background import beat, item_failed
from app.cases.models import Case, CaseMail, CaseState
from app.cases.reach import HANDLING
from app.cases.shown import Shown
from app.clock import local_today
from app.db import Database
from app.mail import is_refusal, send_mail
from app.messages import house_language
from app.messages.words import Words
from app.registry.structures import Units, read_units
from app.settings import Settings

log = logging.getLogger("hailong.cases")

#: Cases whose news are written down in one transaction.
_AT_ONCE = 50
#: A mail server that says nothing for so long is away: whoever wishes a reply waits meanwhile.
_TIMEOUT_S = 15.0
#: For so long an account's mails are one process's to send.
IN_HAND = timedelta(minutes=10)


class News(StrEnum):
    """What there is to be told of a case."""

    #: It is overdue, and was handed to the unit above.
    OVERDUE = "overdue"
    #: Its citizen has written to the reply.
    WRITTEN = "written"
    #: Its citizen has withdrawn her response.
    WITHDRAWN = "withdrawn"


class _Mail(NamedTuple):
    """A mail to one account, and of which of its news it is."""

    message: EmailMessage
    account_id: int
    news: News
    case_ids: Sequence[int]

    def rows(self) -> ColumnElement[bool]:
        """The condition of its rows."""
        return and_(
            CaseMail.account_id == self.account_id,
            CaseMail.news == self.news,
            CaseMail.case_id.in_(self.case_ids),
        )


def mail_news(
    database: Database, settings: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> int:
    """Mail all news that wait; how many mails the mail server took.

    A case's owner is mailed; what nobody has taken is mailed to the care desks and heads of the
    unit that it is handed to. What is overdue comes in one mail to each of them, and to whom it
    was handed on, too. Where the mail server is away, all that it did not take waits; what it
    refuses waits for that one reader alone. Without a mail server nothing waits.
    """
    with database.reading() as session:
        some = session.scalar(select(Case.id).where(Case.news.is_not(None)).limit(1))
        if some is None and session.scalar(select(CaseMail.case_id).limit(1)) is None:
            return 0
        units = read_units(session)
    if not settings.mail_server:
        with database.writing() as session:
            session.execute(update(Case).where(Case.news.is_not(None)).values(news=None))
            session.execute(delete(CaseMail))
        return 0
    readers = _Readers(units, settings)
    while _write_down(database, readers):
        beat()
    with database.reading() as session:
        free = select(CaseMail.account_id).where(_is_free(now())).distinct()
        accounts = session.scalars(free.order_by(CaseMail.account_id)).all()
    taken = 0
    for id in accounts:
        mails = _take(database, readers, id, now())
        for place, mail in enumerate(mails):
            try:
                send_mail(settings, mail.message, _TIMEOUT_S)
            except (smtplib.SMTPException, OSError, ValueError) as error:
                item_failed("mail")
                log.warning("news of a case were not mailed: %s", type(error).__name__)
                if not is_refusal(error):
                    _give_back(database, mails[place:])
                    return taken
                _give_back(database, [mail])
            else:
                taken += 1
                with database.writing() as session:
                    session.execute(delete(CaseMail).where(mail.rows()))
            beat()
    return taken


def _write_down(database: Database, readers: _Readers) -> bool:
    """Write down for each reader what stands on some cases; whether there were any."""
    with database.writing() as session:
        waiting = select(Case).where(Case.news.is_not(None)).order_by(Case.id).limit(_AT_ONCE)
        cases = session.scalars(waiting.with_for_update()).all()
        for case in cases:
            assert case.news is not None
            news, case.news = News(case.news), None
            for account in readers.of(session, case, news):
                key = {"case_id": case.id, "account_id": account.id, "news": news.value}
                if session.get(CaseMail, key) is None:
                    session.add(CaseMail(**key))
        return len(cases) == _AT_ONCE


def _is_free(now: datetime) -> ColumnElement[bool]:
    """The condition that no process has a mail in hand."""
    return or_(CaseMail.in_hand_until.is_(None), CaseMail.in_hand_until <= now)


def _take(database: Database, readers: _Readers, account_id: int, now: datetime) -> list[_Mail]:
    """An account's mails, which nobody else sends meanwhile; what is no news to it is let go."""
    of: dict[News, list[int]] = {news: [] for news in News}
    with database.writing() as session:
        account = session.get_one(Account, account_id)
        rows = session.scalars(
            select(CaseMail)
            .where(CaseMail.account_id == account_id, _is_free(now))
            .order_by(CaseMail.case_id)
            .with_for_update()
        ).all()
        for row in rows:
            case, news = session.get_one(Case, row.case_id), News(row.news)
            # What was closed meanwhile is overdue no more; that it was withdrawn stays news. Of
            # what waited for long somebody may have lost the right to hear.
            over = case.state == CaseState.CLOSED and news is not News.WITHDRAWN
            if over or account not in readers.of(session, case, news):
                session.delete(row)
                continue
            row.in_hand_until = now + IN_HAND
            of[news].append(case.id)
        settings, overdue = readers.settings, of.pop(News.OVERDUE)
        mails = [
            _Mail(_of_case(settings, account, id, news), account_id, news, [id])
            for news, ids in of.items()
            for id in ids
        ]
        if overdue:
            message = _of_overdue(settings, account, len(overdue))
            mails.append(_Mail(message, account_id, News.OVERDUE, overdue))
    return mails


def _give_back(database: Database, mails: Sequence[_Mail]) -> None:
    """Have mails sent later, by whoever comes first."""
    with database.writing() as session:
        for mail in mails:
            session.execute(update(CaseMail).where(mail.rows()).values(in_hand_until=None))


def _of_case(settings: Settings, account: Account, number: int, news: News) -> EmailMessage:
    said = Words(house_language(account.language))(f"case.mail_{news}", number=number)
    return _message(settings, account, said, f"/cases/{number}")


def _of_overdue(settings: Settings, account: Account, count: int) -> EmailMessage:
    words = Words(house_language(account.language))
    said = words("case.mail_overdue", n=words.number(count))
    return _message(settings, account, said, f"/cases?show={Shown.OVERDUE}")


def _message(settings: Settings, account: Account, said: str, path: str) -> EmailMessage:
    words = Words(house_language(account.language))
    link = f"{(settings.public_url or '').rstrip('/')}{path}"
    message = EmailMessage()
    message["Subject"] = said
    message["From"], message["To"] = settings.mail_from, account.email
    message.set_content(words("case.mail_body", name=account.name, news=said, link=link) + "\n")
    return message


@dataclass(frozen=True)
class _Readers:
    """Who is told of a case, by the units of all times."""

    units: Units
    settings: Settings

    def of(self, session: Session, case: Case, news: News) -> Sequence[Account]:
        """Whoever deals with it; of what is overdue also where it was handed on to."""
        owner = self._owner(session, case)
        if news is News.OVERDUE:
            return [*owner, *self._at_its_unit(session, case)]
        return owner if case.owner_id is not None else self._at_its_unit(session, case)

    def _owner(self, session: Session, case: Case) -> Sequence[Account]:
        active = Account.disabled_at.is_(None)
        return session.scalars(select(Account).where(Account.id == case.owner_id, active)).all()

    def _at_its_unit(self, session: Session, case: Case) -> Sequence[Account]:
        """The care desks and heads of the unit that it is handed to, who may know of it."""
        active = Account.disabled_at.is_(None)
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
        today = local_today(self.settings.zone)
        return [
            each
            for each in accounts
            if case.unit_id
            not in own_by(self.units, {grant.unit_id for grant in each.grants}, today)
        ]
