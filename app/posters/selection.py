"""Which survey points are printed, and with which address."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from app.access import scope
from app.access.callers import Caller
from app.access.models import Right
from app.dependencies import SETTINGS
from app.registry.models import Channel, PointCode, PointState, SurveyPoint, Unit

#: Channels whose points are printed; a kiosk needs no poster.
PRINTED = (Channel.QR, Channel.WEB)


def of_units(session: Session, caller: Caller, units: Sequence[str]) -> Sequence[SurveyPoint]:
    """The open points, of the units and all below them, whose codes are printed.

    Raises
    ------
    UnknownUnit
        Where a unit is not there, or not the caller's.
    """
    seen = scope.units(session, caller, Right.READ_REGISTRY)
    wanted = {id for code in units for id in seen.below(seen.find(code).id)}
    found = session.scalars(
        select(SurveyPoint)
        .join(SurveyPoint.unit)
        .options(contains_eager(SurveyPoint.unit), selectinload(SurveyPoint.codes))
        .where(
            scope.within(SurveyPoint.unit_id, caller, Right.READ_REGISTRY),
            SurveyPoint.channel.in_(PRINTED),
            SurveyPoint.state != PointState.REVOKED,
        )
        .order_by(Unit.code, SurveyPoint.id)
    ).all()
    return [point for point in found if not units or point.unit_id in wanted]


def of_codes(
    session: Session, caller: Caller, codes: Sequence[str]
) -> tuple[list[SurveyPoint], list[str]]:
    """The caller's points with these current codes, each once and in this order; codes of none.

    A point that is revoked is found as well: its single code is still shown.
    """
    wanted = list(dict.fromkeys("".join(filter(str.isalnum, code))[:16].upper() for code in codes))
    found = {
        code: point
        for point, code in session.execute(
            select(SurveyPoint, PointCode.code)
            .join(PointCode)
            .options(joinedload(SurveyPoint.unit), selectinload(SurveyPoint.codes))
            .where(
                PointCode.code.in_(wanted),
                PointCode.replaced_at.is_(None),
                scope.within(SurveyPoint.unit_id, caller, Right.READ_REGISTRY),
            )
        )
    }
    points = [found[code] for code in wanted if code in found]
    return points, [code for code in wanted if code not in found]


def address_of(request: Request) -> str:
    """The address that is printed: the public one, or else the one that was asked."""
    settings = SETTINGS.of(request)
    return settings.public_url or str(request.base_url)
