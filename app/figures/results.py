"""What the figures look like on the wire. Rates lie in [0, 1]; what is undefined is null."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.figures.query import Sensitivity
from app.messages import say
from app.registry.queries import UnitNode
from app.registry.structures import UNDIVIDED

#: How many people, or answers: a whole number unless a plan's shares divide them.
People = int | float


class Result(BaseModel):
    """What is computed and handed on: typed, never changed. JSON, pages and files are made of it.

    Rates lie in [0, 1]; what is undefined or suppressed is None.
    """

    model_config = ConfigDict(frozen=True)


class Names(Result):
    """A name in both languages."""

    vi: str
    en: str


class WithinOut(Result):
    """A unit that another one is part of."""

    code: str
    name: Names


class UnitOut(Result):
    """The unit of a row."""

    code: str
    kind: str
    name: Names
    within: WithinOut | None = Field(
        description="What it is part of, where its own name does not tell it from others: "
        "a ward's hospital, the district of one of two communes of the same name."
    )


class Provenance(Result):
    """What every statistic carries, so that its figures can be had again by one call."""

    synthetic: bool = Field(description="Whether the answers were drawn by a generator.")
    notice: Names | None
    version: str = Field(description="Of the software that computed it.")
    questionnaire: str
    first: date | None = Field(description="First day of the answers that went in.")
    last: date | None
    confidence: float
    structure: date = Field(
        description="The day in whose tree of units figures are given, whenever answers came."
    )
    change_days: list[date] = Field(
        description="Days after the first, up to the last, on which the tree of units changed."
    )


class WhollySatisfied(Result):
    """Respondents satisfied on every index item that they answered (Wilson interval)."""

    rate: float | None
    low: float | None
    high: float | None


class Row(Result):
    """One figure with its uncertainty. Keys that were not grouped by are left out."""

    unit: UnitOut | None = None
    scope: Literal["own", "with_descendants"] = Field(
        description="own: answers about the unit itself. with_descendants: these and the answers "
        "about all units below it, pooled."
    )
    questionnaire: str
    factor: str | None = None
    item: str | None = None
    channel: str | None = None
    period: str | None = None
    rate: float | None = Field(description="Share of answers at a satisfied level.")
    low: float | None = Field(description="Lower limit of the rate's confidence interval.")
    high: float | None = Field(description="Upper limit.")
    standard_error: float | None
    respondents: People | None = Field(
        description="Respondents with at least one answer that counts; not a whole number where "
        "a plan's shares divide them."
    )
    answers: People | None = Field(
        description="Their answers that count: no opinion is not among them."
    )
    suppressed: bool = Field(
        description="Whether the row has respondents, and too few to be shown to this caller."
    )
    design_effect: float | None = Field(
        description="How many times larger the variance is than with independent answers."
    )
    day_effect: float | None = Field(
        description="How many times larger the variance is with days as clusters than with "
        "respondents; null where fewer than ten days have answers, and where it may not be told. "
        "From 2 on the interval is too narrow: ask for cluster=day."
    )
    mean_score: float | None = Field(description="Mean level of the answers.")
    mean_score_low: float | None = Field(description="Limits with respondents as clusters.")
    mean_score_high: float | None
    wholly_satisfied: WhollySatisfied | None
    method: str = Field(description="How the interval was computed.")


class Figures(Result):
    """Rates and intervals."""

    synthetic: bool = Field(description="Whether the answers were drawn by a generator.")
    notice: Names | None
    version: str = Field(description="Of the software that computed them.")
    first: date | None = Field(description="First day that was asked for, or has answers.")
    last: date | None
    confidence: float
    structure: date = Field(
        description="The day in whose tree of units figures are given, whenever answers came."
    )
    change_days: list[date] = Field(
        description="Days after the first, up to the last, on which the tree of units changed."
    )
    sensitivity: Sensitivity = Field(
        description="without: of the answers that count. with: of these and of those that a rule "
        "or a reviewer set aside, in rows that are shown without and keep enough respondents."
    )
    rows: list[Row]


class ResponseRateRow(Result):
    """One unit and month in which cases were finished."""

    unit: UnitOut
    month: str
    issued: People | None = Field(description="Invitations issued.")
    answered: People | None
    rate: float | None = Field(description="Answered over issued.")
    low: float | None
    high: float | None
    suppressed: bool = Field(
        description="Whether too few were invited to be shown, or some may still answer."
    )


class ResponseRates(Result):
    """Response rates; a month without invitations has no row."""

    structure: date = Field(
        description="The day in whose tree of units rates are given, whenever cases were finished."
    )
    change_days: list[date] = Field(
        description="Days after the first, up to the last, on which the tree of units changed."
    )
    rows: list[ResponseRateRow]


def unit_result(node: UnitNode) -> UnitOut:
    """A unit as results name it."""
    above = node.within
    name = Names(vi=node.name_vi, en=node.name_en)
    if node.kind == UNDIVIDED:
        name = Names(vi=say("structure.undivided", "vi"), en=say("structure.undivided", "en"))
    return UnitOut(
        code=node.code,
        kind=node.kind,
        name=name,
        within=WithinOut(code=above.code, name=Names(vi=above.name_vi, en=above.name_en))
        if above
        else None,
    )
