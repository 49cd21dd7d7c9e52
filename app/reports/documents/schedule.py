"""Makes the reports of periods that are over, by itself, and mails them.

The folder tells what is done: a report that stands there is not made again, nor mailed again to
those whom a ``.mailed`` file beside it names.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from app.access import scope
from app.access.callers import Caller, owner
from app.access.models import Right
from app.background import beat, item_failed
from app.clock import ClockInDoubt, ServerClock
from app.db import Database
from app.dead_letters import reason_of
from app.figures.periods import Length, name_of, span
from app.registry.points import units_asking
from app.registry.queries import UnitTree
from app.registry.questionnaires import published
from app.reports.documents import mailing
from app.reports.documents.files import Kind, Order, make
from app.reports.documents.mailing import ConnectionLostError, MailServerError
from app.settings import Settings

log = logging.getLogger("hailong.documents")

EVERY_S = 3600
#: When the mail server was lost over so many mails in a row, the others wait for the next round.
_MOST_LOST = 3


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


def kinds(settings: Settings) -> list[Kind]:
    """As what reports are written, each kind a single time."""
    names = [each.strip() for each in settings.report_formats.split(",")]
    return [Kind(name) for name in dict.fromkeys(names)]


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
    kinds: Sequence[Kind],
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


def _count(what: str, reason: str) -> None:
    """Count and log what failed; the reason as far as the log may have it."""
    item_failed(reason.partition(":")[0])
    log.warning("%s: %s; trying again later", what, reason)


def run(
    database: Database, settings: Settings, tell: Callable[[str, str], None] = _count
) -> list[Path]:
    """Make and mail what is due; the files that are new.

    One report that cannot be made or mailed holds up no other: ``tell`` is called with what failed
    and why. Addresses are not told there.

    Raises
    ------
    OSError
        Where the folder cannot be written.
    """
    folder = settings.report_folder
    if folder is None:
        return []
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    new: list[Path] = []
    with _alone(folder) as alone:
        if not alone:
            return []
        who, today = owner("schedule"), datetime.now(settings.zone).date()
        post = _Post(settings, tell)
        for length in lengths(settings):
            period = due(today, length, settings.report_after_days)
            with database.reading() as session:
                wanted = orders(
                    session, who, period, units=settings.report_units, kinds=kinds(settings)
                )
            for outcome in make(database, who, settings, wanted, folder):
                if outcome.problem is not None:
                    log.info("no report on %s: %s", outcome.order, outcome.problem.code)
                if outcome.error is not None:
                    tell(f"report {_name(outcome.order)}", reason_of(outcome.error))
                new += outcome.new
                if outcome.files:
                    post.mail(outcome.order, outcome.files)
                beat()
    return new


class _Post:
    """Mails the reports of one round, as long as there is a mail server."""

    def __init__(self, settings: Settings, tell: Callable[[str, str], None]) -> None:
        self._settings, self._tell = settings, tell
        self._open = bool(settings.mail_server and settings.report_mail)
        #: How often in a row the server was lost over a mail.
        self._lost = 0

    def mail(self, order: Order, files: Sequence[Path]) -> None:
        """Mail a report, and tell what failed."""
        if not self._open:
            return
        what = f"mail of report {_name(order)}"
        try:
            failed = mailing.mail(self._settings, order, files)
        except MailServerError as error:
            self._open = False
            self._tell("mail server", str(error))
        except ConnectionLostError as error:
            self._lost += 1
            self._open = self._lost < _MOST_LOST
            self._tell(what, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this mail's alone
            self._tell(what, reason_of(error))
        else:
            self._lost = 0
            if failed:
                given_up = sum(each.again_at is None for each in failed)
                # A server's words often repeat the address.
                ended = f", {given_up} given up" if given_up else ""
                self._tell(what, f"{len(failed)} addresses refused{ended}")


def _name(order: Order) -> str:
    return f"{order.unit}, {order.questionnaire}, {order.period}"


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


async def keep_reporting(database: Database, settings: Settings, clock: ServerClock) -> None:
    """Look once an hour for what is due, for ever; what failed is tried again."""
    while True:
        try:
            clock.check()  # which period is over, a clock in doubt does not know
            await asyncio.to_thread(run, database, settings)
        except ClockInDoubt:
            log.warning("no report is made while the clock is in doubt")
        except OSError as error:
            _count("folder of reports", reason_of(error))
        beat()
        await asyncio.sleep(EVERY_S)
