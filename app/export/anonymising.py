"""Makes quarters anonymous: reads their responses, has them labelled, keeps rows that may leave.

A quarter is made when somebody first wants it, some days after its end, and then stands: what comes
later, is set aside or withdrawn changes nothing of it, and neither does who asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from analysis.anonymity import LEFT_OUT, MISSING
from app.access.callers import owner
from app.audit.log import record
from app.db import Database, locks
from app.export.anonymous_columns import (
    AnonymousColumns,
    Fact,
    anonymous_columns,
)
from app.export.anonymous_table import stored, table_of
from app.export.arrow import pa, pc
from app.export.columns import INDEX
from app.export.reading import DecodedSheets, places_of, spread
from app.export.rows import ids_of, read_rows
from app.export.selection import Wish, select_responses
from app.figures.anonymous import Attribute, People, anonymise, placed_of
from app.figures.models import AnonymousQuarter
from app.figures.periods import Span, Step, label, ordinals, span
from app.figures.placed_sums import earlier_of, packed
from app.figures.release import ReleaseRule, find_unreleased
from app.figures.visible import span as days_of_answers
from app.figures.visible import structure
from app.importing.models import ResponseImport
from app.intake.models import Response
from app.intake.retained import retained
from app.registry.questionnaires import Published, versions_of
from app.rollups.cells import layout_of
from app.rollups.measure_counts import counts_by_measure, measures_of_all
from app.settings import Settings

Ints = NDArray[np.int64]
#: So long after the last response of a quarter came it is made: until then an import may be at it,
#: of which each file and each 500 rows are stored by themselves.
QUIET = timedelta(days=1)
#: Responses whose measures are counted together.
_COUNTED_AT_ONCE = 2_000


#: Of one process one thread makes quarters: several would only make the same ones.
_MAKING = Lock()


@dataclass(frozen=True)
class _Made:
    """A quarter that was made."""

    quarter: str
    rows: int
    left_out: int
    content: bytes
    placed: bytes


def make_missing(database: Database, settings: Settings, questionnaire: str, now: datetime) -> None:
    """Make the quarters of a questionnaire that are over and not made yet.

    Raises
    ------
    UnknownQuestionnaire
        Where there is none.
    """
    with database.reading() as session:
        versions = versions_of(session, questionnaire)
        if not _missing(session, settings, versions, ReleaseRule.of(settings).today, now):
            return
    with _MAKING:  # who waited finds them made
        _make_and_store(database, settings, questionnaire, now)


def _make_and_store(
    database: Database, settings: Settings, questionnaire: str, now: datetime
) -> None:
    release_rule = ReleaseRule.of(settings)
    # Of answers that come meanwhile rows and figures must both know, or neither.
    with database.reading_one_moment() as session:
        versions = versions_of(session, questionnaire)
        quarters = _missing(session, settings, versions, release_rule.today, now)
        if not quarters:
            return
        made = _make(session, settings, versions, release_rule, quarters)
    if not made:
        return
    with database.writing("hailong") as session:
        locks.hold(session.connection(), locks.Lock.ANONYMISING)
        if {each.quarter for each in made} & set(_quarters(session, questionnaire)):
            # Another process has made some meanwhile: they stand, and what else there is was
            # looked at beside others, so that it is made anew by who comes next.
            return
        for each in made:
            session.add(
                AnonymousQuarter(
                    questionnaire=questionnaire, quarter=each.quarter, made_at=now,
                    least=settings.anonymous_least, rows=each.rows, left_out=each.left_out,
                    content=each.content, placed=each.placed,
                )
            )  # fmt: skip
            record(
                session, "responses.anonymise", questionnaire, quarter=each.quarter,
                rows=each.rows, least=settings.anonymous_least,
            )  # fmt: skip


def _quarters(session: Session, questionnaire: str) -> Sequence[str]:
    query = select(AnonymousQuarter.quarter)
    return session.scalars(query.where(AnonymousQuarter.questionnaire == questionnaire)).all()


def _missing(
    session: Session,
    settings: Settings,
    versions: Sequence[Published],
    today: date,
    now: datetime,
) -> list[Span]:
    """Quarters that have answers, are over, wholly kept, not made yet, and to which none come."""
    known = days_of_answers(session)
    if known is None:
        return []
    first, last = np.array(known, dtype="datetime64[D]")
    begin, end = (int(ordinals(np.array([day]), Step.QUARTER)[0]) for day in (first, last))
    made = set(_quarters(session, versions[0].form.code))
    spans = [span(label(each, Step.QUARTER)) for each in range(begin, end + 1)]
    kept_from = retained(session).responses_from
    over = today - timedelta(days=settings.anonymous_after_days)
    found = [
        each for each in spans
        if each.name not in made and each.last < over and each.first >= kept_from
    ]  # fmt: skip
    if not found or _is_importing(session, now):
        return []
    still = _quarters_to_which_come(session, versions, now - QUIET)
    return [each for each in found if each.name not in still]


def _is_importing(session: Session, now: datetime) -> bool:
    """Whether a file of responses is being stored; one that is broken off is waited for a day."""
    query = select(ResponseImport.id).where(
        ResponseImport.ended_at.is_(None), ResponseImport.begun_at > now - QUIET
    )
    return session.scalar(query.limit(1)) is not None


def _quarters_to_which_come(
    session: Session, versions: Sequence[Published], since: datetime
) -> set[str]:
    """The quarters of responses that came since a moment."""
    days = session.scalars(
        select(Response.day)
        .where(
            Response.received_at > since,
            Response.version_id.in_([each.id for each in versions]),
        )
        .distinct()
    ).all()
    numbers = ordinals(np.array(days, dtype="datetime64[D]"), Step.QUARTER)
    return {label(each, Step.QUARTER) for each in np.unique(numbers).tolist()}


def _make(
    session: Session,
    settings: Settings,
    versions: Sequence[Published],
    release_rule: ReleaseRule,
    quarters: Sequence[Span],
) -> list[_Made]:
    unreleased = find_unreleased(session, versions, release_rule, frozenset())
    late = unreleased.late if unreleased is not None else frozenset()
    parts = []
    for each in quarters:
        wish = Wish(versions[0].form.code, first=each.first, last=each.last)
        parts.append(_responses(session, wish, late))
    rows = pa.Table.from_batches(list(chain.from_iterable(parts))).combine_chunks()
    if not rows.num_rows:
        return []
    (batch,) = rows.to_batches(max_chunksize=rows.num_rows)
    columns = anonymous_columns(versions, settings.anonymous_opinions)
    answers = {id: DecodedSheets(_of(versions, id), batch["packed"].take(at))
               for id, at in places_of(batch).items()}  # fmt: skip
    values = _values(columns, batch, answers)
    people = _people(versions, batch)
    # Numbers last: their classes become as narrow as they can be, and leave no room for others.
    facts = sorted(columns.facts.items(), key=lambda each: bool(each[1].bounds))
    attributes = {name: _attribute(fact, values) for name, fact in facts}
    found = anonymise(
        session, versions, release_rule, people, attributes,
        earlier_of(session, versions[0].form.code), settings.anonymous_least,
    )  # fmt: skip
    tree = structure(session, release_rule.today).tree
    measures = list(measures_of_all(versions))
    table = table_of(versions, columns, values, people, found, tree)
    made = []
    for each in quarters:
        among = people.quarter == each.name
        if not among.any():
            continue  # whatever came of it may still be on its way
        among_rows = np.flatnonzero(among & (found.group != LEFT_OUT))
        placed = placed_of(people, found, among_rows, measures)
        made.append(
            _Made(
                each.name,
                len(among_rows),
                int(among.sum()) - len(among_rows),
                stored(table.take(pa.array(among_rows))),
                packed(placed),
            )
        )
    return made


def _of(versions: Sequence[Published], id: int) -> Published:
    return next(each for each in versions if each.id == id)


def _responses(session: Session, wish: Wish, late: frozenset[str]) -> list[pa.RecordBatch]:
    """Counted responses of some days, less those of which strangers are not told."""
    selection = select_responses(session, owner("hailong"), wish)
    after: str | None = ""
    found = []
    while after is not None:
        read = read_rows(session, selection, after)
        of_late = [id in late for id in ids_of(read.rows)]
        found.append(read.rows.filter(pc.invert(pa.array(of_late, pa.bool_()))))
        after = read.last
    return found


def _values(
    columns: AnonymousColumns, rows: pa.RecordBatch, answers: Mapping[int, DecodedSheets]
) -> dict[str, pa.Array]:
    """What was answered, by column, before anything is withheld."""
    places = places_of(rows)
    values = {
        name: spread(rows.num_rows, places, {id: each.index[n] for id, each in answers.items()})
        for n, (name, _) in enumerate(INDEX)
    }
    for name, source in columns.sources.items():
        parts = {id: each.of(source) for id, each in answers.items() if id in source.versions}
        values[name] = spread(rows.num_rows, places, parts)
    return values


def _people(versions: Sequence[Published], rows: pa.RecordBatch) -> People:
    days = rows["day"].to_numpy(zero_copy_only=False).astype("datetime64[D]")
    numbers, where = np.unique(ordinals(days, Step.QUARTER), return_inverse=True)
    quarters = np.array([label(each, Step.QUARTER) for each in numbers.tolist()])
    answered = np.zeros((rows.num_rows, len(measures_of_all(versions))), dtype=np.bool_)
    for id, at in places_of(rows).items():
        version, place = _of(versions, id), at.to_numpy()
        records = rows["packed"].take(at).to_pylist()
        for start in range(0, len(records), _COUNTED_AT_ONCE):
            some = records[start : start + _COUNTED_AT_ONCE]
            cells = layout_of(version).tally(some, np.arange(len(some)), len(some), None)
            counts = counts_by_measure(versions, version, cells)
            answered[place[start : start + len(some)]] = counts > 0
    number = {each.id: each.form.version for each in versions}
    return People(
        rows["unit_id"].to_numpy().astype(np.int64),
        quarters[where],
        np.datetime_as_string(days, unit="M"),
        np.array(rows["channel"].to_pylist(), dtype=np.str_),
        np.array([number[id] for id in rows["version_id"].to_pylist()], dtype=np.int64),
        answered,
    )


def _attribute(fact: Fact, values: Mapping[str, pa.Array]) -> Attribute:
    """A fact as one number a person."""
    if fact.bounds:
        (name, _), *_ = fact.columns
        numbers = values[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
        return Attribute(fact.classes(numbers), in_order=True)
    found: Ints = np.full(len(values[fact.columns[0][0]]), MISSING, dtype=np.int64)
    for name, option in fact.columns:
        given = values[name].is_valid().to_numpy(zero_copy_only=False)
        number = pc.fill_null(values[name].cast(pa.int64()), 0).to_numpy()
        if option is None:
            found = np.where(given, number, found)
        else:
            found = np.where(given, np.maximum(found, 0) | number << (option - 1), found)
    return Attribute(found)
