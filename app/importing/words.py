"""Words for levels in several languages: what a mapping proposes, for a person to look at.

Words are proposed for a whole column. Where scales call different levels by the same word ("very
good" is the best of five or the second), those of which every scale that the column may have says
the same are proposed, and the others are left to the person. No opinion is no middle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from app.importing.folding import folded

_FILE = Path(__file__).with_name("words.yaml")


@dataclass(frozen=True)
class _Words:
    """The file of words, folded."""

    scales: tuple[Mapping[str, int], ...]
    no_opinion: frozenset[str]
    chosen: frozenset[str]
    not_chosen: frozenset[str]
    missing: tuple[str, ...]


@cache
def _words() -> _Words:
    document = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    scales = tuple(
        {folded(word): place for place, words in enumerate(scale) for word in words}
        for scale in document["scales"]
    )
    no_opinion, chosen, not_chosen = (
        frozenset(map(folded, document[name])) for name in ("no_opinion", "chosen", "not_chosen")
    )
    return _Words(scales, no_opinion, chosen, not_chosen, tuple(document["missing"]))


def proposed(words: Iterable[str], levels: int) -> dict[str, int]:
    """Levels from 1 for those of a column's folded words that are no matter of opinion.

    ``levels`` is how many the item has: five, or four, which have no middle; for others there is
    no proposal.
    """
    if levels not in (4, 5):
        return {}
    met = {word for word in words if word and word not in _words().no_opinion}
    # Those scales that have most of the words: a "neutral" belongs to many.
    counted = [(len(met & scale.keys()), scale) for scale in _words().scales]
    most = max((count for count, _ in counted), default=0)
    scales = [scale for count, scale in counted if count == most and count]
    found: dict[str, int] = {}
    for word in met:
        said = {scale[word] for scale in scales if word in scale}
        if len(said) != 1:
            continue
        place = said.pop()
        if levels == 5:
            found[word] = place + 1
        elif place != 2:
            found[word] = place + 1 if place < 2 else place
    return found


def no_opinion(word: str) -> bool:
    """Whether a folded word says that somebody has none, or cannot tell."""
    return word in _words().no_opinion


def ticked(word: str) -> bool | None:
    """Whether a folded word in the column of an option says yes; None where it says neither."""
    known = _words()
    return True if word in known.chosen else False if word in known.not_chosen else None


def missing() -> tuple[str, ...]:
    """What programs write where nothing was answered."""
    return _words().missing
