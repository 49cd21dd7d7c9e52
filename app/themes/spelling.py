"""Vietnamese words as they are compared: in any form of Unicode, either placement of tone marks.

People write hoà and hòa, thuỷ and thủy, and on many a telephone hoa and thuy. A word is therefore
compared by its letters with its tone after them; and one that was typed without marks is taken
for every word that has its letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

#: The marks of tones: grave, acute, tilde, hook above, dot below.
_TONES = "\u0300\u0301\u0303\u0309\u0323"
#: A word, a picture that stands for one, or what ends a clause.
_ENDS = ".,;:!?\n…"
_WORD = re.compile(rf"\w+|[\U0001f300-\U0001faff\u2600-\u27bf]|[{_ENDS}]+")
#: Of a text no more words are looked at: the longest that a form takes has fewer.
MOST_WORDS = 2_000


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: as it was typed, without any marks, and in which clause it stands."""

    typed: str
    plain: str
    clause: int

    def is_(self, wanted: Word) -> bool:
        """Whether it is a word, or may be since it was typed without marks."""
        return self.typed == wanted.typed or self.typed == self.plain == wanted.plain


def words_of(text: str) -> list[Word]:
    """The words of a text, at most ``MOST_WORDS``, with the clauses that they stand in."""
    found: list[Word] = []
    clause = 0
    # Composed first: a mark that stands alone is no part of a word to the pattern.
    for match in _WORD.finditer(unicodedata.normalize("NFC", text).casefold()):
        sign = match[0]
        if sign[0] in _ENDS:
            clause += 1
            continue
        found.append(Word(*_spelt(sign), clause))
        if len(found) == MOST_WORDS:
            break
    return found


@lru_cache(maxsize=10_000)
def _spelt(word: str) -> tuple[str, str]:
    """A word with its tones after its letters, and its letters without marks; đ counts as d."""
    letters: list[str] = []
    plain: list[str] = []
    tones: list[str] = []
    for sign in unicodedata.normalize("NFD", word):
        sign = "d" if sign == "đ" else sign
        if sign in _TONES:
            tones.append(sign)
            continue
        letters.append(sign)
        if not unicodedata.combining(sign):
            plain.append(sign)
    return "".join(letters + tones), "".join(plain)


#: So many phrases of a search are looked for.
MOST_PHRASES = 10


@dataclass(frozen=True)
class Search:
    """What somebody looks for in texts: all of some phrases, each of one word or several."""

    phrases: tuple[tuple[Word, ...], ...]
    #: Whether something was asked for in which there is no word: it stands in no text.
    wordless: bool = False

    @classmethod
    def of(cls, text: str) -> Search:
        """Read a search: words that must all be there; those between quotes one after another."""
        phrases: list[tuple[Word, ...]] = []
        for number, part in enumerate(re.split(r'["“”]', text)):
            words = tuple(words_of(part))
            phrases += [words] if number % 2 and words else [(word,) for word in words]
        return cls(tuple(phrases[:MOST_PHRASES]), bool(text.strip()) and not phrases)

    def finds(self, text: str) -> bool:
        """Whether a text has them all.

        A word without marks finds words with any; one with marks finds, besides itself, words
        without in texts that have none at all, as many people type them.
        """
        if self.wordless:
            return False
        words = words_of(text)
        bare = all(word.typed == word.plain for word in words)
        return all(_stands(phrase, words, bare) for phrase in self.phrases)


def _stands(phrase: Sequence[Word], words: Sequence[Word], bare: bool) -> bool:
    def like(wanted: Word, word: Word) -> bool:
        return wanted.is_(word) or (bare and wanted.plain == word.plain)

    return any(
        all(like(wanted, words[start + i]) for i, wanted in enumerate(phrase))
        for start in range(len(words) - len(phrase) + 1)
    )
