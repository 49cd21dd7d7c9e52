"""Splitting a batch: what was given within a burst is rejected, the rest of it released.

A burst of presses takes along whoever answered honestly beside it. A reviewer sees from when to
when it went, not single answers, and rejects what was given then. The rest becomes a batch of its
own, which is released.

Strangers are told of both by as many as move together (``app.intake.setting_aside``), at any two
moments: so nothing is split of a released batch, whose responses may have been set aside together
before; and where some of the rest are set aside, all of these may move, or nothing is split: what
had to stay aside would be aside though nobody had judged it. What comes after belongs to neither: a
batch of its own waits for a reviewer (``app.integrity.recording``). Only what an operator sets
aside and counts again meanwhile, as of a stolen device, is not kept apart from what a batch moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, not_, select, update
from sqlalchemy.orm import Session

from app.audit.log import record
from app.db.locks import Lock, hold
from app.intake.models import Disposition, Response, WithdrawnResponse
from app.intake.rollup_rebuild import hold_off_writers
from app.intake.schemas import FIRST_MOMENT, LAST_MOMENT
from app.intake.setting_aside import Changed, Together
from app.integrity.batches import decided, held_of, ids_of, let_go, likely, locked, move
from app.integrity.models import State, SuspectBatch, SuspectResponse
from app.problems import FieldError, InvalidFields, Problem


class BatchReleased(Problem):
    """Nothing is split of a batch that is released: its responses may have been aside together."""

    code, status = "batch-released", 409


@dataclass(frozen=True)
class Part:
    """From the minute of one moment through the minute of another, both aware of their offset."""

    first: datetime
    last: datetime

    def within(self) -> ColumnElement[bool]:
        """The condition that a response was given then."""
        first, last = (each.replace(second=0, microsecond=0) for each in (self.first, self.last))
        after = last + timedelta(minutes=1)
        # Of what a citizen withdrew no moment is known, so it is of no part.
        withdrawn = select(WithdrawnResponse.response_id)
        return and_(
            Response.answered_at >= first,
            Response.answered_at < after,
            Response.id.not_in(withdrawn),
        )


@dataclass(frozen=True)
class Divided:
    """How many of a batch's responses were given within a part of its time, and how many not."""

    within: int
    rest: int


def divided(session: Session, id: int, part: Part) -> Divided:
    """How a batch divides.

    Raises
    ------
    InvalidFields
        Where the part ends before it begins, or has none of them, or all; where one of its ends is
        nearer to the end of time than arithmetic on moments goes.
    """
    ends = (("from", part.first), ("to", part.last))
    far = [
        FieldError(name, "integrity.part_moment", {"value": f"{end:%Y-%m-%d %H:%M}"})
        for name, end in ends
        if not FIRST_MOMENT <= end < LAST_MOMENT
    ]
    if far:
        raise InvalidFields(errors=far, count=len(far))
    if part.last < part.first:
        raise InvalidFields(errors=[FieldError("to", "integrity.part_reversed")], count=1)
    inside = func.coalesce(func.sum(case((part.within(), 1), else_=0)), 0)
    query = select(func.count(), inside).where(Response.id.in_(ids_of(id)))
    every, within = session.execute(query).one()
    found = Divided(within, every - within)
    if not found.within or not found.rest:
        reason = "integrity.part_all" if found.within else "integrity.part_none"
        raise InvalidFields(errors=[FieldError("from", reason)], count=1)
    return found


def reject_part(
    session: Session, together: Together, id: int, by: str, reason: str, part: Part
) -> Changed:
    """Set aside for good what of a batch was given within a part, and release the rest.

    Returns
    -------
    Changed
        How many are counted or set aside otherwise than before, and how many of the part stay
        counted, as too few would move together.

    Raises
    ------
    BatchReleased
        Where it is released.
    BatchDeleted
        Where its responses are deleted by rule.
    InvalidFields
        Without a reason; as ``divided``; or where fewer are within than a figure needs, or none of
        them may move; or, while some are set aside, not all of the rest may move.
    """
    # Or an examination that waits for the batch would not see what is split off meanwhile.
    hold(session.connection(), Lock.EXAMINING)
    if locked(session, id).state == State.RELEASED.value:
        raise BatchReleased()
    hold_off_writers(session)  # before rows of the batch are changed: who withdraws does so, too
    found = divided(session, id, part)
    if found.within < together.least:
        raise _too_few("integrity.part_few", together)
    aside = held_of(session, id)
    row = decided(session, id, State.REJECTED, by, reason, again=True)
    new = _split_off(session, row, part, by, aside=aside > 0)
    row.suspected = likely(session, id)
    freed = stayed = 0
    for before in (Disposition.QUARANTINED, Disposition.REJECTED):
        changed = move(session, together, new, before, Disposition.COUNTED)
        freed, stayed = freed + changed.moved, stayed + changed.stayed
    # They would stay aside in a batch that is released, and nobody had judged them.
    if stayed:
        raise _too_few("integrity.part_rest_few", together)
    first = move(session, together, row, Disposition.QUARANTINED, Disposition.REJECTED)
    others = move(session, together, row, Disposition.COUNTED, Disposition.REJECTED)
    if not held_of(session, id):
        raise _too_few("integrity.part_few", together)
    record(
        session, "batch.reject_part", id, reason=row.decision_reason,
        begins=part.first, ends=part.last, responses=first.moved + others.moved,
        released=found.rest, batch=new.id,
    )  # fmt: skip
    return Changed(freed + first.moved + others.moved, others.stayed)


def _too_few(reason: str, together: Together) -> InvalidFields:
    error = FieldError("from", reason, {"least": together.least})
    return InvalidFields(errors=[error], count=1)


def _split_off(
    session: Session, row: SuspectBatch, part: Part, by: str, *, aside: bool
) -> SuspectBatch:
    """A batch of what is not of the part, as its reviewer released it.

    It keeps an examination from suspecting these again. Of a batch that is ``aside``, those of them
    who were not are let go of.
    """
    new = SuspectBatch(
        unit_id=row.unit_id, version_id=row.version_id, channel=row.channel,
        credential_id=row.credential_id, month=row.month, rule=row.rule,
        rule_version=row.rule_version, probability=row.probability, responses=row.responses,
        suspected=0.0, reasons=row.reasons, state=State.RELEASED.value, found_at=row.found_at,
        decided_at=row.decided_at, decided_by=by, decision_reason=row.decision_reason,
        split_from=row.id,
    )  # fmt: skip
    session.add(new)
    session.flush()
    rest = select(Response.id).where(Response.id.in_(ids_of(row.id)), not_(part.within()))
    session.execute(
        update(SuspectResponse)
        .where(SuspectResponse.response_id.in_(rest))
        .values(batch_id=new.id),
        execution_options={"synchronize_session": False},
    )
    if aside:
        let_go(session, Response.id.in_(ids_of(new.id)))
    new.suspected = likely(session, new.id)
    return new
