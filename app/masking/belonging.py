"""Whose a name is: of who was served, or of who served, by the words beside it."""

from __future__ import annotations

import re

from app.masking.codes import BLANK, TAKEN
from app.masking.kinds import Kind
from app.masking.letters import Letters
from app.masking.lists import phrases

#: How many words behind a name tell of its bearer, and how many before it.
_BEHIND, _AT_WORK, _BEFORE = 6, 4, 3
#: Tôi, Nguyễn Văn An, …
_I_AM = re.compile(r"(?:^|\W)(?:tôi|em|mình|tui|cháu|con), $", re.IGNORECASE).search
_TO_NUMBER = re.compile(rf"[ ]{{0,2}}[,:\-–(]{{0,2}}[ ]{{0,2}}{TAKEN}").match
_SENTENCE_ENDS = re.compile(r"[.!?;\n]")


class Belonging:
    """Looks at the words beside the names of one text."""

    def __init__(self, letters: Letters) -> None:
        self._text, self._words, self._unmarked = letters.text, letters.words, letters.unmarked

    def of(self, start: int, end: int, *, called: bool = False) -> Kind | None:
        """Whose name stands from a word to before another; None where nothing tells.

        Who is called, or asked for, is nobody's staff for that.
        """
        if self._is_writers(start):
            return Kind.CITIZEN
        last = self._sentence_end(end)
        if self._works(end, last) or phrases("roles").within(
            self._words, end, min(end + 2, last), self._unmarked
        ):
            return Kind.STAFF
        if self._is_numbered(end):
            return Kind.CITIZEN
        did = self._did(end, min(end + _BEHIND, last))
        if did is not Kind.CITIZEN and self._of_citizens(start):
            return Kind.CITIZEN
        return did or self._met(start, called=called)

    def _met(self, start: int, *, called: bool) -> Kind | None:
        """Whose name it is by what is said before it, of thanks and of blame."""
        if called:
            return Kind.CITIZEN
        soon = range(max(0, start - _BEFORE), start + 1)
        return Kind.STAFF if any(self._before("before_staff", at) for at in soon) else None

    def _of_citizens(self, start: int) -> bool:
        return not self._before("before_staff", start) and self._before("before_citizen", start)

    def _did(self, start: int, end: int) -> Kind | None:
        """Whose deeds are told first behind a name."""
        for place in range(start, end):
            came = phrases("citizen_deeds").at(self._words, place, self._unmarked)
            served = phrases("deeds").at(self._words, place, self._unmarked)
            if came or served:
                return Kind.CITIZEN if came >= served else Kind.STAFF
        return None

    def _is_numbered(self, end: int) -> bool:
        """Whether a number stands right behind a name: its bearer's."""
        length = phrases("number_words").at(self._words, end, self._unmarked)
        for last in {end - 1, end + length - 1}:
            if _TO_NUMBER(self._text, self._words[last].end) is not None:
                return True
        return False

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
        if _SENTENCE_ENDS.search(gap) or TAKEN in gap or BLANK in gap:
            return False
        return phrases(kind).before(self._words, place, self._unmarked) > 0

    def _sentence_end(self, place: int) -> int:
        """The first word of the next sentence, or one far enough away."""
        most = min(place + _BEHIND, len(self._words))
        for at in range(place, most):
            if _SENTENCE_ENDS.search(self._text[self._words[at - 1].end : self._words[at].start]):
                return at
        return most
