"""Devices of survey points: paired by a code that is typed once, known by a key of their own."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.access import credentials, scope
from app.access.callers import Caller
from app.access.models import Credential, DeviceStatus, PairingCode, Right
from app.access.tokens import hash_of
from app.audit.log import record
from app.problems import Problem
from app.registry.models import PointState, SurveyPoint, Unit
from app.registry.points import ALPHABET

CODE_LENGTH = 8
CODE_MINUTES = 15
PIN_LENGTH = 6


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
    pin: str
    point: SurveyPoint


@dataclass(frozen=True)
class Code:
    """A pairing code, and the PIN that opens the staff's screen on the device."""

    code: str
    pin: str


def new_code(session: Session, point: SurveyPoint, name: str) -> Code:
    """A code for a device at a survey point, shown now and good for a quarter of an hour."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    pin = f"{secrets.randbelow(10**PIN_LENGTH):0{PIN_LENGTH}}"
    session.add(
        PairingCode(
            code_hash=hash_of(code),
            point=point,
            name=name,
            pin=pin,
            expires_at=datetime.now(UTC) + timedelta(minutes=CODE_MINUTES),
        )
    )
    record(session, "device.code", point.id, unit=point.unit.code, name=name)
    return Code(code, pin)


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
        .returning(PairingCode.point_id, PairingCode.name, PairingCode.pin, PairingCode.expires_at)
    ).one_or_none()
    if found is None or found.expires_at <= datetime.now(UTC):
        raise PairingCodeUnknown(field="code")
    point = session.get_one(SurveyPoint, found.point_id)
    if point.state == PointState.REVOKED:
        raise PairingCodeUnknown(field="code")
    secret = credentials.issue(session, found.name, [Right.SUBMIT], point)
    return Paired(secret, found.pin, point)


def report(session: Session, credential_id: int, **told: object) -> None:
    """Keep what a device tells of itself."""
    session.merge(DeviceStatus(credential_id=credential_id, seen_at=datetime.now(UTC), **told))


def of_caller(session: Session, caller: Caller) -> Sequence[Credential]:
    """The devices of the points that the caller manages: those that work first, newest first."""
    return session.scalars(
        select(Credential)
        .join(Credential.point)
        .join(SurveyPoint.unit)
        .options(
            contains_eager(Credential.point).contains_eager(SurveyPoint.unit),
            joinedload(Credential.status),
        )
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
