"""What respondents wrote, by unit, month and theme; every reading is logged.

A comment is shown with its unit, questionnaire, month and themes, never with its response, day or
hour, and in an order that tells nothing: who stood at the desk on Tuesday is not to be told from
it. Themes and words that are looked for are in the texts themselves, so that a filter by them tells
whoever sees these nothing new; of what is withheld no filter tells anything
(``app.figures.comment_reading``), nor of its writer more than ``app.figures.comment_classes``
allows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.audit.log import record
from app.db import Database
from app.figures.comment_reading import (
    Place,
    Texts,
    Written,
    find_place,
    read_kinds,
    read_texts,
)
from app.figures.comment_results import Comment, Comments, Contentment, ThemeOut
from app.figures.periods import Length, Span, check, span
from app.figures.release import ReleaseRule
from app.figures.results import unit_result
from app.intake.retained import retained
from app.problems import FieldError, InvalidFields
from app.text_keys import TextKeys
from app.themes.finding import Finding
from app.themes.model import Tone
from app.themes.spelling import Search
from app.themes.versions import Sorter, in_force

#: Comments of a page.
PAGE_SIZE = 50
#: Months that are read at the most.
MOST_MONTHS = 24
#: What narrows comments besides units, questionnaires and months.
FILTERS = ("channel", "contentment", "item", "search", "theme", "tone")
_PRAISE_FIRST = (Tone.PRAISE, Tone.BLAME, Tone.NEUTRAL)


@dataclass(frozen=True)
class CommentQuery:
    """Which comments are wanted; the HTTP route documents each field."""

    #: The first month, and the last one if it is another.
    month: str
    to: str | None = None
    units: Sequence[str] = ()
    descendants: bool = True
    questionnaire: str | None = None
    item: str | None = None
    theme: str | None = None
    tone: Tone | None = None
    contentment: Contentment | None = None
    channel: str | None = None
    search: str = ""
    #: The day in whose tree of units they are shown; None for today's.
    structure: date | None = None
    #: Whether praise stands before blame, and both before what is neither.
    praise_first: bool = False
    page: int = 1

    @property
    def days(self) -> Span:
        """The days of the months, the first and the last included.

        Raises
        ------
        PeriodInvalid
            Where the last month comes before the first.
        InvalidFields
            Where there are too many.
        """
        begin, end = span(self.month), span(self.to or self.month)
        check(begin.first, end.last)
        months = 12 * (end.first.year - begin.first.year) + end.first.month - begin.first.month + 1
        if months > MOST_MONTHS:
            values = {"most": MOST_MONTHS}
            error = FieldError("to", "comments.too_many_months", values, kind="parameter")
            raise InvalidFields(errors=[error], count=1)
        return Span(f"{begin.first}..{end.last}", Length.DAYS, begin.first, end.last)

    @property
    def filters(self) -> list[str]:
        """Which filters it has, for the audit log: not what was looked for, which may be a name."""
        return [name for name in FILTERS if getattr(self, name)]


@dataclass(frozen=True)
class Sorted:
    """A text with its themes."""

    written: Written
    finding: Finding

    @property
    def order(self) -> tuple[str, str, str, bytes]:
        """By unit and question, then as chance has it."""
        each = self.written
        shuffled = hashlib.sha256(each.body.encode("utf-8", "replace")).digest()
        return each.node.code, each.questionnaire, each.item, shuffled

    def result(self) -> Comment:
        """As it is handed out."""
        each = self.written
        return Comment(
            unit=unit_result(each.node),
            questionnaire=each.questionnaire,
            month=each.month,
            item=each.item,
            body=each.body,
            themes=[ThemeOut(theme=found.theme, tone=found.tone) for found in self.finding.themes],
            tone=self.finding.tone,
        )


def read(
    database: Database,
    caller: Caller,
    query: CommentQuery,
    *,
    release_rule: ReleaseRule,
    keys: TextKeys,
) -> Comments:
    """A page of the comments that are wanted, of all that the caller may read.

    They stand at the units of today, or of the day that ``query.structure`` names: at an undivided
    row where nobody knows at which, at the unit above where shares divide it. That they were read
    is in the audit log before they are handed out.

    Raises
    ------
    UnknownUnit
        Where a unit is not there, or not the caller's.
    InvalidFields, PeriodInvalid
        Where the months are too many, or reversed.
    """
    with database.reading() as session:
        found = find(session, caller, query, release_rule=release_rule, keys=keys)
    with database.writing(caller.name) as session:
        log_reading(session, query, found.comments, query.filters)
    return found


def find(
    session: Session,
    caller: Caller,
    query: CommentQuery,
    *,
    release_rule: ReleaseRule,
    keys: TextKeys,
) -> Comments:
    """What ``read`` hands out; whoever hands it out logs it."""
    place = place_of(session, caller, query, release_rule)
    found, indistinct, texts, sorter = _filtered(session, place, query, release_rule, keys)
    if query.praise_first:
        found.sort(key=lambda each: _PRAISE_FIRST.index(each.finding.tone))
    pages = max(1, ceil(len(found) / PAGE_SIZE))
    page = min(query.page, pages)
    return Comments(
        month=query.month,
        to=query.to or query.month,
        themes_version=sorter.number,
        few=texts.few,
        waiting=texts.waiting,
        indistinct=indistinct,
        kept_since=_kept_since(session, query.days),
        found=len(found),
        page=page,
        pages=pages,
        comments=[each.result() for each in found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]],
    )


def _kept_since(session: Session, days: Span) -> date | None:
    """The first day whose texts are kept, if some days are before it.

    How many there were is told to nobody, nor is it known: of what was deleted by rule or by wish
    nothing stays that says of which unit it was.
    """
    first = retained(session).texts_from
    return first if days.first < first else None


def log_reading(
    session: Session, query: CommentQuery, shown: Sequence[Comment], filters: Sequence[str]
) -> None:
    """Put into the audit log which units' comments were read, by which filters, and how many."""
    to = query.to or query.month
    record(
        session,
        "comments.read",
        query.month if to == query.month else f"{query.month}..{to}",
        units=sorted({comment.unit.code for comment in shown}),
        questionnaire=query.questionnaire,
        comments=len(shown),
        filters=[*filters] or None,
    )


def place_of(
    session: Session,
    caller: Caller,
    query: CommentQuery,
    release_rule: ReleaseRule,
) -> Place:
    """Where the comments that are wanted are read."""
    today = release_rule.today
    return find_place(
        session, caller, query.units, query.structure or today, today,
        descendants=query.descendants,
    )  # fmt: skip


def latest_month(
    session: Session,
    place: Place,
    release_rule: ReleaseRule,
    keys: TextKeys,
    months: Sequence[str],
) -> str | None:
    """The latest of some months of which the caller is shown a comment; None where there is none.

    ``months`` are ``months_with_answers``, the latest first.
    """
    for month in months[:MOST_MONTHS]:
        if read_texts(session, place, span(month), None, release_rule, keys).shown:
            return month
    return None


def sorted_texts(texts: Texts, sorter: Sorter) -> list[Sorted]:
    """Texts with their themes, in an order that tells nothing."""
    found = [
        Sorted(each, sorter.find(each.questionnaire, each.item, each.body)) for each in texts.shown
    ]
    return sorted(found, key=lambda each: each.order)


def _filtered(
    session: Session,
    place: Place,
    query: CommentQuery,
    release_rule: ReleaseRule,
    keys: TextKeys,
) -> tuple[list[Sorted], int, Texts, Sorter]:
    """The comments that pass all filters, and how many are not told apart by two of them."""
    days, sorter = query.days, in_force(session)
    texts = read_texts(session, place, days, query.questionnaire, release_rule, keys)
    found = sorted_texts(texts, sorter)
    indistinct = 0
    if query.channel or query.contentment:
        kinds = read_kinds(session, place, days, texts, release_rule)
        distinct = []
        for each in found:
            try:
                if kinds.among(each.written, query.channel, query.contentment):
                    distinct.append(each)
            except LookupError:
                indistinct += 1
        found = distinct
    search = Search.of(query.search)
    return (
        [
            each
            for each in found
            if query.item in (None, each.written.item)
            and _has_theme(each.finding, query.theme, query.tone)
            and search.finds(each.written.body)
        ],
        indistinct,
        texts,
        sorter,
    )


def _has_theme(finding: Finding, theme: str | None, tone: Tone | None) -> bool:
    return finding.has(theme, tone) if theme else tone in (None, finding.tone)
