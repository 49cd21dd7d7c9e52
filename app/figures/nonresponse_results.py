"""What is told of those who did not answer."""

from __future__ import annotations

from pydantic import Field

from app.figures.results import People, Result, UnitOut
from app.figures.statistic_results import Rate, Statistic


class Moved(Result):
    """The rate of all, if those who did not answer differed by so much."""

    difference: float
    low: float | None
    high: float | None


class Sensitivity(Result):
    """How far a rate would move if those who did not answer differed from those who did."""

    reached: People | None = Field(description="Invited, or served.")
    answered: People | None
    response_rate: float | None
    rate: float | None = Field(description="Of those who answered.")
    moved: list[Moved]


class ResponseWeighted(Rate):
    """The rate of invited people, each weighted by one over the response rate of unit and month."""

    unweighted: float | None
    covered: float | None = Field(
        description="Share of the invited whose unit and month has answers that may be shown."
    )


class NonResponseRow(Result):
    """Those of a unit who did not answer."""

    unit: UnitOut | None = Field(description="null: all units together.")
    suppressed: bool
    by_invitations: Sensitivity | None = Field(description="null: nobody was invited.")
    by_volumes: Sensitivity | None = Field(
        description="null: cases of some unit and month are not known, or fewer than answered."
    )
    weighted: ResponseWeighted | None = Field(description="null: nobody invited answered.")


class NonResponse(Statistic):
    """Those who did not answer, by unit."""

    rows: list[NonResponseRow]
