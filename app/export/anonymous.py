"""Anonymised responses out: to whom, of which units and quarters, and with which codebook."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from app.access import scope
from app.access.callers import Caller, owner
from app.access.doors import RightMissing
from app.access.models import Right
from app.audit.log import record
from app.db import Database
from app.export.anonymising import make_missing
from app.export.anonymous_columns import WITHHELD, WITHHELD_TEXT, anonymous_columns
from app.export.arrow import pa, pc
from app.export.codebook import Anonymity, Codebook, Generalised
from app.export.columns import described
from app.export.formats import Format
from app.export.labelled import check_memory
from app.figures import periods
from app.figures.models import AnonymousQuarter
from app.messages import LANGUAGES
from app.registry.queries import is_synthetic
from app.registry.questionnaires import versions_of
from app.settings import Settings


@dataclass(frozen=True)
class AnonymousWish:
    """What is wanted of anonymised responses: units, each with all below, and whole quarters."""

    questionnaire: str
    units: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class AnonymousRows:
    """Anonymised responses that a caller may have, with their codebook."""

    table: pa.Table
    book: Codebook


def right_of(caller: Caller) -> Right:
    """By which right somebody has anonymised responses: who may have single ones has these.

    Raises
    ------
    RightMissing
        Where they have neither.
    """
    for right in (Right.READ_ANONYMOUS, Right.READ_RESPONSES):
        if right in caller.rights:
            return right
    raise RightMissing(right=Right.READ_ANONYMOUS)


def prepare_anonymous(
    database: Database,
    settings: Settings,
    caller: Caller,
    wish: AnonymousWish,
    form: Format,
    language: str,
    now: datetime,
    *,
    logged_as: str = "",
) -> AnonymousRows:
    """Look at a wish, make what is not made yet, and put into the audit log that it is read.

    ``logged_as`` stands there for the format, of a preview.

    Raises
    ------
    Problem
        Where the wish is wrong, or the format takes more memory than it is given.
    """
    right = right_of(caller)
    periods.check(wish.first, wish.last)
    with database.reading() as session:
        tree = scope.units(session, caller, right)
        wanted = set(tree.nodes)
        if wish.units:
            wanted = {id for code in wish.units for id in tree.below(tree.find(code).id)}
        of_all = wanted >= set(scope.units(session, owner("hailong"), right).nodes)
    make_missing(database, settings, wish.questionnaire, now)
    with database.reading() as session:
        versions = versions_of(session, wish.questionnaire)
        columns = anonymous_columns(versions, settings.anonymous_opinions)
        quarters = _quarters(session, wish)
        synthetic = is_synthetic(session)
    parts = [_read(each, columns.schema, wanted) for each in quarters]
    table = pa.concat_tables([columns.schema.empty_table(), *parts])
    check_memory(form, table.num_rows, len(columns.schema), settings.export_memory_mb)
    newest = max(versions, key=lambda each: each.form.version).form
    book = Codebook(
        schema=columns.schema,
        format=form,
        language=language,
        title={at: newest.title.in_language(at) for at in LANGUAGES},
        source={at: newest.source.in_language(at) for at in LANGUAGES},
        questionnaire=wish.questionnaire,
        versions=tuple(sorted(each.form.version for each in versions)),
        units=wish.units,
        first=wish.first,
        last=wish.last,
        channels=(),
        aside=False,
        texts=False,
        kept_from=date.min,
        made_at=now.astimezone(settings.zone),
        synthetic=synthetic,
        rows=table.num_rows,
        anonymity=Anonymity(
            least=min((each.least for each in quarters), default=settings.anonymous_least),
            quarters=tuple(each.quarter for each in quarters),
            left_out=sum(each.left_out for each in quarters) if of_all else None,
            columns=tuple(_generalised(table, columns.quasi_identifiers)),
        ),
    )
    with database.writing(caller.name) as session:
        record(
            session,
            "responses.export_anonymous",
            wish.questionnaire,
            format=logged_as or form.value,
            units=sorted(wish.units) or None,
            first_day=wish.first,
            last_day=wish.last,
            responses=table.num_rows,
        )
    return AnonymousRows(table, book)


def _quarters(session: Session, wish: AnonymousWish) -> Sequence[AnonymousQuarter]:
    """The quarters that lie wholly within the days that are wanted."""
    of_form = AnonymousQuarter.questionnaire == wish.questionnaire
    found = []
    for name in session.scalars(select(AnonymousQuarter.quarter).where(of_form)):
        days = periods.span(name)
        after = wish.first is None or wish.first <= days.first
        if after and (wish.last is None or days.last <= wish.last):
            found.append(name)
    query = (
        select(AnonymousQuarter)
        .where(of_form, AnonymousQuarter.quarter.in_(found))
        .options(defer(AnonymousQuarter.placed, raiseload=True))
        .order_by(AnonymousQuarter.quarter)
    )
    return session.scalars(query).all()


def _read(quarter: AnonymousQuarter, schema: pa.Schema, wanted: set[int]) -> pa.Table:
    """The rows of some units, in the columns of today's versions."""
    stored = pa.parquet.read_table(io.BytesIO(quarter.content))
    stored = stored.filter(pc.is_in(stored["unit_id"], pa.array(sorted(wanted), pa.int64())))
    arrays = []
    for column in schema:
        name = _stored_name(stored.schema, column)
        if name is None:
            arrays.append(pa.nulls(stored.num_rows, column.type))
        else:
            arrays.append(stored[name].cast(column.type))
    return pa.table(arrays, schema=schema)


def _stored_name(stored: pa.Schema, column: pa.Field) -> str | None:
    """Under which name a quarter has a column: later versions may have given it another.

    An item's column is the one of the same versions; others have the same name.
    """
    what = described(column)
    if not what.item:
        return column.name if column.name in stored.names else None
    for each in stored:
        if each.name == "unit_id" or each.type != column.type:
            continue
        said = described(each)
        if (
            (said.item, said.role, said.option) == (what.item, what.role, what.option)
            and set(said.versions) & set(what.versions)
        ):  # fmt: skip
            return str(each.name)
    return None


def _generalised(table: pa.Table, names: Sequence[str]) -> Iterator[Generalised]:
    """Of each column that others may know, in how many rows its value is withheld."""
    for name in names:
        column = table[name]
        if name in ("channel", "version"):
            withheld = column.null_count
        elif name == "unit_extent":
            withheld = pc.sum(pc.equal(column, "remainder")).as_py() or 0
        elif pa.types.is_string(column.type):
            withheld = pc.sum(pc.equal(column, WITHHELD_TEXT)).as_py() or 0
        else:
            withheld = pc.sum(pc.equal(column, WITHHELD)).as_py() or 0
        yield Generalised(name, int(withheld))
