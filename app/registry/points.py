"""Survey points: opening, pausing, revoking, and the public codes that are printed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.registry.models import Channel, PointCode, PointState, SurveyPoint, Unit

#: Without 0 O 1 I L and U: read aloud or typed from a poster, none is taken for another.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 7


class RevokedPointError(ValueError):
    """A revoked point stays revoked; open a new one."""


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
    )


def _issue(session: Session, point: SurveyPoint, now: datetime) -> str:
    code = new_code()
    while session.get(PointCode, code) is not None:
        code = new_code()
    session.add(PointCode(code=code, point=point, issued_at=now))
    session.flush()
    return code


def units_asking(session: Session, questionnaire: str) -> set[int]:
    """The ids of units that have, or had, a survey point with this questionnaire."""
    query = select(SurveyPoint.unit_id).where(SurveyPoint.questionnaire == questionnaire)
    return set(session.scalars(query))
