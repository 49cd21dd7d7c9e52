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
from app.masking.lists import names, phrases

#: Words of one name, of Vietnam's peoples' longest.
_MOST_WORDS = 6
#: Words between a role and a name.
_MOST_QUALIFIERS = 5
_BLANKS = re.compile(r"[ ]{1,3}|[’']").fullmatch
_TO_NAME = re.compile(r"[ ]{0,2}[.:\-–(“\"]{0,2}[ ]{0,2}").fullmatch
_ABBREVIATED = re.compile(r"[^aeiouy]+|bsc?k?i{1,2}|[aceo]").fullmatch
_BY_WORD = re.compile(r"[ /]{1,3}|[ ]?\.[ ]?").fullmatch
_NUMBER = re.compile(
    r"[ ]{0,2}(?:số|so|s[ốo]\.|no)?[ ]{0,2}[:.]?[ ]?(\d{1,3}[a-zA-Z]?|[A-Z]\d{0,3})(?!\w)"
)
_STREET_NUMBER = re.compile(r"\d[a-zA-Z]?(?:[/\-]\d{1,4}){0,3}[ ]?,?[ ]$").search
_ENDS = re.compile(r"[ ]*(?:[,;:!?\n()\"”\-–/]|\.+(?:\s|$)|$|\0)").match


def find(letters: Letters) -> list[Span]:
    """The spans of names in a text in which what is known already is blank."""
    return _Finder(letters).find() if letters.words else []


class _Finder:
    """Goes through the words of one text."""

    def __init__(self, letters: Letters) -> None:
        self._text, self._words, self._unmarked = letters.text, letters.words, letters.unmarked
        self._belonging = Belonging(letters)
        # Where all is written in capitals they say nothing.
        loud = sum(word.case is Case.CAPITALS for word in self._words)
        self._loud = len(self._words) > 3 and loud > 0.6 * len(self._words)

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
            if not self._gap(at - 1, _TO_NAME):
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
        if not self._is_large(place):
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
        if not length or not self._follow(place, place + length, _BLANKS):
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
        if len(self._words[place].plain) == 1 and not self._is_large(at):
            return None
        end = self._name(at, led=True)
        if end > at:
            if self._belonging.of(place, end) is Kind.STAFF:
                return self._span(place, end, Kind.STAFF), end
            return self._span(at, end, Kind.CITIZEN), end
        counter = self._counter(at) if at == place + 1 else None
        if counter is not None:
            return Span(self._words[place].start, counter[0], Kind.STAFF), counter[1]
        return None

    def _bare(self, place: int) -> tuple[Span | None, int] | None:
        if phrases("places").at(self._words, place, self._unmarked):
            if place + 1 < len(self._words) and self._is("surnames", place + 1):
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

    # --- names

    def _name(self, place: int, *, led: bool, role: bool = False) -> int:
        """The word after the name at a word; the word itself where none is."""
        if place >= len(self._words) or self._is_known(place):
            return place
        end = self._written(place, led=led, role=role)
        if end == place and not self._unmarked and self._is_bare_of_marks(place):
            # NGUYEN VAN BINH among words with their marks.
            self._unmarked = True
            end = self._written(place, led=led, role=role)
            self._unmarked = False
        return end

    def _written(self, place: int, *, led: bool, role: bool) -> int:
        if self._is_large(place):
            return self._large_name(place, led=led)
        return self._small_name(place, led=led, role=role)

    def _is_bare_of_marks(self, place: int) -> bool:
        """Whether a surname and a middle name stand here without the marks that they have."""
        both = self._words[place : place + 2]
        return (
            len(both) == 2
            and all(word.toned.isascii() for word in both)
            and names("plain_surnames").has(both[0], True)
            and names("middles").has(both[1], True)
        )

    def _large_name(self, place: int, *, led: bool) -> int:
        end = place + 1
        while end < len(self._words) and end - place < _MOST_WORDS:
            if not (self._gap(end - 1, _BLANKS) and self._is_large(end)):
                break
            if self._is("not_in_names", end) and not self._is("given", end):
                break
            if self._role_begins(end):
                break
            end += 1
        has_surname = self._is("surnames", place)
        if has_surname and end - place >= 2:
            rest = range(place + 1, end)
            likely = any(
                self._is("given", at) or self._is("middles", at) or len(self._words[at].plain) == 1
                for at in rest
            )
            alone = end - place == 2 or self._unmarked
            sure = not alone or (
                self._is("given", end - 1)
                and (not self._unmarked or self._is("plain_surnames", place))
            )
            if likely and (led or sure):
                return end
        if not led:
            return place
        first = self._words[place]
        is_given = self._is("given", place)
        if self._is("not_in_names", place) and not is_given:
            return place
        if self._is("not_after_honorific", place) and not is_given and end - place < 2:
            return place
        if len(first.plain) == 1 and end - place < 2:
            return place
        if self._is("given", place) or self._is("middles", place):
            # Ngọc Anh, and no further than a given name goes.
            while end - place > 1 and not (
                self._is("given", end - 1) or self._is("middles", end - 1)
            ):
                end -= 1
            return end
        if first.case is Case.CAPITALS:  # UBND
            return place
        return (
            min(end, place + 4) if first.case is not Case.SMALL and first.plain.isalpha() else place
        )

    def _small_name(self, place: int, *, led: bool, role: bool) -> int:
        word = self._words[place]
        if self._is("surnames", place):
            end = self._small_full_name(place, led=led)
            if end > place:
                return end
        if not led or self._is("not_after_honorific", place) or not self._is("given", place):
            return place
        end = place + 1
        if (
            self._is("middles", place)
            and self._joined(end)
            and self._is("given", end)
            and not self._is("stops", end)
            and not (self._is("everyday", end) and not self._speaks_for_name(end + 1, role=role))
        ):
            end += 1
        if self._unmarked and len(word.plain) < 3:
            return place
        if (
            self._joined(end)
            and self._is("not_in_names", end)
            and not self._is("given", end)
            and not phrases("deeds").at(self._words, end, self._unmarked)
        ):
            return place  # thái độ
        everyday = self._unmarked or (self._is("everyday", place) and end == place + 1)
        return end if not everyday or self._speaks_for_name(end, role=role) else place

    def _small_full_name(self, place: int, *, led: bool) -> int:
        """A whole name in small letters: one that was announced, or of which no word is like."""
        end = place + 1
        while self._joined(end) and end - place < _MOST_WORDS - 1 and not self._is("stops", end):
            middle, given = self._is("middles", end), self._is("given", end)
            if not (middle or given or len(self._words[end].plain) == 1):
                # Behind văn and thị stands a name, whatever it is.
                if end - place == 2 and self._words[end - 1].plain in ("van", "thi"):
                    end += 1
                break
            end += 1
            if not middle:
                break
        if end - place < 2:
            return place
        second = self._words[place + 1]
        if second.plain in ("van", "thi") and end - place >= 3:
            return (
                end if led or self._is("plain_surnames", place) or second.toned != "văn" else place
            )
        if led:
            return end
        sure = self._is("plain_surnames", place) and not self._unmarked
        return end if sure and end - place >= 3 else place

    def _given_at_work(self, place: int) -> int:
        """The word after a given name that says by itself whose it is: Lan ở quầy 2; else it."""
        if not self._is_large(place) or not self._is("given", place) or self._is_known(place):
            return place
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
        if place >= len(self._words) or not self._gap(place - 1, _BLANKS):
            return None
        at = place + (self._words[place].toned in ("ở", "tại", "bên", "của") and place > 0)
        length = phrases("counters").at(self._words, at, self._unmarked)
        if not length or not self._follow(at, at + length, _BLANKS):
            return None
        found = _NUMBER.match(self._text, self._words[at + length - 1].end)
        if found is None:
            return None
        after = at + length
        while after < len(self._words) and self._words[after].start < found.end():
            after += 1
        return found.end(), after

    def _speaks_for_name(self, end: int, *, role: bool) -> bool:
        """Whether what follows says that an everyday word was a name."""
        rest = self._words[end - 1].end
        if _ENDS(self._text, rest) is not None:
            if self._is("praise", end - 1):
                return False
            return role or self._text[rest : rest + 1] not in ("", ".", ",", "!")
        return bool(
            phrases("places_of_work").at(self._words, end, self._unmarked)
            or phrases("deeds").at(self._words, end, self._unmarked)
            or phrases("after_names").at(self._words, end, self._unmarked)
        )

    def _is_place(self, place: int) -> bool:
        if phrases("places").before(self._words, place, self._unmarked) and self._gap(
            place - 1, _BLANKS
        ):
            return True
        start = self._words[place].start
        return _STREET_NUMBER(self._text[max(0, start - 24) : start]) is not None

    def _is_known(self, place: int) -> bool:
        """Whether a well-known place is named here, and no longer name begins with it."""
        length = phrases("known").at(self._words, place, self._unmarked)
        if not length:
            return False
        after = place + length
        more = after < len(self._words) and self._gap(after - 1, _BLANKS) and self._is_large(after)
        return not (more and self._is("surnames", place) and self._is("given", after))

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

    # --- words

    def _is(self, kind: str, place: int) -> bool:
        return names(kind).has(self._words[place], self._unmarked)

    def _is_large(self, place: int) -> bool:
        return (
            place < len(self._words)
            and self._words[place].case is not Case.SMALL
            and not self._loud
        )

    def _role_begins(self, place: int) -> bool:
        return phrases("roles").at(self._words, place, self._unmarked) > 1

    def _joined(self, place: int) -> bool:
        return place < len(self._words) and self._gap(place - 1, _BLANKS)

    def _gap(self, place: int, fits: object) -> bool:
        """Whether what stands between a word and the next one is of a kind."""
        if place + 1 >= len(self._words) or place < 0:
            return False
        gap = self._text[self._words[place].end : self._words[place + 1].start]
        return len(gap) < 8 and bool(fits(gap))  # type: ignore[operator]

    def _leads(self, place: int) -> bool:
        """Whether a name may follow a word; a full stop stands behind abbreviations alone."""
        if not self._gap(place, _TO_NAME):
            return False
        stop = "." in self._text[self._words[place].end : self._words[place + 1].start]
        return not stop or _ABBREVIATED(self._words[place].plain) is not None

    def _follow(self, start: int, end: int, fits: object) -> bool:
        return all(self._gap(place, fits) for place in range(start, end - 1))

    def _span(self, start: int, end: int, kind: Kind) -> Span:
        return Span(self._words[start].start, self._words[end - 1].end, kind)
