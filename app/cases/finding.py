"""Opens cases of comments that speak of misconduct, whose respondents want no reply.

These did not agree that anybody learns on which day they came. So all of a week are looked at
together, on the Monday after it, and their cases opened in an order that tells nothing.
"""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cases.lists import finder
from app.cases.models import CasePass, CaseSubject, Origin
from app.cases.opening import NewCase
from app.db import Database
from app.db.locks import Lock, hold
from app.intake.models import Disposition, ReplyCode, Response, ResponseText
from app.registry.structures import read_units
from app.settings import Settings

#: At the first time, and after a long pause: so many weeks are looked at.
_WEEKS = 8
PASS = "misconduct"


def latest_monday(today: date) -> date:
    """The Monday of a day's week."""
    return today - timedelta(days=today.weekday())


def open_misconduct(database: Database, settings: Settings, today: date) -> int:
    """Open the cases of the weeks that are over and were not looked at; how many were opened.

    History that is imported opens none: a comment came at most as many days after its own as a
    device may keep it.
    """
    until = latest_monday(today)
    with database.reading() as session:
        since = max(_done_until(session), until - timedelta(weeks=_WEEKS))
        if since >= until:
            return 0
        # Read apart: nobody waits for it, and a wish of theirs is looked for again below.
        found = _speaking(session, settings, since, until)
    random.SystemRandom().shuffle(found)
    opened = 0
    with database.writing() as session:
        hold(session.connection(), Lock.OPENING_CASES)
        if max(_done_until(session), until - timedelta(weeks=_WEEKS)) != since:
            return 0  # another process was first
        new = NewCase(session, settings, read_units(session), today)
        for id in found:
            response = session.get(Response, id)
            if response is not None and session.get(CaseSubject, id) is None:
                new.open(response, Origin.MISCONDUCT, confidential=True)
                opened += 1
        note_done(session, PASS, until)
    return opened


def _speaking(session: Session, settings: Settings, since: date, until: date) -> list[str]:
    words = finder(session)
    query = (
        select(ResponseText.response_id, ResponseText.body, ResponseText.day, Response.received_at)
        .join(Response, Response.id == ResponseText.response_id)
        .where(
            ResponseText.day >= since - timedelta(days=settings.backlog_days + 1),
            ResponseText.day < until,
            Response.received_at >= midnight(settings, since),
            Response.received_at < midnight(settings, until),
            Response.disposition == Disposition.COUNTED.value,
            # Whoever wants a reply has a case, or is about to.
            ResponseText.response_id.not_in(select(ReplyCode.response_id)),
            ResponseText.response_id.not_in(select(CaseSubject.response_id)),
        )
    )
    furthest = timedelta(days=settings.backlog_days)
    return sorted(
        {
            row.response_id
            for row in session.execute(query)
            if row.received_at.astimezone(settings.zone).date() - row.day <= furthest
            and words.find(row.body) is not None
        }
    )


def midnight(settings: Settings, day: date) -> datetime:
    """The moment at which a local day begins."""
    return datetime.combine(day, time(), settings.zone)


def _done_until(session: Session) -> date:
    row = session.get(CasePass, PASS)
    return date(1970, 1, 5) if row is None else row.until


def note_done(session: Session, name: str, until: date) -> None:
    """Note up to which day a pass has looked."""
    session.merge(CasePass(name=name, until=until))
