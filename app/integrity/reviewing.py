"""Who may see suspected batches and decide on them, and what is shown of one to whom.

A unit does not judge itself. Whoever reviews a batch has the right (``batches:review``) from above
its unit, or everywhere; and no role of any kind on the unit, on one below it, or on one that either
was before or became. A decision bears a person's name: a system's key makes none.

Without the right to figures of few respondents (``figures:read-small``) one is shown numbers of a
month that is over and examined no more, from so many responses on as a figure needs, where as many
or none remain; and no picture.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import scope
from app.access.callers import Caller
from app.access.doors import RightMissing
from app.access.models import Account, Credential, Right
from app.access.unit_roles import UnitRoles
from app.intake.setting_aside import Changed, Together
from app.integrity import batches
from app.integrity.batches import Batch, UnknownBatch
from app.integrity.models import State
from app.integrity.parts import Divided, Part, divided, reject_part
from app.integrity.reading import month_after
from app.integrity.reasons import Reason
from app.integrity.schedule import LATE_DAYS
from app.problems import Problem
from app.registry.kinship import below, kin
from app.registry.models import Unit
from app.registry.queries import NamedUnit
from app.registry.questionnaires import Published, published
from app.registry.structures import Units

#: What waits for a decision.
WAITING = (State.OPEN, State.QUARANTINED)
#: What a reviewer may decide.
DECISIONS = (State.RELEASED, State.REJECTED)


class ReviewerOfUnit(Problem):
    """Whoever has a role on a unit, or below it, does not review what is suspected of it."""

    code, status = "reviewer-of-unit", 403


class ReviewerUnnamed(Problem):
    """A decision about a batch bears a person's name, and a system's key is nobody's."""

    code, status = "reviewer-unnamed", 403


@dataclass(frozen=True)
class Reviewer:
    """A caller before suspected batches; sets of unit ids, None for all units."""

    #: Of which units batches are shown, with all their numbers, and decided.
    reads: frozenset[int] | None
    reads_small: frozenset[int] | None
    reviews: frozenset[int] | None
    #: The units on which the person has any role, and all that these were or became, each with
    #: what it stands below.
    of: frozenset[int]
    units: Units
    #: None where no person stands behind the caller.
    account_id: int | None

    @classmethod
    def of_caller(cls, session: Session, caller: Caller, today: date) -> Reviewer:
        """What the caller may, by today's tree."""
        roles = UnitRoles.read(session, caller, today)
        return cls(
            roles.having(Right.READ_BATCHES),
            roles.having(Right.READ_SMALL_CELLS),
            roles.having(Right.REVIEW_BATCHES),
            roles.own(),
            roles.units,
            caller.account_id,
        )

    def is_of(self, unit_id: int) -> bool:
        """Whether the person has a role on a unit, on one below it, or on what it was or became."""
        return not self.of.isdisjoint(kin(self.units, [unit_id]))

    def may_review(self, unit_id: int) -> bool:
        """Whether a batch of a unit is theirs to decide."""
        covered = self.reviews is None or unit_id in self.reviews
        return covered and self.account_id is not None and not self.is_of(unit_id)

    def check(self, unit_id: int) -> None:
        """Refuse whoever may not decide on a unit's batches.

        Raises
        ------
        RightMissing
            Without the right from above the unit.
        ReviewerUnnamed
            Where no person stands behind the key.
        ReviewerOfUnit
            Who has a role on the unit, on one below it, or on one that it was or became.
        """
        if self.reviews is not None and unit_id not in self.reviews:
            raise RightMissing(right=Right.REVIEW_BATCHES.value)
        if self.account_id is None:
            raise ReviewerUnnamed()
        if self.is_of(unit_id):
            raise ReviewerOfUnit(unit=self.units.histories[unit_id].code)


@dataclass(frozen=True)
class BatchShown:
    """A batch as somebody is shown it; numbers that are not for them are None."""

    batch: Batch
    unit: NamedUnit
    version: Published
    #: What the device or system is called that sent it; None of forms and invitations.
    source: str | None
    responses: int | None
    #: How many of them are likely stuffed.
    suspected: float | None
    reasons: Sequence[ReasonShown]
    #: Whether all numbers and the pictures are shown.
    whole: bool
    may_review: bool
    #: Whether it is theirs to decide but for a role that they have on the unit.
    of_unit: bool


@dataclass(frozen=True)
class ReasonShown:
    """A reason; ``n`` is None where few are of the kind, or few are not."""

    why: str
    n: int | None
    of: int | None
    usual: float


def shown(
    session: Session,
    caller: Caller,
    together: Together,
    *,
    states: Collection[State] = WAITING,
    unit: str | None = None,
) -> list[BatchShown]:
    """The batches that the caller may see, the most probable first.

    Parameters
    ----------
    unit
        The code of a unit; only its own batches and those of units below it.
    """
    reviewer = Reviewer.of_caller(session, caller, together.today)
    among = reviewer.reads
    if unit is not None:
        top = scope.units(session, caller, Right.READ_BATCHES).find(unit).id
        lower = below(reviewer.units, top, together.today)
        among = lower if among is None else among & lower
    found = batches.batches(session, units=among, states=states)
    return _shown(session, reviewer, together, found)


def find(session: Session, caller: Caller, together: Together, id: int) -> BatchShown:
    """One batch.

    Raises
    ------
    UnknownBatch
        Where there is none, or none of a unit whose batches the caller may see.
    """
    reviewer = Reviewer.of_caller(session, caller, together.today)
    (one,) = _shown(session, reviewer, together, [_readable(session, reviewer, id)])
    return one


def decide(
    session: Session,
    caller: Caller,
    together: Together,
    id: int,
    decision: State,
    reason: str,
    part: Part | None = None,
) -> Changed:
    """Release or reject a batch by the caller's name; figures follow in the same transaction.

    Of a ``part`` it is rejected what was given within, and the rest is released.

    Raises
    ------
    UnknownBatch
        Where there is none that the caller may see.
    RightMissing, ReviewerUnnamed, ReviewerOfUnit
        Where it is not theirs to decide (``Reviewer.check``), or a part is not theirs to see.
    BatchDecided, BatchReleased
        Where it is decided so already; where a part of a released one is rejected.
    InvalidFields
        Without a reason, or with one that is too long; where it divides into no two parts that
        may move.
    """
    if decision not in DECISIONS:
        raise ValueError(f"nobody decides that a batch is {decision}")
    reviewer = Reviewer.of_caller(session, caller, together.today)
    reviewer.check(_readable(session, reviewer, id).unit_id)
    account = session.get_one(Account, reviewer.account_id)
    if part is not None and decision is State.REJECTED:
        _check_whole(session, reviewer, id)
        return reject_part(session, together, id, account.name, reason, part)
    act = batches.release if decision is State.RELEASED else batches.reject
    return act(session, together, id, account.name, reason)


def divide(session: Session, caller: Caller, together: Together, id: int, part: Part) -> Divided:
    """How many of a batch a part of its time has, before anybody decides.

    Raises
    ------
    UnknownBatch, RightMissing, InvalidFields
        As ``decide``.
    """
    reviewer = Reviewer.of_caller(session, caller, together.today)
    reviewer.check(_readable(session, reviewer, id).unit_id)
    _check_whole(session, reviewer, id)
    return divided(session, id, part)


def _check_whole(session: Session, reviewer: Reviewer, id: int) -> None:
    """How many were given from when to when is for who may know of few."""
    if reviewer.reads_small is not None and (
        _readable(session, reviewer, id).unit_id not in reviewer.reads_small
    ):
        raise RightMissing(right=Right.READ_SMALL_CELLS.value)


def _readable(session: Session, reviewer: Reviewer, id: int) -> Batch:
    batch = batches.find(session, id)
    if reviewer.reads is not None and batch.unit_id not in reviewer.reads:
        raise UnknownBatch()
    return batch


def _shown(
    session: Session, reviewer: Reviewer, together: Together, found: Sequence[Batch]
) -> list[BatchShown]:
    versions = {version.id: version for version in published(session)}
    numbers = {batch.credential_id for batch in found} - {None}
    credentials = select(Credential.id, Credential.name).where(Credential.id.in_(numbers))
    names: dict[int | None, str] = {row.id: row.name for row in session.execute(credentials)}
    units = _named(session, {batch.unit_id for batch in found})
    result = []
    for batch in found:
        whole = reviewer.reads_small is None or batch.unit_id in reviewer.reads_small
        covered = reviewer.reviews is None or batch.unit_id in reviewer.reviews
        one = BatchShown(
            batch, units[batch.unit_id], versions[batch.version_id],
            names.get(batch.credential_id),
            batch.responses, batch.suspected,
            [ReasonShown(each.why, each.n, each.of, each.usual) for each in batch.reasons],
            whole, reviewer.may_review(batch.unit_id), covered and reviewer.is_of(batch.unit_id),
        )  # fmt: skip
        result.append(one if whole else _without_few(one, together))
    return result


def _without_few(one: BatchShown, together: Together) -> BatchShown:
    """A batch for who may not know of few.

    No number of a month that is examined again, for it changes daily; and none of reasons beside
    which, all together, few are left. Shares are rounded, for digits tell of single responses.
    """
    least, batch = together.least, one.batch
    over = together.today >= month_after(batch.month) + timedelta(days=LATE_DAYS)
    numbered = [each for each in batch.reasons if each.n >= least]
    left = batch.responses - sum(each.n for each in numbered)
    enough = over and (left == 0 or left >= least)

    def bounded(reason: Reason) -> ReasonShown:
        n, of = (reason.n, reason.of) if enough and reason in numbered else (None, None)
        return ReasonShown(reason.why, n, of, round(reason.usual, 2))

    return replace(
        one,
        batch=replace(batch, probability=round(batch.probability, 2)),
        responses=batch.responses if over and batch.responses >= least else None,
        suspected=None,
        reasons=[bounded(each) for each in batch.reasons],
    )


def _named(session: Session, ids: Collection[int]) -> Mapping[int, NamedUnit]:
    rows = session.execute(
        select(Unit.id, Unit.code, Unit.name_vi, Unit.name_en).where(Unit.id.in_(ids))
    )
    return {id: NamedUnit(code, vi, en) for id, code, vi, en in rows}
