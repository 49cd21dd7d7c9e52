"""Opens the case of whoever wants a reply, soon after she was thanked.

That she wants one is committed with her response (``app.intake.reply_codes``), so nothing is lost
by a server that dies: whichever runs next opens what is not opened yet. A case, what it is about,
and that it was opened are one transaction, and a response is the subject of one case at most.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cases.lists import finder
from app.cases.marks import levels_given
from app.cases.models import Case, CaseState, CaseSubject, Origin
from app.cases.reach import unit_above
from app.db import Database
from app.intake.models import ReplyCode, Response, ResponseText
from app.registry.questionnaires import published
from app.registry.structures import Units, read_units
from app.settings import Settings

#: Wishes in one transaction.
_AT_ONCE = 100


@dataclass(frozen=True)
class NewCase:
    """What all cases of one response are opened from."""

    session: Session
    settings: Settings
    units: Units
    today: date

    def open(self, response: Response, origin: Origin, *, confidential: bool) -> Case:
        """Open the case of one response; confidential, it is handed to the unit above."""
        versions = {version.id: version for version in published(self.session)}
        above = (
            unit_above(self.session, self.units, response.unit_id, self.today)
            if confidential
            else response.unit_id
        )
        due = self.today + timedelta(days=self.settings.case_due_days)
        levels = levels_given(versions[response.version_id], bytes(response.packed))
        case = Case(
            origin=origin, unit_id=response.unit_id, handed_to_id=above, confidential=confidential,
            version_id=response.version_id, month=response.day.replace(day=1),
            opened_day=self.today, due_day=due, first_due_day=due, state=CaseState.OPEN,
            responses=1, low_items=json.dumps(levels),
        )  # fmt: skip
        self.session.add(case)
        self.session.flush()
        self.session.add(CaseSubject(response_id=response.id, case_id=case.id))
        return case


def open_wishes(database: Database, settings: Settings, today: date) -> int:
    """Open the cases of all who want a reply and have none yet; how many were opened."""
    opened = 0
    while _any_waits(database):
        with database.writing() as session:
            waiting = session.scalars(
                select(ReplyCode)
                .where(ReplyCode.opened.is_(False))
                .order_by(ReplyCode.code_hash)
                .limit(_AT_ONCE)
                .with_for_update(skip_locked=True)
            ).all()
            opened += _open(NewCase(session, settings, read_units(session), today), waiting)
        if not waiting:  # another process has them
            break
    return opened


def _any_waits(database: Database) -> bool:
    """Look before taking SQLite's one lock for writing, which the intake wants."""
    with database.reading() as session:
        query = select(ReplyCode.code_hash).where(ReplyCode.opened.is_(False)).limit(1)
        return session.scalar(query) is not None


def _open(new: NewCase, waiting: Sequence[ReplyCode]) -> int:
    session, opened = new.session, 0
    words = finder(session)
    for code in waiting:
        code.opened = True
        response = session.get(Response, code.response_id)
        # Of a response that was withdrawn meanwhile nothing is left to be dealt with.
        if response is None:
            continue
        texts = session.scalars(
            select(ResponseText.body).where(ResponseText.response_id == code.response_id)
        ).all()
        there = session.get(CaseSubject, code.response_id)
        if there is not None:
            continue
        new.open(response, Origin.WISH, confidential=words.is_in(texts))
        opened += 1
    return opened
