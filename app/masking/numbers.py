"""Numbers of telephones, papers, cards and accounts, in all ways in which people write digits.

Digits stand together, in groups, one by one, as words (không chín một hai), or with letters that
look like them (o9I2). What stands within a few signs of one another is a run; from each of its
groups on it is tried how many of them are a number. What kind it is say its length, how it begins,
and the word before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.masking.kinds import Kind, Span
from app.masking.letters import Letters, Word, toned, without_marks

_GROUP = re.compile(
    r"(?:(?<![^\W_])[oOlISBZi]{1,4})?[0-9](?:[oOlISBZi]{0,4}[0-9])*(?:[oOlISBZi]{1,4}(?![^\W_]))?|(?<![^\W_])[oO](?![^\W_])"
)
_LIKE_DIGITS = str.maketrans("oOlISBZi", "00115821")
#: What may stand between groups of one number.
_BETWEEN = re.compile(r"[ .\-–—_·*()/]{0,3}|,").fullmatch
_BETWEEN_WORDS = re.compile(r"[ ,.\-–—]{0,3}").fullmatch
_DIGIT_WORDS = {
    "không": "0", "hông": "0", "một": "1", "mốt": "1", "hai": "2", "ba": "3", "bốn": "4",
    "tư": "4", "năm": "5", "lăm": "5", "nhăm": "5", "sáu": "6", "bảy": "7", "bẩy": "7", "bải":
    "7", "tám": "8", "chín": "9", "linh": "0", "lẻ": "0",
}  # fmt: skip
#: Words of tens and hundreds: one hundred and twenty-three is 1 2 3, and twenty 2 0.
_TENS = {"trăm": "00", "mươi": "0", "mười": "10", "chục": "0"}
_PLAIN_TENS = {without_marks(word): digits for word, digits in _TENS.items()}
_TENS_TONED = {toned(word): digits for word, digits in _TENS.items()}
_PLAIN_DIGIT_WORDS = {without_marks(word): digit for word, digit in _DIGIT_WORDS.items()}
_WORDS_TONED = {toned(word): digit for word, digit in _DIGIT_WORDS.items()}
#: No number that is masked has more digits.
_MOST_DIGITS = 19
#: How far before a number its name may stand, and behind it.
_BEFORE, _BEHIND = 44, 14
_CUES = (
    (Kind.PHONE,
     r"sdt|so dt|dien thoai|\bdt\b|\bdtdd\b|zalo|\bda lo\b|\bgoi\b|lien he|\blh\b|\balo\b|"
     r"phone|\btel\b|mobile|hotline|di dong|viber|\bsms\b|nhan tin|so may|lien lac|\bsim\b|"
     r"ban so|may ban"),
    (Kind.IDENTITY,
     r"cmnd|\bcmt\b|cmtnd|cccd|\bcc\b|chung minh|can cuoc|dinh danh|\bcmnnd\b|\bcm\b|"
     r"ho chieu|passport|giay to tuy than"),
    (Kind.INSURANCE,
     r"bhyt|bhxh|bao hiem|so the|the bao|ma the|so so|\bbh\b"),
    (Kind.TAX,
     r"\bmst\b|ma so thue|ma thue"),
    (Kind.BANK,
     r"\bstk\b|so tai khoan|tai khoan|\btk\b|ngan hang|vietcombank|\bvcb\b|bidv|agribank|"
     r"techcombank|\btcb\b|vietinbank|mbbank|mb bank|\bmb\b|\bacb\b|sacombank|vpbank|"
     r"tpbank|hdbank|\bshb\b|\bvib\b|\bmsb\b|\bocb\b|chuyen khoan|\bck\b|so the atm|"
     r"the atm|the tin dung|\bvisa\b"),
    (Kind.PLATE,
     r"bien so|\bbks\b|bien kiem soat|\bbsx\b"),
)  # fmt: skip
_CUE = re.compile("|".join(f"(?P<{kind.value}>{pattern})" for kind, pattern in _CUES))
_BANK_BEHIND = re.compile(
    r"[ ]?[(,\-–:]?[ ]?(?:(?:o|tai|cua|thuoc)[ ])?(?:ngan hang|nh |vietcombank|vcb\b|bidv|agribank|"
    r"techcombank|tcb\b|vietinbank|ctg\b|mb ?bank|mb\b|acb\b|sacombank|vpbank|tpbank|hdbank|shb\b|"
    r"vib\b|msb\b|ocb\b|scb\b|seabank|eximbank|lpbank|lienviet|namabank|abbank|kienlong|pvcombank|"
    r"bac a|dong a|momo|viettel ?(?:pay|money)|zalopay|vnpay)"
)
_PHONE_BEHIND = re.compile(r"[ ]?[(,\-–]?[ ]?(?:zalo|sdt|so dt|dien thoai|goi|lien he|lh|viber)")
#: Of how many digits a number of a kind is, where its kind is named.
_NAMED_LENGTHS = {
    Kind.PHONE: range(7, 13),
    Kind.IDENTITY: range(8, 13),
    Kind.INSURANCE: range(10, 16),
    Kind.TAX: (10, 13),
    Kind.BANK: range(6, _MOST_DIGITS + 1),
    Kind.PLATE: (4, 5),
}


@dataclass(frozen=True, slots=True)
class _Group:
    """Digits that stand together, or one as a word."""

    start: int
    end: int
    digits: str
    word: bool


def find(letters: Letters, text: str) -> list[Span]:
    """The spans of such numbers; in ``text`` what is known already is blank."""
    if not any(sign.isdigit() for sign in text) and len(letters.words) < 7:
        return []
    spans: list[Span] = []
    for run in _runs(text, letters):
        spans += _in_run(_trimmed(run), text)
    return spans


def _groups(text: str, words: Sequence[Word], unmarked: bool) -> list[_Group]:
    found = [
        _Group(match.start(), match.end(), match.group().translate(_LIKE_DIGITS), False)
        for match in _GROUP.finditer(text)
    ]
    for place, word in enumerate(words):
        digit = _said(words, place, text, unmarked)
        if digit is not None and text[word.start] != "\0":
            found.append(_Group(word.start, word.end, digit, True))
    found.sort(key=lambda group: group.start)
    return found


def _said(words: Sequence[Word], place: int, text: str, unmarked: bool) -> str | None:
    """The digits that a word is, of tens and hundreds those that no word behind it says."""
    digit = _digit_of(words[place], unmarked)
    if digit is not None:
        return digit
    tens = _tens_of(words[place], unmarked)
    before = place > 0 and words[place - 1].end + 1 == words[place].start
    if tens is None or not (tens == "10" or (before and _digit_of(words[place - 1], unmarked))):
        return None
    if place + 1 == len(words) or text[words[place].end : words[place + 1].start] != " ":
        return tens
    said = _digit_of(words[place + 1], unmarked) is not None
    hundred = tens == "00" and _tens_of(words[place + 1], unmarked) == "10"
    return tens.rstrip("0") if said or hundred else tens


def _digit_of(word: Word, unmarked: bool) -> str | None:
    return _PLAIN_DIGIT_WORDS.get(word.plain) if unmarked else _WORDS_TONED.get(word.toned)


def _tens_of(word: Word, unmarked: bool) -> str | None:
    return _PLAIN_TENS.get(word.plain) if unmarked else _TENS_TONED.get(word.toned)


def _runs(text: str, letters: Letters) -> Iterator[list[_Group]]:
    run: list[_Group] = []
    for group in _groups(text, letters.words, letters.unmarked):
        if run:
            gap = text[run[-1].end : group.start]
            either = run[-1].word or group.word
            apart = "," in gap and not (run[-1].word and group.word)
            apart = apart and max(len(run[-1].digits), len(group.digits)) > 3 and either
            if apart or len(gap) > 3 or not (_BETWEEN_WORDS(gap) if either else _BETWEEN(gap)):
                yield run
                run = []
        run.append(group)
    if run:
        yield run


def _trimmed(run: Sequence[_Group]) -> Sequence[_Group]:
    """A run without one or two words at its ends that stand beside digits: 2222 không ai nghe."""
    first, last = 0, len(run)
    while first < 2 and first + 1 < len(run) and run[first].word:
        first += 1
    while last > len(run) - 2 and last > 1 and run[last - 1].word:
        last -= 1
    if run[first].word or len(run[first].digits) < 2:
        first = 0
    if run[last - 1].word or len(run[last - 1].digits) < 2:
        last = len(run)
    return run[first:last]


def _in_run(run: Sequence[_Group], text: str) -> Iterator[Span]:
    if sum(len(group.digits) for group in run) < 4:
        return
    place = 0
    while place < len(run):
        found = _number_at(run, place, text)
        if found is None:
            place += 1
            continue
        end, kind = found
        start = run[place].start
        while start > 0 and text[start - 1] in "+(" and run[place].start - start < 2:
            start -= 1
        yield Span(start, run[end - 1].end, kind)
        place = end


def _number_at(run: Sequence[_Group], place: int, text: str) -> tuple[int, Kind] | None:
    """Up to which group a number goes that begins at one, and its kind."""
    first = run[place]
    cue = _cue(text, first.start, run, place)
    rest = run[place : place + _MOST_DIGITS + 1]
    # Digits one by one, and in groups: all of the run, if it is one number.
    if (
        1 < len(rest) <= _MOST_DIGITS
        and all(len(group.digits) < 9 for group in rest)
        and len({group.word for group in rest}) == 1
    ):
        kind = _kind(rest, cue, text, whole=True)
        if kind is not None:
            return len(run), kind
    digits = 0
    for end in range(place + 1, min(len(run), place + _MOST_DIGITS) + 1):
        digits += len(run[end - 1].digits)
        if digits > _MOST_DIGITS:
            if end == place + 1:  # longer than any number, and of somebody all the same
                return end, cue or Kind.BANK
            break
        kind = _kind(run[place:end], cue, text, whole=end == len(run))
        if kind is not None:
            branch = kind is Kind.TAX and end < len(run) and len(run[end].digits) == 3
            return end + branch, kind
    return None


def _kind(groups: Sequence[_Group], cue: Kind | None, text: str, *, whole: bool) -> Kind | None:
    digits = "".join(group.digits for group in groups)
    n, single = len(digits), len(groups) == 1
    by_words = sum(group.word for group in groups)
    if by_words and (n < 8 or (by_words < 3 and n - by_words < 7)):
        return None
    if n < 8 and any(
        "o" in text[g.start : g.end].lower() and len(g.digits) == 1 and not g.word for g in groups
    ):
        return None
    if _is_phone(digits, groups[0], text, whole=whole, single=single):
        return _named(cue, n, (Kind.BANK, Kind.INSURANCE, Kind.TAX)) or Kind.PHONE
    if cue is not None and n in _NAMED_LENGTHS[cue] and (single or whole or _grouped(groups)):
        return Kind.IDENTITY if cue is Kind.INSURANCE and n == 12 else cue
    if not (single or whole):
        return Kind.IDENTITY if n == 12 and digits[0] == "0" and _grouped(groups) else None
    return _by_length(digits, groups, single=single, by_words=by_words)


def _by_length(
    digits: str, groups: Sequence[_Group], *, single: bool, by_words: int
) -> Kind | None:
    """The kind of a number of which nobody says what it is."""
    n = len(digits)
    if n == 12 and (single or digits[0] == "0" or by_words):
        return Kind.IDENTITY
    if n == 9 and (single or by_words or all(len(group.digits) == 3 for group in groups)):
        return Kind.IDENTITY
    if n == 10 and (single or digits[0] == "0"):
        return Kind.INSURANCE
    if by_words >= 7 and 9 <= n <= 12:
        return Kind.PHONE
    cards = n >= 16 and all(len(group.digits) == 4 for group in groups)
    accounts = n >= 12 and not by_words and _grouped(groups) and not _are_several(groups)
    return Kind.BANK if (single and n > 10) or cards or accounts else None


def _are_several(groups: Sequence[_Group]) -> bool:
    """Whether groups are numbers of their own: years, sums of money, and one with a phone."""
    for place in range(1, len(groups)):
        rest = "".join(group.digits for group in groups[place:])
        if rest[0] == "0" and 9 <= len(rest) <= 12:
            return True
    return all(
        group.digits.endswith("00") or group.digits[:2] in ("19", "20") or len(group.digits) < 3
        for group in groups
    )


def _is_phone(digits: str, first: _Group, text: str, *, whole: bool, single: bool) -> bool:
    plus = text[max(0, first.start - 2) : first.start].strip("( ").endswith("+")
    if plus or (digits.startswith("84") and (whole or single or digits[2:3] == "0")):
        after = digits.removeprefix("84").removeprefix("0")
        if digits.startswith("84") and (len(after), after[:1]) in _AFTER_COUNTRY:
            return True
    if len(digits) == 10:
        return digits[0] == "0" and digits[1] in "35789"
    return (len(digits) == 11 and digits[:2] in ("02",)) or (
        len(digits) == 11 and digits[:3] in ("012", "016", "018", "019", "086", "099")
    )  # fmt: skip


#: Length and first digit of what follows 84: mobile and fixed numbers.
_AFTER_COUNTRY = frozenset({(9, first) for first in "35789"} | {(10, "2"), (9, "2")})


def _named(cue: Kind | None, n: int, kinds: tuple[Kind, ...]) -> Kind | None:
    return cue if cue in kinds and n in _NAMED_LENGTHS[cue] else None


def _grouped(groups: Sequence[_Group]) -> bool:
    """Whether they are of two to four digits, as a number is grouped to be read."""
    return all(2 <= len(group.digits) <= 4 for group in groups)


def _cue(text: str, start: int, run: Sequence[_Group], place: int) -> Kind | None:
    """What the nearest word before a number says that it is, or one right behind it."""
    before = without_marks(text[max(0, start - _BEFORE) : start])
    before = before.rpartition("\n")[2].rpartition("\0")[2]
    found = None
    for found in _CUE.finditer(before):  # noqa: B007 - the last one counts
        pass
    if found is not None:
        return Kind(str(found.lastgroup))
    end = run[-1].end
    if _PHONE_BEHIND.match(without_marks(text[end : end + _BEHIND])):
        return Kind.PHONE
    if _BANK_BEHIND.match(without_marks(text[end : end + _BEHIND + 6])):
        return Kind.BANK
    return None
