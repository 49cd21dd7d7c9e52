"""A chart with its title, the table under it, and what was computed how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from app.messages.words import Words

#: One line of what a chart shows: figures and labels by name.
Datum: TypeAlias = dict[str, JsonValue]
#: A specification in Vega-Lite.
Spec: TypeAlias = dict[str, JsonValue]


@dataclass(frozen=True)
class Table:
    """The figures of a chart in words: headings, and rows of as many texts."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Chart:
    """One chart with everything that stands beside it."""

    #: Its name in addresses.
    name: str
    title: str
    #: What it shows, for those who do not see it.
    summary: str
    spec: Spec
    table: Table
    #: Its figures as they were computed, for CSV.
    rows: Sequence[Datum]
    #: n, period and method, in small words.
    note: str
    #: What is said of it besides, in sentences.
    about: Sequence[str] = ()
    #: What the numbers in the picture stand for, in their order.
    numbered: Sequence[str] = ()
    #: Whether a browser makes it tell more under the pointer.
    interactive: bool = False


def note(words: Words, period: str, n: int | None, method: str) -> str:
    """What stands under every chart."""
    return words("chart.note", n=words.number(n), period=period, method=method)
