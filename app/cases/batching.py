"""Opens a case of ten or more who gave low marks to a unit in a month that is over.

They wanted no reply, so nobody is to find out who said what. A batch is all such responses of one
unit, questionnaire version and month that had come before a fixed day, the eleventh, and not before
the batch before it: ten at least (HAILONG_LEAST_RESPONDENTS), or none. Which these are follows from
that day and is written down nowhere. A month is looked at on the two elevenths after it, so that a
new batch does not tell on which day its tenth came; of those who come later nothing is said.

Who speaks of misconduct is counted in a batch like others, also where she wants a reply, and
what she wrote is not among its words: a unit that has the figures of its low marks would else find
by subtracting that there is a case which it is not shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.orm import Session

from app.cases.finding import midnight, note_done
from app.cases.lists import finder
from app.cases.marks import any_low, counted_in, low_items, month_after, month_before
from app.cases.models import Case, CasePass, CaseState, CaseSubject, Origin
from app.db import Database
from app.db.locks import Lock, hold
from app.intake.models import ReplyCode, Response, ResponseText, WithdrawnResponse
from app.registry.questionnaires import Published, published
from app.settings import Settings

#: Days of the next month for which devices may still bring what they kept.
_DAY = 11
#: At so many elevenths after a month it is looked at.
_LOOKS = 2
_FETCHED = 20_000
_AT_ONCE = 500
PASS = "batches"


@dataclass(frozen=True)
class LowMarks:
    """Responses of one unit, version and month that gave low marks, and of which the unit was told
    by no case of their own.
    """

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
    opened: list[Case] = []
    due = today + timedelta(days=settings.case_due_days)
    for version in published(session):
        before = _latest_batches(session, version.id, month)
        for found in _low(session, settings, version, month, until, before):
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
    unit_id: int | None = None,
) -> list[LowMarks]:
    about: ColumnElement[bool] = true() if unit_id is None else Response.unit_id == unit_id
    chunks = session.execute(
        select(Response.unit_id, Response.id, Response.packed, Response.received_at)
        .where(
            *counted_in(version.id, month),
            about,
            Response.received_at < midnight(settings, until),
            Response.id.not_in(told_by_themselves()),
            Response.id.not_in(
                select(WithdrawnResponse.response_id).where(WithdrawnResponse.nameless.is_(False))
            ),
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
    return [
        LowMarks(unit, [id for id, _ in of_unit], [packed for _, packed in of_unit])
        for unit, of_unit in sorted(by_unit.items())
    ]


def told_by_themselves() -> Select[str]:
    """Ids of responses of which their unit is told by a case of their own, or is about to be."""
    kept_from_it = (
        select(CaseSubject.response_id)
        .join(Case, Case.id == CaseSubject.case_id)
        .where(Case.confidential)
    )
    return select(ReplyCode.response_id).where(ReplyCode.response_id.not_in(kept_from_it))


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
    found = _low(session, settings, version, case.month, case.came_before, since, case.unit_id)
    return list(found[0].ids) if found else []


def wordless(session: Session, ids: Sequence[str]) -> set[str]:
    """Members whose words are not a batch's: they have a case of their own, or are to have one."""
    words, found = finder(session), set()
    for some in _parts(ids):
        rows = session.execute(
            select(ResponseText.response_id, ResponseText.body).where(
                ResponseText.response_id.in_(some)
            )
        )
        found |= {id for id, body in rows if words.find(body) is not None}
        of_their_own = select(CaseSubject.response_id).where(CaseSubject.response_id.in_(some))
        found |= set(session.scalars(of_their_own))
    return found


def wishes_among(
    session: Session, ids: Sequence[str], visible: ColumnElement[bool]
) -> Sequence[Case]:
    """The cases of members who want a reply, of those that somebody sees."""
    found: list[Case] = []
    for some in _parts(ids):
        query = (
            select(Case)
            .join(CaseSubject, CaseSubject.case_id == Case.id)
            .where(CaseSubject.response_id.in_(some), Case.origin == Origin.WISH, visible)
        )
        found += session.scalars(query)
    return found


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    yield from (ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE))
