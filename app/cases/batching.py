"""Opens a case of ten or more who gave low marks to a unit in a month that is over.

They wanted no reply, so nobody is to find out who said what. A batch is all such responses of one
unit, questionnaire version and month that had come before a fixed day, the eleventh, and not before
the batch before it: ten at least (HAILONG_LEAST_RESPONDENTS), or none. Which these are follows from
that day and is written down nowhere. A month is looked at on the two elevenths after it, so that a
new batch does not tell on which day its tenth came; of those who come later nothing is said.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from app.cases.finding import midnight, note_done
from app.cases.lists import finder
from app.cases.marks import any_low, counted_in, low_items, month_after, month_before
from app.cases.misconduct import Finder
from app.cases.models import Case, CasePass, CaseState, CaseSubject, Origin
from app.db import Database
from app.db.locks import Lock, hold
from app.intake.models import ReplyCode, Response, ResponseText
from app.registry.questionnaires import Published, published
from app.settings import Settings

#: Days of the next month for which devices may still bring what they kept.
_DAY = 11
#: At so many elevenths after a month it is looked at.
_LOOKS = 2
_FETCHED = 20_000
PASS = "batches"


@dataclass(frozen=True)
class LowMarks:
    """Responses of one unit, version and month that gave low marks and want no reply."""

    unit_id: int
    ids: Sequence[str]
    records: Sequence[bytes]


def latest_eleventh(today: date) -> date:
    """The last eleventh of a month up to a day."""
    if today.day >= _DAY:
        return today.replace(day=_DAY)
    return month_before(today.replace(day=1)).replace(day=_DAY)


def open_batches(database: Database, settings: Settings, today: date) -> int:
    """Open the batches that are due up to today, also those of days when no server ran."""
    last, opened = latest_eleventh(today), 0
    while (until := _due(database, last)) is not None:
        # Read apart: what came before the day does not change, and nobody waits for this.
        with database.reading() as session:
            found = [
                each
                for month in _months(until)
                for each in _batches_of(session, settings, month, until, today)
            ]
        with database.writing() as session:
            hold(session.connection(), Lock.OPENING_CASES)
            if _next(session, last) != until:  # another process was first
                continue
            session.add_all(found)
            note_done(session, PASS, until)
            opened += len(found)
    return opened


def _due(database: Database, last: date) -> date | None:
    with database.reading() as session:
        return _next(session, last)


def _next(session: Session, last: date) -> date | None:
    """The first eleventh at which nobody has looked yet; at first, the last one."""
    row = session.get(CasePass, PASS)
    if row is None:
        return last
    following = month_after(row.until.replace(day=1)).replace(day=_DAY)
    return following if following <= last else None


def _months(until: date) -> list[date]:
    months = [month_before(until.replace(day=1))]
    while len(months) < _LOOKS:
        months.append(month_before(months[-1]))
    return months


def _batches_of(
    session: Session, settings: Settings, month: date, until: date, today: date
) -> list[Case]:
    words, opened = finder(session), []
    due = today + timedelta(days=settings.case_due_days)
    for version in published(session):
        before = _latest_batches(session, version.id, month)
        for found in _low(session, settings, version, month, until, before, words):
            if len(found.ids) < settings.least_respondents:
                continue
            marks = low_items(version, found.records)
            counts = {code: int(low.sum()) for code, low in marks.items()}
            batch = Case(
                origin=Origin.BATCH, unit_id=found.unit_id, handed_to_id=found.unit_id,
                version_id=version.id, month=month, opened_day=today, due_day=due,
                first_due_day=due, state=CaseState.OPEN, responses=len(found.ids),
                low_items=json.dumps(counts), came_before=until,
            )  # fmt: skip
            opened.append(batch)
    return opened


def _latest_batches(session: Session, version_id: int, month: date) -> dict[int, date]:
    """By unit before which day the responses of its latest batch of a month came."""
    rows = session.execute(
        select(Case.unit_id, Case.came_before)
        .where(Case.version_id == version_id, Case.month == month, Case.came_before.is_not(None))
        .order_by(Case.came_before)
    )
    return {unit_id: day for unit_id, day in rows if day is not None}


def _low(
    session: Session,
    settings: Settings,
    version: Published,
    month: date,
    until: date,
    since: dict[int, date],
    words: Finder,
    unit_id: int | None = None,
) -> list[LowMarks]:
    about: ColumnElement[bool] = true() if unit_id is None else Response.unit_id == unit_id
    chunks = session.execute(
        select(Response.unit_id, Response.id, Response.packed, Response.received_at)
        .where(
            *counted_in(version.id, month),
            about,
            Response.received_at < midnight(settings, until),
            Response.id.not_in(select(ReplyCode.response_id)),
            Response.id.not_in(select(CaseSubject.response_id)),
        )
        .execution_options(yield_per=_FETCHED)
    ).partitions()
    begins = {unit: midnight(settings, day) for unit, day in since.items()}
    by_unit: dict[int, list[tuple[str, bytes]]] = {}
    for rows in chunks:
        records = [bytes(row.packed) for row in rows]
        low = any_low(low_items(version, records), len(rows))
        for i in np.flatnonzero(low).tolist():
            unit, id, _, received = rows[i]
            if unit not in begins or received >= begins[unit]:
                by_unit.setdefault(unit, []).append((id, records[i]))
    found = []
    for unit, of_unit in sorted(by_unit.items()):
        ids = [id for id, _ in of_unit]
        spoken = _speak_of_misconduct(session, unit, month, set(ids), words)
        kept = [(id, packed) for id, packed in of_unit if id not in spoken]
        found.append(LowMarks(unit, [id for id, _ in kept], [packed for _, packed in kept]))
    return found


def _speak_of_misconduct(
    session: Session, unit_id: int, month: date, ids: set[str], words: Finder
) -> set[str]:
    """Whose words go to the unit above, and are no part of what the unit is shown."""
    rows = session.execute(
        select(ResponseText.response_id, ResponseText.body).where(
            ResponseText.unit_id == unit_id,
            ResponseText.day >= month,
            ResponseText.day < month_after(month),
        )
    )
    return {id for id, body in rows if id in ids and words.find(body) is not None}


def members(session: Session, settings: Settings, case: Case, version: Published) -> list[str]:
    """The ids of the responses of a batch that still count; in memory alone."""
    assert case.came_before is not None
    earlier = session.scalar(
        select(Case.came_before)
        .where(
            Case.version_id == case.version_id, Case.month == case.month,
            Case.unit_id == case.unit_id, Case.came_before < case.came_before,
        )
        .order_by(Case.came_before.desc())
        .limit(1)
    )  # fmt: skip
    since = {} if earlier is None else {case.unit_id: earlier}
    found = _low(
        session, settings, version, case.month, case.came_before, since, finder(session),
        case.unit_id,
    )  # fmt: skip
    return list(found[0].ids) if found else []
