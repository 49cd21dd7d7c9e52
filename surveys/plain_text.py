"""Text as it is kept: in one form, without what no store or printer agrees on."""

from __future__ import annotations

import unicodedata


def cleaned(text: str, *, lines: bool) -> str:
    """The text in Unicode's composed form without control characters (PostgreSQL refuses NUL).

    Line ends and tabs are kept where there are to be ``lines``, and are spaces elsewhere.
    """
    kept = "\n\t" if lines else ""
    return "".join(
        c if c in kept or unicodedata.category(c) not in ("Cc", "Cs") else " "
        for c in unicodedata.normalize("NFC", _with_few_marks(text.replace("\r\n", "\n")))
    ).strip()


#: Of one letter, as Unicode's Stream-Safe Text Format has it (UAX 15, 13).
_MOST_MARKS = 30


def _with_few_marks(text: str) -> str:
    """The text without what comes behind so many marks in a row.

    To compose a row of n marks takes a time of n squared: of a body of a million, an hour.
    """
    if text.isascii():
        return text
    kept, row = [], 0
    for sign in text:
        row = row + 1 if unicodedata.combining(sign) else 0
        if row <= _MOST_MARKS:
            kept.append(sign)
    return "".join(kept)
