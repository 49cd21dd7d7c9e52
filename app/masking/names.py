"""Names of persons, by surnames, given names and the words beside them; citizens' and staff's.

A name is a surname with what follows it, or a given name behind a word that a name follows: an
honorific, a role, a relation, "tôi tên là". Written small it wants such a word, or the middle name
of which no other word is like (văn, thị). Streets and towns that are called after people stand
behind words of places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from app.masking.bare_names import BareNames
from app.masking.belonging import Belonging
from app.masking.kinds import Kind, Span
from app.masking.letters import Case, Letters, read
from app.masking.lists import phrases
from app.masking.name_forms import BLANKS, ENDS, TO_NAME

#: Words between a role and a name.
_MOST_QUALIFIERS = 5
_BY_WORD = re.compile(r"[ /]{1,3}|[ ]?\.[ ]?").fullmatch
_NUMBER = re.compile(
    r"[ ]{0,2}(?:số|so|s[ốo]\.|no)?[ ]{0,2}[:.]?[ ]?(\d{1,3}[a-zA-Z]?|[A-Z]\d{0,3})(?!\w)"
)
_APPOSED = re.compile(r"[ ]?[,(][ ]{0,2}").fullmatch
_JOINING = re.compile(r"[ ]?[&/+][ ]?").fullmatch
_LISTING = re.compile(r"[^\W\d_ ,&/+]{0,6}(?:[ ,&/+]{1,3}[^\W\d_]{0,6}){0,4}").fullmatch
_COMMA = re.compile(r"[ ]?,[ ]").fullmatch
#: How far before the first of a list it is said that there are several.
_BEFORE_LIST = 4


def find(letters: Letters) -> list[Span]:
    """The spans of names in a text in which what is known already is blank."""
    return _Finder(letters).find() if letters.words else []


class _Finder(BareNames):
    """Goes through the words of one text."""

    def __init__(self, letters: Letters) -> None:
        super().__init__(letters)
        self._belonging = Belonging(letters)
        #: Names of which nothing tells whose they are: held for citizens'.
        self._unsure: set[Span] = set()

    def find(self) -> list[Span]:
        spans: list[Span] = []
        place = 0
        while place < len(self._words):
            found = self._at(place)
            if found is None:
                place += 1
                continue
            span, place = found
            while span is not None:
                spans.append(span)
                following = self._joined_name(place, span.kind)
                span = None
                if following is not None:
                    span, place = following
        spans = self._settled(spans)
        return sorted([*spans, *self._again(spans)])

    def _settled(self, spans: list[Span]) -> list[Span]:
        """Names of which nothing tells whose they are, by the same one elsewhere or one beside."""
        kinds: dict[str, set[Kind]] = {}
        for span in spans:
            if span not in self._unsure:
                kinds.setdefault(self._given_of(span), set()).add(span.kind)
        settled = [
            self._as_staff(span) if kinds.get(self._given_of(span)) == {Kind.STAFF} else span
            for span in spans
        ]
        for places in (range(1, len(settled)), range(len(settled) - 2, -1, -1)):
            beside = -1 if places.step > 0 else 1
            for at in places:
                first, second = sorted((settled[at], settled[at + beside]))
                if settled[at + beside].kind is Kind.STAFF and self._are_listed(first, second):
                    settled[at] = self._as_staff(settled[at])
        return settled

    def _as_staff(self, span: Span) -> Span:
        return replace(span, kind=Kind.STAFF) if span in self._unsure else span

    def _given_of(self, span: Span) -> str:
        return self._words[max(self._places(span))].toned

    def _are_listed(self, first: Span, second: Span) -> bool:
        """Whether nothing but a comma or và, and an honorific, stands between two names."""
        gap = self._text[first.end : second.start]
        if len(gap) > 24 or not _LISTING(gap):
            return False
        return all(
            phrases("joins").within([word], 0, 1, self._unmarked)
            or phrases("honorifics").within([word], 0, 1, self._unmarked)
            for word in read(gap).words
        )

    def _at(self, place: int) -> tuple[Span | None, int] | None:
        """What is found at a word, and the word after it."""
        known = phrases("known").at(self._words, place, self._unmarked)
        if known > 2 and self._is_known(place):
            return None, place + known  # Hai Bà Trưng, in which no Bà is meant
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
        if not self._is("given", place):
            return True  # Giám đốc Sở
        after = phrases("qualifiers").at(self._words, place + 1, self._unmarked)
        return after > 0 and self._joined(place + 1)

    def _by_cue(self, place: int) -> tuple[Span, int] | None:
        length = phrases("citizen_cues").at(self._words, place, self._unmarked)
        if not length:
            return None
        at = place + length
        # Behind tên stands a name, though it be a word of everyday.
        return self._behind(at, honorific=True, named=self._words[at - 1].toned == "tên")

    def _by_family(self, place: int) -> tuple[Span, int] | None:
        length = phrases("family").at(self._words, place, self._unmarked)
        if not length or not self._follow(place, place + length, BLANKS):
            return None
        if self._is_work(place):
            return None
        if self._unmarked and self._is_large(place) and self._is("surnames", place):
            return None  # Vo Van Ngan, and no vợ
        at = place + length
        at += phrases("possessive").at(self._words, at, self._unmarked)
        named = phrases("name_words").at(self._words, at, self._unmarked)
        found = self._behind(at + named, honorific=True, named=named > 0)
        return found or self._apposed(at)

    def _apposed(self, at: int) -> tuple[Span, int] | None:
        """Bà xã tôi, Kiều, mang bầu: a name between a relation and a comma."""
        if at < 1 or not self._gap(at - 1, _APPOSED) or not self._is_large(at):
            return None
        at += phrases("honorifics").at(self._words, at, self._unmarked)
        end = self._name(at, led=True)
        if end == at or ENDS(self._text, self._words[end - 1].end) is None:
            return None
        return self._span(at, end, Kind.CITIZEN), end

    def _behind(self, at: int, *, honorific: bool, named: bool = False) -> tuple[Span, int] | None:
        """The name of a citizen at a word, or behind an honorific there."""
        if at < 1 or not self._leads(at - 1):
            return None
        if honorific and phrases("honorifics").at(self._words, at, self._unmarked):
            found = self._behind(at + 1, honorific=False, named=named)
            if found is not None:
                return found
        end = max(self._name(at, led=True, role=named), self._known_name(at))
        if named and not (end > at and self._is("surnames", at)):
            end = max(end, self._announced(at))
        return (self._span(at, end, Kind.CITIZEN), end) if end > at else None

    def _by_honorific(self, place: int) -> tuple[Span | None, int] | None:
        length = phrases("honorifics").at(self._words, place, self._unmarked)
        if not length or self._is_work(place):
            return None
        at = place + length
        at += phrases("name_words").at(self._words, at, self._unmarked)
        if not self._leads(at - 1) or self._is_known(place) or self._is_none(place, at):
            return None
        end = max(self._name(at, led=True), self._known_name(at))
        if end > at:
            named_after = phrases("places").before(self._words, place, self._unmarked)
            if named_after and self._is_large(place) and self._joined(place):
                return None, end  # chợ Bà Chiểu
            return self._of(place, at, end), end
        counter = self._counter(at) if at == place + 1 else None
        return counter and (
            Span(self._words[place].start, counter[0], Kind.STAFF), counter[1]
        )  # fmt: skip

    def _is_none(self, place: int, at: int) -> bool:
        """Whether behind an honorific no name can stand: chị thu ngân, các anh chị hạnh phúc."""
        if phrases("roles").at(self._words, at, self._unmarked) > 1:
            return True
        if self._is_large(at):
            kin = self._is("births", at) and phrases("possessive").at(
                self._words, at + 1, self._unmarked
            )  # chị Hai tôi
            return bool(kin) or (self._unmarked and self._is_at(place))
        return len(self._words[place].plain) == 1 or self._is_several(place)

    def _is_at(self, place: int) -> bool:
        """Whether a single letter is ở, in a text without marks."""
        return self._words[place].plain == "o"

    def _is_work(self, place: int) -> bool:
        """Whether a place of work begins here: bo phan, in which bo is no father."""
        return phrases("places_of_work").at(self._words, place, self._unmarked) > 1

    def _is_several(self, place: int) -> bool:
        """Whether an honorific is of several people: các anh, hai bà."""
        return place > 0 and bool(
            phrases("plurals").before(self._words, place, self._unmarked)
            or (
                self._joined(place)
                and phrases("honorifics").before(self._words, place, self._unmarked)
            )
        )

    def _bare(self, place: int) -> tuple[Span | None, int] | None:
        end = self._bare_end(place)
        called = end == place
        if called:
            end = self._beside_end(place)
        if end == place:
            end = self._given_at_work(place)
            if end == place or self._is_place(place):
                return None
            return self._span(place, end, Kind.STAFF), end
        if self._is_place(place) or (not called and self._is_street(place, end)):
            return (None, end) if not called else None
        return self._of(place, place, end, called=called), end

    def _of(self, start: int, place: int, end: int, *, called: bool = False) -> Span:
        """The span of a name that may have an honorific before it, from start on."""
        kind = self._belonging.of(start, end, called=called)
        if kind is Kind.STAFF:
            return self._span(start, end, kind)
        found = self._span(place, end, Kind.CITIZEN)
        if kind is None:
            self._unsure.add(found)
        return found

    def _joined_name(self, place: int, kind: Kind) -> tuple[Span, int] | None:
        """A name that is joined to the one before a word: An và Bình; hai chị em An, Bình."""
        if place >= len(self._words):
            return None
        at = place + phrases("joins").at(self._words, place, self._unmarked)
        if at == place:
            comma = self._gap(place - 1, _COMMA) and self._is_list(place)
            if not comma and not self._gap(place - 1, _JOINING):
                return None
        elif not self._joined(at):
            return None
        if not self._is_lone_large(at) or self._works_at(at) or self._is_place(at):
            return None
        end = self._name(at, led=False)
        if end == at:
            end = self._large_end(at)
            if end - at > 3 or not self._may_be_given(at, end):
                return None
        return self._span(at, end, kind), end

    def _is_list(self, place: int) -> bool:
        """Whether somewhat before a word it is said that there are several."""
        start = max(0, place - _BEFORE_LIST - 2)
        return phrases("plurals").within(self._words, start, place - 1, self._unmarked)

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
            if place and self._joined(place) and self._is_large(place - 1):
                continue
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
