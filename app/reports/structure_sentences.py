"""What is said of days on which units changed, and of what could not be divided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.figures.results import Names
from app.figures.trend_results import Reorganised, Reorganising
from app.messages.words import Words

_HOW = {
    Reorganising.MERGED: "structure.merged",
    Reorganising.PART: "structure.part",
    Reorganising.REGROUPED: "structure.regrouped",
    Reorganising.DIVIDED: "structure.divided",
    Reorganising.RENEWED: "structure.renewed",
    Reorganising.ENDED: "structure.ended",
}
#: Units that a mark within a picture names, and a sentence.
_IN_PICTURE, _IN_SENTENCE = 2, 12


def reorganised(words: Words, mark: Reorganised) -> str:
    """What became of what on a day, and by which decision."""
    said = _said(words, mark, _IN_SENTENCE)
    if mark.decisions:
        return words("structure.by_decision", said=said, decisions="; ".join(mark.decisions))
    return f"{said}."


def in_picture(words: Words, mark: Reorganised) -> str:
    """The same as short as it stands within a picture."""
    return _said(words, mark, _IN_PICTURE)


def undivided(words: Words, names: Sequence[Names]) -> str:
    """Whose answers stand in a row of their own; nothing where nobody's do."""
    if not names:
        return ""
    return words("structure.undivided_note", units=_listed(words, names, _IN_SENTENCE))


def of_report(
    words: Words, day: date, compared: date, undivided_units: Sequence[Names]
) -> list[str]:
    """In the trees of which days a report's figures are, and what could not be divided."""
    said = [words("structure.report", day=words.day(day))]
    if compared != day:
        said.append(words("structure.report_compared", day=words.day(compared)))
    names = {each.vi: each for each in undivided_units}
    if note := undivided(words, list(names.values())):
        said.append(note)
    return said


def _said(words: Words, mark: Reorganised, most: int) -> str:
    units = _listed(words, mark.units, most)
    return words(_HOW[mark.how], day=words.day(mark.day), units=units)


def _listed(words: Words, names: Sequence[Names], most: int) -> str:
    said = ", ".join(words.name(each) for each in names[:most])
    return f"{said} …" if len(names) > most else said
