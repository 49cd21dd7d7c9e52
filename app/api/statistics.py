"""GET /api/v1/satisfaction/…: comparisons, trends, and what lies behind the rates."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.api.conditional import conditional
from app.api.csv import RESPONSES, answered, divided
from app.api.filters import (
    comparing_filters,
    comparing_rate_filters,
    filters,
    rate_filters,
)
from app.db import Database
from app.dependencies import DATABASE, SETTINGS, SettingsDependency
from app.figures import comparisons, planning, trends
from app.figures.alerts import alerts as find_alerts
from app.figures.change_results import Comparison
from app.figures.channel_mix import with_fixed_channels
from app.figures.comparison_days import With
from app.figures.context import Context
from app.figures.control_limits import Judging, Rules
from app.figures.drivers import find_drivers
from app.figures.periods import Step, span
from app.figures.query import Query as Filters
from app.figures.release import ReleaseRule
from app.figures.respondent_statistics import find_reliability
from app.figures.results import Provenance
from app.figures.statistic_results import (
    Drivers,
    FunnelResult,
    Plan,
    Ranking,
    ReliabilityResult,
)
from app.figures.trend_results import Alerts, Rule, Trend
from app.settings import Settings, Targets

READERS = Door(Right.READ_FIGURES)
router = APIRouter(
    prefix="/api/v1/satisfaction",
    tags=["statistics"],
    responses=RESPONSES,
    dependencies=[Depends(conditional(READERS)), Depends(divided)],
)

Reader = Annotated[Caller, Depends(READERS)]
Filtered = Annotated[Filters, Depends(filters)]
Rated = Annotated[Filters, Depends(rate_filters)]
#: Of what compares units: those that there were in the period, unless another day is named.
Comparing = Annotated[Filters, Depends(comparing_filters)]
ComparingRates = Annotated[Filters, Depends(comparing_rate_filters)]
Discovery = Annotated[float, Query(gt=0, lt=1, description="False-discovery rate.")]


class Standardised(StrEnum):
    """What is held fixed over time."""

    CHANNEL = "channel"


class TrendStep(StrEnum):
    """Lengths of a period over which units are followed."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class Allocation(StrEnum):
    """How a sample is spread over units."""

    PROPORTIONAL = "proportional"
    NEYMAN = "neyman"


class Dispersion(StrEnum):
    """Whether limits allow for what units differ in besides quality, or for chance alone."""

    AUTO = "auto"
    NONE = "none"


T = TypeVar("T", bound=Provenance)


def answer_of(
    request: Request, caller: Caller, query: Filters, compute: Callable[[Context], T]
) -> T | Response:
    """A statistic over the units and days asked for, within the caller's rights."""
    database: Database = DATABASE.of(request)
    settings: Settings = SETTINGS.of(request)
    with database.reading() as session:
        found = compute(Context(session, caller, query, ReleaseRule.of(settings)))
    return answered(request, found)


@router.get(
    "/ranking",
    summary="Ranks with their uncertainty",
    response_model=Ranking,
)
def ranking(
    request: Request,
    caller: Reader,
    query: ComparingRates,
    best: Annotated[int, Query(ge=1, le=12_000, description="May be among the best how many?")] = 5,
) -> Ranking | Response:
    """Units by rate, each with the ranks that it may truly have, and its shrunken rate.

    Who: whoever has ``figures:read``, over the units that they have it on. Of units above and
    below one another the lowest are compared. Ranks are never given without their confidence
    sets (Mogstad, Romano, Shaikh, Wilhelm 2024): alone, and of all units at once. Suppressed
    units are not ranked. Refused with ``too-few-units`` where fewer than two have figures, with
    ``too-many-units`` where more than 12,000 have.
    """
    return answer_of(request, caller, query, partial(comparisons.ranking, best=best))


@router.get(
    "/funnel",
    summary="Units against control limits",
    response_model=FunnelResult,
)
def funnel(
    request: Request,
    caller: Reader,
    query: ComparingRates,
    target: Annotated[
        float | None, Query(gt=0, lt=1, description="Rate aimed at; else the units' own middle.")
    ] = None,
    overdispersion: Annotated[
        Dispersion,
        Query(description="auto: as much as the units are found to differ; none: by chance alone."),
    ] = Dispersion.AUTO,
    q: Discovery = 0.05,
) -> FunnelResult | Response:
    """A funnel plot (Spiegelhalter 2005): limits at 95 % and 99.8 %, wider for small units.

    Who: whoever has ``figures:read``, over the units that they have it on. Sizes are effective
    answers. A unit is judged by its tail probability ``p`` among all *other* units, whose
    ordinary differences are allowed for, or around a given target; ``position`` follows from it,
    and so does ``discovery``: at the false-discovery rate ``q`` it stands among so many.
    """
    allowed = overdispersion is Dispersion.AUTO
    compute = partial(comparisons.funnel, target=target, overdispersion=allowed, q=q)
    return answer_of(request, caller, query, compute)


@router.get(
    "/compare",
    summary="Units beside themselves before, or beside others",
    response_model=Comparison,
)
def compare(
    request: Request,
    caller: Reader,
    query: ComparingRates,
    with_: Annotated[
        With,
        Query(
            alias="with",
            description="previous: the period of the same length before. year-before. parent: the "
            "other units under the same parent. peers: all other units of the kind.",
        ),
    ] = With.PREVIOUS,
    q: Discovery = 0.05,
) -> Comparison | Response:
    """The difference of each unit's rate, with its interval and adjusted p-value.

    Who: whoever has ``figures:read``, over the units that they have it on; others are counted in
    ``parent`` and ``peers`` only as far as the caller may read them. Interval and p-value of a
    difference are of one test, the score test on effective answers (Mee 1984): p lies under
    1 - confidence exactly where the interval leaves out 0. A unit that is made of parts, units
    below it or channels, moves where their mix does: ``fixed_mix`` is its change since another
    period with the mix held fixed, with what the mix moved besides; say of a unit that it rose
    or fell only by that one.
    """
    return answer_of(request, caller, query, partial(comparisons.compare, with_=with_, q=q))


@router.get("/trend", summary="Units over time", response_model=Trend)
def trend(
    request: Request,
    settings: SettingsDependency,
    caller: Reader,
    query: Rated,
    step: Annotated[TrendStep, Query(description="Length of a period.")] = TrendStep.MONTH,
    rules: Annotated[
        Rules,
        Query(
            description="default: a period beyond its limits, and the EWMA. western-electric: the "
            "four of 1956, and the EWMA. nhs: XmR limits and the rules of Making Data Count."
        ),
    ] = Rules.DEFAULT,
    rule: Annotated[
        list[Rule], Query(description="Some rules alone; not of the NHS, whose rules go together.")
    ] = [],  # noqa: B006 - FastAPI copies it
    target: Annotated[
        float | None,
        Query(
            gt=0, lt=1, description="Rate aimed at in all periods; left out: HAILONG_TARGET_RATE."
        ),
    ] = None,
    standardise: Annotated[
        Standardised | None,
        Query(
            description="channel: beside each period's rate the one with the mix of channels that "
            "the unit has over all periods (fixed_channels)."
        ),
    ] = None,
) -> Trend | Response:
    """Rates by period with control limits, the rules that fired, tests of trend and the slope.

    Who: whoever has ``figures:read``, over the units that they have it on. A period is judged by
    the distribution of its counts, as the baseline foretells it: all periods asked for that came
    before, twelve at least, or what somebody decided (``/baselines``). ``limits`` says what they
    rest on, what was left out, how likely the rules mark something in ordinary periods, and
    whether the target of the last period is met for certain. The trend is Mann and Kendall's (by
    season once there are three years), the slope Theil and Sen's, beside Cochran and Armitage's
    linear trend, tested against what periods vary about the line. What was noted of the unit's
    actions (``/action-notes``) stands with it. Periods with too few respondents are suppressed, and
    everything else is computed from those that are shown.
    """
    targets = settings.target_rate if target is None else Targets.read(target)
    judging = Judging(rules, tuple(rule), targets)
    length = Step(step.value)

    def compute(context: Context) -> Trend:
        found = trends.trend(context, step=length, judging=judging)
        return with_fixed_channels(context, found, length) if standardise else found

    return answer_of(request, caller, query, compute)


@router.get("/alerts", summary="What changed", response_model=Alerts)
def alerts(
    request: Request,
    caller: Reader,
    query: Comparing,
    step: Annotated[TrendStep, Query(description="Length of a period.")] = TrendStep.MONTH,
    q: Discovery = 0.05,
) -> Alerts | Response:
    """Units whose level shifted, or whose last period stands out: which rule, since when, how much.

    Who: whoever has ``figures:read``, over the units that they have it on. If nothing ever changed,
    any alert in a year of looks, one a period, has a probability of ``q``; one look spends ``q``
    over the periods of a year. Units are judged against what their periods vary in besides chance
    (``noise``) and against a yearly wave of their own. What at least ten units share is taken out
    first, and told by itself where all moved (``together``, with ``q`` of its own).
    """
    compute = partial(find_alerts, step=Step(step.value), q=q)
    return answer_of(request, caller, query, compute)


@router.get(
    "/drivers",
    summary="What drives overall satisfaction",
    response_model=Drivers,
)
def drivers(
    request: Request,
    caller: Reader,
    query: Filtered,
    outcome: Annotated[
        str | None,
        Query(
            description="Item that is a question of its own: of overall satisfaction, or whether "
            "one would come again; left out: the form's overall question."
        ),
    ] = None,
) -> Drivers | Response:
    """Each factor's share of R² (LMG, Shapley), its rate, and whether to improve it first.

    Who: whoever has ``figures:read``, over the units that they have it on. Looks at respondents
    one by one; refused with ``too-few-respondents`` under 30 complete ones. To improve first are
    factors whose importance and whose rate are both told apart from the others'. Refused with
    ``outcome-needed`` where the outcome is the index or one of its items: of its own factors it
    tells nothing about influence.
    """
    return answer_of(request, caller, query, partial(find_drivers, outcome=outcome))


@router.get(
    "/reliability",
    summary="Whether items measure one thing",
    response_model=ReliabilityResult,
)
def reliability(request: Request, caller: Reader, query: Filtered) -> ReliabilityResult | Response:
    """Cronbach's alpha of each factor and of the whole index, with Feldt's interval.

    Who: whoever has ``figures:read``, over the units that they have it on. Looks at respondents
    one by one; refused with ``too-few-respondents`` under 30.
    """
    return answer_of(request, caller, query, find_reliability)


@router.get("/planning", summary="How many more must be asked", response_model=Plan)
def plan(
    request: Request,
    caller: Reader,
    query: Filtered,
    month: Annotated[
        str, Query(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", examples=["2026-11"], description="Month.")
    ],
    margin: Annotated[float, Query(gt=0.001, lt=0.5, description="Half the interval.")] = 0.05,
    drop: Annotated[
        float, Query(gt=0.001, lt=0.9, description="A fall that is to be seen the month after.")
    ] = 0.1,
    total: Annotated[
        int | None, Query(ge=1, le=10**9, description="Respondents to be spread over the units.")
    ] = None,
    allocation: Annotated[
        Allocation, Query(description="How: by size, or more where people differ more (Neyman).")
    ] = Allocation.PROPORTIONAL,
) -> Plan | Response:
    """How many more respondents each unit needs in a month, to be published and for a margin.

    Who: whoever has ``figures:read``, over the units that they have it on. Counts of respondents
    are shown as soon as they answer, nothing of what they said is; but not of few, nor where few
    would follow, to whoever may not see small figures.
    """
    compute = partial(
        planning.plan,
        month=span(month).first, margin=margin, drop=drop, total=total,
        neyman=allocation is Allocation.NEYMAN,
    )  # fmt: skip
    return answer_of(request, caller, query, compute)
