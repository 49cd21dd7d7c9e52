"""GET /api/v1/units, /points and /questionnaires: the registry, as far as it is the caller's.

They stand here and not in the registry's room, which knows nothing of callers.
"""

from __future__ import annotations

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
from app.dependencies import DatabaseDependency
from app.registry.models import (
    Channel,
    PointState,
    QuestionnaireVersion,
    SurveyPoint,
    Unit,
    UnitKind,
)
from app.registry.points import current_code

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


class Units(BaseModel):
    """Units in the order in which they were entered."""

    units: list[UnitRow]
    next: int | None = Field(description="Where the next answer begins; null at the end.")


class PointRow(BaseModel):
    """A survey point."""

    code: str = Field(description="The public code that is to be printed now.")
    name: str
    unit: str
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


class Questionnaires(BaseModel):
    """All published versions."""

    questionnaires: list[QuestionnaireRow]


@router.get("/units", summary="Units", response_model=Units)
def units(
    database: DatabaseDependency,
    caller: Annotated[Caller, Depends(READERS)],
    unit: Annotated[str | None, Query(pattern=CODE, description="Only this one.")] = None,
    kind: Annotated[list[UnitKind], Query(description="Only of these kinds.")] = [],  # noqa: B006
    after: After = 0,
    limit: Limit = 200,
) -> Units:
    """List the units that the caller may see.

    Who: ``registry:read``, on the units that it is held on.
    """
    with database.reading() as session:
        visible = scope.units(session, caller, Right.READ_REGISTRY).nodes
        query = (
            select(Unit)
            .where(Unit.id > after, scope.within(Unit.id, caller, Right.READ_REGISTRY))
            .order_by(Unit.id)
            .limit(limit + 1)
        )
        if kind:
            query = query.where(Unit.kind.in_(kind))
        if unit is not None:
            query = query.where(Unit.code == unit)
        rows = session.scalars(query).all()
        return Units.model_validate(
            {
                "units": [
                    {
                        "code": row.code,
                        "kind": row.kind,
                        "name_vi": row.name_vi,
                        "name_en": row.name_en,
                        "parent": visible[row.parent_id].code if row.parent_id in visible else None,
                        "valid_from": row.valid_from,
                        "valid_to": row.valid_to,
                        "latitude": row.latitude,
                        "longitude": row.longitude,
                    }
                    for row in rows[:limit]
                ],
                "next": rows[limit - 1].id if len(rows) > limit else None,
            }
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
                    }
                    for row in rows
                ]
            }
        )
