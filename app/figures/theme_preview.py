"""What another list of themes would make of the comments that somebody may read.

Of the comments alone that ``app.figures.comment_reading`` shows the caller: what is withheld is in
no number here, so that trying lists of single words tells nothing of it. What is shown is logged as
any reading is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.db import Database
from app.figures.comment_reading import Written, months_with_answers, read_texts
from app.figures.comment_results import Comment
from app.figures.comments import CommentQuery, Sorted, log_reading, place_of
from app.figures.release import ReleaseRule
from app.text_keys import TextKeys
from app.themes.finding import Finder, Finding
from app.themes.model import OTHER, ThemeList
from app.themes.versions import in_force

#: Months with answers that are gone through, the latest.
MONTHS = 3
#: Comments that are gone through at the most; each takes the third of a millisecond by each list.
MOST = 5000
#: Comments that are shown of each sort of change of a theme.
EXAMPLES = 5
#: As what the audit log has the reading of them.
PREVIEW = "preview"


@dataclass(frozen=True)
class Example:
    """A comment, and what both lists make of it."""

    comment: Comment
    before: Finding
    after: Finding


@dataclass(frozen=True)
class Effect:
    """What changes of one theme; counts are of comments."""

    theme: str
    before: int
    after: int
    #: Comments that are about it by the new list alone, by the old one alone, and by both, with
    #: another tone.
    gained: int
    lost: int
    turned: int
    #: Some of each.
    examples_gained: Sequence[Example]
    examples_lost: Sequence[Example]
    examples_turned: Sequence[Example]

    @property
    def examples(self) -> Sequence[Example]:
        """All that are shown."""
        return [*self.examples_gained, *self.examples_lost, *self.examples_turned]


@dataclass(frozen=True)
class Preview:
    """What another list would change, over some months."""

    #: The first and the last month gone through; empty where there are no answers.
    first: str
    last: str
    #: How many comments were gone through, of how many that the caller may read.
    comments: int
    readable: int
    #: How many would have other themes or another tone.
    changed: int
    #: Themes of either list, in the order of the new one.
    effects: Sequence[Effect]


def preview(
    database: Database,
    caller: Caller,
    themes: ThemeList,
    *,
    release_rule: ReleaseRule,
    keys: TextKeys,
) -> Preview:
    """Try a list on the comments of the latest months that the caller may read, and log it."""
    with database.reading() as session:
        query, found = _preview(session, caller, themes, release_rule, keys)
    shown = {
        (one.comment.unit.code, one.comment.item, one.comment.body): one.comment
        for effect in found.effects
        for one in effect.examples
    }
    if shown:
        with database.writing(caller.name) as session:
            log_reading(session, query, [*shown.values()], [PREVIEW])
    return found


def _preview(
    session: Session,
    caller: Caller,
    themes: ThemeList,
    release_rule: ReleaseRule,
    keys: TextKeys,
) -> tuple[CommentQuery, Preview]:
    sorter = in_force(session)
    query = CommentQuery(f"{release_rule.today:%Y-%m}")
    place = place_of(session, caller, query, release_rule)
    months = months_with_answers(session, place)
    months = [each for each in months[:MONTHS] if _ordinal(months[0]) - _ordinal(each) < 2 * MONTHS]
    if not months:
        return query, _compared([], sorter.themes, themes, "", "", 0)
    query = CommentQuery(months[-1], months[0])
    texts = read_texts(session, place, query.days, None, release_rule, keys)
    some = sorted(texts.shown, key=_shuffled)[:MOST]
    finder = Finder(themes)
    tried = [
        (
            each,
            sorter.find(each.questionnaire, each.item, each.body),
            finder.find(each.questionnaire, each.item, each.body),
        )
        for each in some
    ]
    return query, _compared(tried, sorter.themes, themes, months[-1], months[0], len(texts.shown))


def _compared(
    tried: Sequence[tuple[Written, Finding, Finding]],
    before: ThemeList,
    after: ThemeList,
    first: str,
    last: str,
    readable: int,
) -> Preview:
    codes = dict.fromkeys([*after.names(), *before.names(), OTHER])
    changed = sum(old != new for _, old, new in tried)
    effects = [_effect(code, tried) for code in codes]
    return Preview(first, last, len(tried), readable, changed, effects)


def _effect(theme: str, tried: Sequence[tuple[Written, Finding, Finding]]) -> Effect:
    gained, lost, turned = [], [], []
    before = after = 0
    for each in tried:
        old, new = ({found.theme: found.tone for found in one.themes} for one in each[1:])
        before += theme in old
        after += theme in new
        if theme in new and theme not in old:
            gained.append(each)
        elif theme in old and theme not in new:
            lost.append(each)
        elif theme in old and old[theme] is not new[theme]:
            turned.append(each)
    return Effect(
        theme, before, after, len(gained), len(lost), len(turned),
        _examples(gained), _examples(lost), _examples(turned),
    )  # fmt: skip


def _examples(found: Sequence[tuple[Written, Finding, Finding]]) -> list[Example]:
    return [Example(Sorted(one, new).result(), old, new) for one, old, new in found[:EXAMPLES]]


def _shuffled(text: Written) -> bytes:
    """An order that tells nothing, and is the same for every list that is tried."""
    return hashlib.sha256(f"{text.item}/{text.body}".encode("utf-8", "replace")).digest()


def _ordinal(month: str) -> int:
    return 12 * int(month[:4]) + int(month[5:])
