"""What the statistics look like on the wire. Every answer carries how it can be had again."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field

from app.reports.schemas import Names, UnitOut


class Answer(BaseModel):
    """What every answer carries, so that its figures can be reproduced by one call."""

    synthetic: bool = Field(description="Whether the answers were drawn by a generator.")
    notice: Names | None
    method: str = Field(description="What was computed, by whose rule.")
    version: str = Field(description="Of the software that computed it.")
    questionnaire: str
    first: date | None = Field(description="First day of the answers that went in.")
    last: date | None
    confidence: float
    units: int = Field(description="Units that went in.")
    respondents: int | None = Field(description="Respondents who went in.")


class Limits(BaseModel):
    """A figure with its confidence interval."""

    estimate: float | None
    low: float | None
    high: float | None


class Rate(BaseModel):
    """A rate with its confidence interval."""

    rate: float | None
    low: float | None
    high: float | None


class UnitRate(Rate):
    """A unit's rate."""

    unit: UnitOut
    respondents: int | None
    design_effect: float | None
    suppressed: bool


class Heterogeneity(BaseModel):
    """Whether units differ by more than chance: Cochran's Q."""

    statistic: float | None
    degrees_of_freedom: int
    p: float | None
    i_squared: float | None = Field(description="Share of the variation that is not chance.")


class RankRow(UnitRate):
    """A unit with its rank: never without the ranks that it may truly have."""

    rank: int | None
    rank_low: int | None = Field(description="Best rank that it may have, looked at alone.")
    rank_high: int | None
    rank_low_simultaneous: int | None = Field(description="The same, of all units at once.")
    rank_high_simultaneous: int | None
    may_be_best: bool = Field(description="Whether it may be among the best so many.")
    shrunk_rate: float | None = Field(description="Drawn towards the others, the more the smaller.")
    shrunk_low: float | None
    shrunk_high: float | None


class Ranking(Answer):
    """Units by rate."""

    best: int
    heterogeneity: Heterogeneity
    rows: list[RankRow]


class FunnelPoint(BaseModel):
    """Limits at one size."""

    effective_answers: float
    low_95: float
    high_95: float
    low_998: float
    high_998: float


class FunnelRow(UnitRate):
    """A unit against its limits."""

    effective_answers: float | None
    z: float | None = Field(description="The standard normal deviate of p; negative if below.")
    p: float | None = Field(
        description="Two-sided tail probability of the unit's rate if it were like the others."
    )
    adjusted_p: float | None
    discovery: bool = Field(description="Outside, at the false-discovery rate asked for.")
    low_95: float | None
    high_95: float | None
    low_998: float | None
    high_998: float | None
    position: str = Field(
        description="By p: inside, below or above 95 % or 99.8 %, or not compared."
    )


class FunnelOut(Answer):
    """A funnel plot."""

    target: float = Field(description="The rate that limits are drawn around.")
    target_is: str = Field(description="given, middle of the units, or pooled rate.")
    model: str
    tau: float = Field(
        description="How much the units differ beyond chance: the standard deviation of their "
        "logits, posterior median; 0 where only chance is allowed for."
    )
    tau_low: float = Field(description="Lower 95 % limit of tau.")
    tau_high: float = Field(description="Upper 95 % limit of tau.")
    false_discovery_rate: float
    curve: list[FunnelPoint] = Field(
        description="Limits of a unit that is none of these, by its size."
    )
    rows: list[FunnelRow]


class Side(Rate):
    """One side of a comparison."""

    respondents: int | None


class ChangeOut(Limits):
    """This rate minus the other."""

    p: float | None
    adjusted_p: float | None
    discovery: bool


class CompareRow(BaseModel):
    """A unit beside what it is compared with."""

    unit: UnitOut
    suppressed: bool
    other: Side
    rate: Side
    change: ChangeOut


class OtherPeriod(BaseModel):
    """The days of the other side."""

    first: date | None
    last: date | None


class Comparison(Answer):
    """Units beside themselves before, or beside others."""

    with_: str = Field(alias="with")
    other_period: OtherPeriod
    false_discovery_rate: float
    rows: list[CompareRow]


class TestOut(BaseModel):
    """A test of trend; a positive statistic rises."""

    statistic: float | None
    p: float | None
    method: str


class SlopeOut(BaseModel):
    """Change of the rate a period (Theil–Sen)."""

    a_period: float | None
    low: float | None
    high: float | None


class TrendPoint(Rate):
    """One period of a unit."""

    period: str
    respondents: int | None
    suppressed: bool
    centre: float | None = Field(description="The rate that its limits expect of the period.")
    limit_low: float | None = Field(description="null: no limits; 0 or 1 where none is reached.")
    limit_high: float | None
    z: float | None = Field(description="Distance from the centre as a normal score.")
    ewma: float | None
    ewma_limit: float | None
    signals: list[str]


class LimitDecisionTold(BaseModel):
    """Who decided that limits begin anew, or what they rest on, and why."""

    id: int
    reason: str
    decided_by: str
    decided_at: datetime


class LimitSegment(BaseModel):
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
    decision: LimitDecisionTold | None = Field(description="null: nobody decided anything.")


class LimitsOut(BaseModel):
    """Control limits of a course: what they rest on, how often they err, what they promise."""

    method: str
    rules: list[str] = Field(description="Rules by which periods are marked.")
    periods_judged: int
    false_marks: float = Field(
        description="How likely the rules mark something in so many ordinary periods."
    )
    least_periods: int = Field(description="Ordinary periods that limits need to rest on.")
    between: float | None = Field(
        description="Standard deviation of the true rates between periods, as far as it is learnt."
    )
    variation: str | None = Field(
        description="Of the last period judged: common cause, or special cause that is an "
        "improvement or a concern."
    )
    target: float | None
    assurance: str | None = Field(
        description="consistently passing, consistently failing, or hit and miss: where the target "
        "lies against the limits of the last segment."
    )
    segments: list[LimitSegment]


class TrendRow(BaseModel):
    """The course of a unit."""

    unit: UnitOut
    centre: float | None = Field(description="Of the last segment's limits.")
    trend: TestOut
    linear: TestOut
    slope: SlopeOut
    limits: LimitsOut
    points: list[TrendPoint]


class Trend(Answer):
    """Units over time."""

    step: str
    rows: list[TrendRow]


class AlertRow(BaseModel):
    """One rule that fired about one unit."""

    unit: UnitOut
    rule: str
    since: str = Field(description="First period of what the rule saw.")
    before: float | None
    after: float | None
    respondents_before: int
    respondents_after: int
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


class AlertRule(BaseModel):
    """How many false alarms to expect of a rule."""

    rule: str
    expected_false_a_year: float = Field(
        description="At most, over all units, looked at once a period, if nothing ever changed."
    )


class Together(BaseModel):
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


class NoiseOut(BaseModel):
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


class Alerts(Answer):
    """What changed."""

    step: str
    false_discovery_rate: float = Field(
        description="q. If nothing ever changed: the probability of any false alert in a year of "
        "looks, one a period (an alert that still stands is not counted again)."
    )
    looks_a_year: int = Field(description="One look spends q over this many.")
    common_movement_removed: bool
    together: Together | None = Field(description="null: of fewer than ten units, or of others'.")
    noise: NoiseOut
    rules: list[AlertRule]
    rows: list[AlertRow]


class DriverRow(BaseModel):
    """A factor's part in overall satisfaction."""

    factor: str
    name: Names
    share: float | None = Field(description="In units of R².")
    low: float | None
    high: float | None
    relative: float | None = Field(description="Of R².")
    share_difference: float | None = Field(description="Less the mean of the other factors.")
    share_difference_low: float | None = Field(description="For all factors at once.")
    share_difference_high: float | None
    rate: float | None
    rate_difference: float | None = Field(description="Less the mean of the other factors.")
    rate_difference_low: float | None = Field(description="For all factors at once.")
    rate_difference_high: float | None
    quadrant: str = Field(description="“not distinguishable” where it is not told apart.")
    improve_first: bool = Field(description="Told apart: more important, and with a lower rate.")


class Drivers(Answer):
    """Key drivers."""

    outcome: str
    r_squared: float | None
    rows: list[DriverRow]


class ReliabilityItem(BaseModel):
    """An item of a scale."""

    item: str
    alpha_if_deleted: float | None
    item_rest_correlation: float | None


class ReliabilityRow(BaseModel):
    """A factor, or the whole index."""

    factor: str | None
    alpha: float | None
    low: float | None
    high: float | None
    complete_respondents: int | None
    items: list[ReliabilityItem]


class ReliabilityOut(Answer):
    """Cronbach's alpha."""

    rows: list[ReliabilityRow]


class Adjuster(BaseModel):
    """What respondents differ in."""

    adjuster: str
    coefficient: float | None


class CasemixRow(BaseModel):
    """A unit's mean score, as it is and as if all had the same respondents."""

    unit: UnitOut
    raw: float | None
    adjusted: float | None
    difference: float | None
    standard_error: float | None
    respondents: int
    rank_raw: int
    rank_adjusted: int
    rank_adjusted_low: int
    rank_adjusted_high: int


class Casemix(Answer):
    """Case-mix adjustment."""

    adjusters: list[Adjuster]
    f: float | None
    degrees_of_freedom: list[int]
    p: float | None
    rows: list[CasemixRow]


class Weighted(Answer, Rate):
    """A rate weighted to known margins."""

    left_out: int = Field(description="Respondents without an answer to the margins' items.")
    standard_error: float | None
    kish_effect: float | None = Field(description="How much unequal weights cost.")
    unweighted: Rate


class StratifiedRate(Rate):
    """A rate by service volume."""

    standard_error: float | None
    covered: float | None = Field(description="Share of the volume whose units have answers.")


class StratifiedRow(BaseModel):
    """A parent's rate, pooled and by volume."""

    unit: UnitOut
    suppressed: bool
    strata: int
    cases: int
    respondents: int | None
    pooled: Rate
    stratified: StratifiedRate


class Stratified(Answer):
    """Parents' rates by service volume."""

    rows: list[StratifiedRow]


class PlanRow(BaseModel):
    """What a unit still needs in a month."""

    unit: UnitOut
    cases: int | None
    respondents: int
    needed_to_publish: int
    required: int = Field(description="Respondents for the margin asked for.")
    needed_for_margin: int
    allocated: int | None = Field(description="Its part of the total asked for.")
    publishable: bool
    design_effect: float
    power: float | None = Field(description="To see the drop asked for, by the next month.")


class Plan(Answer):
    """How many more must be asked."""

    month: str
    margin: float
    drop: float
    least_respondents: int
    rows: list[PlanRow]
