"""/api/v1/batches: responses that are suspected together, and what is decided of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.dependencies import DatabaseDependency, SettingsDependency
from app.intake.setting_aside import Changed, Together
from app.integrity import reviewing
from app.integrity.batches import aside_of
from app.integrity.models import State
from app.integrity.parts import Part
from app.integrity.pictures import Durations, Pictures, Side, pictures
from app.integrity.reviewing import WAITING, BatchShown
from app.problems import FieldError, InvalidFields

router = APIRouter(prefix="/api/v1/batches", tags=["integrity"])

READERS = Door(Right.READ_BATCHES)
REVIEWERS = Door(Right.REVIEW_BATCHES)
BatchId = Annotated[int, Path(ge=1, lt=2**31)]
#: Batches in one answer; the most probable ones.
MOST_AT_ONCE = 1000


class ReasonOut(BaseModel):
    """A kind of unusual responses; numbers are null where they would tell of few."""

    why: str = Field(description="Kind of the responses.")
    n: int | None
    of: int | None
    usual: float = Field(description="Share of such responses where nobody cheats.")


class BatchOut(BaseModel):
    """A suspected batch; numbers are null where they would tell of few."""

    id: int
    unit: str
    questionnaire: str
    version: int
    channel: str
    source: str | None = Field(description="Device or system that sent it; null: the public form.")
    month: str = Field(examples=["2026-09"])
    rule: str
    rule_version: int
    probability: float = Field(description="That some of it was not sent by citizens.")
    responses: int | None
    suspected: float | None = Field(description="How many of them likely were not.")
    reasons: list[ReasonOut]
    state: State
    found_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None
    may_review: bool = Field(description="Whether it is the caller's to decide.")


class Batches(BaseModel):
    """Batches, the most probable first; a thousand at most."""

    batches: list[BatchOut]


class DurationsOut(BaseModel):
    """Quartiles of how long respondents took, in seconds, of those that were measured."""

    measured: int
    low: float
    median: float
    high: float


class SideOut(BaseModel):
    """Some responses: how many by hour of the day, levels given, durations; of few neither."""

    responses: int
    by_hour: list[int]
    levels: list[int] | None
    durations: DurationsOut | None


class DayOut(BaseModel):
    """How many responses came on a day."""

    day: date
    suspected: int
    others: int


class PicturesOut(BaseModel):
    """The suspected responses beside the unit's others of the same form and channel."""

    suspected: SideOut
    others: SideOut
    by_day: list[DayOut]
    others_from: date
    others_to: date


class BatchWithPictures(BatchOut):
    """A batch with what a reviewer looks at; null for who may not see figures of few."""

    set_aside: int | None
    pictures: PicturesOut | None


class DecisionIn(BaseModel):
    """Why it is decided so."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "Đã hỏi đơn vị: đoàn khách đến cùng lúc."}]},
    )

    reason: str = Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")


class RejectionIn(DecisionIn):
    """Why it is rejected, and which part of it; without one, all of it."""

    first: AwareDatetime | None = Field(
        default=None, alias="from", description="What was given from this minute on is rejected, "
        "the rest of the batch released; with to.",
    )  # fmt: skip
    last: AwareDatetime | None = Field(
        default=None, alias="to", description="The last minute of the part."
    )

    def part(self) -> Part | None:
        """The part that is rejected; None for all.

        Raises
        ------
        InvalidFields
            Where one of its ends is missing.
        """
        if self.first is None and self.last is None:
            return None
        if self.first is None or self.last is None:
            end = "from" if self.first is None else "to"
            raise InvalidFields(errors=[FieldError(end, "field.missing")], count=1)
        return Part(self.first, self.last)


class DecisionOut(BaseModel):
    """What a decision did."""

    state: State
    moved: int = Field(description="Responses that changed between counted and set aside.")
    stayed: int | None = Field(
        description="Responses that stayed as they were, as too few would have moved together; "
        "null for who may not see figures of few."
    )


@router.get("", summary="Suspected batches", response_model=Batches)
def list_batches(
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    state: Annotated[
        list[State], Query(description="Those that wait for a decision if none is named.")
    ] = [],  # noqa: B006 - FastAPI copies it
    unit: Annotated[
        str | None, Query(description="Code of a unit; with those below it.", max_length=64)
    ] = None,
) -> Batches:
    """Responses that are suspected together, with the reasons.

    Who: whoever has ``batches:read``, about the units that they have it on. Without
    ``figures:read-small`` numbers of the running month, and such as tell of few, are null.
    """
    with database.reading() as session:
        found = reviewing.shown(
            session, caller, Together.of(settings), states=state or WAITING, unit=unit
        )
    return Batches(batches=[_out(each) for each in found[:MOST_AT_ONCE]])


@router.get("/{id}", summary="One batch with its pictures", response_model=BatchWithPictures)
def read_batch(
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    id: BatchId,
) -> BatchWithPictures:
    """A batch with what a reviewer looks at: when its responses came, levels, durations.

    Who: whoever has ``batches:read`` on its unit; pictures where they have ``figures:read-small``
    there, too. No single response is shown.
    """
    together = Together.of(settings)
    with database.reading() as session:
        one = reviewing.find(session, caller, together, id)
        drawn = aside = None
        if one.whole:
            drawn = pictures(session, settings.zone, one.batch, one.version, together.least)
            aside = aside_of(session, id)
    return BatchWithPictures(
        **_out(one).model_dump(), set_aside=aside, pictures=_drawn(drawn) if drawn else None
    )


@router.post("/{id}/release", summary="Release a batch", response_model=DecisionOut)
def release(
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(REVIEWERS)],
    id: BatchId,
    body: DecisionIn,
) -> DecisionOut:
    """Count a batch's responses: a reviewer found them honest. Figures follow at once.

    Who: a person with ``batches:review`` from above its unit, or everywhere, and without any role
    on the unit, below it, or on one that it was or became; by a key of their own.
    """
    return _decided(database, settings, caller, id, State.RELEASED, body)


@router.post("/{id}/reject", summary="Reject a batch", response_model=DecisionOut)
def reject(
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(REVIEWERS)],
    id: BatchId,
    body: RejectionIn,
) -> DecisionOut:
    """Set a batch's responses aside for good: a reviewer found them stuffed. Figures follow.

    With from and to what was given then, and the rest is released as a batch of its own.

    Who: as for its release; of a part, with ``figures:read-small`` there, too.
    """
    return _decided(database, settings, caller, id, State.REJECTED, body, body.part())


def _decided(
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Caller,
    id: int,
    decision: State,
    body: DecisionIn,
    part: Part | None = None,
) -> DecisionOut:
    together = Together.of(settings)
    with database.writing(caller.name) as session:
        changed: Changed = reviewing.decide(
            session, caller, together, id, decision, body.reason, part
        )
        whole = reviewing.find(session, caller, together, id).whole
    return DecisionOut(
        state=decision, moved=changed.moved, stayed=changed.stayed if whole else None
    )


def _out(one: BatchShown) -> BatchOut:
    batch = one.batch
    return BatchOut(
        id=batch.id,
        unit=one.unit.code,
        questionnaire=one.version.form.code,
        version=one.version.form.version,
        channel=batch.channel,
        source=one.source,
        month=f"{batch.month:%Y-%m}",
        rule=batch.rule,
        rule_version=batch.rule_version,
        probability=batch.probability,
        responses=one.responses,
        suspected=one.suspected,
        reasons=[
            ReasonOut(why=each.why, n=each.n, of=each.of, usual=each.usual) for each in one.reasons
        ],
        state=batch.state,
        found_at=batch.found_at,
        decided_at=batch.decided_at,
        decided_by=batch.decided_by,
        decision_reason=batch.decision_reason,
        may_review=one.may_review,
    )


def _drawn(found: Pictures) -> PicturesOut:
    return PicturesOut(
        suspected=_side(found.suspected),
        others=_side(found.others),
        by_day=[DayOut(day=day, suspected=n, others=rest) for day, n, rest in found.by_day],
        others_from=found.first,
        others_to=found.last,
    )


def _side(side: Side) -> SideOut:
    return SideOut(
        responses=side.responses,
        by_hour=list(side.by_hour),
        levels=None if side.levels is None else list(side.levels),
        durations=None if side.durations is None else _durations(side.durations),
    )


def _durations(each: Durations) -> DurationsOut:
    return DurationsOut(measured=each.measured, low=each.low, median=each.median, high=each.high)
