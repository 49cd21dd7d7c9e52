"""What the statistics look like on the wire. Every answer carries how it can be had again."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from app.figures.results import Names, People, Provenance, Result, UnitOut

#: Where a rate lies against a target; None where it has no interval.
Position = Literal["above", "below", "not_distinguishable"] | None


class Statistic(Provenance):
    """What every statistic over units says of itself."""

    method: str = Field(description="What was computed, by whose rule.")
    units: int = Field(description="Units that went in.")
    respondents: People | None = Field(description="Respondents who went in.")


class OfRespondents(Statistic):
    """What looks at respondents one by one, each of whom stands at one place or is left out."""

    dealt_out: int | None = Field(
        description="Respondents who are left out since a plan's shares divide their unit; null: "
        "there are some, and whoever asks may not see small figures everywhere."
    )


class Limits(Result):
    """A figure with its confidence interval."""

    estimate: float | None
    low: float | None
    high: float | None


class Rate(Result):
    """A rate with its confidence interval."""

    rate: float | None
    low: float | None
    high: float | None


class UnitRate(Result):
    """A unit's rate."""

    unit: UnitOut
    rate: float | None
    low: float | None
    high: float | None
    respondents: People | None
    design_effect: float | None
    suppressed: bool
    suspected: bool = Field(
        default=False,
        description="Whether answers of the period are suspected of being no citizens', or were "
        "set aside or rejected as such. Such a unit is not called one of the best.",
    )


class Judged(Result):
    """Where a rate lies against the target, judged with all of its kind at once."""

    position: Position = Field(
        description="above or below only where that holds for all that are judged together, with "
        "95 % (Holm); the same on every page."
    )
    interval_position: Position = Field(
        description="Where the row's own interval lies, looked at alone."
    )
    target_p: float | None = Field(description="Of the row alone.")
    target_adjusted_p: float | None = Field(description="Of all that are judged together (Holm).")
    judged_together: int = Field(
        description="How many are judged together: of an index all units of the kind with "
        "answers, whoever asks; of factors these times the factors; of items the unit's own."
    )


class Heterogeneity(Result):
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


class Ranking(Statistic):
    """Units by rate."""

    best: int
    heterogeneity: Heterogeneity
    rows: list[RankRow]


class FunnelPoint(Result):
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
    position: str = Field(
        description="By p: inside, below or above 95 % or 99.8 %, or not compared."
    )
    low_95: float | None
    high_95: float | None
    low_998: float | None
    high_998: float | None


class FunnelResult(Statistic):
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

    respondents: People | None


class DriverRow(Result):
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
    improve_first: bool = Field(
        description="Told apart: with a lower rate, by the limits given here, and of such factors "
        "more important, by a test to one side; so the limits of share_difference may hold 0."
    )


class Drivers(OfRespondents):
    """Key drivers."""

    outcome: str
    r_squared: float | None
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

    first: date | None
    last: date | None
    respondents: int | None
    method: str
    rows: list[LowestRow]


class ReliabilityItem(Result):
    """An item of a scale."""

    item: str
    alpha_if_deleted: float | None
    item_rest_correlation: float | None


class ReliabilityRow(Result):
    """A factor, or the whole index."""

    factor: str | None
    alpha: float | None
    low: float | None
    high: float | None
    complete_respondents: int | None
    items: list[ReliabilityItem]


class ReliabilityResult(OfRespondents):
    """Cronbach's alpha."""

    rows: list[ReliabilityRow]


class Adjuster(Result):
    """What respondents differ in."""

    adjuster: str
    coefficient: float | None


class CasemixRow(Result):
    """A unit's mean score or rate, as it is and as if all had the same respondents."""

    unit: UnitOut
    raw: float | None = Field(
        description="Of its complete respondents, as it is; of all of them for whoever may not see "
        "small figures, as are ``respondents``."
    )
    adjusted: float | None
    low: float | None = Field(
        description="Lower limit of the adjusted one: by the variance that all units share, or by "
        "the unit's own where that is wider; by the first for whoever may not see small figures."
    )
    high: float | None
    difference: float | None
    standard_error: float | None = Field(description="With one variance for all units.")
    respondents: int | None = Field(description="Complete ones: with an answer to every adjuster.")
    rank_raw: int | None
    rank_adjusted: int
    rank_adjusted_low: int
    rank_adjusted_high: int


class Casemix(OfRespondents):
    """Case-mix adjustment."""

    outcome: Literal["score", "rate"] = Field(
        description="score: the mean level. rate: each respondent's share of satisfied answers."
    )
    left_out: int | None = Field(
        description="Respondents without an answer to an adjuster, or of units that are too small."
    )
    adjusters: list[Adjuster]
    f: float | None
    degrees_of_freedom: list[int]
    p: float | None
    rows: list[CasemixRow]


class Weighted(OfRespondents, Rate):
    """A rate weighted to known margins."""

    left_out: int = Field(description="Respondents without an answer to the margins' items.")
    standard_error: float | None
    kish_effect: float | None = Field(description="How much unequal weights cost.")
    unweighted: Rate


class StratifiedRate(Rate):
    """A rate by service volume."""

    standard_error: float | None
    covered: float | None = Field(description="Share of the volume whose units have answers.")


class StratifiedRow(Result):
    """A parent's rate, pooled and by volume."""

    unit: UnitOut
    suppressed: bool
    strata: int
    cases: People
    respondents: People | None
    pooled: Rate
    stratified: StratifiedRate


class Stratified(Statistic):
    """Parents' rates by service volume."""

    rows: list[StratifiedRow]


class PlanRow(Result):
    """What a unit still needs in a month."""

    unit: UnitOut
    cases: People | None
    respondents: People | None = Field(
        description="null, as what is still needed: too few to be shown, or hidden for another "
        "unit's sake."
    )
    needed_to_publish: int | None
    required: int = Field(
        description="Respondents from whom on neither limit that is shown lies farther from the "
        "rate than the margin asked for, at the unit's rate so far; may be more than cases."
    )
    needed_for_margin: int | None
    allocated: int | None = Field(description="Its part of the total asked for.")
    publishable: bool
    design_effect: float = Field(
        description="Of respondents: one over how many independent answers one is worth."
    )
    power: float | None = Field(description="To see the drop asked for, by the next month.")


class Plan(Statistic):
    """How many more must be asked."""

    month: str
    margin: float
    drop: float
    least_respondents: int
    rows: list[PlanRow]
