"""GET /api/v1/satisfaction and /api/v1/response-rates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Query as Asking

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.api.conditional import conditional
from app.api.csv import RESPONSES, answered, divided
from app.api.filters import (
    IntervalParameter,
    StructureText,
    structure_of,
    structured_filters,
)
from app.clock import local_today
from app.dependencies import DatabaseDependency, SettingsDependency
from app.figures import periods
from app.figures.query import (
    Cluster,
    Interval,
    Key,
    Query,
    Sensitivity,
    StructureOf,
    structure_day,
)
from app.figures.rate_results import rate_table
from app.figures.rates import find as find_rates
from app.figures.release import ReleaseRule
from app.figures.response_rates import find as find_response_rates
from app.figures.results import Figures, ResponseRates


class Convention(StrEnum):
    """The conventions of ``analysis.conventions``, as a parameter."""

    SIPAS = "sipas"
    MOH_3869 = "moh-3869"
    NHS_FFT = "nhs-fft"
    HCAHPS_TOP_BOX = "hcahps-top-box"


router = APIRouter(prefix="/api/v1", tags=["figures"])

READERS = Door(Right.READ_FIGURES)
FRESH = conditional(READERS)


@router.get(
    "/satisfaction",
    summary="Rates and intervals",
    responses=RESPONSES,
    dependencies=[Depends(FRESH), Depends(divided)],
    response_model=Figures,
    response_model_exclude_unset=True,
)
def rates(
    request: Request,
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    filters: Annotated[Query, Depends(structured_filters)],
    questionnaire: Annotated[str | None, Asking(description="Code of one questionnaire.")] = None,
    by: Annotated[list[Key], Asking(description="What rows are grouped by.")] = [],  # noqa: B006
    convention: Annotated[
        Convention | None,
        Asking(
            description="Count by another convention than the questionnaire's own; of items only."
        ),
    ] = None,
    interval: IntervalParameter = Interval.SCORE,
    cluster: Annotated[
        Cluster,
        Asking(
            description="Whose answers are taken to resemble one another: a respondent's, or those "
            "of a day, where days are good or bad. day: without an interval where fewer than two "
            "days have answers, and, for whoever may not see small cells, fewer than ten, or "
            "where the running month belongs to the period."
        ),
    ] = Cluster.RESPONDENT,
    sensitivity: Annotated[
        Sensitivity,
        Asking(
            description="without: of the answers that count. with: also of those that a rule or a "
            "reviewer set aside; such a row is suppressed where it is without, and without "
            "``day_effect``."
        ),
    ] = Sensitivity.WITHOUT,
) -> Figures | Response:
    """Satisfaction rates with confidence intervals, for any units, times and groupings.

    Who: whoever has ``figures:read``, and only over the units that they have it on. Rows never
    sum different questionnaires. Rates over several items take respondents as clusters, with what
    answers of one respondent have in common learnt from all units in the same days; where a
    respondent gives one answer the interval is Wilson's; ``method`` names it in every row.
    Figures are given in the tree of units of today, whatever units answered then; ``structure``
    names another. ``day_effect`` says how many times larger the variance is with days as
    clusters: from 2 on ask for ``cluster=day``. A unit or period without answers has a row with
    nulls. One with fewer
    respondents than the setting HAILONG_LEAST_RESPONDENTS is ``suppressed``, and has nulls too,
    unless the caller has ``figures:read-small`` there. As CSV where Accept names text/csv.
    """
    query = replace(
        filters,
        questionnaire=questionnaire,
        by=by,
        convention=convention.value if convention else None,
        interval=interval,
        cluster=cluster,
        sensitivity=sensitivity,
    )
    with database.reading() as session:
        found = find_rates(session, query, caller, ReleaseRule.of(settings), by_days=True)
    return answered(request, rate_table(found, query))


@router.get(
    "/response-rates",
    summary="How many of those invited answered",
    responses=RESPONSES,
    dependencies=[Depends(FRESH), Depends(divided)],
    response_model=ResponseRates,
)
def response_rates(
    request: Request,
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    first: Annotated[date, Asking(alias="from", description="First day of finished cases.")],
    last: Annotated[date, Asking(alias="to", description="Last day.")],
    unit: Annotated[
        list[str], Asking(description="Codes of units; all that are the caller's if none is named.")
    ] = [],  # noqa: B006 - FastAPI copies it
    structure: StructureText = StructureOf.TODAY.value,
) -> ResponseRates | Response:
    """Invitations answered over invitations issued, by unit and month, with Wilson's interval.

    Who: whoever has ``figures:read``, over the units that they have it on. Where fewer were
    invited than HAILONG_LEAST_RESPONDENTS, or that would follow, and while a link of the month can
    still be used, the figures are ``suppressed``, unless the caller has ``figures:read-small``
    there.
    """
    periods.check(first, last)
    with database.reading() as session:
        found = find_response_rates(
            session, caller, first, last, units=unit, release_rule=ReleaseRule.of(settings),
            structure=structure_day(structure_of(structure), last, local_today(settings.zone)),
        )  # fmt: skip
    return answered(request, found)
