"""Devices of survey points: paired by a code that is typed once, known by a key of their own."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, contains_eager

from app.access import credentials, scope
from app.access.callers import Caller
from app.access.models import Credential, PairingCode, Right
from app.access.tokens import hash_of
from app.audit.log import record
from app.problems import Problem
from app.registry.models import PointState, SurveyPoint, Unit
from app.registry.points import ALPHABET

CODE_LENGTH = 8
CODE_MINUTES = 15


class PairingCodeUnknown(Problem):
    """The code was never made, was used, or is too old; staff make a new one."""

    code, status = "pairing-code-unknown", 404


class PairingTooOften(Problem):
    """Too many codes were tried from this address."""

    code, status, passing = "pairing-too-often", 429, True


@dataclass(frozen=True)
class Paired:
    """What a device gets for its code: a secret of its own, and where it stands."""

    secret: str
    point: SurveyPoint


def new_code(session: Session, point: SurveyPoint, name: str) -> str:
    """A code for a device at a survey point, shown now and good for a quarter of an hour."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    session.add(
        PairingCode(
            code_hash=hash_of(code),
            point=point,
            name=name,
            expires_at=datetime.now(UTC) + timedelta(minutes=CODE_MINUTES),
        )
    )
    record(session, "device.code", point.id, unit=point.unit.code, name=name)
    return code


def pair(session: Session, typed: str) -> Paired:
    """Give a device its key for the code that was typed, which is then used up.

    Raises
    ------
    PairingCodeUnknown
        Where the code opens nothing.
    """
    code = "".join(sign for sign in typed.upper() if sign in ALPHABET)
    # Deleted first and looked at afterwards: of two devices with one code, one gets the row.
    found = session.execute(
        delete(PairingCode)
        .where(PairingCode.code_hash == hash_of(code))
        .returning(PairingCode.point_id, PairingCode.name, PairingCode.expires_at)
    ).one_or_none()
    if found is None or found.expires_at <= datetime.now(UTC):
        raise PairingCodeUnknown(field="code")
    point = session.get_one(SurveyPoint, found.point_id)
    if point.state == PointState.REVOKED:
        raise PairingCodeUnknown(field="code")
    return Paired(credentials.issue(session, found.name, [Right.SUBMIT], point), point)


def of_caller(session: Session, caller: Caller) -> Sequence[Credential]:
    """The devices of the points that the caller manages: those that work first, newest first."""
    return session.scalars(
        select(Credential)
        .join(Credential.point)
        .join(SurveyPoint.unit)
        .options(contains_eager(Credential.point).contains_eager(SurveyPoint.unit))
        .where(scope.within(SurveyPoint.unit_id, caller, Right.MANAGE_POINTS))
        .order_by(Credential.revoked_at.is_not(None), Credential.id.desc())
    ).all()


def points_of(session: Session, caller: Caller, right: Right) -> Sequence[SurveyPoint]:
    """The survey points on whose units the caller has a right, in the order of units."""
    return session.scalars(
        select(SurveyPoint)
        .join(SurveyPoint.unit)
        .options(contains_eager(SurveyPoint.unit))
        .where(scope.within(SurveyPoint.unit_id, caller, right))
        .order_by(Unit.code, SurveyPoint.id)
    ).all()
