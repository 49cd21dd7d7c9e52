"""What a mapping may be, from a file's header and its first rows: for a person to look at.

What is found by code, by the form's own words, or by words that all say the same is proposed. What
is known to be none of our business (addresses, devices, the program's own columns) is proposed to
be left out. Everything else is left to the person, and nothing is imported before it is decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection as AnyCollection
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass

from app.importing.folding import folded
from app.importing.headers import OF_MACHINES, UNNAMED, Column, Headed, Program
from app.importing.mapping import MOST_WORDS, NO_OPINION, ColumnMeaning, Mapping, Role
from app.importing.moments import Order, order_of
from app.importing.targets import Targets, labels
from app.importing.words import missing as known_missing
from app.importing.words import no_opinion, proposed, ticked
from app.tables import Row, text
from surveys import AnswerSheet
from surveys.model import RatedItem, SingleChoiceItem

#: How many rows are looked at for words and days.
LOOKED_AT = 2000
#: A column with no more values than this is one of choices, however long they are; one with more
#: holds texts where most values are others and longer than a choice is, or any is very long.
_AS_MANY_CHOICES, _CHOICE_SIGNS, _TEXT_SIGNS = 7, 25, 200
#: What titles hold of columns that say who or what sent a response, or that a program keeps for
#: itself; a title that is a question may hold it, too.
_OURS_NOT = tuple(
    map(
        folded,
        (
            "ip address", "ipaddr", "e-mail", "email", "phone", "điện thoại", "sđt", "họ và tên",
            "họ tên", "cccd", "cmnd", "số hồ sơ", "latitude", "longitude", "locationaccuracy",
            "geopoint", "gps", "device", "seed", "token", "refurl", "referrer", "lastpage",
            "last page", "datestamp", "date last action", "recipient", "externaldata",
            "distribution", "progress", "status", "responseset", "username", "subscriberid",
            "simserial", "startdate", "start date", "date started", "recordeddate",
        ),
    )
)  # fmt: skip
_LONGEST_OF_THESE = 30


@dataclass(frozen=True)
class Proposal:
    """What a file's columns may mean: decided ones, those to leave out, and what they hold."""

    meanings: AnyMapping[str, ColumnMeaning]
    leave_out: Sequence[str]
    #: Columns about which a person has to decide.
    undecided: Sequence[str]
    #: What occurs in each column with words, the commonest first, as written.
    words: AnyMapping[str, Sequence[str]]
    #: Of these, those that nobody knows the meaning of.
    unknown: AnyMapping[str, Sequence[str]]
    missing: tuple[str, ...]
    dates: Order | None
    zone: str | None
    #: Columns that hold texts and no choices: what people wrote is no word to be decided about.
    texts: AnyCollection[str] = ()

    def mapping(self, headed: Headed, source: str, sheet: AnswerSheet, point: str) -> Mapping:
        """The mapping, with what is undecided left out of both lists.

        Raises
        ------
        ValidationError
            Where nothing is proposed.
        """
        return Mapping(
            source=source,
            questionnaire=sheet.form.code,
            version=sheet.form.version,
            point=point or None,
            dates=self.dates,
            zone=self.zone,
            numbers="en" if headed.program in OF_MACHINES else "vi",
            missing=self.missing,
            columns=dict(self.meanings),
            leave_out=tuple(self.leave_out),
        )


def propose(headed: Headed, rows: Sequence[Row], sheet: AnswerSheet) -> Proposal:
    """A proposal from a header and some rows below it."""
    targets = Targets(sheet.form)
    roles = targets.roles(headed.columns, headed.program)
    words = {column.name: _words(rows, column) for column in headed.columns}
    missing = tuple(m for m in known_missing() if any(m in those for those in words.values()))
    meanings: dict[str, ColumnMeaning] = {}
    taken: set[tuple[str | None, int | None]] = set()
    for column in headed.columns:
        meaning = targets.meaning(column, headed.program)
        if meaning is not None and (meaning.item, meaning.option) not in taken:
            taken.add((meaning.item, meaning.option))
            meanings[column.name] = meaning
    meanings = {**{n: ColumnMeaning(role=role) for n, role in roles.items() if n not in meanings},
                **meanings}  # fmt: skip
    _by_words_alone(headed, targets, words, meanings)
    unknown: dict[str, Sequence[str]] = {}
    for column in headed.columns:
        meaning = meanings.get(column.name)
        if meaning is None or meaning.item is None:
            continue
        found = [word for word in words[column.name] if word not in missing]
        meanings[column.name], left = _with_words(meaning, found, targets, sheet)
        if left:
            unknown[column.name] = left
    rest = [column for column in headed.columns if column.name not in meanings]
    out = [c.name for c in rest if _is_not_ours(c) or _is_number(c, headed)]
    # Kobo's server writes its own time without an offset.
    naive = roles.get("_submission_time") is Role.ANSWERED_AT
    return Proposal(
        meanings, out, [c.name for c in rest if c.name not in out], words, unknown, missing,
        _dates(meanings, words), "UTC" if naive else None,
        frozenset(c.name for c in headed.columns if _holds_texts(_written(rows, c))),
    )  # fmt: skip


def unknown_words(
    mapping: Mapping, words: AnyMapping[str, Sequence[str]], sheet: AnswerSheet
) -> dict[str, Sequence[str]]:
    """Words in columns of a mapping that it does not know."""
    targets = Targets(sheet.form)
    found: dict[str, Sequence[str]] = {}
    for name, meaning in mapping.columns.items():
        if meaning.item not in targets.items:
            continue
        met = [word for word in words.get(name, ()) if word not in mapping.missing]
        if left := _left(meaning, met, targets, sheet):
            found[name] = left
    return found


def _words(rows: Sequence[Row], column: Column) -> list[str]:
    """What occurs in a column, the commonest first; of texts only some."""
    return [word for word, _ in Counter(_written(rows, column)).most_common(MOST_WORDS)]


def _written(rows: Sequence[Row], column: Column) -> list[str]:
    """What stands in a column's cells that are not empty."""
    return [
        written
        for row in rows[:LOOKED_AT]
        if column.place < len(row.cells) and (written := text(row.cells[column.place]))
    ]


def _holds_texts(written: Sequence[str]) -> bool:
    values = set(written)
    if any(len(value) > _TEXT_SIGNS for value in values):
        return True
    if len(values) <= _AS_MANY_CHOICES or 2 * len(values) <= len(written):
        return False
    return sum(map(len, values)) > _CHOICE_SIGNS * len(values)


def _with_words(
    meaning: ColumnMeaning, found: Sequence[str], targets: Targets, sheet: AnswerSheet
) -> tuple[ColumnMeaning, Sequence[str]]:
    """The meaning with words that are known for its levels, and those that are not known."""
    item = targets.items[meaning.item or ""]
    left = _left(meaning, found, targets, sheet)
    if not left or meaning.option is not None:
        return meaning, left
    given: dict[str, int | str] = {}
    takes_none = item.code in sheet.with_no_opinion
    if isinstance(item, RatedItem):
        levels = len(sheet.form.scales[item.scale].levels)
        # All words of the column say which scale it has.
        said = proposed(map(folded, found), levels)
        given = {word: said[folded(word)] for word in left if folded(word) in said}
    if takes_none:
        given |= {w: NO_OPINION for w in left if w not in given and no_opinion(folded(w))}
    known = meaning.model_copy(update={"words": {**meaning.words, **given}})
    return known, [word for word in left if word not in given]


def _left(
    meaning: ColumnMeaning, found: Sequence[str], targets: Targets, sheet: AnswerSheet
) -> list[str]:
    item = targets.items[meaning.item or ""]
    known = labels(item, sheet.form).keys() | {folded(word) for word in meaning.words}
    if meaning.option is not None:
        return [w for w in found if folded(w) not in known and ticked(folded(w)) is None]
    if not isinstance(item, RatedItem | SingleChoiceItem):
        return []
    return [w for w in found if folded(w) not in known and not w[:1].isdigit()]


def _by_words_alone(
    headed: Headed,
    targets: Targets,
    words: AnyMapping[str, Sequence[str]],
    meanings: dict[str, ColumnMeaning],
) -> None:
    """One rated item that no column has, and one column with words of its scale: that is it."""
    mapped = {meaning.item for meaning in meanings.values()}
    items = [i for i in targets.items.values() if isinstance(i, RatedItem)]
    free = [item for item in items if item.code not in mapped]
    if len(free) != 1:
        return
    levels = len(targets.form.scales[free[0].scale].levels)
    own = labels(free[0], targets.form)
    fits = []
    for column in headed.columns:
        if column.name in meanings or not words[column.name]:
            continue
        met = [folded(word) for word in words[column.name] if word not in known_missing()]
        known = {*proposed(met, levels), *own}
        if met and all(word in known or no_opinion(word) for word in met):
            fits.append(column.name)
    if len(fits) == 1:
        meanings[fits[0]] = ColumnMeaning(item=free[0].code)


def _dates(
    meanings: AnyMapping[str, ColumnMeaning], words: AnyMapping[str, Sequence[str]]
) -> Order | None:
    """Which number of a date is the day, where the dates say so."""
    moments = {Role.ANSWERED_AT, Role.SUBMITTED_AT, Role.STARTED_AT}
    orders = {
        order
        for name, meaning in meanings.items()
        if meaning.role in moments
        for written in words[name]
        if (order := order_of(written)) is not None
    }
    return orders.pop() if len(orders) == 1 else None


def _is_not_ours(column: Column) -> bool:
    title = folded(column.name)
    if title.startswith(("_", "meta/")) or title in ("start", "today", "ip"):
        return True
    return len(title) <= _LONGEST_OF_THESE and any(each in title for each in _OURS_NOT)


def _is_number(column: Column, headed: Headed) -> bool:
    """Whether it is a program's own number of the row."""
    unnamed = column.name == UNNAMED
    return unnamed or (headed.program is not Program.OTHER and folded(column.name) in ("id", "stt"))
