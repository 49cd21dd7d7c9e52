"""Handlers of cases, what each is shown, and what they do."""

from __future__ import annotations

from sqlalchemy import select

from app.access.callers import Caller, grants_of
from app.access.models import Account
from app.cases import citizens, handling, shown
from app.cases.handling import Change
from app.cases.models import CaseSubject
from app.cases.reach import Reach
from app.cases.shown import Filters, Shown
from tests.cases.sent import (
    ELEVENTH,
    SETTINGS,
)

BRIBE = "Cán bộ gợi ý đưa phong bì"


def caller(database, *roles, province):
    """Somebody with roles, as their session or their own key has it."""
    somebody = province.person(*roles)
    with database.reading() as session:
        account = session.get_one(Account, somebody.account_id)
        return Caller(account.email, grants_of(account), account_id=account.id)


def seen(database, who, today=ELEVENTH, **filters):
    with database.reading() as session:
        reach = Reach.of_caller(session, who, today)
        rows, total = shown.listed(session, reach, Filters(**{"shown": Shown.ALL} | filters), today)
        assert total == len(rows)
        return {row.case.id for row in rows}


def do(database, who, id, act, today=ELEVENTH, **change):
    with database.writing(who.name) as session:
        return handling.handle(session, who, id, act, Change(**change), today)


def look(database, who, id, today=ELEVENTH):
    with database.reading() as session:
        return shown.shown(session, SETTINGS, Reach.of_caller(session, who, today), id, today)


def id_of(database, code):
    with database.reading() as session:
        return session.scalars(
            select(CaseSubject.case_id).where(
                CaseSubject.response_id == citizens.response_of(session, code)
            )
        ).one()
