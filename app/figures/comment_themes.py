"""Themes of comments over months, and which are blamed more often than before.

Counted are comments that the caller may read, each with all its themes: so no figure here tells
more than these comments do, which may be read one by one and counted by hand. What is withheld is
in none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from sqlalchemy.orm import Session

from analysis import exact_tables, familywise, proportions
from app.access.callers import Caller
from app.db import Database
from app.figures import periods
from app.figures.comment_reading import Place, read_texts
from app.figures.comment_results import Comments, ThemeFigures, ThemeMonth, ThemeRisen, ThemeTrend
from app.figures.comments import CommentQuery, Sorted, find, log_reading, place_of, sorted_texts
from app.figures.context import number
from app.figures.families import ERROR
from app.figures.periods import Length, Span, months_of
from app.figures.release import ReleaseRule
from app.text_keys import TextKeys
from app.themes.model import Tone
from app.themes.versions import in_force

#: Of fewer comments no share is told: its interval would be all there is.
LEAST_COMMENTS = 10
#: Months over which themes are followed, and with which the last ones are compared.
MONTHS_SHOWN, MONTHS_BEFORE = 12, 3
#: Comments that are shown of a theme that rose.
EXAMPLES = 3
#: As what the audit log has the reading of such examples.
RISEN = "risen"
_METHOD = (
    "shares of comments, Wilson; risen: Fisher's exact test, one-sided, Holm (1979) over the "
    f"themes, {ERROR:.0%} for all at once"
)


def read(
    database: Database,
    caller: Caller,
    query: CommentQuery,
    *,
    release_rule: ReleaseRule,
    keys: TextKeys,
) -> ThemeFigures:
    """The figures of themes; that examples among them were read is logged before.

    Raises
    ------
    UnknownUnit, InvalidFields, PeriodInvalid
        As ``app.figures.comments.read`` does.
    """
    with database.reading() as session:
        figures = find_theme_figures(session, caller, query, release_rule=release_rule, keys=keys)
    with database.writing(caller.name) as session:
        _log_examples(session, query, figures)
    return figures


def read_with_themes(
    database: Database,
    caller: Caller,
    query: CommentQuery,
    *,
    release_rule: ReleaseRule,
    keys: TextKeys,
) -> tuple[Comments, ThemeFigures]:
    """A page of comments as ``app.figures.comments.read`` has it, with the figures of themes.

    Raises
    ------
    UnknownUnit, InvalidFields, PeriodInvalid
        As there.
    """
    with database.reading() as session:
        found = find(session, caller, query, release_rule=release_rule, keys=keys)
        figures = find_theme_figures(session, caller, query, release_rule=release_rule, keys=keys)
    with database.writing(caller.name) as session:
        log_reading(session, query, found.comments, query.filters)
        _log_examples(session, query, figures)
    return found, figures


def _log_examples(session: Session, query: CommentQuery, figures: ThemeFigures) -> None:
    if examples := [each for row in figures.risen for each in row.examples]:
        log_reading(session, query, examples, [RISEN])


def find_theme_figures(
    session: Session,
    caller: Caller,
    query: CommentQuery,
    *,
    release_rule: ReleaseRule,
    keys: TextKeys,
) -> ThemeFigures:
    """The themes of twelve months up to the last one wanted, and what rose in those wanted.

    Of ``query`` its units, questionnaire and months count alone. Examples are words of citizens:
    whoever hands them out logs it.

    Raises
    ------
    UnknownUnit
        Where a unit is not there, or not the caller's.
    """
    place = place_of(session, caller, query, release_rule)
    wanted = query.days
    found = _read(session, place, _shown_days(wanted), query, release_rule, keys)
    names = [*in_force(session).themes.names()]
    months = [f"{month:%Y-%m}" for month in months_of(_shown_days(wanted))][-MONTHS_SHOWN:]
    now_months = {f"{month:%Y-%m}" for month in months_of(wanted)}
    before = [f"{month:%Y-%m}" for month in months_of(_before(wanted))]
    now = [each for each in found if each.written.month in now_months]
    earlier = [each for each in found if each.written.month in before]
    risen, compared = _risen(now, earlier, names)
    trends = [_trend(theme, months, found) for theme in names]
    return ThemeFigures(
        trends=[each for each in trends if any(month.about for month in each.months)],
        risen=risen,
        compared=compared,
        before=before,
        method=_METHOD,
    )


def _before(wanted: Span) -> Span:
    """The months before those that are wanted."""
    last = wanted.first - timedelta(days=1)
    first = months_back(last.year * 12 + last.month - 1, MONTHS_BEFORE - 1)
    return Span(f"{first}..{last}", Length.DAYS, periods.span(first).first, last)


def _shown_days(wanted: Span) -> Span:
    """All months that are read: those of the trend, those wanted, and those before."""
    end = wanted.last.year * 12 + wanted.last.month - 1
    first = min(periods.span(months_back(end, MONTHS_SHOWN - 1)).first, _before(wanted).first)
    return Span(f"{first}..{wanted.last}", Length.DAYS, first, wanted.last)


def months_back(ordinal: int, back: int) -> str:
    """The name of the month so many before one that is given as 12 · year + month − 1."""
    year, month = divmod(ordinal - back, 12)
    return f"{year:04}-{month + 1:02}"


def _read(
    session: Session,
    place: Place,
    days: Span,
    query: CommentQuery,
    release_rule: ReleaseRule,
    keys: TextKeys,
) -> list[Sorted]:
    texts = read_texts(session, place, days, query.questionnaire, release_rule, keys)
    return sorted_texts(texts, in_force(session))


def _trend(theme: str, months: Sequence[str], found: Sequence[Sorted]) -> ThemeTrend:
    n = np.array([sum(each.written.month == month for each in found) for month in months])
    about = np.array(
        [
            sum(each.written.month == month and each.finding.has(theme) for each in found)
            for month in months
        ]
    )
    interval = proportions.interval(about, n)
    enough = n >= LEAST_COMMENTS
    share, low, high = (
        np.where(enough, values, np.nan)
        for values in (interval.estimate, interval.low, interval.high)
    )
    return ThemeTrend(
        theme=theme,
        months=[
            ThemeMonth(
                month=month, comments=int(n[i]), about=int(about[i]),
                share=number(share[i]), low=number(low[i]), high=number(high[i]),
            )
            for i, month in enumerate(months)
        ],
    )  # fmt: skip


def _risen(
    now: Sequence[Sorted], before: Sequence[Sorted], themes: Sequence[str]
) -> tuple[list[ThemeRisen], int]:
    """Themes that a larger share of comments blames than before, and how many were compared."""
    if min(len(now), len(before)) < LEAST_COMMENTS:
        return [], 0

    def blaming(theme: str, among: Sequence[Sorted]) -> list[Sorted]:
        return [each for each in among if each.finding.has(theme, Tone.BLAME)]

    # Compared are those of which anybody wrote, on either side: the others cannot have risen.
    about = {theme: (blaming(theme, now), blaming(theme, before)) for theme in themes}
    compared = [theme for theme in themes if any(about[theme])]
    p = exact_tables.larger(
        [len(about[theme][0]) for theme in compared], len(now),
        [len(about[theme][1]) for theme in compared], len(before),
    )  # fmt: skip
    adjusted = familywise.holm(p)
    rows = [
        ThemeRisen(
            theme=theme,
            about=len(about[theme][0]),
            comments=len(now),
            about_before=len(about[theme][1]),
            comments_before=len(before),
            p=float(p[i]),
            adjusted_p=float(adjusted[i]),
            examples=[each.result() for each in about[theme][0][:EXAMPLES]],
        )
        for i, theme in enumerate(compared)
        if adjusted[i] <= ERROR
    ]
    return sorted(rows, key=lambda row: row.adjusted_p), len(compared)
