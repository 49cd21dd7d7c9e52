"""Takes out of what staff wrote what they quote of a citizen's words.

A note may repeat what she wrote, and would keep it after she withdrew it. What is the same in four
words in a row is taken for a quotation, and so is a text of fewer words as a whole; marks and
capitals do not matter. What staff said in their own words stays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

#: Words in a row that are no chance.
_ROW, _LEAST = 4, 2
_WORD = re.compile(r"[^\W_]+")
CUT = "[…]"


def without_quotations(text: str, hers: Iterable[str]) -> str:
    """A text without what it has of some other ones; of each run of quoted words a sign stays."""
    rows = {row for each in hers for row in _rows(_words(each))}
    found = list(_WORD.finditer(text))
    plain = [_plain(word[0]) for word in found]
    quoted = [False] * len(plain)
    for size in {len(row) for row in rows}:
        for start in range(len(plain) - size + 1):
            if tuple(plain[start : start + size]) in rows:
                quoted[start : start + size] = [True] * size
    kept, at = [], 0
    for place, word in enumerate(found):
        if not quoted[place]:
            continue
        if not (place and quoted[place - 1]):
            kept += [text[at : word.start()], CUT]
        at = word.end()
    return "".join([*kept, text[at:]])


def _rows(words: Sequence[str]) -> Iterable[tuple[str, ...]]:
    size = min(_ROW, len(words))
    if size >= _LEAST:
        for start in range(len(words) - size + 1):
            yield tuple(words[start : start + size])


def _words(text: str) -> Sequence[str]:
    return [_plain(word) for word in _WORD.findall(text)]


def _plain(word: str) -> str:
    signs = unicodedata.normalize("NFD", word.casefold()).replace("đ", "d")
    return "".join(sign for sign in signs if not unicodedata.combining(sign))
