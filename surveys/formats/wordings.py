"""Wordings of other programs: in which language they are, and what of them is no word."""

from __future__ import annotations

import html
import re
import unicodedata

from surveys.formats.findings import Findings, Place
from surveys.formats.outline import Texts
from surveys.reading import UNSEEN

_TAG = re.compile(
    r"</?(?:p|br|b|strong|i|em|u|s|span|div|a|font|h[1-6]|ul|ol|li|img|table|tbody|thead|tr|td|th"
    r"|sub|sup|hr|blockquote|center|small|big|style|script|pre|code|video|audio|iframe)\b[^<>]*>",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\$\{[^{}]*\}")
#: Names of languages as forms have them; others are known by a code in brackets, ``Deutsch (de)``.
_NAMES = {
    "vietnamese": "vi", "tiếng việt": "vi", "việt": "vi", "vn": "vi", "english": "en",
    "french": "fr", "français": "fr", "francais": "fr", "spanish": "es", "español": "es",
    "espanol": "es", "german": "de", "deutsch": "de", "chinese": "zh", "中文": "zh",
    "portuguese": "pt", "russian": "ru", "русский": "ru", "uzbek": "uz", "arabic": "ar",
    "amharic": "am", "tigrinya": "ti", "tigrigna": "ti", "tigirigna": "ti", "oromo": "om",
    "oromiffa": "om", "khmer": "km", "lao": "lo", "thai": "th", "swahili": "sw", "hindi": "hi",
    "nepali": "ne", "burmese": "my", "indonesian": "id", "korean": "ko", "japanese": "ja",
    "dutch": "nl", "italian": "it", "hmong": "hmn", "cham": "cjm", "tày": "tyz", "jarai": "jra",
}  # fmt: skip


def language_of(name: str) -> str:
    """The code of a language that a file names somehow; empty where nobody knows."""
    name = name.strip()
    if match := re.search(r"\(([A-Za-z]{2,3})(?:[-_][\w-]+)?\)\s*$", name):
        return match[1].lower()
    if known := _NAMES.get(name.casefold()):
        return known
    if match := re.fullmatch(r"([A-Za-z]{2,3})(?:[-_][\w-]+)?", name):
        return match[1].lower()
    return ""


def own_name(name: str) -> str:
    """The name of a language without its code, as citizens read it."""
    return re.sub(r"\s*\([A-Za-z]{2,3}(?:[-_][\w-]+)?\)\s*$", "", name.strip()) or name.strip()


def cleaned(written: str, place: Place, findings: Findings) -> str:
    """One wording as ours may be: composed, one line, without markup."""
    text = unicodedata.normalize("NFC", written)
    if _TAG.search(text):
        findings.add(place, "formats.markup")
        text = html.unescape(_TAG.sub(" ", text))
        text = re.sub(r"\s+", " ", text)
    if _REFERENCE.search(text):
        findings.add(place, "formats.reference", text=" ".join(_REFERENCE.findall(text)))
    text = re.sub(r"\s*[\r\n\t\x0b\x0c\u0085\u2028\u2029]+\s*", " ", text)
    text = UNSEEN.sub("", text)
    text = text.replace("../", ".. /").replace("..\\", ".. \\").strip()
    return text.lstrip("= ") if text.startswith("=") else text


def cleaned_all(texts: Texts, place: Place, findings: Findings) -> dict[str, str]:
    """The wordings that are left of each language."""
    found = {language: cleaned(text, place, findings) for language, text in texts.items()}
    return {language: text for language, text in found.items() if text}
