"""Whose a name is: of who was served, or of who served, by the words beside it."""

from __future__ import annotations

import re

from app.masking.kinds import Kind
from app.masking.letters import Letters
from app.masking.lists import phrases

#: How many words behind a name tell of its bearer, and how many before it.
_BEHIND, _AT_WORK, _BEFORE = 6, 4, 3
#: Tôi, Nguyễn Văn An, …
_I_AM = re.compile(r"(?:^|\W)(?:tôi|em|mình|tui|cháu|con), $", re.IGNORECASE).search
_SENTENCE_ENDS = re.compile(r"[.!?;\n]")


class Belonging:
    """Looks at the words beside the names of one text."""

    def __init__(self, letters: Letters) -> None:
        self._text, self._words, self._unmarked = letters.text, letters.words, letters.unmarked

    def of(self, start: int, end: int) -> Kind:
        """Whose name stands from a word to before another: a citizen's, unless more says other."""
        if self._is_writers(start):
            return Kind.CITIZEN
        last = self._sentence_end(end)
        if self._works(end, last) or phrases("roles").within(
            self._words, end, min(end + 2, last), self._unmarked
        ):
            return Kind.STAFF
        if not self._before("before_staff", start) and self._before("before_citizen", start):
            return Kind.CITIZEN
        soon = range(max(0, start - _BEFORE), start + 1)
        if any(self._before("before_staff", at) for at in soon) or phrases("deeds").within(
            self._words, end, min(end + _BEHIND, last), self._unmarked
        ):
            return Kind.STAFF
        return Kind.CITIZEN

    def _is_writers(self, start: int) -> bool:
        """Whether a name is said to be of whoever writes, or of their family."""
        if self._before("family", start) or self._before("citizen_cues", start):
            return True
        place = self._words[start].start
        return _I_AM(self._text[max(0, place - 12) : place]) is not None

    def _works(self, end: int, last: int) -> bool:
        """Whether it is said right behind a name, or soon and with "ở", where its bearer works."""
        works = phrases("places_of_work")
        if works.within(self._words, end, min(end + 1, last), self._unmarked):
            return True
        for place in range(end, min(end + _AT_WORK, last)):
            length = phrases("at").at(self._words, place, self._unmarked)
            if length and works.at(self._words, place + length, self._unmarked):
                return True
        return False

    def _before(self, kind: str, place: int) -> bool:
        if place < 1 or place > len(self._words) - 1:
            return False
        gap = self._text[self._words[place - 1].end : self._words[place].start]
        if _SENTENCE_ENDS.search(gap):
            return False
        return phrases(kind).before(self._words, place, self._unmarked) > 0

    def _sentence_end(self, place: int) -> int:
        """The first word of the next sentence, or one far enough away."""
        most = min(place + _BEHIND, len(self._words))
        for at in range(place, most):
            if _SENTENCE_ENDS.search(self._text[self._words[at - 1].end : self._words[at].start]):
                return at
        return most
