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
    r"[\w.%+\-]{1,64}[ ]?(?:@|[\[({]\s?(?:a|at|@|a còng|a cong|a móc|a vòng)\s?[\])}])[ ]?"
    r"(?:[\w\-]{1,63}(?:[ ]?(?:\.|chấm|cham|[\[(]dot[\])])[ ]?[A-Za-z]{2,12}\b){1,3}"
    r"|(?:gmail|yahoo|outlook|hotmail|icloud)\b)"
    r"|[\w.%+\-]{1,64}[ ]{1,2}(?:a còng|a cong|acong|a móc|a vòng)[ ]{1,2}"
    r"[\w\-]{1,63}(?:[ ]?(?:\.|chấm|cham|dot)[ ]?[A-Za-z]{2,12}\b){0,3}"
    r"|[\w.%+\-]{1,64}[ ]{1,2}at[ ]{1,2}(?:gmail|yahoo|outlook|hotmail|icloud)\b"
    r"(?:[ ]?(?:\.|chấm|cham|dot)[ ]?[A-Za-z]{2,12}\b){0,3}",
    re.IGNORECASE,
)
#: Without one of these no address is looked for.
_OF_MAIL = ("@", "còng", "cong", "at", "móc", "vòng", "(a", "[a", "{a", "( a", "[ a")
_DOSSIER = re.compile(
    r"(?<![A-Za-z0-9])(?:\d{3}[ ]?\.[ ]?(?:\d{2}[ ]?\.[ ]?){0,3})?[A-Za-z]{1,3}\d{1,3}"
    r"(?:[ ]?[.\-][ ]?\d{1,4}){0,5}[ ]?[\-–/. ][ ]?\d{6}[ ]?[\-–/. ][ ]?\d{3,6}(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9])\d{3}(?:\.\d{2}){2}\.[A-Za-z]\d{2}(?:[.\-]\d{1,6}){1,4}(?![A-Za-z0-9])"
)
#: On the text without marks. What follows has four digits and more.
_NAMED_DOSSIER = re.compile(
    r"(?<![a-z])(?:(?:ma(?: so)?|so)[ ](?:ho so|hs|bien nhan|benh nhan|bn|y te|benh an|"
    r"phieu hen|giay hen|tra cuu|tiep nhan|don|luu tru|vu viec|phieu kham|nhap vien|"
    r"ra vien|vao vien|giay ra vien|phan anh|khieu nai|to cao|kien nghi|ket qua|xet nghiem|"
    r"phieu|don thuoc|toa thuoc|bien lai|hoa don|buu pham|van don|quyet dinh|cong van|giay phep)"
    r"|(?:ho so|hs|bien nhan|giay hen|phieu hen|benh an|giay tiep nhan|mhs)"
    r"(?:[ ](?:so|ma(?: so)?))?"
    r"|(?:ket qua|xet nghiem|phieu|phieu thu|hoa don|bien lai|don|don thu|khieu nai|to cao|"
    r"phan anh|kien nghi|giay ra vien|ra vien|vao vien|chuyen vien|giay chuyen tuyen|vu|"
    r"bien ban|to trinh|sieu am|phieu kham|toa thuoc|don thuoc|giay moi|giay phep)"
    r"[ ](?:so|ma(?: so)?))"
    r"(?:[ ](?:cua (?:toi|em|minh|chau)|la|so))*[ ]?[:#=.\-]?[ ]?#?"
    r"(?P<code>(?=[a-z./\-]{0,24}\d)[a-z0-9](?:[a-z0-9]|[./\-](?=[a-z0-9])){3,40})"
    r"(?![ .\-]{1,3}\d)"
)
#: On the text as it is: letters of an office and figures that are divided, XN250617-00482.
_LETTERED = re.compile(
    r"(?<![\w.\-/])(?P<letters>[A-ZĐ]{2,5}|[A-ZĐ]{1,3}\d{1,2}(?=[.\-/]))(?P<gap>[ .\-_/:]{0,2})"
    r"(?P<figures>\d{2,12}(?:[.\-/_](?:[A-ZĐ]{1,5}[.\-/_]?)?\d{1,12}){0,4})(?![\w]|[.,\-/]\d)"
)
#: And the other way about: 14/ĐKN-2025, 2507/HKD-0113.
_FIGURES_FIRST = re.compile(r"(?<![\w.,\-/])\d{2,8}[/\-][A-ZĐ]{2,5}[\-/]\d{4,8}(?![\w]|[.,\-/]\d)")
_LAWS = frozenset({"NĐ", "ND", "TT", "TTLT", "QĐ", "QD", "NQ", "QH", "CT", "CV", "KH", "TB"})
#: Letters of standards, of laws, and of what is found as another kind.
_NO_OFFICES = frozenset({
    "NĐ", "ND", "TT", "TTLT", "QĐ", "QD", "NQ", "CT", "QH", "CV", "KH", "TB", "HD", "BC", "TCVN",
    "QCVN", "ISO", "COVID", "VNEID", "SDT", "SĐT", "ĐT", "DT", "STK", "TK", "CMND", "CMT", "CCCD",
    "CC", "BHYT", "BHXH", "MST", "TEL", "LH", "HL", "VCB", "BIDV", "ACB", "MB", "TCB", "VIB", "SHB",
    "MSB", "OCB", "SCB", "ATM", "NH", "OTP", "ZALO", "FAX", "GPS", "TP", "HCM", "QL", "TL", "DN",
    "DĐ", "DD", "DTDD", "ĐTDĐ", "PHONE", "HOTLI", "SIM", "GMT", "UTC", "VN", "VND", "VNĐ", "USD",
    "NS", "SN", "LK", "HKI", "SDD", "CK", "CAMERA", "XE", "BKS", "BSX", "UBND", "HĐND", "TCBH",
})  # fmt: skip
_YEAR = re.compile(r"(?:19|20)\d{2}").fullmatch
#: Letter and seven or eight figures, as in Vietnam; and what is said to be a passport's.
_PASSPORT = re.compile(r"(?<![\w.\-/])[A-Z][ ]?\d{7,8}(?![\w]|[.,\-/]\d)")
_OF_PASSPORT = re.compile(
    r"(?<![a-z])(?:ho chieu|passport|pp|hc|thi thuc|visa|the tam tru|the cu tru|residence card|"
    r"so tam tru|permit|giay thong hanh|the can cuoc|cmqd|cmsq|the nganh)(?![a-z])"
    r"[^\n\0]{0,44}?(?<![\w.\-/])"
    r"(?P<code>(?=[a-z0-9]{0,8}\d[a-z0-9]{0,8}\d[a-z0-9]{0,8}\d)(?=\d{0,8}[a-z])[a-z0-9]{6,12})"
    r"(?!\w)"
)
_PLATE = re.compile(
    r"(?<![\w.,/])(?P<province>\d{2})[ ]?[\-–. ]?[ ]?(?P<letters>[A-ZĐ]{1,2}|[a-zđ]{1,2})"
    r"[ ]?\d?"
    r"[ ]?[\-–. ]{0,2}[ ]?(?:(?P<five>\d{3}[ .\-]?\d{2})|(?P<four>\d{4}))(?![\w]|[.,/]\d)"
)
_DIGIT = "khong|mot|hai|ba|bon|tu|nam|lam|sau|bay|tam|chin|muoi|tram|linh|le|\\d{1,5}"
#: A plate that is read out, on the text without marks: ba mươi tám B một, không bốn bảy chấm hai.
_SPOKEN_PLATE = re.compile(
    r"(?<![a-z])(?:bien so|bien xe|bien kiem soat|bien|bks|xe(?: may| hoi| o to)?(?: so| bien)?)"
    r"(?:[ ](?:so|xe|la|may|o to|cua toi|toi)){0,3}[ :,]{1,2}"
    rf"(?P<code>(?:{_DIGIT})[ ](?:{_DIGIT})(?:[ ](?:{_DIGIT}))?[ ](?:[a-z]{{1,2}}|gach)"
    rf"(?:[ ,.\-]{{1,3}}(?:{_DIGIT}|cham|gach|ngang|phay|[a-z])(?![a-z])){{4,12}})(?!\w)"
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
    text = _named(text, spans, _OF_PASSPORT, Kind.IDENTITY)
    text = _PASSPORT.sub(take(Kind.IDENTITY, _is_no_card), text)
    text = _named(text, spans, _NAMED_DOSSIER, Kind.DOSSIER)
    text = _named(text, spans, _SPOKEN_PLATE, Kind.PLATE)
    text = _PLATE.sub(take(Kind.PLATE, _is_plate), text)
    text = _LETTERED.sub(take(Kind.DOSSIER, _is_lettered), text)
    text = _FIGURES_FIRST.sub(take(Kind.DOSSIER, _is_of_office), text)
    text = _NONE.sub(lambda found: BLANK * len(found.group()), text)
    return spans, _THOUSANDS.sub(_blank_amount, text)


def _named(text: str, spans: list[Span], pattern: re.Pattern[str], kind: Kind) -> str:
    """The text without what a word before it says to be of a kind: a group ``code``."""
    blanked = list(text)
    for found in pattern.finditer(without_marks(text)):
        start, end = found.span("code")
        told = sum(sign.isdigit() for sign in found.group("code")) >= _FEWEST[kind]
        if told and not _is_date(found.group("code")):
            spans.append(Span(start, end, kind))
            blanked[start:end] = BLANK * (end - start)
    return "".join(blanked)


#: Of how many digits a code of a kind is at least; a plate that is read out has none.
_FEWEST = {Kind.IDENTITY: 3, Kind.DOSSIER: 4, Kind.PLATE: 0}
_is_date = re.compile(r"\d{1,2}[/.\-]\d{1,2}[/.\-](?:19|20)\d{2}").fullmatch


def _is_no_card(found: re.Match[str]) -> bool:
    """Whether a letter and figures are no mark of a thing: no word before says so."""
    before = without_marks(found.string[max(0, found.start() - 16) : found.start()])
    return not before.rstrip(" :").endswith(("model", "seri", "serial", "may", "lo", "ma vach"))


def _is_lettered(found: re.Match[str]) -> bool:
    letters, figures = found.group("letters"), found.group("figures")
    if letters in _NO_OFFICES:
        return False
    parts = re.findall(r"\d+", figures)
    n = sum(map(len, parts))
    if len(parts) == 1:  # MN0012345, and with a blank it is too little
        return (
            n >= 6
            and not found.group("gap").strip(".-_/:")
            and not (found.group("gap") and (figures[0] == "0" or n > 8))
        )
    if all(_YEAR(part) for part in parts) or (n in (10, 11) and figures[0] == "0"):
        return False
    return n >= 6 or (n >= 5 and not found.group("gap").isspace())


def _is_of_office(found: re.Match[str]) -> bool:
    return not _LAWS.intersection(re.findall(r"[A-ZĐ]+", found.group()))


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
