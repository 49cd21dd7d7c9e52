"""Writes what a rule found into batches, and sets aside what it says must wait for a reviewer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from analysis.kinds import Kind
from app.audit.log import record
from app.db.locks import Lock, hold
from app.intake.models import Disposition
from app.intake.rollup_rebuild import hold_off_writers
from app.intake.setting_aside import Together
from app.integrity.batches import likely, move, quarantine
from app.integrity.examination import Found
from app.integrity.models import State, SuspectBatch, SuspectResponse
from app.integrity.reasons import write
from app.integrity.rules import RuleVersion

#: Ids in one statement.
_AT_ONCE = 500


@dataclass(frozen=True)
class Recorded:
    """What an examination changed: batches flagged, set aside and withdrawn; responses moved."""

    flagged: int = 0
    quarantined: int = 0
    withdrawn: int = 0
    responses: int = 0

    def __add__(self, other: Recorded) -> Recorded:
        """Both together."""
        return Recorded(
            self.flagged + other.flagged,
            self.quarantined + other.quarantined,
            self.withdrawn + other.withdrawn,
            self.responses + other.responses,
        )


def keep(session: Session, together: Together, rule: RuleVersion, found: Found) -> Recorded:
    """Write a batch that was found, or find it again; set aside what its rule says.

    What a person decided stays so: of a released batch nothing is suspected again, to a rejected
    one is added what came since. Where a part of its time was rejected, a reviewer judged neither
    another hour nor what came since: that is a new batch, which waits.
    """
    hold(session.connection(), Lock.EXAMINING)  # or two that find the same batch would both add it
    every = _of_source(session, rule.name, found)
    whole = [each for each in every if each.split_from is None]
    row = whole[-1] if whole else None
    if row is not None and row.state == State.RELEASED.value and row.decided_by is not None:
        return Recorded()
    unknown = _unknown(session, found)
    surely = rule.rule.quarantine is not None and found.probability >= rule.rule.quarantine
    moved = 0
    if row is not None and row.state == State.REJECTED.value and _is_split(row, every):
        # Of the part, those whom too few would have moved with.
        moved = _follow(session, together, row) if surely else 0
        if not unknown:
            return Recorded(responses=moved)
        row = None
    new = row is None
    if row is None:
        row = SuspectBatch(
            unit_id=found.source.unit_id,
            version_id=found.version.id,
            channel=found.source.channel,
            credential_id=found.source.credential_id,
            month=found.month,
            rule=rule.name,
            state=State.OPEN.value,
            found_at=datetime.now(UTC),
        )
        session.add(row)
    elif row.state == State.RELEASED.value:  # withdrawn by the rule itself, and suspected again
        row.state, new = State.OPEN.value, True
    row.rule_version, row.probability = rule.version, found.probability
    row.responses, row.suspected = found.responses, found.suspected
    row.reasons = write(found.reasons)
    session.flush()
    _add(session, row.id, unknown)
    if any(each.split_from is not None for each in every):
        row.suspected = likely(session, row.id)  # the source's others are of its other batches
    if surely:
        hold_off_writers(session)  # before the log: whoever decides or withdraws does so, too
    if new:
        record(session, "batch.flag", row.id, rule=rule.name, probability=found.probability)
    settled = row.state == State.OPEN.value
    if surely:
        moved += _set_aside(session, together, row)
    quarantined = settled and row.state == State.QUARANTINED.value
    return Recorded(flagged=new, quarantined=quarantined, responses=moved)


def withdraw(session: Session, rule: RuleVersion, month: date, found: Iterable[Found]) -> Recorded:
    """Let go of flags that a whole examination of their month did not confirm.

    What is set aside stays so until somebody decides: it waits for eyes, not for a number.
    """
    confirmed = {each.key for each in found}
    rows = session.scalars(
        select(SuspectBatch)
        .where(
            SuspectBatch.rule == rule.name,
            SuspectBatch.month == month,
            SuspectBatch.state == State.OPEN.value,
        )
        # Not what a reviewer decides at this moment; two that withdraw wait in one order.
        .order_by(SuspectBatch.id)
        .with_for_update()
    )
    gone = 0
    for row in rows:
        if (row.version_id, row.unit_id, row.channel, row.credential_id, row.month) in confirmed:
            continue
        row.state = State.RELEASED.value
        record(session, "batch.withdraw", row.id, rule=rule.name)
        gone += 1
    return Recorded(withdrawn=gone)


def _of_source(session: Session, rule: str, found: Found) -> Sequence[SuspectBatch]:
    """The batches of the same source, the oldest first; nobody decides them until this transaction
    ends. One, but where it was split: then those that were split off, and what came after.
    """
    source = found.source
    return session.scalars(
        select(SuspectBatch)
        .where(
            SuspectBatch.rule == rule,
            SuspectBatch.unit_id == source.unit_id,
            SuspectBatch.version_id == found.version.id,
            SuspectBatch.channel == source.channel,
            SuspectBatch.month == found.month,
            SuspectBatch.credential_id.is_(None)
            if source.credential_id is None
            else SuspectBatch.credential_id == source.credential_id,
        )
        .order_by(SuspectBatch.id)
        .with_for_update()
    ).all()


def _is_split(row: SuspectBatch, every: Iterable[SuspectBatch]) -> bool:
    return any(each.split_from == row.id for each in every)


#: A response's id, its kind, and the probability that it is stuffed.
_Noted = tuple[str, Kind, float]


def _unknown(session: Session, found: Found) -> list[_Noted]:
    """The suspected responses that are not noted yet, of any batch or of another rule's."""
    unknown: list[_Noted] = []
    for start in range(0, len(found.ids), _AT_ONCE):
        some = found.ids[start : start + _AT_ONCE]
        known = set(
            session.scalars(
                select(SuspectResponse.response_id).where(
                    SuspectResponse.response_id.in_([id for id, _, _ in some])
                )
            )
        )
        unknown += [each for each in some if each[0] not in known]
    return unknown


def _add(session: Session, batch: int, unknown: Iterable[_Noted]) -> None:
    session.add_all(
        SuspectResponse(response_id=id, batch_id=batch, kind=kind.value, probability=p)
        for id, kind, p in unknown
    )
    session.flush()


def _set_aside(session: Session, together: Together, row: SuspectBatch) -> int:
    """Set aside what of a batch still counts; how many."""
    if row.state == State.REJECTED.value:
        return _follow(session, together, row)
    return quarantine(session, together, row.id).moved


def _follow(session: Session, together: Together, row: SuspectBatch) -> int:
    """Set aside for good what of a rejected batch still counts; how many."""
    moved = move(session, together, row, Disposition.COUNTED, Disposition.REJECTED).moved
    if moved:
        record(session, "batch.follow", row.id, rule=row.rule, responses=moved)
    return moved
