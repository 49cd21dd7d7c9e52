"""Results of the views about units: what each page shows, typed."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from app.figures.aside import AsideRow
from app.figures.change_results import Change, ChannelMix, FixedMixChange
from app.figures.doubts import Doubt
from app.figures.nonresponse_results import NonResponseRow
from app.figures.results import Names, People, Result, UnitOut
from app.figures.statistic_results import (
    Casemix,
    DriverRow,
    FunnelResult,
    Heterogeneity,
    Judged,
    Lowest,
    PlanRow,
    RankRow,
    Side,
)
from app.figures.trend_results import (
    AlertRow,
    Assurance,
    CommonMovement,
    ControlLimits,
    EarlierDecision,
    FixedChannels,
    NotedAction,
    PeriodNoise,
    Reorganised,
    TrendPoint,
    TrendSlope,
    TrendTest,
    Variation,
)
from app.reports.views.index_results import Difference, Figure, Index, Placed

#: Why nothing is said of drivers.
WhyNot = Literal["outcome-needed", "too-few-respondents", "responses-deleted"]
#: Why nothing is adjusted for patients.
WhyNoCasemix = Literal["too-few-respondents", "too-few-units", "not-a-number", "responses-deleted"]


class ViewHead(Result):
    """What a view is about: with this it can be asked for again."""

    synthetic: bool = Field(description="Whether the answers were drawn by a generator.")
    version: str = Field(description="Of the software that computed them.")
    unit: UnitOut | None = Field(description="null: all units that the caller may read.")
    questionnaire: str
    period: str = Field(examples=["2026-Q3"])
    first: date
    last: date
    running_to: date | None = Field(
        description="Last day that a running period has so far; null where the period is over."
    )
    kind: str | None = Field(description="Kind of the units that are compared.")
    target: float = Field(description="Rate aimed at when the period ends (HAILONG_TARGET_RATE).")
    unreleased: int = Field(
        description="Respondents of the running month whose answers are told later, together "
        "with at least HAILONG_LEAST_RESPONDENTS others; of figures:read-small nothing is held."
    )
    structure: date = Field(description="The day in whose tree of units it is given.")
    changed_since: bool = Field(
        description="Whether the tree of units changed between the period's end and today, so that "
        "structure=then gives another view."
    )
    undivided: list[Names] = Field(
        description="Units of other times whose answers in the period stand in undivided rows."
    )


class View(ViewHead):
    """A view, and how its figures were computed."""

    method: str


class LiveFigure(ViewHead, Figure):
    """A unit's latest month as it changes, and how many answered today."""

    today: int


class Volume(Result):
    """How many were served, invited, and answered an invitation."""

    cases: People | None = Field(
        description="Cases or visits finished, at units with a survey point of the questionnaire."
    )
    respondents_to_cases: float | None = Field(
        description="Respondents over cases: how many of those served were heard, by whatever "
        "channel; null where the respondents are hidden, or the cases of a month or unit not known."
    )
    invited: int | None = Field(
        description="null, as below: too few, or somebody invited may still answer."
    )
    answered: People | None
    response_rate: float | None
    response_rate_low: float | None
    response_rate_high: float | None


class SetAside(Result):
    """Responses that do not count."""

    responses: int | None = Field(description="null, as below: too few to be shown.")
    set_aside: int | None
    share: float | None


class Standing(Result):
    """How many units lie where against the target."""

    units: int
    above: int
    below: int
    not_distinguishable: int
    suppressed: int
    silent: int = Field(description="Units of which nobody answered.")
    waiting: int = Field(description="Units that were answered about, and nothing is released yet.")
    compared: int = Field(description="Units with figures of this period and the one before.")


class Changed(Change):
    """A unit whose rate changed by more than chance.

    Of a unit that is made of parts this is its change with their mix held fixed.
    """

    unit: UnitOut
    crude: float | None = Field(description="The change of its pooled rate.")
    mix: float | None = Field(description="What of that came of the mix; null: one part alone.")


class AlertsShown(Result):
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
    together: CommonMovement | None = Field(
        description="What all units did together; with as many false ones in a year. null: of "
        "fewer than ten units, and on the page of one unit."
    )
    noise: PeriodNoise
    rows: list[AlertRow]


class TrendView(Result):
    """A unit, or all units of the view, over time, with control limits."""

    unit: UnitOut | None
    step: str
    method: str
    centre: float | None
    trend: TrendTest
    linear: TrendTest
    slope: TrendSlope
    tested_from: str
    reorganised: list[Reorganised]
    limits: ControlLimits
    points: list[TrendPoint]
    action_notes: list[NotedAction]
    earlier_decisions: list[EarlierDecision]


class Overview(View):
    """The first page."""

    index: Index
    volume: Volume
    set_aside: SetAside
    standing: Standing | None
    fell: list[Changed]
    rose: list[Changed]
    alerts: AlertsShown | None
    trend: TrendView | None


class UnitRow(RankRow, Judged):
    """A unit among the others of its kind."""

    doubts: list[Doubt] = Field(
        description="Why its answers are to be looked at first: far more hasty ones, or with all "
        "items alike, than of the others; or some suspected of being no citizens'. Such a unit is "
        "not called one of the best."
    )
    waiting: bool = Field(description="Whether there are answers and none of them is released yet.")
    change: Change | None
    fixed_mix: FixedMixChange | None = Field(
        description="The change with the mix of units and channels held fixed, by which a unit is "
        "said to have fallen or risen; null: one part alone."
    )
    before: Side | None
    trend: list[float | None]
    latitude: float | None
    longitude: float | None
    variation: Variation | None = Field(
        description="What control limits say of its last period, as on its own page; null: no "
        "limits, or more units than are judged at once (200)."
    )
    assurance: Assurance | None = Field(
        description="Where the target lies against its control limits; null as variation."
    )

    @property
    def told(self) -> Change | FixedMixChange | None:
        """The change that may be said of the unit."""
        return self.fixed_mix or self.change


class Units(View, Standing):
    """The units of a level."""

    best: int = Field(description="Among how many; at most a third of the ranked units.")
    heterogeneity: Heterogeneity | None
    ranked: int = Field(description="Units that are ranked.")
    ranked_from: int = Field(description="Respondents from which on a unit is ranked.")
    trend_periods: list[str]
    respondents: People
    fell: list[Changed]
    rose: list[Changed]
    only_mix: list[UnitOut] = Field(
        description="Units whose pooled rate changed by more than chance, and with the mix of "
        "their parts held fixed did not."
    )
    rows: list[UnitRow]
    aside: list[AsideRow] = Field(default_factory=list)


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


class ChannelPoint(FixedChannels):
    """A period's rate with the channels' mix held fixed, beside the pooled one."""

    period: str
    pooled: float | None


class ChannelMixView(ChannelMix):
    """How the mix of channels moved, and where it did, the rate without that."""

    points: list[ChannelPoint] = Field(
        description="The last periods, where the mix moved by more than ten points."
    )


class Driving(Result):
    """What drives overall satisfaction."""

    first: date | None = Field(description="The period's, or a year's where it has too few.")
    last: date | None
    outcome: str
    r_squared: float | None
    respondents: People | None
    method: str
    improve_first: list[str]
    rows: list[DriverRow]


class Collecting(Result):
    """What is still to be asked in the running month."""

    month: str
    margin: float
    drop: float
    least_respondents: int
    rows: list[PlanRow]
    method: str


class Headline(View):
    """A unit's index alone, and what is set aside there."""

    index: Index
    aside: list[AsideRow] = Field(
        description="What of the unit is set aside, by rule, and the rate with it; empty of all "
        "units together."
    )


class UnitView(View):
    """One unit."""

    index: Index
    doubts: list[Doubt] = Field(
        description="Why its answers are to be looked at first, beside those of all units of its "
        "kind; of days that are no period of the calendar only whether any are suspected."
    )
    factors: list[FactorRow]
    items: list[ItemRow]
    trend: TrendView | None
    channels: list[ChannelRow]
    channel_mix: ChannelMixView
    drivers: Driving | None
    no_drivers: WhyNot | None = Field(
        description="Why nothing is said of drivers: no overall question, or too few answered."
    )
    lowest: Lowest | None
    collecting: Collecting
    non_response: NonResponseRow
    volume: Volume
    set_aside: SetAside
    aside: list[AsideRow] = Field(default_factory=list)


class FactorFigure(Figure):
    """A factor's rate."""

    factor: str


class Beside(Figure):
    """A unit side by side with others."""

    unit: UnitOut
    factors: list[FactorFigure]


class ComparisonView(View):
    """Units against limits, ranked, and side by side."""

    whole: Figure = Field(description="What is looked at, all its units together.")
    own: UnitOut | None = Field(
        description="The caller's unit: of callers whose rights name one, if it is compared."
    )
    funnel: FunnelResult | None
    casemix: Casemix | None = Field(
        description="Rates as if all units had the same patients; null: the form does not ask "
        "what these differ in, or no_casemix says why."
    )
    no_casemix: WhyNoCasemix | None
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
    no_drivers: WhyNot | None = Field(
        description="Why nothing is said of drivers: no overall question, or too few answered."
    )
    lowest: Lowest | None
    factors: list[FactorRow]
    items: list[ItemRow]
    improve_first: list[str] = Field(
        description="Items of the factors told apart, the lowest first."
    )
