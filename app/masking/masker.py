"""Masks a text: what is to stand for all, and what for those who may read comments.

Placeholders are the catalogue's, in Vietnamese, in square brackets. Where a citizen writes one of
them it is put into round ones, so that a placeholder is always the masker's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from app.masking import codes, names, numbers
from app.masking.codes import BLANK, TAKEN
from app.masking.kinds import Kind, Span
from app.masking.letters import Letters, read, without_marks
from app.messages import Language, say

#: Of the rules and lists: raised with each change after which stored texts are to be masked anew.
EDITION = 2


@dataclass(frozen=True)
class Masked:
    """A text as it may stand before all, and with the names of staff; equal where none is named.

    Both are composed, with plain digits and without what is invisible. ``spans`` are of the text
    as it was given, in its order, none over another.
    """

    text: str
    with_staff: str
    spans: Sequence[Span]


def mask(text: str, *, again: bool = False) -> Masked:
    """A text masked; ``again`` where it was before, and its placeholders are to stay.

    Takes time that grows with the length of the text, and no faster.
    """
    letters = read(text)
    spans = _found(letters)
    keep = _as_it_is if again else _without_placeholders
    others = [span for span in spans if span.kind is not Kind.STAFF]
    whole = _put(letters.text, spans, keep)
    return Masked(
        whole,
        whole if len(others) == len(spans) else _put(letters.text, others, keep),
        [replace(s, start=letters.origin[s.start], end=letters.origin[s.end]) for s in spans],
    )


def placeholder(kind: Kind, language: Language = "vi") -> str:
    """What stands in the place of something of a kind; stored is the Vietnamese one."""
    return f"[{say(f'masked.{kind}', language)}]"


def worded(text: str, language: Language) -> str:
    """A stored text with its placeholders in a reader's language."""
    if language == "vi" or "[" not in text:
        return text
    kinds = {placeholder(kind): kind for kind in Kind}
    return _placeholders().sub(lambda found: placeholder(kinds[found.group()], language), text)


def _found(letters: Letters) -> list[Span]:
    text = letters.text
    if "[" in text:
        text = _placeholders().sub(_blank, text)
    spans, text = codes.find(text)
    spans += numbers.find(letters, text)
    blanked = list(text)
    for span in spans:
        blanked[span.start : span.end] = TAKEN * (span.end - span.start)
    text = "".join(blanked)
    spans += names.find(Letters(text, without_marks(text), letters.origin))
    kept: list[Span] = []
    for span in sorted(spans):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def _put(text: str, spans: Sequence[Span], keep: Callable[[str], str]) -> str:
    parts, end = [], 0
    for span in spans:
        parts += [keep(text[end : span.start]), placeholder(span.kind)]
        end = span.end
    return "".join([*parts, keep(text[end:])])


@cache
def _placeholders() -> re.Pattern[str]:
    return re.compile("|".join(re.escape(placeholder(kind)) for kind in Kind))


def _blank(found: re.Match[str]) -> str:
    return BLANK * len(found.group())


def _as_it_is(text: str) -> str:
    return text


def _without_placeholders(text: str) -> str:
    """A citizen's own words, of which none is a placeholder."""
    if "[" not in text:
        return text
    return _placeholders().sub(lambda found: f"({found.group()[1:-1]})", text)
