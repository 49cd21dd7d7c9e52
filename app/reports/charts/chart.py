"""A figure: a chart with its title, the table under it, and what was computed how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.messages.words import Words


@dataclass(frozen=True)
class Table:
    """The figures of a chart in words: headings, and rows of as many texts."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Figure:
    """One chart with everything that stands beside it."""

    #: Its name in addresses.
    name: str
    title: str
    #: What it shows, for those who do not see it.
    summary: str
    spec: dict[str, Any]
    table: Table
    #: Its figures as they were computed, for CSV.
    rows: Sequence[Mapping[str, Any]]
    #: n, period and method, in small words.
    note: str
    #: What is said of it besides, in sentences.
    about: Sequence[str] = ()
    #: Whether a browser makes it tell more under the pointer.
    interactive: bool = False


def note(words: Words, period: str, n: int | None, method: str) -> str:
    """What stands under every chart."""
    return words("chart.note", n=words.number(n), period=period, method=method)
