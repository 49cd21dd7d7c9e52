"""What a digest says of a unit: one figure, what moved and is real, what to do first, what waits.

Figures are those of the unit's page in the month that is over, with small cells hidden whoever
reads them: a mail leaves the house. What moved is what the product calls real: a change that is
more than chance among all units of the kind, a mark of the trend's control limits. Where answers
are doubted nothing good is said of the unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import scope
from app.access.callers import Caller, Grant
from app.access.models import Account, Right
from app.access.roles import HEADING, RIGHTS, Role
from app.cases import shown
from app.cases.reach import Reach
from app.figures import visible
from app.figures.doubts import Doubt
from app.figures.periods import Length, Step, name_of
from app.figures.query import StructureOf
from app.figures.release import publishing
from app.figures.trend_results import Variation
from app.messages.words import Words
from app.registry.models import Unit
from app.registry.queries import UnknownUnit
from app.reports import aside_sentences, change_sentences, sentences, served
from app.reports.charts.trend_chart import signal
from app.reports.views.context import Chosen, NothingToShow, UnknownKind, ViewContext
from app.reports.views.items import importance
from app.reports.views.results import Changed, Headline, Importance, ItemRow, Units
from app.reports.views.trend import trend
from app.reports.views.unit import doubts, headline
from app.reports.views.units import units
from app.rollups.conduct import HASTY_S
from app.settings import Settings

#: Units, factors and questions that a sentence names, and units that a mail is about at most.
_NAMED, _FACTORS, _QUESTIONS, MOST_UNITS = 3, 2, 2, 10


@dataclass(frozen=True)
class Reader:
    """Who reads: as whom figures are given, in which language, about which units."""

    name: str
    caller: Caller
    words: Words
    #: Codes of units; None for all units of the caller together.
    units: Sequence[str | None]


@dataclass(frozen=True)
class Line:
    """A sentence, and where it leads to."""

    text: str
    link: str | None = None


@dataclass(frozen=True)
class Part:
    """What is said under one heading."""

    heading: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Section:
    """What is said of one unit."""

    unit: str
    #: The rate, or – where none is told; beside what.
    figure: str
    parts: Sequence[Part]
    link: str
    synthetic: bool


@dataclass(frozen=True)
class Digest:
    """A mail's content."""

    reader: Reader
    month: date
    sections: Sequence[Section]

    @property
    def period(self) -> str:
        """The month's name as links carry it."""
        return name_of(self.month, Length.MONTH)


def reader_of(session: Session, account: Account, caller: Caller, words: Words) -> Reader:
    """An account as a reader: of the units that its roles head or watch, each once."""
    codes: dict[str | None, None] = {}
    for grant in account.grants:
        if grant.role in HEADING:
            unit = session.get(Unit, grant.unit_id) if grant.unit_id is not None else None
            codes[unit.code if unit is not None else None] = None
    return Reader(account.name, caller, words, list(codes))


def head_of(session: Session, code: str, words: Words) -> Reader:
    """Whoever heads a unit, as a reader, be there anybody or not.

    Raises
    ------
    UnknownUnit
        Where there is no such unit.
    """
    id = session.scalar(
        select(Unit.id).where(Unit.code == code).order_by(Unit.valid_from.desc()).limit(1)
    )
    if id is None:
        raise UnknownUnit(code=code, field="unit")
    grant = Grant(RIGHTS[Role.UNIT_HEAD], id)
    return Reader(words("role.unit-head"), Caller("preview", (grant,)), words, [code])


def gather(session: Session, settings: Settings, reader: Reader, month: date) -> Digest:
    """What a reader is told of a month; no sections where there is nothing to tell of any unit."""
    found = []
    for code in reader.units[:MOST_UNITS]:
        context = _context(session, settings, reader, code, month)
        if context is not None:
            found.append(_section(settings, reader, context))
    return Digest(reader, month, found)


def _context(
    session: Session, settings: Settings, reader: Reader, code: str | None, month: date
) -> ViewContext | None:
    """What a unit's part is about; None where the unit was no more, or there is nothing to show.

    A unit that ended since the month is shown as it was then.
    """
    caller, period = publishing(reader.caller), name_of(month, Length.MONTH)
    for structure in (StructureOf.TODAY, StructureOf.THEN):
        chosen = Chosen(code, None, period, structure=structure)
        try:
            found = ViewContext.of(session, caller, settings, chosen)
        except (UnknownUnit, NothingToShow, UnknownKind):
            continue
        return None if _had_ended(found, month) else found
    return None


def _had_ended(context: ViewContext, month: date) -> bool:
    """Whether the unit was no more when a month began: whoever headed it is not written to."""
    if context.unit is None:
        return False
    histories = visible.units_of_all_times(context.figures.session).histories
    history = histories.get(context.unit.id)
    return history is not None and history.last_day is not None and history.last_day < month


def _section(settings: Settings, reader: Reader, context: ViewContext) -> Section:
    view = headline(context)
    words = served.about(reader.words, view)
    doubtful = doubts(context)
    said = view.index.headline
    known = said.low is not None and not view.index.suppressed
    parts = [Part(words("digest.rate"), [Line(each) for each in _rate(words, view, doubtful)])]
    if known:
        moved = _moved(words, context, view, doubtful)
        parts.append(Part(words("digest.moved"), [Line(each) for each in moved]))
        first = [words("digest.first_look")] if doubtful else _first(words, importance(context))
        parts.append(Part(words("digest.first"), [Line(each) for each in first]))
    base = (settings.public_url or "").rstrip("/")
    parts += _cases(words, context, reader, base)
    parts += _comments(words, context, reader, base) if known else []
    query = {"unit": context.unit.code if context.unit else None, "period": context.span.name,
             "questionnaire": context.questionnaire}  # fmt: skip
    if context.figures.regrouping.structure.day != context.today:
        query["structure"] = str(StructureOf.THEN)
    board = "unit" if context.unit else "overview"
    return Section(
        unit=words.unit(view.unit),
        figure=words.percent(said.estimate) if known else "",
        parts=parts,
        link=f"{base}/dashboard/{board}?{_query(query)}",
        synthetic=view.synthetic,
    )


def _query(parts: Mapping[str, str | None]) -> str:
    return urlencode({name: each for name, each in parts.items() if each})


def _rate(words: Words, view: Headline, doubtful: Sequence[Doubt]) -> list[str]:
    """The one figure with its interval, and what is aside; that it is doubted comes first."""
    said = [_doubted(words, each) for each in dict.fromkeys(map(_kind, doubtful))]
    # The first sentence is of interval and target; what follows stands on the page.
    aside = aside_sentences.here(words, view.aside)
    return [*said, *sentences.index(words, view)[:1], *aside]


def _kind(doubt: Doubt) -> bool:
    return doubt is Doubt.SUSPECTED


def _doubted(words: Words, suspected: bool) -> str:
    key = "tell.look_suspected_here" if suspected else "tell.look_first_here"
    return words(key, seconds=HASTY_S)


def _moved(
    words: Words, context: ViewContext, view: Headline, doubtful: Sequence[Doubt]
) -> list[str]:
    """What changed by more than chance; one sentence that says so where nothing did."""
    said, previous = [], view.index.previous
    told = previous.fixed_mix or previous
    if previous.discovery and not (doubtful and (told.estimate or 0.0) > 0):
        said.append(change_sentences.moved(words, previous, told, words("tell.than_previous")))
    said += _marks(words, context, doubtful)
    compared = units(context, judged=False) if context.kind else None
    if compared is not None:
        said += _changed(words, "tell.units_fell", compared.fell)
        doubted = {row.unit.code for row in compared.rows if row.doubts}
        rose = [row for row in compared.rose if row.unit.code not in doubted]
        said += _changed(words, "tell.units_rose", rose)
    if said:
        return said
    beside = _has_other(view, compared)
    return [words("digest.nothing_moved" if beside else "digest.nothing_beside")]


def _has_other(view: Headline, compared: Units | None) -> bool:
    """Whether there is a month before to compare with, of the unit or of any below it."""
    return view.index.previous.low is not None or bool(compared and compared.compared)


def _marks(words: Words, context: ViewContext, doubtful: Sequence[Doubt]) -> list[str]:
    """By which rules the trend's control limits mark the month."""
    found = trend(context)
    if found is None or found.step != Step.MONTH or not found.points:
        return []
    last = found.points[-1]
    if last.period != context.span.name or not last.signals:
        return []
    if last.variation is Variation.IMPROVEMENT and doubtful:
        return []
    good = last.variation is Variation.IMPROVEMENT
    rules = "; ".join(signal(words, rule) for rule in last.signals)
    return [words("digest.marked_better" if good else "digest.marked_worse", rules=rules)]


def _changed(words: Words, key: str, rows: Sequence[Changed]) -> list[str]:
    if not rows:
        return []
    names = ", ".join(words.unit(row.unit) for row in rows[:_NAMED])
    if len(rows) > _NAMED:
        names = words("tell.and_more", units=names, n=len(rows) - _NAMED)
    return [words(key, n=len(rows), units=names)]


def _first(words: Words, view: Importance) -> list[str]:
    """Which factors and questions to improve first; that none is told apart, where none is."""
    wanted = sentences.to_improve(view)
    if not wanted:
        return [words("digest.first_none")]
    names = {row.factor: words.name(row.name) for row in view.factors}
    factors = "; ".join(f"{code}. {names.get(code, '')}" for code in wanted[:_FACTORS])
    said = [words("digest.first_factors", factors=factors)]
    rows: Sequence[ItemRow] = sentences.lowest_items(view)[:_QUESTIONS]
    if rows:
        items = "; ".join(f"{row.item}. {words.name(row.name)}" for row in rows)
        said.append(words("digest.first_items", items=items))
    return said


def _cases(words: Words, context: ViewContext, reader: Reader, base: str) -> list[Part]:
    """How many cases wait, as the list has them; nothing for who may not see them."""
    session, caller, node = context.figures.session, reader.caller, context.unit
    if node is None or not scope.covers(session, caller, Right.READ_CASES, node.id):
        return []
    reach = Reach.of_caller(session, caller, context.today)
    found = shown.waiting(session, reach, node.code, context.today)
    if not found.open:
        return [Part(words("digest.cases"), [Line(words("digest.no_cases"))])]
    said = words(
        "digest.cases_open", n=words.number(found.open), overdue=words.number(found.overdue)
    )
    link = f"{base}/cases?{_query({'unit': node.code})}"
    return [Part(words("digest.cases"), [Line(said, link)])]


def _comments(words: Words, context: ViewContext, reader: Reader, base: str) -> list[Part]:
    """Where comments of the month are to be read, for who may; none of them stands here."""
    session, node = context.figures.session, context.unit
    if node is None or not scope.covers(session, reader.caller, Right.READ_COMMENTS, node.id):
        return []
    query = {"unit": node.code, "month": context.span.name, "questionnaire": context.questionnaire}
    link = f"{base}/dashboard/comments?{_query(query)}"
    return [Part(words("digest.comments"), [Line(words("digest.comments_three"), link)])]


def month_over(today: date) -> date:
    """The first day of the last month that is over."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)
