"""How names are written, large and small, and with what around them: one text's words, read."""

from __future__ import annotations

import re
from collections.abc import Callable

from app.masking.codes import BLANK, TAKEN
from app.masking.letters import Case, Letters
from app.masking.lists import names, phrases

#: Words of one name, of Vietnam's peoples' longest.
_MOST_WORDS = 6
BLANKS = re.compile(r"[ ]{1,3}|[’'][ ]?").fullmatch
_STOP = re.compile(r"\.[ ]?").fullmatch
HYPHEN = re.compile(r"-").fullmatch
TO_NAME = re.compile(r"[ ]{0,2}[.:\-–(“\"]{0,2}[ ]{0,2}").fullmatch
_ABBREVIATED = re.compile(r"[^aeiouy]+|bsc?k?i{1,2}|[aceo]").fullmatch
ENDS = re.compile(rf"[ ]*(?:[,;:!?\n()\"”\-–/]|\.+(?:\s|$)|$|[{BLANK}{TAKEN}])").match


class NameForms:
    """The words of one text, and where a name that begins at one of them ends."""

    def __init__(self, letters: Letters) -> None:
        self._text, self._words, self._unmarked = letters.text, letters.words, letters.unmarked
        # Where all is written in capitals they say nothing.
        loud = sum(word.case is Case.CAPITALS for word in self._words)
        self._loud = len(self._words) > 3 and loud > 0.6 * len(self._words)
        large = sum(word.case is not Case.SMALL for word in self._words)
        self._titled = len(self._words) > 3 and large > 0.6 * len(self._words)

    # --- names

    def _name(self, place: int, *, led: bool, role: bool = False) -> int:
        """The word after the name at a word; the word itself where none is."""
        if place >= len(self._words) or self._is_known(place):
            return place
        if self._is_praise(place) and (self._titled or self._words[place + 1].case is Case.SMALL):
            return place  # Nhân Viên Thân Thiện
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
        if len(both) < 2 or not all(word.toned.isascii() for word in both):
            return False
        loud = all(word.case is Case.CAPITALS for word in both) and both[1].plain in ("thi", "van")
        return names("surnames" if loud else "plain_surnames").has(both[0], True) and names(
            "middles"
        ).has(both[1], True)

    def _large_name(self, place: int, *, led: bool) -> int:
        end = self._large_end(place)
        if self._is("surnames", place) and end - place >= 2 and self._is_whole(place, end, led=led):
            return end
        return self._large_given(place, end) if led else place

    def _large_end(self, place: int) -> int:
        """The word after those that are written large and may be one name."""
        end = place + 1
        while (
            (self._joined(end) or self._is_initial(end - 1))
            and end - place < _MOST_WORDS
            and self._is_large(end)
        ):
            if self._is("not_in_names", end) and not (
                self._is("given", end) or self._ends_name(place, end)
            ):
                break
            if self._role_begins(end):
                break
            end += 1
        return end

    def _is_letter(self, place: int) -> bool:
        """Whether a letter stands here by itself, and no hạng B2."""
        word = self._words[place]
        return len(word.plain) == 1 and not self._text[word.end : word.end + 1].isdigit()

    def _is_initial(self, place: int) -> bool:
        """Whether one large letter with a full stop stands here: Nguyễn T. Lan, N.T.H."""
        word = self._words[place]
        return len(word.plain) == 1 and self._is_large(place) and self._gap(place, _STOP)

    def _ends_name(self, place: int, at: int) -> bool:
        """Whether a word stands where a name's must: behind văn or thị, or amid a name."""
        if self._words[at - 1].plain in ("van", "thi") and at - place >= 2:
            return True
        after = at + 1
        amid = at - place == 1 and self._joined(after) and self._is_large(after)
        return amid and self._is("plain_surnames", place) and self._is("given", after)

    def _is_whole(self, place: int, end: int, *, led: bool) -> bool:
        """Whether large words that begin with a surname are a name."""
        likely = any(
            self._is("given", at) or self._is("middles", at) or len(self._words[at].plain) == 1
            for at in range(place + 1, end)
        )
        likely = likely or (self._is("plain_surnames", place) and end - place in (3, 4))
        alone = end - place == 2 or self._unmarked
        second = self._words[place + 1].plain
        by_middle = second in ("van", "thi") and end - place >= 3 and not self._is("stops", place)
        sure = (
            not alone
            or by_middle
            or (
                self._is("given", end - 1)
                and (not self._unmarked or self._is("plain_surnames", place))
            )
        )
        return likely and (led or sure)

    def _large_given(self, place: int, end: int) -> int:
        """The word after a given name among large words behind an honorific or a role."""
        first, is_given = self._words[place], self._is("given", place)
        unlikely = (
            (self._is("not_in_names", place) and not is_given)
            or (self._is("not_after_honorific", place) and not is_given and end - place < 2)
            or (len(first.plain) == 1 and end - place < 2)
        )
        if unlikely:
            return place
        if end - place >= 3 and self._is("surnames", place) and not self._unmarked:
            return end  # Thạch Sa Rây
        if self._is("births", place) and end - place >= 2:
            return place + 2  # Sáu Nhựt
        if is_given or self._is("middles", place):
            # Ngọc Anh, and no further than a given name goes.
            while end - place > 1 and not (
                self._is("given", end - 1) or self._is("middles", end - 1)
            ):
                end -= 1
            return end
        # UBND is nobody's.
        return place if first.case is Case.CAPITALS else self._hyphened(min(end, place + 4))

    def _hyphened(self, end: int) -> int:
        """Behind what is joined to the last word of a name from abroad: Dong-min."""
        last = end
        while last - end < _MOST_WORDS and self._gap(last - 1, HYPHEN):
            if self._words[last].case is not Case.SMALL:
                break
            last += 1
        return last

    def _small_name(self, place: int, *, led: bool, role: bool) -> int:
        if self._is_praise(place):
            return place
        if self._is("surnames", place):
            end = self._small_full_name(place, led=led)
            if end > place:
                return end
        return self._small_given(place, role=role) if led else place

    def _small_given(self, place: int, *, role: bool) -> int:
        """The word after a given name in small letters that a word before announces."""
        word = self._words[place]
        is_other = self._is("not_after_honorific", place) or (
            self._unmarked and self._is("stops", place)
        )
        at_work = self._is_at_work(place + 1) or self._is_department(place + 1)
        refused = is_other and not (self._unmarked and at_work)
        if refused or not self._is("given", place):
            return place
        end = place + 1
        if (
            self._is("middles", place)
            and self._joined(end)
            and self._is("given", end)
            and not self._is("stops", end)
            and not self._is_department(end)
            and not (self._is("everyday", end) and not self._speaks_for_name(end + 1, role=role))
        ):
            end += 1
        if (self._unmarked and len(word.plain) < 3) or self._makes_other_word(end):
            return place
        everyday = self._unmarked or (self._is("everyday", place) and end == place + 1)
        return end if not everyday or self._speaks_for_name(end, role=role) else place

    def _makes_other_word(self, end: int) -> bool:
        """Whether the word behind a given name makes another one with it: thái độ."""
        return (
            self._joined(end)
            and self._is("not_in_names", end)
            and not self._is("given", end)
            and not phrases("deeds").at(self._words, end, self._unmarked)
            and not self._is_department(end)
            and not self._is_at_work(end)
        )

    def _small_full_name(self, place: int, *, led: bool) -> int:
        """A whole name in small letters: one that was announced, or of which no word is like."""
        end = place + 1
        while self._joined(end) and end - place < _MOST_WORDS - 1:
            if self._is("stops", end) and not self._must_follow(place, end):
                break
            if end - place == 1 and self._is_department(end):
                break
            middle, given = self._is("middles", end), self._is("given", end)
            if not (middle or given or self._is_letter(end)):
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
            is_word = (
                end - place == 2
                and self._is("everyday", end - 1)
                and not self._is("plain_surnames", place)
            )
            return end if not is_word or self._unmarked else place  # quan tâm
        sure = self._is("sure_surnames" if self._unmarked else "plain_surnames", place)
        return end if sure and end - place >= 3 and self._is("given", end - 1) else place

    def _must_follow(self, place: int, at: int) -> bool:
        """Whether a word is of a name though without its marks it is like another: vo van tai."""
        if not self._unmarked or at - place > 2:
            return False
        if at - place == 1:  # thì, vẫn
            given = self._joined(at + 1) and self._is("given", at + 1)
            return given and self._words[at].plain in ("van", "thi")
        return self._words[at - 1].plain in ("van", "thi") and self._is("given", at)

    def _is_praise(self, place: int) -> bool:
        """Whether two words of everyday stand here, of which a name might be: thân thiện."""
        return bool(
            phrases("compounds").at(self._words, place, self._unmarked)
            or phrases("deeds").at(self._words, place, self._unmarked) > 1
        )

    def _is_at_work(self, place: int) -> bool:
        """Whether it is said at a word where somebody works: ở quầy."""
        at = place + phrases("at").at(self._words, place, self._unmarked)
        return at > place and phrases("places_of_work").at(self._words, at, self._unmarked) > 0

    def _is_department(self, place: int) -> bool:
        """Whether a place of work is named here, khoa sản, and none is called so: Đăng Khoa."""
        after = place + phrases("places_of_work").at(self._words, place, self._unmarked)
        if after == place or ENDS(self._text, self._words[after - 1].end) is not None:
            return False
        return not (self._joined(after) and self._is("stops", after))

    def _announced(self, place: int) -> int:
        """The word after any large words behind tên, whether names are made of them or not."""
        if place >= len(self._words) or not self._is_large(place) or self._is_known(place):
            return place
        if self._words[place].case is Case.CAPITALS or any(
            phrases(kind).at(self._words, place, self._unmarked)
            for kind in ("places", "places_of_work", "roles", "citizen_cues")
        ):
            return place
        if self._is("not_in_names", place) and not self._is("given", place):
            return place
        end = self._large_end(place)
        return end if end - place <= 4 else place

    def _speaks_for_name(self, end: int, *, role: bool) -> bool:
        """Whether what follows says that an everyday word was a name."""
        rest = self._words[end - 1].end
        if ENDS(self._text, rest) is not None:
            if self._is("praise", end - 1):
                return False
            return role or self._text[rest : rest + 1] not in ("", ".", ",", "!")
        return bool(
            phrases("places_of_work").at(self._words, end, self._unmarked)
            or phrases("deeds").at(self._words, end, self._unmarked)
            or phrases("after_names").at(self._words, end, self._unmarked)
        )

    def _is_known(self, place: int) -> bool:
        """Whether a well-known place is named here, and no longer name begins with it."""
        length = phrases("known").at(self._words, place, self._unmarked)
        if not length:
            return False
        after = place + length
        more = after < len(self._words) and self._gap(after - 1, BLANKS) and self._is_large(after)
        return not (more and self._is("surnames", place) and self._is("given", after))

    def _known_name(self, place: int) -> int:
        """The word after a place's name that a person bears behind an honorific: chị Kim Liên."""
        length = phrases("known").at(self._words, place, self._unmarked)
        end = place + length
        if length != 2 or phrases("lands").at(self._words, place, self._unmarked):
            return place
        if not all(self._is_large(at) for at in range(place, end)):
            return place
        if self._joined(end) and self._is_large(end):
            return place
        named = self._is("middles", place) and self._is("given", end - 1)
        return end if named and phrases("places").at(self._words, place, False) == 0 else place

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
        return place < len(self._words) and self._gap(place - 1, BLANKS)

    def _gap(self, place: int, fits: Callable[[str], object]) -> bool:
        """Whether what stands between a word and the next one is of a kind."""
        if place + 1 >= len(self._words) or place < 0:
            return False
        gap = self._text[self._words[place].end : self._words[place + 1].start]
        return len(gap) < 8 and bool(fits(gap))

    def _leads(self, place: int) -> bool:
        """Whether a name may follow a word; a full stop stands behind abbreviations alone."""
        if not self._gap(place, TO_NAME):
            return False
        stop = "." in self._text[self._words[place].end : self._words[place + 1].start]
        return not stop or _ABBREVIATED(self._words[place].plain) is not None

    def _follow(self, start: int, end: int, fits: Callable[[str], object]) -> bool:
        return all(self._gap(place, fits) for place in range(start, end - 1))
