"""Makes the reports of periods that are over, by itself, and mails them.

The folder tells what is done: a report that stands there is not made again, and one with a
``.mailed`` file beside it is not mailed again. A mail that the server took just before the
process died is sent twice rather than not at all.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from email.message import EmailMessage, Message
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.access import scope
from app.access.callers import Caller, owner
from app.access.models import Right
from app.clock import ClockInDoubt, ServerClock
from app.db import Database
from app.figures.periods import Length, name_of, span
from app.messages.words import Words
from app.registry.points import units_asking
from app.registry.queries import UnitTree
from app.registry.questionnaires import published
from app.reports.documents.files import Kind, Order, make
from app.settings import Settings

log = logging.getLogger("hailong.documents")

EVERY_S = 3600
_MAIL_TIMEOUT_S = 60


def lengths(settings: Settings) -> list[Length]:
    """The lengths of periods that are reported on.

    Raises
    ------
    ValueError
        Where the setting names none.
    """
    names = [each.strip() for each in settings.report_schedule.split(",") if each.strip()]
    found = [Length(name) for name in names]
    if Length.DAYS in found:
        raise ValueError("days is no length that comes again")
    return found


def due(today: date, length: Length, wait_days: int) -> str:
    """The latest period of a length that was over so many days ago."""
    day = today - timedelta(days=wait_days)
    name = name_of(day, length)
    if span(name).last < day:  # the nine months, which end before their year does
        return name
    before = span(name).first - timedelta(days=1)
    return name_of(before, length)


def orders(
    session: Session,
    caller: Caller,
    period: str,
    *,
    units: str,
    kinds: Sequence[Kind] = tuple(Kind),
    questionnaire: str | None = None,
) -> list[Order]:
    """The reports about a caller's units, all or the tops, for each questionnaire used."""
    whole = scope.units(session, caller, Right.READ_FIGURES)
    found = []
    for code in dict.fromkeys(each.form.code for each in published(session)):
        if questionnaire in (None, code):
            found += [
                Order(unit, code, period, kinds) for unit in _using(session, whole, code, units)
            ]
    return found


def _using(session: Session, whole: UnitTree, questionnaire: str, which: str) -> list[str]:
    """The codes of units that use a questionnaire, or have units below that do."""
    reached = whole.with_all_above(units_asking(session, questionnaire))
    nodes = [node for node in whole.nodes.values() if node.id in reached]
    return [node.code for node in nodes if which == "all" or node.parent_id not in whole.nodes]


def run(database: Database, settings: Settings) -> list[Path]:
    """Make and mail what is due; the files that are new.

    Raises
    ------
    OSError
        Where the folder cannot be written, or the mail server does not take the mail.
    """
    folder = settings.report_folder
    if folder is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    new: list[Path] = []
    with _alone(folder) as alone:
        if not alone:
            return []
        who, today = owner("schedule"), datetime.now(settings.zone).date()
        for length in lengths(settings):
            period = due(today, length, settings.report_after_days)
            with database.reading() as session:
                wanted = orders(session, who, period, units=settings.report_units)
            for outcome in make(database, who, settings, wanted, folder):
                if outcome.problem is not None:
                    log.info("no report on %s: %s", outcome.order, outcome.problem.code)
                new += outcome.new
                if outcome.files and settings.mail_server and settings.report_mail:
                    mail(settings, outcome.order, outcome.files)
    return new


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether this process is the only one that makes reports here at this time."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def mail(settings: Settings, order: Order, files: Sequence[Path]) -> None:
    """Mail a report's files to those who are to have them, once.

    Raises
    ------
    OSError
        Where the mail server does not take it.
    """
    done = files[0].with_suffix(".mailed")
    if done.exists():
        return
    words = Words(order.language)
    title = f"{order.unit}, {order.questionnaire}, {words.period(order.period)}"
    message = EmailMessage()
    message["Subject"] = words("report.mail_subject", title=title)
    message["From"] = settings.mail_from
    message["To"] = settings.report_mail
    message.set_content(words("report.mail_body", title=title))
    for file in files:
        kind = Kind(file.suffix.removeprefix("."))
        major, _, minor = kind.media.partition("/")
        message.add_attachment(file.read_bytes(), maintype=major, subtype=minor, filename=file.name)
    _send(settings, message)
    done.touch()


def _send(settings: Settings, message: Message[str, str]) -> None:
    where = urlsplit(settings.mail_server or "")
    host, secure = where.hostname or "localhost", where.scheme == "smtps"
    server: smtplib.SMTP
    if secure:
        context = ssl.create_default_context()
        server = smtplib.SMTP_SSL(host, where.port or 465, timeout=_MAIL_TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(host, where.port or 25, timeout=_MAIL_TIMEOUT_S)
    with server:
        if not secure and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        if where.username:
            server.login(unquote(where.username), unquote(where.password or ""))
        server.send_message(message)


async def keep_reporting(database: Database, settings: Settings, clock: ServerClock) -> None:
    """Look once an hour for what is due, for ever; what failed is tried again."""
    if settings.report_folder is None or not settings.report_schedule:
        return
    lengths(settings)  # a setting that means nothing stops the start, not the first report
    while True:
        try:
            clock.check()  # which period is over, a clock in doubt does not know
            await asyncio.to_thread(run, database, settings)
        except ClockInDoubt:
            log.warning("no report is made while the clock is in doubt")
        except (OSError, SQLAlchemyError):
            log.warning("could not make or mail what is due; trying again", exc_info=True)
        await asyncio.sleep(EVERY_S)
