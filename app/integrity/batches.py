"""Suspected batches: read, set aside, released, rejected."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import ColumnElement, func, select, true, update
from sqlalchemy.orm import Session

from app.audit.log import record
from app.intake.models import Disposition, Response
from app.intake.retained import retained
from app.intake.rollup_rebuild import hold_off_writers
from app.intake.setting_aside import Changed, Together, change_dispositions
from app.integrity.models import State, SuspectBatch, SuspectResponse
from app.integrity.reasons import Reason, read
from app.problems import FieldError, InvalidFields, Problem

#: A unit with such a batch is never shown as a model.
SUSPICIOUS = (State.OPEN, State.QUARANTINED, State.REJECTED)
_MOST_REASON = 500


class UnknownBatch(Problem):
    """The caller has no such batch to see."""

    code, status = "unknown-batch", 404


class BatchDeleted(Problem):
    """The batch's responses were deleted by rule: nothing can be counted or set aside any more."""

    code, status = "batch-deleted", 409


class BatchDecided(Problem):
    """The batch is decided already as is asked for."""

    code, status = "batch-decided", 409


@dataclass(frozen=True)
class Batch:
    """Responses that are suspected together; see ``SuspectBatch`` for each field."""

    id: int
    unit_id: int
    version_id: int
    channel: str
    credential_id: int | None
    month: date
    rule: str
    rule_version: int
    probability: float
    responses: int
    suspected: float
    reasons: tuple[Reason, ...]
    state: State
    found_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None


def batches(
    session: Session,
    *,
    units: Collection[int] | None = None,
    states: Collection[State] = tuple(State),
    among: ColumnElement[bool] | None = None,
) -> list[Batch]:
    """Batches of some units (None: of all) in some states, the most probable and newest first."""
    query = select(SuspectBatch).where(
        SuspectBatch.state.in_([state.value for state in states]),
        true() if units is None else SuspectBatch.unit_id.in_(sorted(units)),
        true() if among is None else among,
    )
    order = (SuspectBatch.probability.desc(), SuspectBatch.id.desc())
    return [_batch(row) for row in session.scalars(query.order_by(*order))]


def find(session: Session, id: int) -> Batch:
    """One batch.

    Raises
    ------
    UnknownBatch
        Where there is none.
    """
    row = session.get(SuspectBatch, id)
    if row is None:
        raise UnknownBatch()
    return _batch(row)


def suspected_units(
    session: Session, first: date | None = None, last: date | None = None
) -> frozenset[int]:
    """Units that something is suspected of, in the months that some days touch."""
    query = select(SuspectBatch.unit_id).where(
        SuspectBatch.state.in_([state.value for state in SUSPICIOUS])
    )
    if first is not None:
        query = query.where(SuspectBatch.month >= first.replace(day=1))
    if last is not None:
        query = query.where(SuspectBatch.month <= last)
    return frozenset(session.scalars(query.distinct()))


def quarantine(session: Session, together: Together, id: int) -> Changed:
    """Set a batch's responses aside until somebody decides; a rule does so, not a person.

    Those of them that still count, and are enough to move together (``change_dispositions``); none
    where a person decided meanwhile.
    """
    row = locked(session, id)
    if row.state not in (State.OPEN.value, State.QUARANTINED.value):
        return Changed(0, 0)
    changed = move(session, together, row, Disposition.COUNTED, Disposition.QUARANTINED)
    if changed.moved:
        row.state = State.QUARANTINED.value
        record(session, "batch.quarantine", id, rule=row.rule, responses=changed.moved)
    return changed


def release(session: Session, together: Together, id: int, by: str, reason: str) -> Changed:
    """Count a batch's responses again: a reviewer found them honest.

    Where some were aside, those that never were are let go of: if all were rejected later, figures
    of then and of before would differ by these few.

    Raises
    ------
    BatchDecided
        Where it is released already, all of it.
    InvalidFields
        Without a reason.
    """
    again = locked(session, id).state == State.RELEASED.value
    row = decided(session, id, State.RELEASED, by, reason)
    hold_off_writers(session)  # before rows of the batch are changed: who withdraws does so, too
    moved = stayed = 0
    # Released before, whoever counts now has come back.
    if not again and held_of(session, id):
        let_go(session, Response.id.in_(ids_of(id)))
    for before in (Disposition.QUARANTINED, Disposition.REJECTED):
        changed = move(session, together, row, before, Disposition.COUNTED)
        moved, stayed = moved + changed.moved, stayed + changed.stayed
    record(session, "batch.release", id, reason=row.decision_reason, responses=moved)
    return Changed(moved, stayed)


def reject(session: Session, together: Together, id: int, by: str, reason: str) -> Changed:
    """Set a batch's responses aside for good: a reviewer found them stuffed.

    Raises
    ------
    BatchDecided
        Where it is rejected already.
    InvalidFields
        Without a reason.
    """
    row = decided(session, id, State.REJECTED, by, reason)
    first = move(session, together, row, Disposition.QUARANTINED, Disposition.REJECTED)
    rest = move(session, together, row, Disposition.COUNTED, Disposition.REJECTED)
    changed = Changed(first.moved + rest.moved, rest.stayed)
    record(session, "batch.reject", id, reason=row.decision_reason, responses=changed.moved)
    return changed


def aside_of(session: Session, id: int) -> int:
    """How many of a batch's responses are set aside, by whatever rule."""
    query = select(func.count()).select_from(Response).where(
        Response.id.in_(ids_of(id)), Response.disposition != Disposition.COUNTED.value
    )  # fmt: skip
    return session.scalar(query) or 0


def held_of(session: Session, id: int) -> int:
    """How many are set aside as of this batch, which a decision on it moves.

    What an operator set aside, as of a device that was stolen, no decision on a batch counts again.
    """
    by_batch = [Disposition.QUARANTINED.value, Disposition.REJECTED.value]
    query = select(func.count()).select_from(Response).where(
        Response.id.in_(ids_of(id)), Response.disposition.in_(by_batch)
    )  # fmt: skip
    return session.scalar(query) or 0


def let_go(session: Session, which: ColumnElement[bool]) -> None:
    """Let go of those who count while others of their batch come back.

    They stay noted, so that an examination does not find them anew, and move with nobody: rejected
    later with what was aside, they would be what figures of then and of before differ by.
    """
    counted = select(Response.id).where(which, Response.disposition == Disposition.COUNTED.value)
    session.execute(
        update(SuspectResponse).where(SuspectResponse.response_id.in_(counted)).values(let_go=True),
        execution_options={"synchronize_session": False},
    )


def likely(session: Session, id: int) -> float:
    """How many of a batch's responses are likely stuffed, by what each was noted with."""
    query = select(func.coalesce(func.sum(SuspectResponse.probability), 0.0))
    return session.scalar(query.where(SuspectResponse.response_id.in_(ids_of(id)))) or 0.0


def ids_of(id: int) -> ColumnElement[str]:
    """The ids of a batch's responses, as a condition takes them; without those let go of."""
    return select(SuspectResponse.response_id).where(  # type: ignore[return-value]
        SuspectResponse.batch_id == id, SuspectResponse.let_go.is_(False)
    )


def move(
    session: Session, together: Together, row: SuspectBatch, before: Disposition, to: Disposition
) -> Changed:
    """Change the disposition of a batch's responses that have another one."""
    rule = None if to is Disposition.COUNTED else row.rule
    return change_dispositions(session, together, before, to, rule, Response.id.in_(ids_of(row.id)))


def locked(session: Session, id: int) -> SuspectBatch:
    """The batch as it is now, which nobody else decides until this transaction ends."""
    row = session.get(SuspectBatch, id, with_for_update=True, populate_existing=True)
    if row is None:
        raise UnknownBatch()
    return row


def decided(
    session: Session, id: int, state: State, by: str, reason: str, *, again: bool = False
) -> SuspectBatch:
    """Write down what somebody decides of a batch; ``again``: though it is decided so already.

    Raises
    ------
    BatchDecided, BatchDeleted, InvalidFields
        See there; the last without a reason, or with one that is too long.
    """
    reason = " ".join(reason.split())
    if not reason or len(reason) > _MOST_REASON:
        fault = FieldError("reason", "field.missing")
        if reason:
            fault = FieldError(
                "reason", "field.invalid", {"max_length": _MOST_REASON}, "cause.too_long"
            )
        raise InvalidFields(errors=[fault], count=1)
    row = locked(session, id)
    if row.month < retained(session).responses_from:
        raise BatchDeleted()
    # Of a released one that had too few in some place to move, the rest is released again later.
    left = state is State.RELEASED and held_of(session, id)
    if row.state == state.value and not left and not again:
        raise BatchDecided()
    row.state, row.decided_by, row.decision_reason = state.value, by, reason
    row.decided_at = datetime.now(UTC)
    return row


def _batch(row: SuspectBatch) -> Batch:
    return Batch(
        row.id, row.unit_id, row.version_id, row.channel, row.credential_id, row.month, row.rule,
        row.rule_version, row.probability, row.responses, row.suspected, read(row.reasons),
        State(row.state), row.found_at, row.decided_at, row.decided_by, row.decision_reason,
    )  # fmt: skip
