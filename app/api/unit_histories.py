"""GET /api/v1/units/{code}/history: what a code named when, and what became of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import scope
from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.dependencies import DatabaseDependency
from app.figures import visible
from app.registry.models import Reorganisation, Succession
from app.registry.queries import UnknownUnit
from app.registry.structures import Units

router = APIRouter(prefix="/api/v1", tags=["registry"])

READERS = Door(Right.READ_REGISTRY)


class Kin(BaseModel):
    """A unit that another one came from, or became."""

    code: str
    name_vi: str
    name_en: str
    valid_from: date
    valid_to: date | None
    share: float | None = Field(
        description="How much of the older of the two went to the newer; null: the plan gives none."
    )


class KinByPlan(Kin):
    """The same with the plan that ordered it."""

    day: date = Field(description="First day of the newer one.")
    decision: str | None = Field(description="As the plan cites it; null: nobody named one.")


class UnitPeriodRow(BaseModel):
    """What a unit was called and where it stood, from a day on until its next period."""

    first_day: date
    kind: str
    name_vi: str
    name_en: str
    parent: str | None = Field(description="Code of the unit above.")
    latitude: float | None
    longitude: float | None


class UnitOfCode(BaseModel):
    """One of the units that had the code."""

    valid_from: date
    valid_to: date | None
    periods: list[UnitPeriodRow]
    predecessors: list[KinByPlan]
    successors: list[KinByPlan]


class UnitHistories(BaseModel):
    """All units that had, have or will have a code, in order of time."""

    code: str
    units: list[UnitOfCode]


def predecessors(units: Units, id: int) -> list[Kin]:
    """The units that became one, with the share of each that did."""
    found = []
    for before in units.before.get(id, ()):
        steps = [step for step in units.after.get(before, ()) if step.to_id == id]
        found += [_kin(units, before, step.share) for step in steps]
    return found


def successors(units: Units, id: int) -> list[Kin]:
    """The units that one became, with how much of it."""
    return [_kin(units, step.to_id, step.share) for step in units.after.get(id, ())]


def _kin(units: Units, id: int, share: float | None) -> Kin:
    unit = units.histories[id]
    state = unit.states[-1]
    return Kin(
        code=unit.code, name_vi=state.name_vi, name_en=state.name_en, valid_from=unit.first_day,
        valid_to=unit.last_day, share=share,
    )  # fmt: skip


@router.get("/units/{code}/history", summary="What a code named when", response_model=UnitHistories)
def history(
    database: DatabaseDependency,
    caller: Annotated[Caller, Depends(READERS)],
    code: Annotated[str, Path(pattern=r"^[^\x00-\x1f\x7f]{1,32}$")],
) -> UnitHistories:
    """Every unit that had the code, what it was called when, what it came from and became.

    Who: ``registry:read`` on one of the units that had the code, or on one that it came from or
    became: what units were called is no secret, but nobody is told of codes that are not theirs.
    What a plan founded that was undone is left out.
    """
    with database.reading() as session:
        units = visible.units_of_all_times(session)
        having = [unit for unit in units.histories.values() if unit.code == code and not unit.void]
        theirs = scope.unit_ids(session, caller, Right.READ_REGISTRY)
        kin = {
            other
            for unit in having
            for other in (
                unit.id,
                *units.before.get(unit.id, ()),
                *(step.to_id for step in units.after.get(unit.id, ())),
            )
        }
        if not having or (theirs is not None and not kin & theirs):
            raise UnknownUnit(code=code, field="unit")
        decisions = _decisions(session, kin)

        def by_plan(kin: Kin, pair: tuple[int, int]) -> KinByPlan:
            day, decision = decisions[pair]
            return KinByPlan(**dict(kin), day=day, decision=decision)

        return UnitHistories(
            code=code,
            units=[
                UnitOfCode(
                    valid_from=unit.first_day,
                    valid_to=unit.last_day,
                    periods=[
                        UnitPeriodRow(
                            first_day=state.first_day,
                            kind=state.kind,
                            name_vi=state.name_vi,
                            name_en=state.name_en,
                            parent=units.histories[state.parent_id].code
                            if state.parent_id is not None
                            else None,
                            latitude=state.latitude,
                            longitude=state.longitude,
                        )
                        for state in unit.states
                    ],
                    predecessors=[
                        by_plan(each, (before, unit.id))
                        for before, each in zip(
                            units.before.get(unit.id, ()), predecessors(units, unit.id), strict=True
                        )
                    ],
                    successors=[
                        by_plan(each, (unit.id, step.to_id))
                        for step, each in zip(
                            units.after.get(unit.id, ()), successors(units, unit.id), strict=True
                        )
                    ],
                )
                for unit in having
            ],
        )


def _decisions(session: Session, units: set[int]) -> dict[tuple[int, int], tuple[date, str | None]]:
    """Day and decision of the successions between some units."""
    query = (
        select(Succession.from_id, Succession.to_id, Succession.day, Reorganisation.decision)
        .outerjoin(Reorganisation, Reorganisation.id == Succession.reorganisation_id)
        .where(Succession.from_id.in_(units), Succession.to_id.in_(units))
    )
    return {(from_id, to_id): (day, said) for from_id, to_id, day, said in session.execute(query)}
