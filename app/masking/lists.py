"""The lists of names and words of ``data/``, ready to be looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml

from app.masking.letters import Word, toned, without_marks

_DATA = Path(__file__).parent / "data"
#: PyYAML's reader in C, where there is one: each process that masks reads the lists.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Names:
    """A set of single words, looked up with their marks or, where a text has none, without."""

    def __init__(self, words: Iterable[str]) -> None:
        written = list(words)
        self._toned = frozenset(map(toned, written))
        self._plain = frozenset(map(without_marks, written))

    def has(self, word: Word, unmarked: bool) -> bool:
        """Whether a word of a text is one of them."""
        return word.plain in self._plain if unmarked else word.toned in self._toned


class Phrases:
    """A set of phrases, found at a word of a text or right before one."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._starts: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
        self._ends: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
        self.longest = 0
        for phrase in phrases:
            parts = phrase.replace("/", " ").split()
            plain = tuple(map(without_marks, parts))
            entry = (tuple(map(toned, parts)), plain)
            self._starts.setdefault(plain[0], []).append(entry)
            self._ends.setdefault(plain[-1], []).append(entry)
            self.longest = max(self.longest, len(parts))
        for table in (self._starts, self._ends):
            for entries in table.values():
                entries.sort(key=lambda entry: -len(entry[0]))

    def at(self, words: Sequence[Word], place: int, unmarked: bool) -> int:
        """How many words, from one on, are the longest phrase there; none: 0."""
        if place >= len(words):
            return 0
        for with_marks, plain in self._starts.get(words[place].plain, ()):
            if _same(words, place, with_marks, plain, unmarked):
                return len(plain)
        return 0

    def before(self, words: Sequence[Word], place: int, unmarked: bool) -> int:
        """How many words right before a place are the longest phrase that ends there; none: 0."""
        if place < 1:
            return 0
        for with_marks, plain in self._ends.get(words[place - 1].plain, ()):
            start = place - len(plain)
            if start >= 0 and _same(words, start, with_marks, plain, unmarked):
                return len(plain)
        return 0

    def within(self, words: Sequence[Word], start: int, end: int, unmarked: bool) -> bool:
        """Whether one of the phrases begins at one of the words from start to before end."""
        return any(
            self.at(words, place, unmarked) for place in range(max(start, 0), min(end, len(words)))
        )


def _same(
    words: Sequence[Word],
    start: int,
    with_marks: tuple[str, ...],
    plain: tuple[str, ...],
    unmarked: bool,
) -> bool:
    # Looked at for every word of a text: most differ by the second one.
    if start + len(plain) > len(words):
        return False
    for place, letters in enumerate(plain, start):
        if words[place].plain != letters:
            return False
    there = words[start : start + len(plain)]
    if all(word.toned == wanted for word, wanted in zip(there, with_marks, strict=True)):
        return True
    # Many write some words without marks; of one word alone that may be another one.
    return unmarked or (len(plain) > 1 and all(word.toned.isascii() for word in there))


@cache
def _read(file: str) -> Mapping[str, Sequence[str]]:
    found = yaml.load((_DATA / file).read_text("utf-8"), _LOADER)
    return {
        name: words.split() if isinstance(words, str) else [str(each) for each in words]
        for name, words in found.items()
    }


@cache
def names(kind: str) -> Names:
    """The words of one kind in ``names.yaml`` or ``words.yaml``."""
    return Names((_read("names.yaml") | _read("words.yaml"))[kind])  # type: ignore[operator]


@cache
def phrases(kind: str) -> Phrases:
    """The phrases of one kind in ``words.yaml``."""
    return Phrases(_read("words.yaml")[kind])
