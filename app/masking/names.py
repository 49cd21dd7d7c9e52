"""Names of persons, by surnames, given names and the words beside them; citizens' and staff's.

A name is a surname with what follows it, or a given name behind a word that a name follows: an
honorific, a role, a relation, "tôi tên là". Written small it wants such a word, or the middle name
of which no other word is like (văn, thị). Streets and towns that are called after people stand
behind words of places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.masking.belonging import Belonging
from app.masking.kinds import Kind, Span
from app.masking.letters import Case, Letters
from app.masking.lists import phrases
from app.masking.name_forms import BLANKS, TO_NAME, NameForms

#: Words between a role and a name.
_MOST_QUALIFIERS = 5
_BY_WORD = re.compile(r"[ /]{1,3}|[ ]?\.[ ]?").fullmatch
_NUMBER = re.compile(
    r"[ ]{0,2}(?:số|so|s[ốo]\.|no)?[ ]{0,2}[:.]?[ ]?(\d{1,3}[a-zA-Z]?|[A-Z]\d{0,3})(?!\w)"
)
_STREET_NUMBER = re.compile(r"\d[a-zA-Z]?(?:[/\-]\d{1,4}){0,3}[ ]?,?[ ]$").search


def find(letters: Letters) -> list[Span]:
    """The spans of names in a text in which what is known already is blank."""
    return _Finder(letters).find() if letters.words else []


class _Finder(NameForms):
    """Goes through the words of one text."""

    def __init__(self, letters: Letters) -> None:
        super().__init__(letters)
        self._belonging = Belonging(letters)

    def find(self) -> list[Span]:
        spans: list[Span] = []
        place = 0
        while place < len(self._words):
            found = self._at(place)
            if found is None:
                place += 1
                continue
            span, place = found
            if span is not None:
                spans.append(span)
        return sorted([*spans, *self._again(spans)])

    def _at(self, place: int) -> tuple[Span | None, int] | None:
        """What is found at a word, and the word after it."""
        for rule in (self._by_role, self._by_cue, self._by_family, self._by_honorific, self._bare):
            found = rule(place)
            if found is not None:
                return found
        return None

    # --- the rules, in their order

    def _by_role(self, place: int) -> tuple[Span, int] | None:
        length = phrases("roles").at(self._words, place, self._unmarked)
        if not length or not self._follow(place, place + length, _BY_WORD):
            return None
        at = place + length
        if not self._leads(at - 1):
            return None
        of_department = self._words[at - 1].plain in ("khoa", "phong", "ban")
        while of_department and phrases("qualifiers").at(self._words, at, self._unmarked):
            at += 1
        for _ in range(_MOST_QUALIFIERS + 1):
            if not self._gap(at - 1, TO_NAME):
                break
            end = at if self._qualifies(at) else self._name(at, led=True, role=True)
            if end > at:
                return self._span(place, end, Kind.STAFF), end
            counter = self._counter(at)
            if counter is not None:
                return Span(self._words[place].start, counter[0], Kind.STAFF), counter[1]
            step = phrases("qualifiers").at(self._words, at, self._unmarked)
            if not step:
                break
            at += step
        return None

    def _qualifies(self, place: int) -> bool:
        """Whether a word says of what sort somebody is, and is no name: bác sĩ khoa nội."""
        length = phrases("qualifiers").at(self._words, place, self._unmarked)
        if not length or length > 1:
            return length > 1
        if not self._is_large(place) or self._words[place].case is Case.CAPITALS:
            return True
        after = phrases("qualifiers").at(self._words, place + 1, self._unmarked)
        return after > 0 and self._joined(place + 1)

    def _by_cue(self, place: int) -> tuple[Span, int] | None:
        length = phrases("citizen_cues").at(self._words, place, self._unmarked)
        if not length:
            return None
        return self._behind(place + length, honorific=True)

    def _by_family(self, place: int) -> tuple[Span, int] | None:
        length = phrases("family").at(self._words, place, self._unmarked)
        if not length or not self._follow(place, place + length, BLANKS):
            return None
        at = place + length
        at += phrases("name_words").at(self._words, at, self._unmarked)
        return self._behind(at, honorific=True)

    def _behind(self, at: int, *, honorific: bool) -> tuple[Span, int] | None:
        """The name of a citizen at a word, or behind an honorific there."""
        if honorific and phrases("honorifics").at(self._words, at, self._unmarked):
            found = self._behind(at + 1, honorific=False)
            if found is not None:
                return found
        if at < 1 or not self._leads(at - 1):
            return None
        end = self._name(at, led=True)
        return (self._span(at, end, Kind.CITIZEN), end) if end > at else None

    def _by_honorific(self, place: int) -> tuple[Span, int] | None:
        length = phrases("honorifics").at(self._words, place, self._unmarked)
        if not length:
            return None
        at = place + length
        at += phrases("name_words").at(self._words, at, self._unmarked)
        if not self._leads(at - 1) or self._is_known(place):
            return None
        is_initial = len(self._words[place].plain) == 1  # a. Hùng
        if is_initial and not self._is_large(at):
            return None
        end = self._name(at, led=True)
        if end > at:
            if self._belonging.of(place, end) is Kind.STAFF:
                return self._span(place, end, Kind.STAFF), end
            return self._span(at, end, Kind.CITIZEN), end
        counter = self._counter(at) if at == place + 1 else None
        return counter and (
            Span(self._words[place].start, counter[0], Kind.STAFF), counter[1]
        )  # fmt: skip

    def _bare(self, place: int) -> tuple[Span | None, int] | None:
        street = phrases("places").at(self._words, place, self._unmarked) > 0
        if street and place + 1 < len(self._words) and self._is("surnames", place + 1):
            return None  # Đường Nguyễn Trãi, though Đường is a surname
        end = self._name(place, led=False)
        if end == place:
            end = self._given_at_work(place)
            if end == place or self._is_place(place):
                return None
            return self._span(place, end, Kind.STAFF), end
        if self._is_place(place):
            return None, end
        return self._span(place, end, self._belonging.of(place, end)), end

    def _given_at_work(self, place: int) -> int:
        """The word after a given name that says by itself whose it is: Lan ở quầy 2; else it."""
        if not self._is_large(place) or not self._is("given", place) or self._is_known(place):
            return place
        if phrases("places_of_work").at(self._words, place, self._unmarked):
            return place  # văn phòng
        end = place + 1
        if self._joined(end) and self._is_large(end) and self._is("given", end):
            end += 1
        elif self._is("everyday", place) and not self._joined(place):
            return place
        if not self._joined(end):
            return place
        if end - place == 2 and phrases("deeds").at(self._words, end, self._unmarked):
            return end
        at = end + phrases("at").at(self._words, end, self._unmarked)
        works = self._joined(at) and phrases("places_of_work").at(self._words, at, self._unmarked)
        return end if works else place

    # --- what stands beside

    def _counter(self, place: int) -> tuple[int, int] | None:
        """Where the number of a counter at a word ends, and the word after it."""
        if place >= len(self._words) or not self._gap(place - 1, BLANKS):
            return None
        at = place + (self._words[place].toned in ("ở", "tại", "bên", "của") and place > 0)
        length = phrases("counters").at(self._words, at, self._unmarked)
        if not length or not self._follow(at, at + length, BLANKS):
            return None
        found = _NUMBER.match(self._text, self._words[at + length - 1].end)
        if found is None:
            return None
        after = at + length
        while after < len(self._words) and self._words[after].start < found.end():
            after += 1
        return found.end(), after

    def _is_place(self, place: int) -> bool:
        if phrases("places").before(self._words, place, self._unmarked) and self._gap(
            place - 1, BLANKS
        ):
            return True
        start = self._words[place].start
        return _STREET_NUMBER(self._text[max(0, start - 24) : start]) is not None

    def _again(self, spans: list[Span]) -> Iterator[Span]:
        """Given names that were found, where they stand alone and large."""
        kinds: dict[str, Kind] = {}
        taken = {place for span in spans for place in self._places(span)}
        for span in spans:
            last = max(self._places(span), default=None)
            if last is None or not self._is_large(last) or len(self._words[last].plain) < 2:
                continue
            toned = self._words[last].toned
            # Of one name of both a citizen's is kept from more people.
            kinds[toned] = Kind.CITIZEN if kinds.get(toned, span.kind) != span.kind else span.kind
        if not kinds:
            return
        for place, word in enumerate(self._words):
            if place in taken or word.toned not in kinds or not self._is_large(place):
                continue
            beside = place + 1 < len(self._words) and self._joined(place + 1)
            if self._is_place(place) or (beside and self._is_large(place + 1)):
                continue
            yield self._span(place, place + 1, kinds[word.toned])

    def _places(self, span: Span) -> Iterator[int]:
        # Spans are few, and words are looked for from where they may begin.
        low, high = 0, len(self._words)
        while low < high:
            middle = (low + high) // 2
            if self._words[middle].start < span.start:
                low = middle + 1
            else:
                high = middle
        while low < len(self._words) and self._words[low].end <= span.end:
            yield low
            low += 1

    def _span(self, start: int, end: int, kind: Kind) -> Span:
        return Span(self._words[start].start, self._words[end - 1].end, kind)
