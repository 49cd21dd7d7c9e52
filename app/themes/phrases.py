"""Phrases of a list as they stand in texts: their forms and spellings, the longest ones first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from app.themes.model import Theme, Tone
from app.themes.spelling import Word, words_of

#: So long is a word that is known without its marks, where a whole text has none.
KNOWN_BARE = 5
#: A phrase has no more forms than this.
MOST_FORMS = 3_000
_CHOICE = re.compile(r"\(([^()]*)\)")
_DIGITS = re.compile(r"\d+")


def forms(phrase: str) -> list[str]:
    """What a phrase stands for: “(rất/quá/) chậm” is rất chậm, quá chậm, or chậm.

    Raises
    ------
    ValueError
        Where a bracket has no other, or there are more than ``MOST_FORMS``.
    """
    parts = _CHOICE.split(phrase)
    if any("(" in each or ")" in each for each in parts):
        raise ValueError(phrase)
    choices = [part.split("/") if number % 2 else [part] for number, part in enumerate(parts)]
    count = 1
    for choice in choices:
        count *= len(choice)
        if count > MOST_FORMS:
            raise ValueError(phrase)
    return [" ".join("".join(each).split()) for each in product(*choices)]


@dataclass(frozen=True, eq=False)
class Entry:
    """What a phrase means: a theme's word or a general one."""

    kind: str
    theme: Theme | None = None
    tone: Tone | None = None

    def says(self, other: Entry) -> bool:
        """Whether it means what another does; themes are not compared word by word."""
        alike = (self.kind, self.tone) == (other.kind, other.tone)
        return alike and self.theme is other.theme


@dataclass(frozen=True)
class Hit:
    """A phrase where it stands in a text: the words from ``start`` to before ``end``."""

    start: int
    end: int
    clause: int
    entries: tuple[Entry, ...]

    def is_(self, kind: str) -> bool:
        """Whether the phrase is of a kind, whatever else it is."""
        return any(each.kind == kind for each in self.entries)

    @property
    def whole(self) -> Theme | None:
        """The theme that this phrase means if nothing else is said."""
        found = (each.theme for each in self.entries if each.kind == "whole")
        return next(found, None)


@dataclass(frozen=True)
class Text:
    """The words of a text, and whether it was typed without any marks."""

    words: list[Word]
    bare: bool


class Spellings:
    """Makes one word of all its spellings, and one number of all but one."""

    def __init__(self, variants: Mapping[str, Iterable[str]]) -> None:
        self._meant: dict[str, list[Word]] = {}
        for meant, written in variants.items():
            for each in written:
                for word in words_of(each)[:1]:
                    self._meant[word.typed] = words_of(meant)

    def read(self, text: str) -> Text:
        """A text as it is meant: “ko” is không, “30p” is 2p."""
        found: list[Word] = []
        typed = words_of(text)
        for word in typed:
            meant = self._meant.get(word.typed)
            if meant is not None:
                found += [Word(each.typed, each.plain, word.clause) for each in meant]
            elif any(sign.isdecimal() for sign in word.typed):
                found.append(_numbered(word))
            else:
                found.append(word)
        return Text(found, all(word.typed == word.plain for word in typed))


def _numbered(word: Word) -> Word:
    numbers = _DIGITS.findall(word.typed)
    if numbers == ["1"]:
        return word
    same = _DIGITS.sub("2", word.typed)
    return Word(same, same, word.clause)


@dataclass
class _Node:
    """A place in the tree of phrases, by their words without marks."""

    next: dict[str, _Node] = field(default_factory=dict)
    ends: list[tuple[tuple[Word, ...], list[Entry]]] = field(default_factory=list)


class Phrases:
    """A tree of phrases by their words."""

    def __init__(self, spellings: Spellings) -> None:
        self._spellings = spellings
        self._root = _Node()

    def add(self, phrase: str, entry: Entry) -> None:
        """Let every form of a phrase mean something, besides what it means already."""
        for form in forms(phrase):
            words = tuple(self._spellings.read(form).words)
            node = self._root
            for word in words:
                node = node.next.setdefault(word.plain, _Node())
            typed = [word.typed for word in words]
            for others, entries in node.ends:
                if [word.typed for word in others] == typed:
                    if not any(each.says(entry) for each in entries):
                        entries.append(entry)
                    break
            else:
                node.ends.append((words, [entry]))

    def longest(self, text: Text, at: int) -> tuple[int, list[Entry]]:
        """Where the longest phrase that begins at a word ends, and its entries; else ``at``."""
        words = text.words
        found: tuple[int, list[Entry]] = (at, [])
        node, end = self._root, at
        while end < len(words) and (below := node.next.get(words[end].plain)) is not None:
            node, end = below, end + 1
            for phrase, entries in node.ends:
                if _fits(phrase, words[at:end], text.bare):
                    found = (end, entries)
                    break
        return found


def hits(trees: Sequence[Phrases], text: Text) -> list[Hit]:
    """The phrases of a text from left to right, none within another; a “but” begins a clause."""
    found: list[Hit] = []
    words = text.words
    at = buts = 0
    while at < len(words):
        ends = [tree.longest(text, at) for tree in trees]
        end = max(each for each, _ in ends)
        if end == at:
            at += 1
            continue
        entries = tuple(entry for each, some in ends if each == end for entry in some)
        buts += any(entry.kind == "adversative" for entry in entries)
        found.append(Hit(at, end, words[at].clause + buts, entries))
        at = end
    return found


def _fits(phrase: Sequence[Word], words: Sequence[Word], bare: bool) -> bool:
    """Whether words are a phrase, as typed or without marks: a short word may be too many others.

    Whoever types some marks of a phrase types all: “nhà cho” is no “nhà chờ”.
    """
    if words[0].clause != words[-1].clause:
        return False
    if all(word.typed == wanted.typed for word, wanted in zip(words, phrase, strict=True)):
        return True
    if len(phrase) == 1:
        return bare and len(phrase[0].plain) >= KNOWN_BARE and words[0].is_(phrase[0])
    if not bare and any(word.typed != word.plain for word in words):
        return False
    return all(word.is_(wanted) for word, wanted in zip(words, phrase, strict=True))
