"""Deletes by rule what is kept no longer: counted before, in short transactions, and resumable.

First it is noted up to which day (``app.intake.retained``), with the audit log's entry and what has
to stay of late answers; from then on nothing recounts those days. Then rows go, some hundred in a
transaction, so that who answers waits for none. Whoever is killed between leaves rows that nobody
looks at, and the next run goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    String,
    Table,
    delete,
    func,
    literal,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from app.audit.log import record
from app.cases.models import Case, CaseMessage, CaseSubject
from app.clock import local_today
from app.db import Database
from app.db.locks import Lock, hold
from app.db.overwriting import overwriting
from app.dead_letters import Item, forget_old
from app.figures.late import keep_withheld
from app.intake import partitions
from app.intake.changes import forget_changes
from app.intake.models import (
    AsideResponse,
    LateResponse,
    ReceiptDated,
    ReplyCode,
    Response,
    ResponseText,
    RetentionNote,
    WithdrawnResponse,
)
from app.intake.retained import Erased, note, put_marks, retained
from app.integrity.models import State, SuspectBatch, SuspectResponse
from app.invitations.mixing import mix_answered
from app.invitations.models import Invitation, SmsMessage
from app.registry.questionnaires import Published, published
from app.retention.limits import Limits, Sort
from app.retention.withdrawing import delete_rows, settle
from app.rollups.version import raise_version
from app.settings import Settings
from app.webhooks.models import Delivery

#: Rows that go in one transaction.
_AT_ONCE = 500
#: Longest pause after one, in seconds: SQLite lets whoever waits come in between.
_PAUSE_S = 0.2
#: How an invitation is called whose case and link nobody can trace any more.
_UNTRACED = "untraced-"
_QUEUES: tuple[type[Item], ...] = (SmsMessage, Delivery)
#: What goes with a response: each has its id.
_OF_RESPONSE = (
    ResponseText, LateResponse, ReceiptDated, SuspectResponse, WithdrawnResponse, ReplyCode,
    CaseSubject,
)  # fmt: skip

#: Called with a sort and how many of it are gone since the last call.
Tell = Callable[[Sort, int], None]


@dataclass(frozen=True)
class Due:
    """How many of a sort a run would delete, and the first day that it would keep; none: all."""

    sort: Sort
    number: int
    first: date | None


@dataclass
class Deleted:
    """What a run deleted of each sort, and how many withdrawn responses left the figures."""

    numbers: dict[Sort, int] = field(default_factory=lambda: dict.fromkeys(Sort, 0))
    left_figures: int = 0
    partitions: list[str] = field(default_factory=list)


def preview(session: Session, limits: Limits) -> list[Due]:
    """What a run would delete now; nothing is changed."""
    counted: dict[Sort, tuple[tuple[type[Any], ColumnElement[bool]], ...]] = {
        Sort.TEXTS: (
            (ResponseText, ResponseText.day < (limits.texts or date.min)),
            (CaseMessage, CaseMessage.day < (limits.texts or date.min)),
        ),
        Sort.RESPONSES: ((Response, Response.day < (limits.responses or date.min)),),
        Sort.ASIDE: ((AsideResponse, _aside(limits)),),
        Sort.INVITATIONS: ((Invitation, _traceable(limits)),),
        Sort.DEAD_LETTERS: tuple((q, q.failed_at < limits.dead_letters) for q in _QUEUES),
    }
    return [
        Due(
            sort,
            sum(
                session.scalar(select(func.count()).select_from(table).where(which)) or 0
                for table, which in tables
            ),
            limits.first(sort),
        )
        for sort, tables in counted.items()
    ]


def undecided_batches(session: Session, limits: Limits) -> int:
    """How many batches are set aside in months to be deleted, and nobody has decided on them."""
    among = select(func.count()).select_from(SuspectBatch).where(
        SuspectBatch.state == State.QUARANTINED.value,
        SuspectBatch.month < (limits.responses or date.min),
        SuspectBatch.month >= retained(session).responses_from,
    )  # fmt: skip
    return session.scalar(among) or 0


def run(
    database: Database,
    settings: Settings,
    actor: str,
    *,
    now: datetime | None = None,
    tell: Tell = lambda sort, number: None,
) -> Deleted:
    """Delete what the settings say is kept no longer; what was deleted.

    Safe beside answers, recounts and other runs, and to be run again after whatever ended it.
    """
    now = now or datetime.now(UTC)
    limits = Limits.of(settings, now)
    mix_answered(database, now)
    return delete_before(database, settings, limits, actor, tell=tell)


def delete_before(
    database: Database,
    settings: Settings,
    limits: Limits,
    actor: str,
    *,
    tell: Tell = lambda sort, number: None,
) -> Deleted:
    """Delete what lies before the first days of some limits; what was deleted before stays so."""
    done = Deleted()

    def count(sort: Sort, number: int) -> None:
        done.numbers[sort] += number
        if number:
            tell(sort, number)

    _raise(database, settings, limits, actor)
    _delete_texts(database, lambda n: count(Sort.TEXTS, n))
    _delete_responses(database, lambda n: count(Sort.RESPONSES, n))
    done.partitions = _drop_partitions(database)
    for rows in _sweep(database, AsideResponse, _aside(limits)):
        count(Sort.ASIDE, rows)
    _untrace(database, limits, lambda n: count(Sort.INVITATIONS, n))
    for queue in _QUEUES:
        count(Sort.DEAD_LETTERS, forget_old(database, queue, settings.dead_letter_days))
    with database.writing(actor) as session:
        done.left_figures = settle(session, settings)
        if done.left_figures or any(done.numbers.values()):
            numbers = {sort.value: n for sort, n in done.numbers.items() if n}
            record(session, "retention.run", "all", deleted=numbers, left_figures=done.left_figures)
    return done


def _raise(database: Database, settings: Settings, limits: Limits, actor: str) -> None:
    """Note the first days that are kept from now on, and keep what has to stay of earlier ones."""
    with database.reading() as session:
        kept = retained(session)
        texts = limits.texts if limits.texts and limits.texts > kept.texts_from else None
        responses = limits.responses
        if responses is None or responses <= kept.responses_from:
            responses = None
        if texts is None and responses is None:
            return
        # Before anybody has to wait for it.
        numbers = {
            sort: session.scalar(select(func.count()).select_from(table).where(table.day < first))
            for sort, table, first in (
                (Sort.TEXTS, ResponseText, texts), (Sort.RESPONSES, Response, responses),
            )
            if first is not None
        }  # fmt: skip
    with database.writing(actor) as session:
        noted = note(session)
        if texts and (noted.texts_from is None or texts > noted.texts_from):
            noted.texts_from = texts
            if numbers[Sort.TEXTS]:
                record(session, "retention.texts", f"before {texts}", texts=numbers[Sort.TEXTS])
        if responses and (noted.responses_from is None or responses > noted.responses_from):
            _hold_off_answers(session)
            for versions in _by_questionnaire(session):
                keep_withheld(
                    session, versions, settings.least_respondents, local_today(settings.zone),
                    responses,
                )  # fmt: skip
            noted.responses_from = responses
            if number := numbers[Sort.RESPONSES]:
                record(session, "retention.responses", f"before {responses}", responses=number)
            session.flush()
            raise_version(session)  # statistics of single responses are others, or none


def _hold_off_answers(session: Session) -> None:
    """Let whoever stores answers finish, and others wait, until this transaction ends."""
    if session.connection().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE response IN SHARE ROW EXCLUSIVE MODE"))


def _by_questionnaire(session: Session) -> Sequence[Sequence[Published]]:
    found: dict[str, list[Published]] = {}
    for version in published(session):
        found.setdefault(version.form.code, []).append(version)
    return list(found.values())


def _delete_texts(database: Database, tell: Callable[[int], None]) -> None:
    with database.reading() as session:
        noted = session.get(RetentionNote, 1)
        first = None if noted is None or noted.texts_gone == noted.texts_from else noted.texts_from
    if first is None:
        return
    for table in (ResponseText, CaseMessage):
        for rows in _sweep(database, table, table.day < first):
            tell(rows)
    with database.writing() as session:
        note(session).texts_gone = first


def _delete_responses(database: Database, tell: Callable[[int], None]) -> None:
    """Delete the rows of days before the one that is noted, with all that belongs to them."""
    with database.reading() as session:
        noted = session.get(RetentionNote, 1)
        first = noted.responses_from if noted else None
        if noted is None or first is None or noted.responses_gone == first:
            return
    last = ""
    while True:
        began = time.monotonic()
        with database.writing() as session:
            hold(session.connection(), Lock.RETAINING)
            query = select(Response.id).where(Response.day < first)
            if last:
                query = query.where(Response.id > last)
            ids = session.scalars(query.order_by(Response.id).limit(_AT_ONCE)).all()
            if ids:
                erase(session, ids, Erased.RETENTION)
        if not ids:
            break
        last = ids[-1]
        tell(len(ids))
        time.sleep(min(time.monotonic() - began, _PAUSE_S))
    with database.writing() as session:
        note(session).responses_gone = first


def erase(session: Session, ids: Sequence[str], why: Erased) -> None:
    """Delete responses with all that belongs to them, and leave their marks; cells stay."""
    with overwriting(session):
        # A case of one response has her marks.
        of_one = select(CaseSubject.case_id).where(CaseSubject.response_id.in_(ids))
        session.execute(
            update(Case).where(Case.id.in_(of_one)).values(low_items="{}"),
            execution_options={"synchronize_session": False},
        )
        delete_rows(session, ids, _OF_RESPONSE)
        forget_changes(session, ids)
    put_marks(session, ids, why)


def _drop_partitions(database: Database) -> list[str]:
    with database.reading() as session:
        noted = session.get(RetentionNote, 1)
        first = noted.responses_gone if noted else None
    if first is None or database.locks_whole_database:
        return []
    return partitions.drop_empty(database, first)


def _aside(limits: Limits) -> ColumnElement[bool]:
    return AsideResponse.received_at < (limits.aside or datetime(1, 1, 2, tzinfo=UTC))


def _traceable(limits: Limits) -> ColumnElement[bool]:
    first = limits.invitations or date.min
    return (Invitation.finished_on < first) & Invitation.number.not_like(f"{_UNTRACED}%")


def _untrace(database: Database, limits: Limits, tell: Callable[[int], None]) -> None:
    """Forget of which case and link an invitation is; the unit, the day and whether it was used
    are what response rates are computed from, and stay.
    """
    untraced = literal(_UNTRACED) + sql_cast(Invitation.id, String)
    while True:
        began = time.monotonic()
        with database.writing() as session:
            some = select(Invitation.id).where(_traceable(limits)).limit(_AT_ONCE)
            ids = session.scalars(some).all()
            session.execute(
                update(Invitation)
                .where(Invitation.id.in_(ids))
                .values(number=untraced, token_hash=untraced, case_hash=untraced, procedure=None),
                execution_options={"synchronize_session": False},
            )
        if not ids:
            return
        tell(len(ids))
        time.sleep(min(time.monotonic() - began, _PAUSE_S))


def _sweep(database: Database, table: type[Any], which: ColumnElement[bool]) -> Iterator[int]:
    """Delete the rows of a table that a condition holds of, in one pass; how many each time."""
    keys = tuple(cast(Table, table.__table__).primary_key.columns)
    last: tuple[Any, ...] | None = None
    while True:
        began = time.monotonic()
        with database.writing() as session:
            query = select(*keys).where(which)
            if last is not None:
                after = (literal(v, key.type) for v, key in zip(last, keys, strict=True))
                query = query.where(tuple_(*keys) > tuple_(*after))
            found = [tuple(row) for row in session.execute(query.order_by(*keys).limit(_AT_ONCE))]
            if found:
                with overwriting(session):
                    session.execute(
                        delete(table).where(tuple_(*keys).in_(found)),
                        execution_options={"synchronize_session": False},
                    )
        if not found:
            return
        last = found[-1]
        yield len(found)
        time.sleep(min(time.monotonic() - began, _PAUSE_S))
