"""/api/v1/satisfaction/baselines: what people decided about control limits."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.api.statistics import TrendStep
from app.dependencies import DatabaseDependency
from app.figures import limit_decisions
from app.figures.limit_decisions import LimitDecisionOut, Wish, as_result
from app.figures.periods import Step
from app.registry.codes import Code

router = APIRouter(prefix="/api/v1/satisfaction/baselines", tags=["statistics"])

READERS = Door(Right.READ_FIGURES)
DECIDERS = Door(Right.DECIDE_LIMITS)
#: Labels of periods; a reason may have lines.
Label = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z-]{6,10}$")]
Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")
]


class LimitDecisionIn(BaseModel):
    """From which period on which limits count, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "unit": "26506",
                    "questionnaire": "sipas-desk",
                    "step": "month",
                    "start": "2026-04",
                    "reason": "Moved to the new one-stop building on 1 April.",
                }
            ]
        },
    )

    unit: Code
    questionnaire: Code
    factor: Code | None = Field(None, description="A factor's limits; left out: the index's.")
    item: Code | None = Field(None, description="An item's limits.")
    step: TrendStep = TrendStep.MONTH
    start: Label = Field(description="Period from which on the limits count.")
    first: Label | None = Field(
        None, description="First period that they rest on; left out: ``start``."
    )
    last: Label | None = Field(
        None, description="Last one, at least the twelfth: they are frozen then; left out: all "
        "periods before the judged one."
    )  # fmt: skip
    reason: Reason


class LimitDecisions(BaseModel):
    """Decisions, the newest first; a thousand at most."""

    baselines: list[LimitDecisionOut]


@router.get("", summary="What was decided about control limits", response_model=LimitDecisions)
def list_decisions(
    database: DatabaseDependency,
    caller: Annotated[Caller, Depends(READERS)],
    unit: Annotated[str | None, Query(description="Code of a unit.", max_length=64)] = None,
    questionnaire: Annotated[str | None, Query(max_length=64)] = None,
    revoked: Annotated[bool, Query(description="Those that no longer count, too.")] = True,
) -> LimitDecisions:
    """Decisions with reason and name, also those that were revoked.

    Who: whoever has ``figures:read``, over the units that they have it on.
    """
    with database.reading() as session:
        found = limit_decisions.decisions(
            session, caller, unit=unit, questionnaire=questionnaire, revoked=revoked
        )
        return LimitDecisions(baselines=[as_result(each) for each in found])


@router.post(
    "", summary="Decide about control limits", response_model=LimitDecisionOut, status_code=201
)
def decide(
    database: DatabaseDependency,
    caller: Annotated[Caller, Depends(DECIDERS)],
    body: LimitDecisionIn,
) -> LimitDecisionOut:
    """Let a unit's limits begin anew, or rest on periods that are named; by name, with a reason.

    Who: whoever has ``limits:decide`` on the unit. Limits change by decision alone: a period that
    stands out does not move them. It holds for questions about all of the unit's answers.
    """
    wish = Wish(
        body.unit, body.questionnaire, Step(body.step.value), body.start, body.reason,
        body.first, body.last, body.factor, body.item,
    )  # fmt: skip
    with database.writing(caller.name) as session:
        return as_result(limit_decisions.decide(session, caller, wish))


@router.delete("/{id}", summary="Revoke a decision", status_code=204)
def revoke(
    database: DatabaseDependency,
    caller: Annotated[Caller, Depends(DECIDERS)],
    id: Annotated[int, Path(ge=1, lt=2**31)],
) -> Response:
    """Let limits be again as they were without the decision, which stays in the list.

    Who: whoever has ``limits:decide`` on its unit.
    """
    with database.writing(caller.name) as session:
        limit_decisions.revoke(session, caller, id)
    return Response(status_code=204)
