"""Finds words of misconduct in what citizens wrote.

Vietnamese is often typed without its marks, or with the tone on another letter (hoà, hòa). So a
word of a comment is a word of the list where it is the same with its marks, wherever the tone sits;
and where it has no marks at all, where it is the same without them: "hoi lo" is "hối lộ", while
"hội lo" is not. The words of a comment are read one after the other, each by a look-up, so that
time grows with the length of the comment alone, however it is made.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_WORD = re.compile(r"[^\W_]+")
#: Marks of tones; those of letters (ă, â, ê, ô, ơ, ư) stay where they are.
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
#: Signs that are drawn over or between letters so that a word is not found.
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))


@dataclass(slots=True)
class _Node:
    """Where one has come within phrases, and by which next words one comes on."""

    #: By the word with its marks, and by the word without.
    marked: dict[str, _Node] = field(default_factory=dict)
    plain: dict[str, list[_Node]] = field(default_factory=dict)
    #: The phrase that ends here.
    ends: str | None = None


class Finder:
    """The phrases of a list, ready to be looked for."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._root = _Node()
        for phrase in phrases:
            node = self._root
            for word in words_of(phrase):
                following = node.marked.get(word)
                if following is None:
                    following = node.marked[word] = _Node()
                    node.plain.setdefault(_without_marks(word), []).append(following)
                node = following
            if node is not self._root:
                node.ends = phrase

    def find(self, text: str) -> str | None:
        """The first phrase that stands in a text, as the list has it; None for none."""
        places: list[_Node] = []
        for word in words_of(text):
            following: list[_Node] = []
            for node in (self._root, *places):
                found = node.marked.get(word)
                if found is not None:
                    following.append(found)
                elif word.isascii():
                    following += node.plain.get(word, ())
            for node in following:
                if node.ends is not None:
                    return node.ends
            places = following
        return None

    def is_in(self, texts: Iterable[str]) -> bool:
        """Whether any of some texts has a phrase."""
        return any(self.find(text) is not None for text in texts)


def words_of(text: str) -> Sequence[str]:
    """Words in a form that is the same however they are typed: in small letters, tones last."""
    composed = unicodedata.normalize("NFKC", text.translate(_UNSEEN)).casefold()
    return [_toned_last(word) for word in _WORD.findall(composed)]


def _toned_last(word: str) -> str:
    if word.isascii():
        return word
    signs = unicodedata.normalize("NFD", word)
    tones = "".join(sign for sign in signs if sign in _TONES)
    return unicodedata.normalize("NFC", "".join(s for s in signs if s not in _TONES)) + tones


def _without_marks(word: str) -> str:
    signs = unicodedata.normalize("NFD", word).replace("đ", "d")
    return "".join(sign for sign in signs if not unicodedata.combining(sign))
