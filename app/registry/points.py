"""Survey points: opening, pausing, revoking, and the public codes that are printed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.registry.models import Channel, PointCode, PointMove, PointState, SurveyPoint, Unit

#: Without 0 O 1 I L and U: read aloud or typed from a poster, none is taken for another.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 7


class RevokedPointError(ValueError):
    """A revoked point stays revoked; open a new one."""


@dataclass(frozen=True)
class Stay:
    """That a point is of a unit, from its first local day to its last; None where it has none."""

    unit_id: int
    first: date
    last: date | None


@dataclass(frozen=True)
class Point:
    """What the intake must know of a survey point; cached for a few seconds."""

    id: int
    unit_id: int
    questionnaire: str
    channel: str
    state: str
    state_since: datetime
    opens_at: datetime | None
    closes_at: datetime | None
    invitations_only: bool = False
    #: Of which units it was, is and will be, as long as these exist: the latest first.
    stays: tuple[Stay, ...] = ()

    def unit_on(self, day: date) -> int | None:
        """The unit whose answers those of a local day are; None where there is none that day."""
        for stay in self.stays:
            if stay.first <= day:
                return stay.unit_id if stay.last is None or day <= stay.last else None
        return None

    def last_before(self, day: date) -> int | None:
        """The unit that it was of last before a day; None where it was of none."""
        for stay in self.stays:
            if stay.first <= day and (stay.last is None or stay.first <= stay.last):
                return stay.unit_id
        return None

    def takes_answers_of(self, moment: datetime) -> bool:
        """Whether the point was open at that moment.

        A point that is paused or revoked now was open before that: what a device kept offline
        since is taken, what claims a later moment is not.
        """
        if self.state != PointState.ACTIVE and moment >= self.state_since:
            return False
        if self.opens_at is not None and moment < self.opens_at:
            return False
        return self.closes_at is None or moment < self.closes_at


def new_code(among: Iterable[str] = ()) -> str:
    """A public code that is not among those given."""
    taken = set(among)
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        if code not in taken:
            return code


def open_point(
    session: Session,
    unit: Unit,
    questionnaire: str,
    channel: Channel,
    name: str,
    *,
    invitations_only: bool = False,
) -> SurveyPoint:
    """A new active point with its first public code."""
    now = datetime.now(UTC)
    point = SurveyPoint(
        unit=unit,
        questionnaire=questionnaire,
        channel=channel,
        name=name,
        state=PointState.ACTIVE,
        state_since=now,
        invitations_only=invitations_only,
    )
    session.add(point)
    session.flush()
    code = _issue(session, point, now)
    record(
        session,
        "point.open",
        point.id,
        code=code,
        unit=unit.code,
        questionnaire=questionnaire,
        channel=channel,
    )
    return point


def reprint(session: Session, point: SurveyPoint) -> str:
    """Replace the public code: the poster that was printed before no longer works."""
    now = datetime.now(UTC)
    for code in point.codes:
        if code.replaced_at is None:
            code.replaced_at = now
    new = _issue(session, point, now)
    record(session, "point.reprint", point.id, code=new)
    return new


def change_state(session: Session, point: SurveyPoint, state: PointState) -> None:
    """Pause, resume or revoke a point.

    Raises
    ------
    RevokedPointError
        Where the point is revoked and shall be something else.
    """
    if point.state == PointState.REVOKED and state != PointState.REVOKED:
        raise RevokedPointError("a revoked point stays revoked; open a new one")
    if point.state != state:
        record(session, "point.change_state", point.id, before=point.state, after=state)
        point.state = state
        point.state_since = datetime.now(UTC)


def follow_name(session: Session, points: Iterable[SurveyPoint], before: str, after: str) -> int:
    """Call points that were given no name of their own, but their unit's, by its new one.

    How many that were. Where a unit is renamed, or a point moves to another.
    """
    found = [point for point in points if point.name == before != after]
    for point in found:
        point.name = after
        record(session, "point.rename", point.id, before=before, after=after)
    return len(found)


def current_code(point: SurveyPoint) -> str:
    """The public code that is to be printed now."""
    return next(code.code for code in point.codes if code.replaced_at is None)


def codes_by_current(session: Session) -> dict[str, list[str]]:
    """By the code of today all that its point had, the oldest first; of reprinted points."""
    by_point: dict[int, list[PointCode]] = {}
    for code in session.scalars(select(PointCode).order_by(PointCode.issued_at, PointCode.code)):
        by_point.setdefault(code.point_id, []).append(code)
    return {
        codes[-1].code: [each.code for each in codes]
        for codes in by_point.values()
        if len(codes) > 1
    }


def codes_like(session: Session, code: str) -> list[str]:
    """All codes that the point with a code had, the oldest first; none where there is no point."""
    point = select(PointCode.point_id).where(PointCode.code == code).scalar_subquery()
    found = select(PointCode.code).where(PointCode.point_id == point)
    return list(session.scalars(found.order_by(PointCode.issued_at, PointCode.code)))


def find_by_code(session: Session, code: str) -> SurveyPoint | None:
    """The point behind a current public code."""
    return session.scalar(
        select(SurveyPoint)
        .join(PointCode)
        .where(PointCode.code == code, PointCode.replaced_at.is_(None))
    )


def as_point(row: SurveyPoint) -> Point:
    """The row as a value that outlives its session."""
    return Point(
        id=row.id,
        unit_id=row.unit_id,
        questionnaire=row.questionnaire,
        channel=row.channel,
        state=row.state,
        state_since=row.state_since,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        invitations_only=row.invitations_only,
        stays=_stays(row),
    )


def _stays(row: SurveyPoint) -> tuple[Stay, ...]:
    """The units of a point as long as it is theirs and they exist, the latest first."""
    first = row.moves[0].before if row.moves else row.unit
    turns = [(date.min, first), *((move.day, move.unit) for move in row.moves)]
    ends = [*(day - timedelta(days=1) for day, _ in turns[1:]), None]
    stays = []
    for (begins, unit), moves_on in zip(turns, ends, strict=True):
        lasts = [day for day in (moves_on, unit.valid_to) if day is not None]
        stays.append(Stay(unit.id, max(begins, unit.valid_from), min(lasts, default=None)))
    return tuple(reversed(stays))


def _issue(session: Session, point: SurveyPoint, now: datetime) -> str:
    code = new_code()
    while session.get(PointCode, code) is not None:
        code = new_code()
    session.add(PointCode(code=code, point=point, issued_at=now))
    session.flush()
    return code


def units_asking(session: Session, questionnaire: str) -> set[int]:
    """The ids of units that have, or had, a survey point with this questionnaire."""
    of_form = SurveyPoint.questionnaire == questionnaire
    found = set(session.scalars(select(SurveyPoint.unit_id).where(of_form)))
    moved = select(PointMove.unit_id, PointMove.before_id).join(
        SurveyPoint, SurveyPoint.id == PointMove.point_id
    )
    for after, before in session.execute(moved.where(of_form)):
        found |= {after, before}
    return found


def units_with_points(session: Session) -> set[int]:
    """The ids of units that have, or had, a survey point."""
    found = set(session.scalars(select(SurveyPoint.unit_id)))
    for after, before in session.execute(select(PointMove.unit_id, PointMove.before_id)):
        found |= {after, before}
    return found
