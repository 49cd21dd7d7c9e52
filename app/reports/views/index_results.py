"""Rates as views show them: with their place against the target, and beside other periods."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from app.figures.change_results import FixedMix
from app.figures.results import People, Result, UnitOut
from app.figures.statistic_results import Judged, Limits


class Figure(Result):
    """One rate with what belongs to it."""

    rate: float | None
    low: float | None
    high: float | None
    respondents: People | None
    answers: People | None
    mean_score: float | None
    wholly_satisfied: float | None
    design_effect: float | None
    suppressed: bool
    method: str


class Placed(Figure, Judged):
    """A rate and where it lies against the target."""


class Difference(Limits):
    """This rate minus the other period's."""

    other: float | None
    other_respondents: People | None
    p: float | None


class PeriodDifference(Difference):
    """The difference from another period."""

    first: date
    last: date
    fixed_mix: FixedMix | None = Field(
        description="The same with the mix of units and channels held fixed; null: one part alone."
    )
    adjusted_p: float | None = Field(
        description="Of what is told, fixed_mix where there is one, among all units of the kind, "
        "where these are told beside one another (Benjamini–Hochberg): against the period before."
    )
    discovery: bool | None = Field(
        description="What is told is more than chance, judged with all units of the kind; null "
        "where the difference is looked at alone."
    )
    judged_together: int | None = Field(description="How many units these are.")


class Reference(Result):
    """The rate of everybody, and this rate minus it."""

    unit: UnitOut
    rate: float | None
    low: float | None
    high: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None


class HeadlineRate(Limits, Judged):
    """The rate that stands first: of a parent by volume, where that can be told.

    Judged with all of its kind is the pooled rate, since others' volumes may not be known;
    ``interval_position`` is that of the interval given here.
    """

    weighting: Literal["by_volume", "pooled", "one_unit"] = Field(
        description="by_volume: each unit below counts by the cases that it finished. pooled: "
        "every answer counts the same. one_unit: there is nothing to weight."
    )
    cases: People | None = Field(description="Cases finished by the units, where it is by volume.")
    covered: float | None = Field(
        description="Share of these whose units have answers that the caller may see."
    )
    missing_volumes: list[UnitOut] = Field(
        description="Units whose cases of some month are not known: for their sake it is pooled."
    )


class Index(Placed):
    """The index beside the periods before and the whole.

    Its own rate is the pooled one, in which every answer counts the same.
    """

    headline: HeadlineRate

    day_effect: float | None = Field(
        description="How many times larger the variance is with days as clusters than with "
        "respondents; null where fewer than ten days have answers, and where it may not be told."
    )
    previous: PeriodDifference
    year_before: PeriodDifference
    reference: Reference | None
