"""What figures are asked for: units, days, channels, and what rows are grouped by."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypedDict

from app.figures.periods import Step


class Expand(StrEnum):
    """Which units get a row, given the units that were named."""

    GIVEN = "given"
    CHILDREN = "children"
    ALL = "all"


class Key(StrEnum):
    """What figures may be grouped by."""

    UNIT = "unit"
    FACTOR = "factor"
    ITEM = "item"
    CHANNEL = "channel"
    QUESTIONNAIRE = "questionnaire"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class StructureOf(StrEnum):
    """In the tree of units of which time figures are given; or of any day, which is named."""

    TODAY = "today"
    #: Of the last day that is asked for, at most of today.
    THEN = "then"


def structure_day(structure: StructureOf | date, last: date | None, today: date) -> date | None:
    """The day whose tree is meant by a structure that is asked for; None for that of today."""
    if structure is StructureOf.TODAY:
        return None
    if structure is StructureOf.THEN:
        return None if last is None or last >= today else last
    assert isinstance(structure, date)
    return structure


class Interval(StrEnum):
    """How the interval of a rate is computed: ours, or R's to the digit."""

    SCORE = "score"
    R_XLOGIT = "r-xlogit"


class Cluster(StrEnum):
    """Whose answers resemble one another: those of a respondent, or of a day."""

    RESPONDENT = "respondent"
    DAY = "day"


class Sensitivity(StrEnum):
    """Whether figures are of what counts alone, or also of what rules and reviewers set aside."""

    WITHOUT = "without"
    WITH = "with"


@dataclass(frozen=True)
class Query:
    """What is asked for; the HTTP route documents each field."""

    units: Sequence[str] = ()
    expand: Expand = Expand.GIVEN
    kinds: Collection[str] = ()
    descendants: bool = True
    questionnaire: str | None = None
    factor: str | None = None
    item: str | None = None
    channels: Collection[str] = ()
    first: date | None = None
    last: date | None = None
    by: Sequence[Key] = ()
    confidence: float = 0.95
    #: Name of another convention than the questionnaire's own satisfied levels.
    convention: str | None = None
    interval: Interval = Interval.SCORE
    cluster: Cluster = Cluster.RESPONDENT
    #: The day whose tree of units rows are of; None for that of today.
    structure: date | None = None
    #: Rates alone are computed with what is set aside; no other statistic is.
    sensitivity: Sensitivity = Sensitivity.WITHOUT

    @property
    def step(self) -> Step | None:
        """The period that rows are grouped by; the finest of those named."""
        return next((step for step in Step if step.value in set(self.by)), None)


class QueryChanges(TypedDict, total=False):
    """In what another query differs from one."""

    units: Sequence[str]
    expand: Expand
    kinds: Collection[str]
    descendants: bool
    first: date | None
    last: date | None
    structure: date | None
