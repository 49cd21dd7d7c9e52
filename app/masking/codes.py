"""Numbers with letters, and addresses: e-mail, cases, plates, insurance cards; and what is none.

Each pattern looks at a bounded number of signs from where it begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from app.masking.kinds import Kind, Span
from app.masking.letters import without_marks

#: What stands in the place of what was found, so that nothing else is found in it.
BLANK = "\0"
#: And where names are looked for, in the place of a number that somebody has.
TAKEN = "\1"

_MAIL = re.compile(
    r"[\w.%+\-]{1,64}[ ]?(?:@|[\[({]\s?(?:at|a còng|a cong)\s?[\])}])[ ]?"
    r"(?:[\w\-]{1,63}(?:[ ]?(?:\.|chấm|cham|[\[(]dot[\])])[ ]?[A-Za-z]{2,12}\b){1,3}"
    r"|(?:gmail|yahoo|outlook|hotmail|icloud)\b)"
    r"|[\w.%+\-]{1,64}[ ]{1,2}(?:a còng|a cong|acong|a móc|a vòng)[ ]{1,2}"
    r"[\w\-]{1,63}(?:[ ]?(?:\.|chấm|cham|dot)[ ]?[A-Za-z]{2,12}\b){0,3}",
    re.IGNORECASE,
)
#: Without one of these no address is looked for.
_OF_MAIL = ("@", "còng", "cong", "at", "móc", "vòng")
_DOSSIER = re.compile(
    r"(?<![A-Za-z0-9])(?:\d{3}[ ]?\.[ ]?(?:\d{2}[ ]?\.[ ]?){0,3})?[A-Za-z]{1,3}\d{1,3}"
    r"(?:[ ]?[.\-][ ]?\d{1,4}){0,5}[ ]?[\-–/. ][ ]?\d{6}[ ]?[\-–/. ][ ]?\d{3,6}(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9])\d{3}(?:\.\d{2}){2}\.[A-Za-z]\d{2}(?:[.\-]\d{1,6}){1,4}(?![A-Za-z0-9])"
)
#: On the text without marks. What follows has four digits and more.
_NAMED_DOSSIER = re.compile(
    r"(?<![a-z])(?:(?:ma(?: so)?|so)[ ](?:ho so|hs|bien nhan|benh nhan|bn|y te|benh an|"
    r"phieu hen|giay hen|tra cuu|tiep nhan|don|luu tru|vu viec|phieu kham|nhap vien)"
    r"|(?:ho so|hs|bien nhan|giay hen|phieu hen|benh an|giay tiep nhan|mhs)"
    r"(?:[ ](?:so|ma(?: so)?))?)"
    r"(?:[ ](?:cua (?:toi|em|minh|chau)|la|so))*[ ]?[:#=.\-]?[ ]?#?"
    r"(?P<code>(?=[a-z./\-]{0,24}\d)[a-z0-9](?:[a-z0-9]|[./\-](?=[a-z0-9])){3,40})"
    r"(?![ .\-]{1,3}\d)"
)
_PLATE = re.compile(
    r"(?<![\w.,/])(?P<province>\d{2})[ ]?[\-–. ]?[ ]?(?P<letters>[A-ZĐ]{1,2}|[a-zđ]{1,2})"
    r"[ ]?\d?"
    r"[ ]?[\-–. ]{0,2}[ ]?(?:(?P<five>\d{3}[ .\-]?\d{2})|(?P<four>\d{4}))(?![\w]|[.,/]\d)"
)
_OF_VEHICLES = re.compile(r"(?:bien|bks|bsx|xe|o to|dau keo)[^.;\n]{0,24}$")
#: Units behind a number, and words of time, that small letters of a plate may be.
_UNITS = frozenset(
    {
        "h",
        "g",
        "k",
        "m",
        "km",
        "d",
        "đ",
        "kg",
        "tr",
        "p",
        "x",
        "s",
        "ml",
        "mg",
        "cm",
        "la",
        "va",
        "ty",
    }
)
_INSURANCE = re.compile(
    r"(?<![A-Za-z0-9])(?P<object>[A-Za-z]{2})[ .\-]{0,2}[1-5][ .\-]{0,2}"
    r"(?:\d[ .\-]{0,2}){11}\d(?!\d)"
)
#: Codes of groups of insured persons (Decision 1351/QĐ-BHXH of 2015), which many write small.
_INSURED = frozenset({
    "dn", "hx", "ch", "nn", "tk", "hc", "xk", "ht", "tb", "no", "ct", "xb", "tn", "cs", "xn",
    "ms", "hd", "te", "bt", "hn", "dt", "dk", "xd", "ts", "tc", "tq", "ta", "ty", "hg", "ls",
    "pv", "hs", "sv", "gb", "gd", "qn", "ca", "cy", "tl",
})  # fmt: skip
_NONE = re.compile(
    # dates and times
    r"(?<!\d)\d{1,2}[ ]?[/.\-][ ]?\d{1,2}[ ]?[/.\-][ ]?(?:19|20)\d{2}(?!\d)"
    r"|(?<!\d)(?:19|20)\d{2}[/.\-]\d{1,2}[/.\-]\d{1,2}(?!\d)"
    r"|(?<!\d)\d{1,2}(?::|[hg])\d{2}(?!\d)"
    # laws
    r"|(?<!\d)\d{1,5}/(?:(?:19|20)\d{2}/)?[A-ZĐ][A-ZĐ\-]{1,20}\d?"
    # numbers that anybody may call
    r"|(?<!\d)1[89]00(?:[ .\-]?\d{2,4}){1,2}(?!\d)(?![ .\-]\d)"
    # money
    r"|(?<![\d.,])[1-9]\d{0,2}(?:[.,]\d{3}){1,4}[ ]?(?:đ|đồng|dong|vnđ|vnd|d|k|usd)(?!\w)"
    r"|(?<![\d.,])(?<!\d )[1-9]\d{0,2}(?: \d{3}){1,4}[ ]?(?:đ|đồng|vnđ|vnd)(?!\w)"
    r"|(?<![\d.,])[1-9]\d{0,9}[ ]?(?:đ|đồng|vnđ|vnd|usd|nghìn|ngàn|triệu|tr|tỷ|tỉ|trđ|củ|lít)"
    r"(?![^\W\d_])"
    r"|(?<![\d.,])[1-9]\d{0,4}k(?!\w)",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"(?<![\d.,\-+])[1-9]\d{0,2}(?:\.\d{3}){1,3}(?![\d]|[.\-]\d)")
_NUMBERED = re.compile(
    r"(?:cmnd|cmt|cmtnd|cccd|cc|chung minh|can cuoc|dinh danh|cong dan|stk|tai khoan|tk|mst|"
    r"ma so thue|sdt|so dt|zalo|"
    r"dien thoai|dt|lien he|lh|goi|phone|tel|mobile|so the|bhyt|bhxh|vcb|bidv|bank)[^\n]{0,16}$"
)


def find(text: str) -> tuple[list[Span], str]:
    """The spans of such codes, and the text in which they, and what is none, are blank.

    ``text`` is made alike (``letters.read``).
    """
    spans: list[Span] = []

    def take(kind: Kind, accept: Callable[[re.Match[str]], bool]) -> Callable[[re.Match[str]], str]:
        def replace(found: re.Match[str]) -> str:
            if not accept(found):
                return found.group()
            spans.append(Span(found.start(), found.end(), kind))
            return BLANK * len(found.group())

        return replace

    if any(sign in text for sign in _OF_MAIL):
        text = _MAIL.sub(take(Kind.EMAIL, lambda found: True), text)
    text = _INSURANCE.sub(take(Kind.INSURANCE, _is_insurance), text)
    text = _DOSSIER.sub(take(Kind.DOSSIER, lambda found: True), text)
    text = _named_dossiers(text, spans)
    text = _PLATE.sub(take(Kind.PLATE, _is_plate), text)
    text = _NONE.sub(lambda found: BLANK * len(found.group()), text)
    return spans, _THOUSANDS.sub(_blank_amount, text)


def _named_dossiers(text: str, spans: list[Span]) -> str:
    blanked = list(text)
    for found in _NAMED_DOSSIER.finditer(without_marks(text)):
        start, end = found.span("code")
        if sum(sign.isdigit() for sign in found.group("code")) >= 4:
            spans.append(Span(start, end, Kind.DOSSIER))
            blanked[start:end] = BLANK * (end - start)
    return "".join(blanked)


def _is_insurance(found: re.Match[str]) -> bool:
    written = found.group("object")
    return written.isupper() or (written.lower() in _INSURED and written.lower() != "tk")


def _is_plate(found: re.Match[str]) -> bool:
    province, letters = int(found.group("province")), found.group("letters")
    if province < 11:
        return False
    before = without_marks(found.string[max(0, found.start() - 32) : found.start()])
    if _OF_VEHICLES.search(before):
        return True
    if letters.islower() and letters in _UNITS:
        return False
    if found.group("five"):
        return letters.isupper() or len(letters) == 1
    inner = found.group()[2 : -len(found.group("four"))]
    return letters.isupper() and any(sign in "-–." for sign in inner)


def _blank_amount(found: re.Match[str]) -> str:
    """An amount without a currency; a number that was named before stays."""
    before = without_marks(found.string[max(0, found.start() - 30) : found.start()])
    return found.group() if _NUMBERED.search(before) else BLANK * len(found.group())
