"""Names of units as people write them: compared without what sources write differently."""

from __future__ import annotations

import re
import unicodedata

#: What kinds of units are called before their names, the longest first.
_KINDS = (
    "thành phố", "thị trấn", "đặc khu", "thị xã", "phường", "huyện", "tỉnh", "quận", "xã",
)  # fmt: skip
#: Signs that stand for one another: apostrophes, and dashes with or without spaces around them.
_APOSTROPHES = re.compile("[\u2018\u2019\u02bc\u00b4`]")
_DASHES = re.compile(r"\s*[-\u2010-\u2015]\s*")
_SPACES = re.compile(r"\s+")
#: Marks of tone: grave, hook above, tilde, acute, dot below.
_TONES = "\u0300\u0309\u0303\u0301\u0323"


def folded_name(name: str) -> str:
    """A name as it is compared: "Hoà" is "Hòa", ’ is ', and case and spaces do not matter."""
    decomposed = unicodedata.normalize("NFD", name.casefold())
    decomposed = _APOSTROPHES.sub("'", decomposed)
    decomposed = _DASHES.sub("-", decomposed)
    words = [_tone_last(word) for word in re.split(r"([\s\-'.,]+)", decomposed)]
    return unicodedata.normalize("NFC", _SPACES.sub(" ", "".join(words)).strip())


def bare_name(name: str) -> str:
    """The folded name without the word for its kind in front."""
    folded = folded_name(name)
    for kind in _KINDS:
        # "Xã" alone, or "Phường 4", whose number is its name, keep what they have.
        if folded.startswith(folded_name(kind) + " "):
            return folded[len(folded_name(kind)) + 1 :]
    return folded


def same_name(first: str, second: str) -> bool:
    """Whether two names are the same but for how they are written and the word for their kind."""
    return folded_name(first) == folded_name(second) or bare_name(first) == bare_name(second)


def _tone_last(word: str) -> str:
    """A syllable in letters and marks, with its tone at the end: where it stood is forgotten."""
    tones = [sign for sign in word if sign in _TONES]
    if len(tones) != 1:
        return word
    return "".join(sign for sign in word if sign not in _TONES) + tones[0]
