"""A list of units on a page: searched, sorted and cut into parts, by its address alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query

from app.messages.words import Words, alphabetical, folded
from app.registry.former_names import FormerName
from app.registry.names import folded_name
from app.reports.views.results import UnitRow
from app.web.pages import QueryText

#: Units on one page.
ROWS = 50
Parts = Mapping[str, str | int | Sequence[str] | None]


class Column(StrEnum):
    """By what units are sorted."""

    NAME = "name"
    RATE = "rate"
    RESPONDENTS = "n"
    CHANGE = "change"


#: What is largest comes first where a heading is followed for the first time; names from A on.
_BEGINS_DOWN = frozenset(Column) - {Column.NAME}


class Against(StrEnum):
    """Where a unit's interval lies against the target."""

    ABOVE = "above"
    BELOW = "below"
    NEITHER = "not_distinguishable"


@dataclass(frozen=True)
class Selection:
    """Which units are listed, in which order, and which part of them is shown."""

    find: str = ""
    against: Against | None = None
    column: Column = Column.RATE
    down: bool = True
    page: int = 1

    @property
    def sort(self) -> str:
        """The order as an address names it: a minus for what is largest first."""
        return ("-" if self.down else "") + self.column.value

    @property
    def parts(self) -> Parts:
        """Its parts in an address."""
        against = self.against.value if self.against else None
        page = self.page if self.page > 1 else None
        return {"find": self.find, "standing": against, "sort": self.sort, "page": page}


def selection(
    find: QueryText = "",
    standing: Annotated[str, Query(pattern="^(|above|below|not_distinguishable)$")] = "",
    sort: Annotated[str, Query(pattern="^(|-?(name|rate|n|change))$")] = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Selection:
    """What an address says of a list."""
    against = Against(standing) if standing else None
    order = sort or "-rate"
    return Selection(find.strip(), against, Column(order.lstrip("-")), order.startswith("-"), page)


def by_name(chosen: Selection, sort: str) -> Selection:
    """The same for a list that is by name unless its address (``sort``) says otherwise."""
    return chosen if sort else replace(chosen, column=Column.NAME, down=False)


@dataclass(frozen=True)
class UnitList:
    """The part of a list that a page shows, and where its headings and pages lead."""

    selection: Selection
    #: What can be sorted by here.
    columns: Sequence[Column]
    path: str
    #: What else the address of the page carries.
    about: Parts
    rows: Sequence[UnitRow]
    found: int
    whole: int
    #: Of units that were found by what they were called before: that, by their codes.
    former: Mapping[str, str] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        """How many parts there are."""
        return max(1, -(-self.found // ROWS))

    @property
    def page(self) -> int:
        """The part that is shown: the last one where the address names a later one."""
        return min(self.selection.page, self.pages)

    @property
    def near(self) -> Sequence[int]:
        """Parts to go to: the first, the last, and those beside this one."""
        around = {1, self.page - 1, self.page, self.page + 1, self.pages}
        return sorted(page for page in around if 1 <= page <= self.pages)

    def sorted_by(self, column: Column) -> str | None:
        """How a heading is sorted, as ARIA says it; None where it is not."""
        if self.selection.column is not column:
            return None
        return "descending" if self.selection.down else "ascending"

    def heading(self, column: Column) -> str:
        """Where a heading leads: sorted by it, and the other way round where it is already."""
        chosen = self.selection
        down = not chosen.down if chosen.column is column else column in _BEGINS_DOWN
        return self._address(replace(chosen, column=column, down=down, page=1))

    def part(self, page: int) -> str:
        """Where another part of the list is."""
        return self._address(replace(self.selection, page=page))

    @property
    def hidden(self) -> Sequence[tuple[str, str]]:
        """What the form that searches carries along."""
        return [
            (name, str(each))
            for name, value in self.about.items()
            if value
            for each in ([value] if isinstance(value, str | int) else value)
        ]

    @property
    def orders(self) -> Sequence[str]:
        """Every order that the form offers."""
        return [sign + column.value for column in self.columns for sign in ("-", "")]

    def _address(self, chosen: Selection) -> str:
        parts = {name: value for name, value in {**self.about, **chosen.parts}.items() if value}
        return f"{self.path}?{urlencode(parts, doseq=True)}"


def listed(
    words: Words,
    rows: Sequence[UnitRow],
    chosen: Selection,
    *,
    path: str,
    about: Parts,
    columns: Sequence[Column] = tuple(Column),
    first: Sequence[str] = (),
    former: Mapping[str, Sequence[FormerName]] | None = None,
) -> UnitList:
    """The part of a list that is chosen; units with the codes ``first`` stand before others.

    ``former`` has what units were called before, by their codes of today: they are found by it.
    Units without the figure that is sorted by come last, in whichever direction.
    """
    wanted = _sought(chosen.find)
    found, by_former = [], {}
    for row in rows:
        if chosen.against is not None and row.position != chosen.against.value:
            continue
        if wanted not in _sought(f"{words.unit(row.unit)} {row.unit.code}"):
            older = [
                each
                for each in (former or {}).get(row.unit.code, ())
                if wanted in _sought(f"{each.name(words.language)} {each.code}")
            ]
            if not older:
                continue
            by_former[row.unit.code] = called_before(words, older)
        found.append(row)
    if chosen.column is Column.NAME:
        found.sort(key=lambda row: alphabetical(words.unit(row.unit)), reverse=chosen.down)
    else:
        figure = _FIGURES[chosen.column]
        sign = -1.0 if chosen.down else 1.0
        found.sort(key=lambda row: _last_if_none(figure(row), sign))
    found.sort(key=lambda row: row.unit.code not in first)
    whole = UnitList(chosen, columns, path, about, (), len(found), len(rows), by_former)
    begin = (whole.page - 1) * ROWS
    return replace(whole, rows=found[begin : begin + ROWS])


def called_before(words: Words, names: Sequence[FormerName]) -> str:
    """What a unit was called before, in words: the names of each day together."""
    by_day: dict[date, list[str]] = {}
    for each in names:
        by_day.setdefault(each.until, []).append(f"{each.name(words.language)} ({each.code})")
    said = [
        words("structure.called_before", day=words.day(day), names=", ".join(called))
        for day, called in by_day.items()
    ]
    return "; ".join(said)


_FIGURES: dict[Column, Callable[[UnitRow], float | None]] = {
    Column.RATE: lambda row: row.rate,
    Column.RESPONDENTS: lambda row: row.respondents,
    Column.CHANGE: lambda row: row.change.estimate if row.change else None,
}


def _last_if_none(value: float | None, sign: float) -> tuple[bool, float]:
    return value is None, sign * (value or 0.0)


def _sought(text: str) -> str:
    """Text as it is searched: without marks, and with ’ as ' and dashes as hyphens."""
    return folded(folded_name(text))
