"""GET /api/v1/satisfaction/…: whose rate it is, adjusted for who answered and who did not."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api.conditional import conditional
from app.api.csv import RESPONSES, divided
from app.api.statistics import READERS, Comparing, Filtered, Rated, Reader, answer_of
from app.dependencies import SettingsDependency
from app.figures import stratification
from app.figures.nonresponse import find_nonresponse
from app.figures.nonresponse_results import NonResponse
from app.figures.respondent_statistics import find_casemix
from app.figures.statistic_results import Casemix, Stratified, Weighted
from app.figures.weighted_rates import find_weighted

router = APIRouter(
    prefix="/api/v1/satisfaction",
    tags=["statistics"],
    responses=RESPONSES,
    dependencies=[Depends(conditional(READERS)), Depends(divided)],
)


class CasemixOutcome(StrEnum):
    """What is adjusted for the respondents' mix."""

    SCORE = "score"
    RATE = "rate"


@router.get(
    "/casemix",
    summary="Units as if all had the same respondents",
    response_model=Casemix,
)
def casemix(
    request: Request,
    caller: Reader,
    query: Comparing,
    adjust: Annotated[
        list[str],
        Query(
            description="What respondents differ in: items (age, sex), and channel: by which way "
            "they answered.",
            min_length=1,
        ),
    ],
    outcome: Annotated[
        CasemixOutcome, Query(description="Mean levels, or shares of satisfied answers.")
    ] = CasemixOutcome.SCORE,
) -> Casemix | Response:
    """Scores or rates adjusted for the respondents' mix in the CAHPS manner, and ranks by both.

    Who: whoever has ``figures:read``, over the units that they have it on. Looks at respondents
    one by one; those without an answer to an adjuster are left out. ``channel`` adjusts for the
    way in which people answered, as HCAHPS does for the survey's mode. For whoever may not see
    small figures, those without an answer to any item that could be an adjuster are left out, so
    that two choices of adjusters are about the same people, and the figures before adjustment are
    those of all respondents, not of the complete ones.
    """
    compute = partial(find_casemix, adjusters=adjust, outcome=outcome.value)
    return answer_of(request, caller, query, compute)


@router.get(
    "/weighted",
    summary="A rate weighted to known margins",
    response_model=Weighted,
)
def weighted(
    request: Request,
    settings: SettingsDependency,
    caller: Reader,
    query: Filtered,
    margin: Annotated[
        list[str],
        Query(
            description="Known sizes: sex:1=4800,2=5200, or age:0-39=40,40-120=60. One: "
            "post-stratified; more: raked.",
            min_length=1,
            examples=["sex:1=4800,2=5200"],
        ),
    ],
) -> Weighted | Response:
    """The rate over all units asked for, as if respondents had the margins of those served.

    Who: whoever has ``figures:read``, over the units that they have it on. Looks at respondents
    one by one. Refused with ``margin-invalid`` where margins contradict one another or want
    respondents that there are none of; with ``margin-unregistered`` where the margin is not one of
    HAILONG_MARGINS and the caller may not see small figures.
    """
    compute = partial(find_weighted, margins=margin, registered=settings.margins)
    return answer_of(request, caller, query, compute)


@router.get(
    "/stratified",
    summary="Parents' rates by service volume",
    response_model=Stratified,
)
def stratified(request: Request, caller: Reader, query: Rated) -> Stratified | Response:
    """Each unit's rate from those below it, weighted by their volumes, beside the pooled rate.

    Who: whoever has ``figures:read``, over the units that they have it on. Volumes come by
    ``hailong import volumes``; ``covered`` says for which share of them there are answers
    that the caller may see.
    """
    return answer_of(request, caller, query, stratification.stratified)


@router.get(
    "/non-response",
    summary="Those who did not answer",
    response_model=NonResponse,
)
def non_response(request: Request, caller: Reader, query: Rated) -> NonResponse | Response:
    """How far each unit's rate would move if those who did not answer differed by 5, 10, 20 points.

    Who: whoever has ``figures:read``, over the units that they have it on. By how many of the
    invited answered, and by how many of those served, where volumes of all units below are known.
    ``weighted`` is the rate of the invited, each answering one weighted by one over the response
    rate of the unit and month in which the case was finished.
    """
    return answer_of(request, caller, query, find_nonresponse)
