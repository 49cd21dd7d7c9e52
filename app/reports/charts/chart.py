"""A chart with its title, the table under it, and what was computed how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from app.messages.words import Words

#: One line of what a chart shows: figures and labels by name.
Datum: TypeAlias = dict[str, JsonValue]
#: A specification in Vega-Lite.
Spec: TypeAlias = dict[str, JsonValue]


@dataclass(frozen=True)
class Paper:
    """What a chart is drawn on: it says the same on each, laid out for the width."""

    #: Pixels: of the plot, or on narrow paper of the plot with all that stands beside it.
    width: int
    narrow: bool = False
    #: Whether no pointer can ask a point for its unit, so that the point says it by itself.
    printed: bool = False


#: A page on a desk, or of a document; and a phone of 360 pixels, without the margins of its page.
DESK, PHONE = Paper(560), Paper(304, narrow=True)
#: A page of a document.
PRINT = Paper(560, printed=True)
#: Points of which each is named on printed paper; of more each has its number in a list.
MOST_NAMED = 6


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
    #: Draws it on some paper.
    draw: Callable[[Paper], Spec]
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
    #: Whether its points have numbers on printed paper, which stand in a list of units.
    by_number: bool = False

    @property
    def spec(self) -> Spec:
        """Its specification for a desk."""
        return self.draw(DESK)

    @property
    def printed(self) -> Spec:
        """Its specification for a document."""
        return self.draw(PRINT)

    @property
    def narrow(self) -> Spec:
        """Its specification for a phone."""
        return self.draw(PHONE)


def note(words: Words, period: str, n: float | None, method: str) -> str:
    """What stands under every chart."""
    return words("chart.note", n=words.people(n), period=period, method=method)


def note_on_rates(words: Words, period: str, n: float | None) -> str:
    """The same where what is shown are rates and their intervals."""
    return note(words, period, n, words("chart.method_rates"))
