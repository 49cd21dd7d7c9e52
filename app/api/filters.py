"""The filters that endpoints over figures take, as FastAPI dependencies."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import Depends
from fastapi import Query as Asking

from app.figures.query import Expand, Interval, Query
from app.registry.models import Channel, UnitKind


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


def filters(
    query: Annotated[Query, Depends(unit_filters)],
    questionnaire: Annotated[str, Asking(description="Code of the questionnaire.")],
) -> Query:
    """The filters of statistics, which are of one questionnaire."""
    return replace(query, questionnaire=questionnaire)


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
