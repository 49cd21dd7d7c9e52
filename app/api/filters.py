"""The filters that endpoints over figures take, as FastAPI dependencies."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import Depends
from fastapi import Query as Asking

from app.clock import local_today
from app.dependencies import SettingsDependency
from app.figures.query import Expand, Interval, Query, StructureOf, structure_day
from app.problems import FieldError, InvalidFields
from app.registry.models import Channel, UnitKind
from app.settings import Settings


def unit_filters(
    unit: Annotated[list[str], Asking(description="Codes of units; all if none is named.")] = [],  # noqa: B006
    expand: Annotated[
        Expand, Asking(description="The units given, their children, or all below them.")
    ] = Expand.GIVEN,
    kind: Annotated[list[UnitKind], Asking(description="Only units of these kinds.")] = [],  # noqa: B006
    descendants: Annotated[
        bool, Asking(description="Count the answers about the units below too, pooled.")
    ] = True,
    factor: Annotated[str | None, Asking(description="One factor of the index.")] = None,
    item: Annotated[str | None, Asking(description="One rated item of the index.")] = None,
    channel: Annotated[list[Channel], Asking(description="Only these channels.")] = [],  # noqa: B006
    first: Annotated[date | None, Asking(alias="from", description="First local day.")] = None,
    last: Annotated[date | None, Asking(alias="to", description="Last local day.")] = None,
    confidence: Annotated[float, Asking(gt=0.5, lt=1, description="Coverage.")] = 0.95,
) -> Query:
    """The filters that all figures over units take."""
    return Query(
        units=unit,
        expand=expand,
        kinds=kind,
        descendants=descendants,
        factor=factor,
        item=item,
        channels=channel,
        first=first,
        last=last,
        confidence=confidence,
    )


#: In the tree of units of which time figures are given, as a parameter.
StructureText = Annotated[
    str,
    Asking(
        alias="structure",
        pattern=r"^(today|then|\d{4}-\d\d-\d\d)$",
        description="In the tree of units of which time figures are given: today, then (that of "
        "the last day asked for), or a day like 2025-06-30. Answers of units of other times stand "
        "at what these became; where nobody knows, in an undivided row.",
        examples=["today", "then", "2025-06-30"],
    ),
]


def structure_of(text: str) -> StructureOf | date:
    """The structure that a parameter names.

    Raises
    ------
    InvalidFields
        Where its day is none of the calendar.
    """
    if text in set(StructureOf):
        return StructureOf(text)
    try:
        return date.fromisoformat(text)
    except ValueError:
        error = FieldError("structure", "field.invalid", cause="cause.day", kind="parameter")
        raise InvalidFields(errors=[error], count=1) from None


def structured(query: Query, text: str, settings: Settings) -> Query:
    """A question in the structure that a parameter names."""
    today = local_today(settings.zone)
    return replace(query, structure=structure_day(structure_of(text), query.last, today))


def structured_filters(
    query: Annotated[Query, Depends(unit_filters)],
    settings: SettingsDependency,
    structure: StructureText = StructureOf.TODAY.value,
) -> Query:
    """The filters of figures that are given in the tree of today if no other is named."""
    return structured(query, structure, settings)


#: The code of the one questionnaire, as a parameter.
QuestionnaireParameter = Annotated[str, Asking(description="Code of the questionnaire.")]


def filters(
    query: Annotated[Query, Depends(structured_filters)], questionnaire: QuestionnaireParameter
) -> Query:
    """The filters of statistics, which are of one questionnaire."""
    return replace(query, questionnaire=questionnaire)


def comparing_filters(
    query: Annotated[Query, Depends(unit_filters)],
    settings: SettingsDependency,
    questionnaire: QuestionnaireParameter,
    structure: StructureText = StructureOf.THEN.value,
) -> Query:
    """The filters of what compares units: those that there were in the period."""
    return structured(replace(query, questionnaire=questionnaire), structure, settings)


#: How the interval of a rate is computed, as a parameter.
IntervalParameter = Annotated[
    Interval,
    Asking(
        description="How intervals of rates are computed. score: Wilson's on effective answers. "
        "r-xlogit: as R's svyciprop, for whoever checks; too narrow where few are dissatisfied."
    ),
]


def rate_filters(
    query: Annotated[Query, Depends(filters)], interval: IntervalParameter = Interval.SCORE
) -> Query:
    """The filters of statistics that give rates with intervals."""
    return replace(query, interval=interval)


def comparing_rate_filters(
    query: Annotated[Query, Depends(comparing_filters)],
    interval: IntervalParameter = Interval.SCORE,
) -> Query:
    """The filters of what compares units by rates with intervals."""
    return replace(query, interval=interval)
