"""Results over time: trends with their control limits, and alerts."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from app.figures.change_results import FixedMix
from app.figures.results import Names, People, Result, UnitOut
from app.figures.statistic_results import Limits, Rate, Statistic


class Rule(StrEnum):
    """Rules by which a period stands out from its unit's past; each can be chosen."""

    BEYOND = "beyond 3 sigma"
    TWO_OF_THREE = "2 of 3 beyond 2 sigma"
    FOUR_OF_FIVE = "4 of 5 beyond 1 sigma"
    EIGHT = "8 in a row on one side"
    EWMA = "ewma"


class NhsRule(StrEnum):
    """The rules of "Making Data Count"; they are taken together."""

    OUTSIDE = "outside the limits"
    TREND = "7 in a row rising or falling"
    NEAR = "2 of 3 near a limit"
    SHIFT = "7 in a row on one side"


class AlertRuleName(StrEnum):
    """Rules by which a unit stands out from what all units did."""

    LEVEL_SHIFT = "level shift"
    LAST_PERIOD = "last period"


class Reorganising(StrEnum):
    """What a day did to a unit itself."""

    #: Others became it whole, two at least.
    MERGED = "merged"
    #: It is a part of another one.
    PART = "part"
    #: Others became it, some of them in part.
    REGROUPED = "regrouped"
    #: Its people stand in several units since.
    DIVIDED = "divided"
    #: The same people and places under another code.
    RENEWED = "renewed"
    #: It ended.
    ENDED = "ended"


class Variation(StrEnum):
    """What limits say of the last period: chance, or something that has a cause of its own."""

    COMMON_CAUSE = "common cause"
    IMPROVEMENT = "improvement"
    CONCERN = "concern"


class Assurance(StrEnum):
    """Where a target lies against the limits: what ordinary periods will do about it."""

    PASSING = "consistently passing"
    FAILING = "consistently failing"
    HIT_AND_MISS = "hit and miss"


class TrendTest(Result):
    """A test of trend; a positive statistic rises."""

    statistic: float | None
    p: float | None
    method: str


class TrendSlope(Result):
    """Change of the rate a period (Theil–Sen)."""

    a_period: float | None
    low: float | None
    high: float | None


class FixedChannels(Rate):
    """A period's rate with the mix of channels that the unit has over all periods."""

    covered: float | None = Field(
        description="Share of that mix whose channels have answers here that may be shown."
    )


class TrendPoint(Result):
    """One period of a unit."""

    period: str
    rate: float | None
    low: float | None
    high: float | None
    respondents: People | None
    suppressed: bool
    centre: float | None = Field(description="The rate that its limits expect of the period.")
    limit_low: float | None = Field(description="null: no limits; 0 or 1 where none is reached.")
    limit_high: float | None
    z: float | None = Field(description="Distance from the centre as a normal score.")
    ewma: float | None
    ewma_limit: float | None
    target: float | None = Field(description="Rate aimed at when the period ended.")
    variation: Variation | None = Field(
        description="By itself or as part of a run: common cause, or special cause that is an "
        "improvement or a concern; null: no limits."
    )
    signals: list[Rule | NhsRule] = Field(description="Rules that mark it.")
    part_of: list[Rule | NhsRule] = Field(
        description="Rules of several periods that mark it or a later one, and rest on it."
    )
    fixed_channels: FixedChannels | None = Field(
        default=None,
        description="The rate with the mix of channels held fixed (standardise=channel); null: not "
        "asked for.",
    )


class DecisionTaken(Result):
    """Who decided that limits begin anew, or what they rest on, and why."""

    id: int
    reason: str
    decided_by: str
    decided_at: datetime
    of: Names | None = Field(
        default=None, description="About what became this unit: as it was called; null: itself."
    )


class EarlierDecision(DecisionTaken):
    """A decision about what became the unit: it bears on none of the unit's own limits."""

    start: str = Field(description="First period that its limits held for.")


class LimitSegment(Result):
    """Periods with limits of one baseline; figures as of its last period that has limits."""

    start: str = Field(description="Its first period.")
    baseline_first: str
    baseline_last: str | None = Field(description="null: all periods before the judged one.")
    rests_on: int = Field(description="How many periods the limits rest on; 0: too few, no limits.")
    centre: float | None
    limit_low: float | None
    limit_high: float | None
    left_out: list[str] = Field(
        description="Periods of the baseline that it does without, since they stand out themselves."
    )
    ranges_screened: int | None = Field(
        description="Of XmR limits: moving ranges that were left out as too large."
    )
    decision: DecisionTaken | None = Field(description="null: nobody decided anything.")
    reorganised: date | None = Field(
        description="The day on which the unit itself changed, from which on limits begin anew; "
        "null: none."
    )


class ControlLimits(Result):
    """Control limits of a trend: what they rest on, how often they err, what they promise."""

    method: str
    rules: list[Rule | NhsRule] = Field(description="Rules by which periods are marked.")
    periods_judged: int
    false_marks: float = Field(
        description="How likely the rules mark something in so many ordinary periods."
    )
    least_periods: int = Field(description="Ordinary periods that limits need to rest on.")
    between: float | None = Field(
        description="Standard deviation of the true rates between periods, as far as it is learnt."
    )
    variation: Variation | None = Field(
        description="Of the last period judged: common cause, or special cause that is an "
        "improvement or a concern."
    )
    target: float | None = Field(description="Rate aimed at when the last period ended.")
    assurance: Assurance | None = Field(
        description="consistently passing, consistently failing, or hit and miss: where the target "
        "lies against the limits of the last segment."
    )
    segments: list[LimitSegment]


class NotedAction(Result):
    """What a unit did on a day, as somebody noted it; it moves no figure."""

    id: int
    day: date
    text: str
    recorded_by: str
    recorded_at: datetime
    of: Names | None = Field(
        default=None, description="Of what became this unit: as it was called; null: of itself."
    )


class Reorganised(Result):
    """A day on which a unit itself changed: what it is made of."""

    day: date
    how: Reorganising
    units: list[Names] = Field(description="What it was until then, or came from.")
    decisions: list[str] = Field(description="By which that was ordered.")


class TrendRow(Result):
    """A unit over time."""

    unit: UnitOut | None = Field(description="null: all units together.")
    centre: float | None = Field(description="Of the last segment's limits.")
    trend: TrendTest
    linear: TrendTest
    slope: TrendSlope
    tested_from: str = Field(
        description="First period that the tests of trend and the slope rest on: none before the "
        "unit itself changed."
    )
    reorganised: list[Reorganised] = Field(
        description="Days in these periods on which the unit itself changed. No rule and no test "
        "looks across them, but where it was only renewed."
    )
    limits: ControlLimits
    points: list[TrendPoint]
    action_notes: list[NotedAction] = Field(
        description="What the unit did in these periods, in order of time; not of all together."
    )
    earlier_decisions: list[EarlierDecision] = Field(
        default=[], description="What was decided about the limits of units that became this one."
    )


class Trend(Statistic):
    """Units over time."""

    step: str
    rows: list[TrendRow]


class AlertRow(Result):
    """One rule that fired about one unit."""

    unit: UnitOut
    rule: AlertRuleName
    since: str = Field(description="First period of what the rule saw.")
    before: float | None
    after: float | None
    respondents_before: People
    respondents_after: People
    change: Limits = Field(description="After minus before, by a clustered interval.")
    p: float | None
    adjusted_p: float | None = Field(
        description="For all units, both rules and the looks of a year."
    )
    against_others: bool = Field(
        description="The unit's own rate does not surely move to this side (its interval holds 0, "
        "or it moved the other way): it stands out against what all units did, its season or "
        "what it usually is."
    )
    fixed_mix: FixedMix | None = Field(
        default=None,
        description="The change with the mix of units and channels held fixed; null: one part "
        "alone.",
    )


class AlertRule(Result):
    """How many false alarms to expect of a rule."""

    rule: AlertRuleName
    expected_false_a_year: float = Field(
        description="At most, over all units, looked at once a period, if nothing ever changed."
    )


class CommonMovement(Result):
    """The likeliest lasting shift of all units together, found or not."""

    moved: bool = Field(
        description="Whether it is more than what all units do together anyway; false in a year of "
        "looks with a probability of at most false_discovery_rate."
    )
    since: str | None
    change: float | None = Field(description="In logits.")
    before: float | None = Field(description="The rate of the unit in the middle.")
    after: float | None
    after_low: float | None = Field(description="95 %, the level before being given.")
    after_high: float | None
    p: float | None = Field(description="For having looked at all periods.")
    season_allowed: bool = Field(
        description="false: of no more than a year, and may be a season of all units."
    )


class PeriodNoise(Result):
    """What a unit's periods vary in besides chance, learnt from all units together."""

    learnt: bool = Field(
        description="false: too few units (up to five) or periods (under six); what is assumed "
        "is then wide, and only large changes are told."
    )
    season_allowed: bool = Field(
        description="Whether each unit may have a yearly wave of its own; from more than a year on."
    )
    deviation: float | None = Field(
        description="Standard deviation, in logits. null where it was not learnt and whoever asks "
        "may not see what few respondents said."
    )
    deviation_low: float | None = Field(description="95 %.")
    deviation_high: float | None
    correlation: float | None = Field(description="Between neighbouring periods.")
    correlation_low: float | None
    correlation_high: float | None


class Alerts(Statistic):
    """What changed."""

    step: str
    false_discovery_rate: float = Field(
        description="q. If nothing ever changed: the probability of any false alert in a year of "
        "looks, one a period (an alert that still stands is not counted again)."
    )
    looks_a_year: int = Field(description="One look spends q over this many.")
    common_movement_removed: bool
    together: CommonMovement | None = Field(
        description="null: of fewer than ten units, or of others'."
    )
    noise: PeriodNoise
    rules: list[AlertRule]
    rows: list[AlertRow]
