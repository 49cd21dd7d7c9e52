"""What is told of comments: the texts themselves, and the figures of their themes."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import Field

from app.figures.results import Result, UnitOut
from app.themes.model import Tone


class Contentment(StrEnum):
    """How content a respondent was with all that was rated: the mean of low, neutral and high."""

    LOW = "low"
    NEUTRAL = "neutral"
    HIGH = "high"


class ThemeOut(Result):
    """A theme that was found in a text, and whether it is praised or blamed there."""

    theme: str
    tone: Tone


class Comment(Result):
    """One text, as it is kept."""

    unit: UnitOut
    questionnaire: str
    month: str
    item: str
    body: str
    themes: list[ThemeOut]
    tone: Tone = Field(description="Whether it praises or blames as a whole.")


class Comments(Result):
    """Comments of some months, in an order that tells nothing."""

    month: str = Field(description="The first month.")
    to: str = Field(description="The last month.")
    themes_version: int = Field(description="By which list of themes they are sorted; 0: ours.")
    few: int = Field(
        description="In how many units, questionnaires and months few people answered: what they "
        "may have written is withheld, whatever is looked for."
    )
    waiting: bool = Field(
        description="Whether answers have come that are not released yet, with what they may say."
    )
    indistinct: int = Field(
        description="How many comments are shown without the filters channel and level alone, "
        "since by these too few people would stand behind some."
    )
    kept_since: date | None = Field(
        default=None,
        description="The first day whose comments are kept, where some of the months lie before "
        "it: what was written then was deleted by rule, and nobody knows how much it was.",
    )
    found: int = Field(description="How many comments there are on all pages.")
    page: int
    pages: int
    comments: list[Comment]


class ThemeMonth(Result):
    """How many comments of a month are about a theme."""

    month: str
    comments: int = Field(description="All comments of the month that the caller may read.")
    about: int = Field(description="Those that are about the theme.")
    share: float | None = Field(description="None where there are fewer than ten comments.")
    low: float | None
    high: float | None


class ThemeTrend(Result):
    """A theme over months."""

    theme: str
    months: list[ThemeMonth]


class ThemeRisen(Result):
    """A theme that is blamed by a larger share of comments than before, more than by chance."""

    theme: str
    about: int
    comments: int
    about_before: int
    comments_before: int
    p: float
    adjusted_p: float
    examples: list[Comment] = Field(description="Three of the comments that blame it, at most.")


class ThemeFigures(Result):
    """The themes of comments over months, and what rose in the last ones."""

    trends: list[ThemeTrend]
    risen: list[ThemeRisen]
    compared: int = Field(description="Themes that were compared; 0 where there is too little.")
    before: list[str] = Field(description="The months with which the others are compared.")
    method: str
