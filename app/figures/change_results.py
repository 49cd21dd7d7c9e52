"""What is told of changes: of the rate as it is, and with the mix of its parts held fixed."""

from __future__ import annotations

from datetime import date

from pydantic import ConfigDict, Field

from app.figures.results import Result, UnitOut
from app.figures.statistic_results import Limits, Side, Statistic


class PartAlone(Result):
    """A part that answered in one of two periods alone."""

    unit: UnitOut | None = Field(description="null: all that are too small to be shown, together.")
    channel: str | None = Field(description="null: all channels together.")
    share_before: float | None = Field(description="Of the whole's answers in the other period.")
    share: float | None = Field(description="Of its answers in this period.")


class FixedMix(Limits):
    """A change with the mix of units and channels held fixed.

    The change of the pooled rate is ``estimate + mix + elsewhere``.
    """

    p: float | None
    crude: float | None = Field(description="The change of the pooled rate.")
    mix: float | None = Field(
        description="What came of shares that moved between parts which answered in both periods."
    )
    elsewhere: float | None = Field(
        description="What came of parts that answered in one of the periods alone."
    )
    parts: int = Field(description="Parts, each a unit and channel, that answered in both periods.")
    covered_before: float | None = Field(
        description="Share of the other period's answers that is theirs."
    )
    covered: float | None = Field(description="Share of this period's answers that is theirs.")
    unseparated: float | None = Field(
        description="Share of both periods' answers whose parts are not told apart, as too small "
        "to be shown: what their mix did is in ``estimate``."
    )
    one_period_only: list[PartAlone] = Field(
        description="The others, that with the largest share first."
    )


class FixedMixChange(FixedMix):
    """The same among the changes of several units."""

    adjusted_p: float | None
    discovery: bool


class Change(Limits):
    """This rate minus the other."""

    p: float | None
    adjusted_p: float | None
    discovery: bool


class CompareRow(Result):
    """A unit beside what it is compared with."""

    unit: UnitOut
    suppressed: bool
    other: Side
    rate: Side
    change: Change
    fixed_mix: FixedMixChange | None = Field(
        description="null: the unit is made of one part, or compared with others."
    )

    @property
    def told(self) -> Change | FixedMixChange:
        """What may be said of the unit: of one that is made of parts, with their mix held fixed."""
        return self.fixed_mix or self.change


class OtherPeriod(Result):
    """The days of the other side."""

    first: date | None
    last: date | None


class Comparison(Statistic):
    """Units beside themselves before, or beside others."""

    model_config = ConfigDict(populate_by_name=True)

    with_: str = Field(alias="with")
    other_period: OtherPeriod
    false_discovery_rate: float
    rows: list[CompareRow]


class ChannelShare(Result):
    """A channel's share of the answers of two periods."""

    channel: str
    share_before: float | None
    share: float | None


class ChannelMix(Result):
    """How the channels by which people answer have moved since the period before."""

    largest_move: float | None = Field(description="By how much the share moved that moved most.")
    moved: bool = Field(description="By more than ten points.")
    shares: list[ChannelShare]
