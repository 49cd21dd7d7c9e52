"""GET /api/v1/units, /points and /questionnaires: the registry, as far as it is the caller's.

They stand here and not in the registry's room, which knows nothing of callers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, selectinload

from app.access import scope
from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.api.unit_histories import Kin, predecessors, successors
from app.dependencies import DatabaseDependency
from app.figures import visible
from app.registry.models import (
    Channel,
    PointState,
    QuestionnaireVersion,
    SurveyPoint,
    Unit,
    UnitKind,
)
from app.registry.points import current_code
from app.registry.queries import UnitNode
from app.registry.structures import Units as UnitsOfAllTimes

router = APIRouter(prefix="/api/v1", tags=["registry"])

#: What a unit's code may look like: no control characters, which PostgreSQL refuses.
CODE = r"^[^\x00-\x1f\x7f]{1,32}$"

READERS = Door(Right.READ_REGISTRY)
#: Numbers of rows, and of an answer's entries at most.
After = Annotated[int, Query(ge=0, lt=2**31, description="``next`` of the answer before.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Most entries.")]


class UnitRow(BaseModel):
    """A unit."""

    code: str
    kind: UnitKind
    name_vi: str
    name_en: str
    parent: str | None = Field(description="Code of the unit above, if the caller may see it.")
    valid_from: date
    valid_to: date | None
    latitude: float | None
    longitude: float | None
    predecessors: list[Kin] = Field(description="Units that became this one, whole or in part.")
    successors: list[Kin] = Field(description="Units that this one became.")


class Units(BaseModel):
    """Units in the order in which they were entered."""

    units: list[UnitRow]
    next: int | None = Field(description="Where the next answer begins; null at the end.")


class PointRow(BaseModel):
    """A survey point."""

    code: str = Field(description="The public code that is to be printed now.")
    name: str
    unit: str = Field(description="Code of the unit that it is of today.")
    unit_last_day: date | None = Field(
        description="Last day of that unit, where it has one: afterwards the point is closed."
    )
    questionnaire: str
    channel: Channel
    state: PointState
    state_since: datetime


class Points(BaseModel):
    """Survey points in the order in which they were opened."""

    points: list[PointRow]
    next: int | None


class QuestionnaireRow(BaseModel):
    """A published version of a questionnaire."""

    code: str
    version: int
    content_hash: str
    published_at: datetime
    withdrawn_at: datetime | None = Field(
        default=None, description="Since when it is asked no more; answers to it stay."
    )


class Questionnaires(BaseModel):
    """All published versions."""

    questionnaires: list[QuestionnaireRow]


@router.get("/units", summary="Units", response_model=Units)
def units(
    database: DatabaseDependency,
    caller: Annotated[Caller, Depends(READERS)],
    unit: Annotated[str | None, Query(pattern=CODE, description="Only this one.")] = None,
    kind: Annotated[list[UnitKind], Query(description="Only of these kinds.")] = [],  # noqa: B006
    on: Annotated[
        date | None,
        Query(
            description="Only those valid on this day, as they were called and stood then; left "
            "out: all, as they are today or were at their end."
        ),
    ] = None,
    after: After = 0,
    limit: Limit = 200,
) -> Units:
    """List the units that the caller may see.

    Who: ``registry:read``, on the units that it is held on.
    """
    with database.reading() as session:
        theirs = scope.units(session, caller, Right.READ_REGISTRY).nodes
        of_all_times = visible.units_of_all_times(session)
        query = (
            select(Unit)
            .where(Unit.id > after, scope.within(Unit.id, caller, Right.READ_REGISTRY))
            .order_by(Unit.id)
            .limit(limit + 1)
        )
        if unit is not None:
            query = query.where(Unit.code == unit)
        if on is None:
            if kind:
                query = query.where(Unit.kind.in_(kind))
        else:
            query = query.where(
                Unit.valid_from <= on, (Unit.valid_to.is_(None)) | (Unit.valid_to >= on)
            )
            if kind:
                of_kind = {
                    id for id, each in of_all_times.histories.items() if each.on(on).kind in kind
                }
                query = query.where(Unit.id.in_(of_kind))
        rows = session.scalars(query).all()
        return Units(
            units=[_unit(row, of_all_times, theirs, on) for row in rows[:limit]],
            next=rows[limit - 1].id if len(rows) > limit else None,
        )


def _unit(
    row: Unit, units: UnitsOfAllTimes, theirs: Mapping[int, UnitNode], on: date | None
) -> UnitRow:
    state = row if on is None else units.histories[row.id].on(on)
    above = theirs.get(state.parent_id) if state.parent_id is not None else None
    return UnitRow(
        code=row.code,
        kind=UnitKind(state.kind),
        name_vi=state.name_vi,
        name_en=state.name_en,
        parent=above.code if above else None,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        latitude=state.latitude,
        longitude=state.longitude,
        predecessors=predecessors(units, row.id),
        successors=successors(units, row.id),
    )


@router.get("/points", summary="Survey points", response_model=Points)
def points(
    database: DatabaseDependency,
    caller: Annotated[Caller, Depends(READERS)],
    unit: Annotated[str | None, Query(pattern=CODE, description="Only of this unit.")] = None,
    after: After = 0,
    limit: Limit = 200,
) -> Points:
    """List the survey points of the units that the caller may see.

    Who: ``registry:read``, on the units that it is held on.
    """
    query = (
        select(SurveyPoint)
        .join(SurveyPoint.unit)
        .options(contains_eager(SurveyPoint.unit), selectinload(SurveyPoint.codes))
        .where(
            SurveyPoint.id > after,
            scope.within(SurveyPoint.unit_id, caller, Right.READ_REGISTRY),
        )
        .order_by(SurveyPoint.id)
        .limit(limit + 1)
    )
    if unit is not None:
        query = query.where(Unit.code == unit)
    with database.reading() as session:
        rows = session.scalars(query).all()
        return Points.model_validate(
            {
                "points": [
                    {
                        "code": current_code(row),
                        "name": row.name,
                        "unit": row.unit.code,
                        "unit_last_day": row.unit.valid_to,
                        "questionnaire": row.questionnaire,
                        "channel": row.channel,
                        "state": row.state,
                        "state_since": row.state_since,
                    }
                    for row in rows[:limit]
                ],
                "next": rows[limit - 1].id if len(rows) > limit else None,
            }
        )


@router.get("/questionnaires", summary="Published questionnaires", response_model=Questionnaires)
def questionnaires(
    database: DatabaseDependency, caller: Annotated[Caller, Depends(READERS)]
) -> Questionnaires:
    """List the published versions of all questionnaires.

    Who: ``registry:read`` on any unit; questionnaires are no unit's.
    """
    with database.reading() as session:
        rows = session.scalars(
            select(QuestionnaireVersion).order_by(
                QuestionnaireVersion.code, QuestionnaireVersion.version
            )
        ).all()
        return Questionnaires.model_validate(
            {
                "questionnaires": [
                    {
                        "code": row.code,
                        "version": row.version,
                        "content_hash": row.content_hash,
                        "published_at": row.published_at,
                        "withdrawn_at": row.withdrawn_at,
                    }
                    for row in rows
                ]
            }
        )
