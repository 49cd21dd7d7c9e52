"""Results of the views about a form's answers: their quality, and the counts by level."""

from __future__ import annotations

from pydantic import Field

from app.figures.results import Names, People, Result, UnitOut
from app.reports.views.index_results import (
    Figure,
)
from app.reports.views.results import (
    SetAside,
    View,
    Volume,
)


class Handled(Result):
    """Responses that count, and how they were given."""

    counted: int | None = Field(description="null, as all below: too few to be shown.")
    known: int | None = Field(
        description="Of how many it is known how they were given; timed, partial and in_english "
        "are of these. Fewer than counted where responses had been deleted by rule before it was "
        "counted; then null, as all below, to whom few respondents are not shown."
    )
    timed: int | None = Field(
        description="Of how many is told how long they took; whoever is not shown few respondents "
        "is told of months that are over, where ten or more of a unit and channel are timed; null, "
        "as what is computed from it, where there are none."
    )
    hasty: int | None
    hasty_share: float | None
    partial: int | None
    partial_share: float | None
    in_english: int | None


class Alike(Result):
    """Respondents who gave every item the same level."""

    respondents: int = Field(description="Who rated at least five items; told as those timed.")
    alike: int
    share: float


class NoOpinionRow(Result):
    """How many have no opinion on an item."""

    item: str
    name: Names
    no_opinion: int
    share: float | None


class ChannelCount(Result):
    """Respondents by channel."""

    channel: str
    respondents: People | None


class FewRow(Result):
    """A unit with no, or too few, respondents."""

    unit: UnitOut
    respondents: People | None


class Quality(View):
    """Whether the figures can be trusted."""

    responses: Handled
    set_aside: SetAside
    volume: Volume
    straight_lining: Alike | None
    no_opinion: list[NoOpinionRow]
    channels: list[ChannelCount]
    units: int
    silent: list[FewRow]
    waiting: list[FewRow] = Field(
        description="Units that were answered about, and nothing is released yet."
    )
    few: list[FewRow]
    hasty_s: int
    least_respondents: int


class LevelItem(Figure):
    """How often each level of an item was chosen."""

    item: str
    name: Names
    levels: list[int] = Field(description="Counts in the order of ``values``; empty: suppressed.")
    no_opinion: int | None


class LevelSection(Figure):
    """A section of the form."""

    factor: str
    name: Names
    items: list[LevelItem]


class LevelOption(Result):
    """An option of a question besides the index."""

    value: int
    name: Names
    n: int
    share: float | None


class LevelBesides(Result):
    """A question besides the index: its mean, or its options."""

    item: str
    name: Names
    n: int
    mean: float | None
    options: list[LevelOption]


class Levels(View):
    """The form's own summary."""

    title: Names
    source: Names
    values: list[int]
    whole: Figure
    sections: list[LevelSection]
    besides: list[LevelBesides]
