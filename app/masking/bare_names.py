"""Names that neither an honorific nor a role announces: what they are told by.

A surname; two words of which names are made at a place of work; a number right beside (Lan
0912…), a word of calling (gặp Lan nhé), the order of birth (Năm Lành), an apostrophe behind the
first letter (H'Linh), a surname at the end. All of these are written large, but for a surname with
văn or thị behind it.
"""

from __future__ import annotations

import re

from app.masking.codes import TAKEN
from app.masking.letters import Case
from app.masking.lists import phrases
from app.masking.name_forms import BLANKS, ENDS, NameForms

_STREET_NUMBER = re.compile(r"\d[a-zA-Z]?(?:[/\-]\d{1,4}){0,3}[ ]?,?[ ]$").search
_TO_NUMBER = re.compile(rf"[ ]{{0,2}}[,:\-–(]{{0,2}}[ ]{{0,2}}{TAKEN}").match
_NUMBER_BEFORE = re.compile(rf"{TAKEN}[ ]{{0,2}}[,:;\-–(/]{{0,2}}[ ]{{0,2}}$").search
_APOSTROPHE = re.compile(r"['’ʼ`][ ]?").fullmatch


class BareNames(NameForms):
    """Finds where such names end that begin at a word; the word itself where none does."""

    def _bare_end(self, place: int) -> int:
        """The word after a name that tells by itself."""
        for rule in (self._highland, self._whole, self._turned, self._by_birth):
            end = rule(place)
            if end > place:
                return end
        return place

    def _beside_end(self, place: int) -> int:
        """The word after a given name that tells by a number or a call beside it."""
        end = self._by_number(place)
        return end if end > place else self._called(place)

    def _whole(self, place: int) -> int:
        street = phrases("places").at(self._words, place, self._unmarked) > 0
        if street and place + 1 < len(self._words) and self._is("surnames", place + 1):
            return place  # Đường Nguyễn Trãi, though Đường is a surname
        return self._name(place, led=False)

    def _highland(self, place: int) -> int:
        """H'Linh Êban, Y'Moan, K'Brôl."""
        word = self._words[place]
        if len(word.plain) != 1 or word.case is Case.SMALL or not self._is("highland", place):
            return place
        if not self._gap(place, _APOSTROPHE) or not self._is_large(place + 1):
            return place
        return self._large_end(place)

    def _turned(self, place: int) -> int:
        """Hiếu Thảo Nguyễn: the surname behind."""
        if not self._is_large(place) or self._is_known(place) or not self._is("given", place):
            return place
        end = self._large_end(place)
        turned = 2 <= end - place <= 4 and self._is("plain_surnames", end - 1)
        names = all(
            self._is("given", at) or self._is("middles", at) for at in range(place, end - 1)
        )
        return end if turned and names and not self._unmarked else place

    def _by_birth(self, place: int) -> int:
        """Năm Lành, Tư Sang: not where a sentence begins, nor behind thứ and tháng."""
        if not self._is_lone_large(place) or not self._is("births", place):
            return place
        end = self._large_end(place)
        named = end - place == 2 and self._is("given", end - 1) and not self._begins(place)
        return end if named and not self._is_known(place) else place

    def _by_number(self, place: int) -> int:
        """A given name right before or behind a number: Kiều Vân 0912…, 0912… (Hùng)."""
        if not self._is_lone_large(place) or self._works_at(place):
            return place
        end = self._large_end(place)
        if end - place > 4 or not self._may_be_given(place, end):
            return place
        if self._before_number(end):
            return end
        before = self._text[max(0, self._words[place].start - 8) : self._words[place].start]
        ends = ENDS(self._text, self._words[end - 1].end) is not None
        return end if ends and _NUMBER_BEFORE(before) is not None else place

    def _before_number(self, end: int) -> bool:
        """Whether a number stands right behind the words before one, or a number's word."""
        if _TO_NUMBER(self._text, self._words[end - 1].end) is not None:
            return True
        length = phrases("number_words").at(self._words, end, self._unmarked)
        return length > 0 and (
            _TO_NUMBER(self._text, self._words[end + length - 1].end) is not None
        )

    def _called(self, place: int) -> int:
        """A given name behind a word of calling, and before one that may follow a name."""
        if not self._is_lone_large(place) or self._works_at(place):
            return place
        if self._is("given", place) and self._is_hailed(place + 1):
            return place + 1
        if self._begins(place):
            return place
        if phrases("telling").before(self._words, place, self._unmarked):
            end = self._announced(place)
            if end - place > 1 or (end > place and self._words[place - 1].toned == "tên"):
                return end
        return self._asked_for(place)

    def _is_hailed(self, place: int) -> bool:
        """Whether ơi stands here: Hằng ơi."""
        return self._joined(place) and self._words[place].toned == "ơi"

    def _asked_for(self, place: int) -> int:
        if not phrases("large_cues").before(self._words, place, self._unmarked):
            return place
        end = self._large_end(place)
        if end - place > 3 or not self._may_be_given(place, end):
            return place
        follows = (
            ENDS(self._text, self._words[end - 1].end) is not None
            or self._speaks_for_name(end, role=True)
            or end - place == 2
        )
        return end if follows else place

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

    def _is_lone_large(self, place: int) -> bool:
        """Whether a word is written large, and not as part of a title or behind tiếng, thứ, ở."""
        if not self._is_large(place) or self._words[place].case is Case.CAPITALS:
            return False
        if place and self._joined(place):
            if self._is_large(place - 1) and not phrases("large_cues").before(
                self._words, place, self._unmarked
            ):
                return False
            if phrases("not_before_given").before(self._words, place, self._unmarked):
                return False
        return True

    def _may_be_given(self, place: int, end: int) -> bool:
        if self._is_known(place) or phrases("compounds").at(self._words, place, self._unmarked):
            return False
        return all(
            self._is("given", at) or (self._is("middles", at) and at < end - 1)
            for at in range(place, end)
        )

    def _begins(self, place: int) -> bool:
        """Whether a sentence begins at a word, which is large for that."""
        return place == 0 or not self._gap(place - 1, BLANKS)

    def _works_at(self, place: int) -> bool:
        return phrases("places_of_work").at(self._words, place, self._unmarked) > 0

    def _is_place(self, place: int) -> bool:
        if phrases("places").before(self._words, place, self._unmarked) and self._gap(
            place - 1, BLANKS
        ):
            return True
        end = self._large_end(place)
        if phrases("places_behind").at(self._words, end, self._unmarked):
            return True
        start = self._words[place].start
        return _STREET_NUMBER(self._text[max(0, start - 24) : start]) is not None

    def _is_street(self, place: int, end: int) -> bool:
        """Whether a name without a word is rather a street's: ở Trần Hưng Đạo, qua Lê Văn Sỹ."""
        if self._before_number(end):
            return False
        if phrases("ways").before(self._words, place, self._unmarked) and self._joined(place):
            return True
        hero = phrases("heroes").at(self._words, place, self._unmarked)
        if hero != end - place or self._unmarked:
            return False
        # Tôi (Bế Văn Đàn); người mất là Nguyễn Hữu Thọ.
        before = self._words[place - 1].toned if place else ""
        mark = self._text[max(0, self._words[place].start - 1) : self._words[place].start]
        return mark not in ("(", "“", '"') and before not in ("là", "của", "tên", "cho", "với")
