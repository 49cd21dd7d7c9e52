"""Names and labels that every program takes: R, Python, SPSS, Stata, Excel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

#: What SPSS, Stata, R or Python keep for themselves, in small letters.
RESERVED = frozenset(
    {
        # SPSS's; Stata's; R's and Python's.
        "all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to", "with",
        "_all", "_b", "byte", "_coef", "_cons", "double", "float", "if", "in", "int", "long", "_n",
        "_pi", "_pred", "_rc", "_skip", "str", "strl", "using",
        "else", "repeat", "while", "function", "for", "next", "break", "true", "false", "null",
        "inf", "nan", "na", "none", "class", "def", "del", "pass", "return", "import", "from",
        "as", "is", "try", "except", "finally", "lambda", "global", "yield", "elif", "assert",
        "raise",
    }
)  # fmt: skip
#: Stata's; SPSS has 64.
LONGEST_NAME = 32
#: Stata cuts a label of a column here, in characters; SPSS at 256 bytes.
LONGEST_LABEL, LONGEST_LABEL_BYTES = 80, 255
#: SPSS cuts a label of a value here without a word, in bytes.
LONGEST_VALUE_LABEL_BYTES = 119
_MORE = "…"


def column_name(wanted: str, taken: Iterable[str]) -> str:
    """A name of ASCII letters, digits and ``_``, like the wanted one, that no other column has.

    Capitals do not tell names apart: to SPSS ``Q1`` and ``q1`` are one.
    """
    used = {name.casefold() for name in taken}
    plain = re.sub(r"[^A-Za-z0-9_]", "_", wanted)
    if not plain[:1].isalpha():
        plain = f"v_{plain}"
    plain = plain.rstrip("_")[:LONGEST_NAME]
    if plain.casefold() in RESERVED or re.fullmatch(r"str\d+", plain.casefold()):
        plain = f"{plain[: LONGEST_NAME - 2]}_x"
    name, number = plain, 1
    while name.casefold() in used:
        number += 1
        end = f"_{number}"
        name = plain[: LONGEST_NAME - len(end)] + end
    return name


def short_label(text: str, characters: int | None, size: int) -> str:
    """A label of at most so many characters and bytes; what is cut ends with a sign that says so.

    Cut between characters, never within one, whatever bytes it has.
    """
    if (characters is None or len(text) <= characters) and len(text.encode()) <= size:
        return text
    kept = text if characters is None else text[: characters - 1]
    while len(kept.encode()) > size - len(_MORE.encode()):
        kept = kept[:-1]
    return kept.rstrip() + _MORE


def distinct_labels(labels: Mapping[int, str], size: int) -> dict[int, str]:
    """Labels of values, each short enough and told apart: what two have alike gets its number.

    Programs that read answers by their labels would else take two answers for one.
    """
    found: dict[int, str] = {}
    for value, text in labels.items():
        label = short_label(text, None, size)
        if label in found.values():
            end = f" ({value})"
            label = short_label(text, None, size - len(end.encode())) + end
        found[value] = label
    return found
