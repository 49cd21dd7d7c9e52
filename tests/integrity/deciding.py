"""Reviewers of suspected batches, and what they do by name."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from app.access.callers import Caller, grants_of
from app.access.models import Account
from app.intake.models import Response
from app.integrity import reviewing
from app.integrity.models import State
from app.integrity.parts import Part
from tests.integrity.suspected import CLOSING, TOGETHER
from tests.small_province import SignedIn


def caller_of(session, who: SignedIn) -> Caller:
    account = session.get_one(Account, who.account_id)
    return Caller(account.email, grants_of(account), account_id=account.id)


def decide(database, who, id, decision, reason="đã hỏi đơn vị"):
    with database.writing("test") as session:
        caller = who if isinstance(who, Caller) else caller_of(session, who)
        return reviewing.decide(session, caller, TOGETHER, id, decision, reason)


def dispositions(database):
    with database.reading() as session:
        rows = select(Response.disposition, func.count()).group_by(Response.disposition)
        return dict(session.execute(rows).all())


def burst(first, last):
    """From one press to another: they came every twenty seconds, so three of them in a minute."""
    return Part(CLOSING + timedelta(seconds=20 * first), CLOSING + timedelta(seconds=20 * last))


def split(database, who, id, part, reason="đã xem giờ"):
    with database.writing("test") as session:
        caller = caller_of(session, who)
        return reviewing.decide(session, caller, TOGETHER, id, State.REJECTED, reason, part)


def aside(database):
    with database.reading() as session:
        return set(
            session.scalars(select(Response.id).where(Response.disposition != "counted")).all()
        )
