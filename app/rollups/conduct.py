"""How a form was filled in, beside what was answered: as bits of one small number a response.

Cells count them (``app.rollups.cells``, ``FORMS``), so what is hasty, and how many answers all
alike say something, is part of what a cell keeps: whoever changes it has all cells made anew.
"""

from __future__ import annotations

from enum import IntFlag

#: A whole form in fewer seconds was not read.
HASTY_S = 20
#: Fewer answers than this all alike say nothing.
LEAST_ALIKE = 5


class Conduct(IntFlag):
    """What is said of a form; their order is that of the columns in which cells count them."""

    #: How it was filled in is known: cells of older software may have lost the responses.
    KNOWN = 1
    #: It is known how long it took, and that was less than ``HASTY_S``.
    TIMED = 2
    HASTY = 4
    #: It was left unfinished.
    PARTIAL = 8
    ENGLISH = 16
    #: At least ``LEAST_ALIKE`` items of the index are rated; and all of them at one level.
    ABLE = 32
    ALIKE = 64


# Plain numbers: a flag's own arithmetic costs more than all else that is done for a response.
_KNOWN, _PARTIAL, _ENGLISH = map(int, (Conduct.KNOWN, Conduct.PARTIAL, Conduct.ENGLISH))
_TIMED = _KNOWN | int(Conduct.TIMED)
_HASTY = _TIMED | int(Conduct.HASTY)


def conduct_of(duration_s: int | None, partial: bool, language: str) -> int:
    """What a response says of itself; what its answers say, ``Layout.tally`` finds."""
    bits = _KNOWN if duration_s is None else _HASTY if duration_s < HASTY_S else _TIMED
    if partial:
        bits |= _PARTIAL
    if language == "en":
        bits |= _ENGLISH
    return bits
