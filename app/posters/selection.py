"""Which survey points are printed, and with which address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fastapi import Request
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from app.access import scope
from app.access.callers import Caller
from app.access.models import Right
from app.dependencies import SETTINGS
from app.registry.models import Channel, PointCode, PointState, SurveyPoint, Unit
from app.registry.places import check_open, nearest_unit
from app.registry.queries import UnknownUnit

#: Channels whose points are printed; a kiosk needs no poster.
PRINTED = (Channel.QR, Channel.WEB)


def of_units(
    session: Session, caller: Caller, units: Sequence[str | Unit], day: date
) -> Sequence[SurveyPoint]:
    """The open points, of the units and all below them, whose codes are printed on a day.

    Those of a unit that is no more then are not.

    Raises
    ------
    UnknownUnit
        Where a unit is not there, or not the caller's.
    UnitClosed
        Where one is no more.
    """
    seen = scope.units(session, caller, Right.READ_REGISTRY)
    wanted: set[int] = set()
    for each in units:
        unit = each if isinstance(each, Unit) else nearest_unit(session, each, day)
        if unit.id not in seen.nodes:
            raise UnknownUnit(code=unit.code, field="unit")
        check_open(session, unit, day)
        wanted |= set(seen.below(unit.id))
    found = session.scalars(
        select(SurveyPoint)
        .join(SurveyPoint.unit)
        .options(contains_eager(SurveyPoint.unit), selectinload(SurveyPoint.codes))
        .where(
            scope.within(SurveyPoint.unit_id, caller, Right.READ_REGISTRY),
            SurveyPoint.channel.in_(PRINTED),
            SurveyPoint.state != PointState.REVOKED,
            or_(Unit.valid_to.is_(None), Unit.valid_to >= day),
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
