"""What is shown of cases to whoever may see them: a list, and one with all that belongs to it.

Of a wish the care desk is shown what its respondent wrote and which marks she gave that are low, in
words, and the month: she ticked that they may. Of misconduct without a wish the words alone, and
these only where ten or more answered that month about the unit, or to whoever may see few. Of a
batch what its people wrote, in an order that tells nothing, and of each item how many gave a low
mark, as far as that tells of no few: what somebody knows of its people by cases of their own, she
knows of these, and is told of the rest as if they were all.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from app.access.models import Account
from app.audit.log import record
from app.cases.batching import members, wishes_among, wordless
from app.cases.lists import Cause, causes
from app.cases.marks import counted_in, month_after
from app.cases.models import (
    Case,
    CaseMessage,
    CaseNote,
    CaseState,
    CaseSubject,
    Origin,
)
from app.cases.reach import Reach
from app.intake.models import Response, ResponseText
from app.problems import Problem
from app.registry.kinship import below
from app.registry.models import Unit
from app.registry.queries import NamedUnit, UnknownUnit
from app.registry.questionnaires import Published, published
from app.settings import Settings
from surveys.model import RatedItem, Text

#: Cases of one list.
MOST = 500
_IDS_AT_ONCE = 500


class UnknownCase(Problem):
    """There is no such case, or none that the caller may see."""

    code, status = "unknown-case", 404


class Shown(StrEnum):
    """Which cases a list has."""

    WAITING = "waiting"
    MINE = "mine"
    OVERDUE = "overdue"
    CLOSED = "closed"
    ALL = "all"


class HowMany(StrEnum):
    """How many of a batch's people gave an item a low mark, where the number would tell of few."""

    FEW = "few"
    NEARLY_ALL = "nearly_all"
    NUMBER = "number"


@dataclass(frozen=True)
class LowItem:
    """A rated item that was given a low mark: of one response which, of a batch by how many."""

    item: str
    text: Text
    level: Text | None
    how_many: HowMany
    n: int | None


@dataclass(frozen=True)
class CaseRow:
    """A case in a list."""

    case: Case
    unit: NamedUnit
    handed_to: NamedUnit | None
    version: Published
    owner: str | None
    cause: Cause | None
    overdue: bool
    mine: bool
    may_handle: bool


@dataclass(frozen=True)
class CaseShown:
    """One case as somebody sees it."""

    row: CaseRow
    low: Sequence[LowItem]
    #: Questions with what was written to each.
    words: Sequence[tuple[Text, Sequence[str]]]
    #: Whether words are withheld, since few answered.
    withheld: bool
    messages: Sequence[CaseMessage]
    notes: Sequence[CaseNote]
    #: Whether its citizen reads replies.
    replies: bool


@dataclass(frozen=True)
class Filters:
    """Which cases are wanted."""

    shown: Shown = Shown.WAITING
    unit: str | None = None
    cause: str | None = None
    origin: Origin | None = None
    limit: int = field(default=MOST)


def listed(
    session: Session, reach: Reach, filters: Filters, today: date
) -> tuple[Sequence[CaseRow], int]:
    """Cases that pass the filters, what is due first; and how many there are in all.

    Raises
    ------
    UnknownUnit
        Where the unit named is none of theirs.
    """
    conditions: list[ColumnElement[bool]] = [reach.condition(), _of(filters.shown, reach, today)]
    if filters.unit is not None:
        conditions.append(Case.unit_id.in_(sorted(_below(reach, filters.unit, today))))
    if filters.cause is not None:
        conditions.append(Case.cause == filters.cause)
    if filters.origin is not None:
        conditions.append(Case.origin == filters.origin)
    order = (
        (Case.closed_day.desc(), Case.id.desc())
        if filters.shown is Shown.CLOSED
        else (Case.due_day, Case.id)
    )
    found = session.scalars(select(Case).where(*conditions).order_by(*order).limit(filters.limit))
    total = session.scalar(select(func.count()).select_from(Case).where(*conditions)) or 0
    return _rows(session, reach, found.all(), today), total


@dataclass(frozen=True)
class Waiting:
    """How many cases are not closed, and how many of these are overdue."""

    open: int
    overdue: int


def waiting(session: Session, reach: Reach, unit: str | None, today: date) -> Waiting:
    """How many the list has that wait, about a unit and those below it, but for what is
    confidential: that is in no number.

    Raises
    ------
    UnknownUnit
        Where the unit named is none of theirs.
    """
    conditions = [reach.condition(), Case.confidential.is_(False)]
    if unit is not None:
        conditions.append(Case.unit_id.in_(sorted(_below(reach, unit, today))))

    def count(which: Shown) -> int:
        query = select(func.count()).select_from(Case)
        return session.scalar(query.where(*conditions, _of(which, reach, today))) or 0

    return Waiting(count(Shown.WAITING), count(Shown.OVERDUE))


def find(session: Session, reach: Reach, id: int, *, lock: bool = False) -> Case:
    """A case of theirs; with ``lock`` nobody else changes it before this transaction ends.

    Raises
    ------
    UnknownCase
        Where there is none that they may see.
    """
    query = select(Case).where(Case.id == id, reach.condition())
    case = session.scalar(query.with_for_update() if lock else query)
    if case is None:
        raise UnknownCase(id=id)
    return case


def shown(session: Session, settings: Settings, reach: Reach, id: int, today: date) -> CaseShown:
    """One case with what was written, the citizen's and the staff's.

    Raises
    ------
    UnknownCase
        Where there is none that they may see.
    """
    case = find(session, reach, id)
    (row,) = _rows(session, reach, [case], today)
    ids = _responses(session, settings, case, row.version)
    known: Sequence[Case] = ()
    if case.origin == Origin.BATCH:
        known = wishes_among(session, ids, reach.condition())
    withheld = _withholds(session, settings, reach, case, len(ids) - len(known))
    return CaseShown(
        row,
        # What misconduct is about stands in its words; the marks beside them are nobody's business.
        [] if case.origin == Origin.MISCONDUCT else _low(case, row.version, settings, known),
        [] if withheld else _words(session, case, row.version, ids),
        withheld,
        session.scalars(
            select(CaseMessage).where(CaseMessage.case_id == id).order_by(CaseMessage.id)
        ).all(),
        session.scalars(select(CaseNote).where(CaseNote.case_id == id).order_by(CaseNote.id)).all(),
        case.origin == Origin.WISH,
    )


def reading(session: Session, settings: Settings, reach: Reach, id: int, today: date) -> CaseShown:
    """The same as somebody reads it, which is logged; the session must be one that writes.

    Raises
    ------
    UnknownCase
        Where there is none that they may see.
    """
    one = shown(session, settings, reach, id, today)
    record(session, "case.read", id)
    return one


def row_of(session: Session, reach: Reach, case: Case, today: date) -> CaseRow:
    """A case as it stands in a list, for who has just dealt with it."""
    (row,) = _rows(session, reach, [case], today)
    return row


def _of(which: Shown, reach: Reach, today: date) -> ColumnElement[bool]:
    not_closed = Case.state != CaseState.CLOSED
    return {
        Shown.WAITING: not_closed,
        Shown.MINE: not_closed & (Case.owner_id == reach.account_id),
        Shown.OVERDUE: not_closed & (Case.due_day < today),
        Shown.CLOSED: Case.state == CaseState.CLOSED,
        Shown.ALL: true(),
    }[which]


def _below(reach: Reach, code: str, today: date) -> frozenset[int]:
    """The units of a code that is valid today or was, with all below them, that are theirs."""
    reads = reach.reads
    tops = [
        unit.id
        for unit in reach.units.histories.values()
        if unit.code == code and (reads is None or unit.id in reads)
    ]
    if not tops:
        raise UnknownUnit(code=code)
    return frozenset().union(*(below(reach.units, top, today) for top in tops))


def _rows(session: Session, reach: Reach, cases: Sequence[Case], today: date) -> Sequence[CaseRow]:
    versions = {version.id: version for version in published(session)}
    ids = {case.unit_id for case in cases} | {
        case.handed_to_id for case in cases if case.handed_to_id
    }
    units = {
        id: NamedUnit(code, vi, en)
        for id, code, vi, en in session.execute(
            select(Unit.id, Unit.code, Unit.name_vi, Unit.name_en).where(Unit.id.in_(ids))
        )
    }
    owners = {case.owner_id for case in cases} - {None}
    accounts = session.execute(select(Account.id, Account.name).where(Account.id.in_(owners)))
    names: Mapping[int | None, str] = {row.id: row.name for row in accounts}
    by_code = {cause.code: cause for cause in causes(session)}
    return [
        CaseRow(
            case, units[case.unit_id], units.get(case.handed_to_id or 0),
            versions[case.version_id], names.get(case.owner_id),
            # A cause that is in the list no longer is shown by its code.
            _cause(by_code, case.cause),
            case.state != CaseState.CLOSED and case.due_day < today,
            case.owner_id is not None and case.owner_id == reach.account_id,
            reach.may_handle(case),
        )
        for case in cases
    ]  # fmt: skip


def _cause(known: Mapping[str, Cause], code: str | None) -> Cause | None:
    return None if code is None else known.get(code) or Cause(code=code, vi=code, en=code)


def _responses(
    session: Session, settings: Settings, case: Case, version: Published
) -> Sequence[str]:
    if case.origin == Origin.BATCH:
        return members(session, settings, case, version)
    return session.scalars(
        select(CaseSubject.response_id).where(CaseSubject.case_id == case.id)
    ).all()


def _withholds(session: Session, settings: Settings, reach: Reach, case: Case, now: int) -> bool:
    """Whether what was written is not for them, as few stand behind it."""
    if case.origin == Origin.WISH or reach.reads_few(case.unit_id):
        return False
    if case.origin == Origin.BATCH:
        # Some may have been set aside since, or withdrawn.
        return now < settings.least_respondents
    answered = session.scalar(
        select(func.count())
        .select_from(Response)
        .where(*counted_in(case.version_id, case.month), Response.unit_id == case.unit_id)
    )
    return (answered or 0) < settings.least_respondents


def _low(
    case: Case, version: Published, settings: Settings, known: Sequence[Case]
) -> list[LowItem]:
    counted: dict[str, int] = json.loads(case.low_items)
    found: list[LowItem] = []
    rest = case.responses - len(known)
    if case.origin == Origin.BATCH and rest < settings.least_respondents:
        return found
    known_low = Counter(item for each in known for item in json.loads(each.low_items))
    for item in version.form.items:
        value = counted.get(item.code)
        if not isinstance(item, RatedItem) or not value:
            continue
        if case.origin == Origin.BATCH:
            how_many = _how_many(value - known_low[item.code], rest, settings.least_respondents)
            n = value if how_many is HowMany.NUMBER else None
            found.append(LowItem(item.code, item.text, None, how_many, n))
        else:
            levels = version.form.scales[item.scale].levels
            found.append(
                LowItem(item.code, item.text, levels[value - 1].text, HowMany.NUMBER, None)
            )
    return found


def _how_many(n: int, of: int, least: int) -> HowMany:
    if n < least:
        return HowMany.FEW
    return HowMany.NUMBER if n == of or of - n >= least else HowMany.NEARLY_ALL


def _words(
    session: Session, case: Case, version: Published, ids: Sequence[str]
) -> list[tuple[Text, Sequence[str]]]:
    by_item: dict[str, list[str]] = {}
    if case.origin == Origin.BATCH:
        apart = wordless(session, ids)
        ids = [id for id in ids if id not in apart]
    for start in range(0, len(ids), _IDS_AT_ONCE):
        rows = session.execute(
            select(ResponseText.item, ResponseText.body).where(
                ResponseText.response_id.in_(ids[start : start + _IDS_AT_ONCE]),
                ResponseText.unit_id == case.unit_id,
                ResponseText.day >= case.month,
                ResponseText.day < month_after(case.month),
            )
        )
        for item, body in rows:
            by_item.setdefault(item, []).append(body)
    return [
        (item.text, sorted(by_item[item.code], key=_shuffled))
        for item in version.form.items
        if item.code in by_item
    ]


def _shuffled(body: str) -> bytes:
    return hashlib.sha256(body.encode("utf-8", "replace")).digest()
