"""What the views look like on the wire; rates in [0, 1], null where undefined or hidden.

One file of more than 400 lines: the views share most of their parts.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from app.figures.results import Names, Result, UnitOut
from app.figures.statistic_results import (
    Change,
    DriverRow,
    FunnelResult,
    Heterogeneity,
    Limits,
    PlanRow,
    RankRow,
    Side,
)
from app.figures.trend_results import (
    AlertRow,
    LimitsOut,
    NoiseOut,
    SlopeOut,
    TestOut,
    Together,
    TrendPoint,
)

Position = Literal["above", "below", "not_distinguishable"] | None


class View(Result):
    """What every view says of itself: with this it can be asked for again."""

    synthetic: bool = Field(description="Whether the answers were drawn by a generator.")
    version: str = Field(description="Of the software that computed them.")
    unit: UnitOut | None = Field(description="null: all units that the caller may read.")
    questionnaire: str
    period: str = Field(examples=["2026-Q3"])
    first: date
    last: date
    kind: str | None = Field(description="Kind of the units that are compared.")
    target: float = Field(description="Rate aimed at (HAILONG_TARGET_RATE).")
    unreleased: int = Field(
        description="Respondents of the running month whose answers are told later, together "
        "with at least HAILONG_LEAST_RESPONDENTS others; of figures:read-small nothing is held."
    )
    method: str


class Figure(Result):
    """One rate with what belongs to it."""

    rate: float | None
    low: float | None
    high: float | None
    respondents: int | None
    answers: int | None
    mean_score: float | None
    wholly_satisfied: float | None
    design_effect: float | None
    suppressed: bool
    method: str


class Placed(Figure):
    """A rate and where its interval lies against the target."""

    position: Position


class Difference(Limits):
    """This rate minus the other period's."""

    other: float | None
    other_respondents: int | None
    p: float | None


class PeriodDifference(Difference):
    """The difference from another period."""

    first: date
    last: date


class Reference(Result):
    """The rate of everybody, and this rate minus it."""

    unit: UnitOut
    rate: float | None
    low: float | None
    high: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None


class Index(Placed):
    """The index beside the periods before and the whole."""

    day_effect: float | None = Field(
        description="How many times larger the variance is with days as clusters than with "
        "respondents; null where fewer than ten days have answers, and where it may not be told."
    )
    previous: PeriodDifference
    year_before: PeriodDifference
    reference: Reference | None


class Volume(Result):
    """How many were served, invited, and answered an invitation."""

    cases: int | None = Field(
        description="Cases or visits finished, at units with a survey point of the questionnaire."
    )
    respondents_to_cases: float | None = Field(
        description="Respondents over cases: how many of those served were heard, by whatever "
        "channel; null where the respondents are hidden, or the cases of a month or unit not known."
    )
    invited: int
    answered: int | None
    response_rate: float | None
    response_rate_low: float | None
    response_rate_high: float | None


class SetAside(Result):
    """Responses that do not count."""

    responses: int
    set_aside: int
    share: float | None


class Standing(Result):
    """How many units lie where against the target."""

    units: int
    above: int
    below: int
    not_distinguishable: int
    suppressed: int
    silent: int


class Changed(Change):
    """A unit whose rate changed by more than chance."""

    unit: UnitOut


class AlertsTold(Result):
    """What stands out, false alarms held down."""

    step: str
    false_discovery_rate: float = Field(
        description="If nothing ever changed: the probability of any false alert in a year in "
        "which the page is looked at every month (months and quarters together)."
    )
    common_movement_removed: bool = Field(
        description="Whether what all units share was taken out to find them; the rates and "
        "changes of the rows are each unit's own all the same."
    )
    together: Together | None = Field(
        description="What all units did together; with as many false ones in a year. null: of "
        "fewer than ten units, and on the page of one unit."
    )
    noise: NoiseOut
    rows: list[AlertRow]


class Course(Result):
    """A unit, or all units of the view, over time, with control limits."""

    unit: UnitOut | None
    step: str
    method: str
    centre: float | None
    trend: TestOut
    linear: TestOut
    slope: SlopeOut
    limits: LimitsOut
    points: list[TrendPoint]


class Overview(View):
    """The first page."""

    index: Index
    volume: Volume
    set_aside: SetAside
    standing: Standing | None
    fell: list[Changed]
    rose: list[Changed]
    alerts: AlertsTold | None
    trend: Course | None


class UnitRow(RankRow):
    """A unit among the others of its level."""

    position: Position
    change: Change | None
    before: Side | None
    trend: list[float | None]
    latitude: float | None
    longitude: float | None


class Units(View, Standing):
    """The units of a level."""

    best: int
    heterogeneity: Heterogeneity | None
    ranked: int = Field(description="Units that are ranked.")
    ranked_from: int = Field(description="Respondents from which on a unit is ranked.")
    trend_periods: list[str]
    respondents: int
    fell: list[Changed]
    rose: list[Changed]
    rows: list[UnitRow]


class FactorRow(Placed):
    """A factor's rate and its change."""

    factor: str
    name: Names | None
    change: Difference


class ItemRow(FactorRow):
    """An item's rate and its change."""

    item: str


class ChannelRow(Figure):
    """The rate of one channel."""

    channel: str


class Driving(Result):
    """What drives overall satisfaction."""

    first: date = Field(description="The period's, or a year's where the period has too few.")
    last: date
    outcome: str
    r_squared: float | None
    respondents: int | None
    method: str
    improve_first: list[str]
    rows: list[DriverRow]


class LowestRow(Result):
    """How a factor's rate lies beside the others'."""

    factor: str
    name: Names
    rate: float | None
    difference: float | None = Field(description="Less the mean of the other factors.")
    low: float | None = Field(description="For all factors at once.")
    high: float | None
    below: bool = Field(description="Told apart: lower than the others.")


class Lowest(Result):
    """Which factors lie below the others, the lowest first."""

    first: date = Field(description="The period's, or a year's where the period has too few.")
    last: date
    respondents: int | None
    method: str
    rows: list[LowestRow]


class Collecting(Result):
    """What is still to be asked in the running month."""

    month: str
    margin: float
    drop: float
    least_respondents: int
    rows: list[PlanRow]
    method: str


class UnitView(View):
    """One unit."""

    index: Index
    factors: list[FactorRow]
    items: list[ItemRow]
    trend: Course | None
    channels: list[ChannelRow]
    drivers: Driving | None
    no_drivers: Literal["outcome-needed", "too-few-respondents"] | None = Field(
        description="Why nothing is said of drivers: no overall question, or too few answered."
    )
    lowest: Lowest | None
    collecting: Collecting
    volume: Volume
    set_aside: SetAside


class FactorFigure(Figure):
    """A factor's rate."""

    factor: str


class Beside(Figure):
    """A unit side by side with others."""

    unit: UnitOut
    factors: list[FactorFigure]


class ComparisonView(View):
    """Units against limits, ranked, and side by side."""

    funnel: FunnelResult | None
    league: Units
    side_by_side: list[Beside]


class SectionFigure(Placed):
    """A ward's rate in one section."""

    factor: str


class SectionRow(UnitRow):
    """A ward by section."""

    sections: list[SectionFigure]


class Sections(Units):
    """A hospital's wards by section."""

    index: Index
    factors: list[FactorRow]
    rows: list[SectionRow]  # type: ignore[assignment]


class Importance(View):
    """Importance and rates, and what to improve first."""

    index: Index
    drivers: Driving | None
    no_drivers: Literal["outcome-needed", "too-few-respondents"] | None = Field(
        description="Why nothing is said of drivers: no overall question, or too few answered."
    )
    lowest: Lowest | None
    factors: list[FactorRow]
    items: list[ItemRow]
    improve_first: list[str] = Field(
        description="Items of the factors told apart, the lowest first."
    )


class Handled(Result):
    """Responses that count, and how they were given."""

    counted: int
    timed: int
    hasty: int
    hasty_share: float | None
    partial: int
    partial_share: float | None
    in_english: int


class Alike(Result):
    """Respondents who gave every item the same level."""

    respondents: int
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
    respondents: int | None


class FewRow(Result):
    """A unit with no, or too few, respondents."""

    unit: UnitOut
    respondents: int | None


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
