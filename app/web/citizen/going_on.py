"""Where a citizen may go on whose desk is closed: the form, and the figures, of who came after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.registry.models import Channel, PointMove, SurveyPoint, Unit
from app.registry.places import nearest_unit, successors
from app.registry.points import as_point, current_code
from app.settings import Settings
from app.web.citizen.shown import GoingOn
from app.web.public.published import finished

#: By which points a form is answered on one's own phone, those of a poster first.
_OWN_PHONE = (Channel.QR, Channel.WEB)


def going_on(
    session: Session, point: SurveyPoint, unit_id: int, now: datetime, settings: Settings
) -> Sequence[GoingOn]:
    """Who does the work of a point's unit that has ended, each with where to go on."""
    day = now.astimezone(settings.zone).date()
    found = []
    for named in successors(session, unit_id, day):
        unit = nearest_unit(session, named.code, day)
        form = _form(session, unit, point.questionnaire, now, settings)
        public = _published(unit, point.questionnaire, settings)
        found.append(GoingOn(named, form, public))
    return found


def _form(
    session: Session, unit: Unit, questionnaire: str, now: datetime, settings: Settings
) -> str | None:
    """The address of a form with the same questions that anybody may answer at a unit now."""
    day = now.astimezone(settings.zone).date()
    moved = select(PointMove.point_id).where(PointMove.unit_id == unit.id)
    points = session.scalars(
        select(SurveyPoint)
        .where(
            or_(SurveyPoint.unit_id == unit.id, SurveyPoint.id.in_(moved)),
            SurveyPoint.questionnaire == questionnaire,
            SurveyPoint.channel.in_(_OWN_PHONE),
            SurveyPoint.invitations_only.is_(False),
        )
        .order_by(SurveyPoint.id)
    )
    taking = [
        point
        for point in points
        if (known := as_point(point)).unit_on(day) == unit.id and known.takes_answers_of(now)
    ]
    first = min(taking, key=lambda point: _OWN_PHONE.index(Channel(point.channel)), default=None)
    return f"/q/{current_code(first)}" if first is not None else None


def _published(unit: Unit, questionnaire: str, settings: Settings) -> str | None:
    """The address of a unit's published figures, where it was there in what is published last."""
    if not settings.public_page or not unit.valid_on(finished(None, settings).last):
        return None
    about = {"questionnaire": questionnaire, "kind": unit.kind, "find": unit.code}
    return f"/public?{urlencode(about)}"
