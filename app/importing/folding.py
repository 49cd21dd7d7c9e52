"""Titles and words of files as they are compared: what nobody sees makes no difference."""

from __future__ import annotations

import re
import unicodedata

#: Marks that say how a Vietnamese vowel is spoken: "hòa" and "hoà" are one word.
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_QUOTES = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"}
)
#: What stands at the end of a word without being of it.
_ENDS = " .,;:!?*\u2026"


def seen(written: str) -> str:
    """A text without signs that nobody sees, as a mark of byte order within a cell."""
    return _UNSEEN.sub("", written).strip()


def folded(written: str) -> str:
    """A word or title: composed, small, one blank between words, tones at the words' ends."""
    plain = seen(written).translate(_QUOTES)
    words = unicodedata.normalize("NFKC", plain).casefold().split()
    return " ".join(map(_toned, words)).strip(_ENDS)


def _toned(word: str) -> str:
    if word.isascii():
        return word
    signs = unicodedata.normalize("NFD", word)
    tones = "".join(sign for sign in signs if sign in _TONES)
    bare = "".join(sign for sign in signs if sign not in _TONES)
    return unicodedata.normalize("NFC", bare) + tones


def code_of(written: str) -> str:
    """A code as programs keep it that take letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", folded(written))
