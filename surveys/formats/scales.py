"""Whether choices are steps of a scale, which way it goes, and which of them is no step.

Files do not say it, so it is taken from their words, named to whoever imports, and checked by her.
A score is never taken from a code: codes 1 to 5 stand for "very good" first in one form, and last
in the next.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from surveys.formats.outline import NO_OPINION, Choice

_GOOD = re.compile(
    r"satisf|content|agree|good|excellent|easy|happy|likely|always|hài lòng|đồng ý|tốt|dễ|"
    r"zufrieden|stimme|gut|удовлетвор|хорош|de acuerdo|buen|bien\b",
    re.IGNORECASE,
)
_BAD = re.compile(
    r"dissatisf|unsatisf|disagree|don.?t agree|not agree|\bnot\b|\bbad\b|poor|difficult|unhappy|"
    r"unlikely|never|không|kém|khó|tệ|unzufrieden|nicht|schlecht|\bне|неудовл|плох|desacuerdo|"
    r"mal[ao]?\b|nunca",
    re.IGNORECASE,
)
_NONE = re.compile(
    r"don.?t know|no opinion|not applicable|\bn/a\b|refus|prefer not|no response|không biết|"
    r"không có ý kiến|không áp dụng|từ chối|weiß nicht|keine angabe|no sabe|не знаю|затрудня",
    re.IGNORECASE,
)
_OTHER = re.compile(r"^(other|khác|другое|otro|sonstiges|autre|andere)\b", re.IGNORECASE)
_NONE_CODES = {NO_OPINION, "n/a", "dk", "dont_know", "no_opinion", "refused", "refuse", "noop"}


@dataclass(frozen=True)
class Parted:
    """Choices without those that are no opinion; of several, the first stands for no opinion."""

    steps: tuple[Choice, ...]
    no_opinion: Choice | None
    further: tuple[Choice, ...]


@dataclass(frozen=True)
class Direction:
    """A scale from its lowest step, and which values count as satisfied."""

    steps: tuple[Choice, ...]
    satisfied: tuple[int, ...]
    #: The file has the best one first.
    turned: bool


def parted(choices: Sequence[Choice]) -> Parted:
    """Take what is no step or option out of a list: negative codes, and words for no opinion."""
    none = [choice for choice in choices if _is_none(choice)]
    steps = tuple(choice for choice in choices if choice not in none)
    return Parted(steps, none[0] if none else None, tuple(none[1:]))


def _is_none(choice: Choice) -> bool:
    if re.fullmatch(r"-\d+(\.0+)?", choice.code) or choice.code.lower() in _NONE_CODES:
        return True
    return any(_NONE.search(text) for text in choice.texts.values())


def without_other(steps: Sequence[Choice]) -> tuple[tuple[Choice, ...], Choice | None]:
    """A scale, and an "other" that stands after its last step; all steps where there is none."""
    last = steps[-1] if steps else None
    words = (*last.texts.values(), last.code) if last else ()
    if any(_OTHER.match(text.strip()) for text in words) and looks_like_scale(steps[:-1]):
        return tuple(steps[:-1]), last
    return tuple(steps), None


def looks_like_scale(steps: Sequence[Choice]) -> bool:
    """Whether one end of at least three steps is good in words, and the other bad."""
    return 3 <= len(steps) <= 11 and _signs(steps) in ((-1, 1), (1, -1))


def directed(steps: Sequence[Choice]) -> Direction:
    """The steps from low to high; those above the middle count as satisfied."""
    turned = _signs(steps)[0] > 0 > _signs(steps)[1]
    ordered = tuple(reversed(steps)) if turned else tuple(steps)
    count = len(ordered)
    # Above the middle: 4 and 5 of five, 3 and 4 of four, 2 of two.
    satisfied = tuple(value for value in range(1, count + 1) if 2 * value > count + 1)
    return Direction(ordered, satisfied, turned)


def _signs(steps: Sequence[Choice]) -> tuple[int, int]:
    return (_sign(steps[0]), _sign(steps[-1])) if steps else (0, 0)


def _sign(choice: Choice) -> int:
    """1 for a good word, -1 for a bad one, 0 for neither."""
    words = " ".join((*choice.texts.values(), choice.code.replace("_", " ")))
    if _BAD.search(words):
        return -1
    return 1 if _GOOD.search(words) else 0
