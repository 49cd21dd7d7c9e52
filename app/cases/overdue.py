"""Hands cases that are overdue to the unit above: each at most once, also after a pause."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from app.cases.mailing import News
from app.cases.models import Case, CaseState
from app.cases.reach import unit_above
from app.db import Database
from app.db.locks import Lock, hold
from app.registry.structures import read_units

_AT_ONCE = 200


def escalate(database: Database, today: date) -> int:
    """Hand on what is overdue; how many cases. Their owners, who keep seeing them, are mailed."""
    done = 0
    while True:
        with database.reading() as session:
            if session.scalar(select(Case.id).where(_due(today)).limit(1)) is None:
                return done
        with database.writing() as session:
            hold(session.connection(), Lock.OPENING_CASES)
            done += _escalate(session, today)


def _due(today: date) -> ColumnElement[bool]:
    return and_(Case.state != CaseState.CLOSED, Case.due_day < today, Case.escalated_day.is_(None))


def _escalate(session: Session, today: date) -> int:
    units = read_units(session)
    cases = session.scalars(
        select(Case).where(_due(today)).order_by(Case.id).limit(_AT_ONCE).with_for_update()
    ).all()
    for case in cases:
        case.escalated_day, case.news = today, News.OVERDUE
        if case.handed_to_id is not None:
            # Already with the topmost unit it stays there, and is shown as overdue.
            above = unit_above(session, units, case.handed_to_id, today, about=case.unit_id)
            case.handed_to_id = above or case.handed_to_id
    return len(cases)
