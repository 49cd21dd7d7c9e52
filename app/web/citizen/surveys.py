"""What stands behind the code of a survey point, or behind an invitation."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from fastapi import Request
from sqlalchemy.orm import Session

from app.access.tokens import hash_of
from app.caches import Recent
from app.dependencies import CLOCK, DATABASE, SETTINGS, Shared
from app.invitations.service import InvitationGone
from app.invitations.service import find as find_invitation
from app.registry.models import PointCode, PointState, SurveyPoint, Unit
from app.registry.places import called_on
from app.registry.points import Point, as_point, current_code
from app.registry.queries import NamedUnit, is_synthetic
from app.registry.questionnaires import offered, versions_of
from app.web.citizen.going_on import going_on
from app.web.citizen.shown import NoForm, Survey

_TOKEN = re.compile(r"[0-9A-Za-z]{1,16}")
#: Survey points whose forms were opened of late.
_MOST = 20_000


@dataclass(frozen=True)
class Known:
    """A form as it was found, when, and its point: whether it takes answers is asked anew."""

    survey: Survey
    point: Point
    day: date


#: Trusted as long as the intake trusts what it knows of a point (``HAILONG_CACHE_S``).
SURVEYS = Shared[Recent[str, Known]]("surveys")


def make_surveys(trust_s: float) -> Recent[str, Known]:
    """Where what was found is kept so many seconds."""
    return Recent(_MOST, trust_s)


def at_hand(request: Request, code: str) -> Survey | None:
    """What stands behind a code, if that was found a moment ago and holds still."""
    _, known = SURVEYS.of(request).find(code)
    if known is None:
        return None
    return (
        known.survey if holds(known, CLOCK.of(request).now(), SETTINGS.of(request).zone) else None
    )


def holds(known: Known, now: datetime, zone: ZoneInfo) -> bool:
    """Whether what was found a moment ago is so still."""
    return known.day == _day(now, zone) and known.point.takes_answers_of(now)


def behind_code(request: Request, token: str) -> Survey:
    """What stands behind a code.

    Raises
    ------
    NoForm
        Where it is unknown, was replaced, or takes no answers now.
    """
    database, code = DATABASE.of(request), token.upper()
    known = at_hand(request, code)
    if known is not None:
        return known
    now = CLOCK.of(request).now()
    today = _day(now, SETTINGS.of(request).zone)
    with database.reading() as session:
        row = session.get(PointCode, code) if _TOKEN.fullmatch(code) else None
        if row is None:
            raise NoForm("unknown")
        if row.replaced_at is not None or row.point.state == PointState.REVOKED:
            raise NoForm("replaced", 410)
        point = as_point(row.point)
        unit = _unit_now(request, session, row.point, now)
        if not point.takes_answers_of(now):
            ended = point.closes_at is not None and now >= point.closes_at
            early = point.opens_at is not None and now < point.opens_at
            raise NoForm("ended" if ended else "early" if early else "paused", 403)
        if point.invitations_only:
            raise NoForm("invited_only", 403)
        survey = _described(session, row.point, unit, code, f"/q/{code}")
    SURVEYS.of(request).keep(code, Known(survey, point, today))
    return survey


def behind_invitation(request: Request, token: str, *, spent: bool = False) -> Survey:
    """What an invitation leads to; with ``spent``, also one that was used: to thank again.

    Raises
    ------
    NoForm
        Where the link is unknown, used or too old, or its point takes no answers now.
    """
    database, now = DATABASE.of(request), CLOCK.of(request).now()
    shown = "".join(sign for sign in token.upper() if sign.isalnum())[:40]
    with database.reading() as session:
        try:
            _, row = find_invitation(session, shown, now)
        except InvitationGone as gone:
            reason = str(gone.values["reason"])
            known = gone.values.get("point_id")
            if not (spent and reason == "used") or not isinstance(known, int):
                status = 404 if reason == "unknown" else 410
                raise NoForm("no_invitation" if reason == "unknown" else reason, status) from None
            row = session.get_one(SurveyPoint, known)
            unit = called_on(session, row.unit, _day(now, SETTINGS.of(request).zone))
        else:
            unit = _unit_now(request, session, row, now)
            if not as_point(row).takes_answers_of(now):
                raise NoForm("paused", 403)
        code = current_code(row)
        survey = _described(session, row, unit, code, f"/i/{shown}")
        return replace(survey, invitation=hash_of(shown))


def _day(moment: datetime, zone: ZoneInfo) -> date:
    """The local day of a moment."""
    return moment.astimezone(zone).date()


def _unit_now(request: Request, session: Session, point: SurveyPoint, now: datetime) -> NamedUnit:
    """The unit that a point is of today, by its name of today.

    Raises
    ------
    NoForm
        Where its unit is no more, or not yet.
    """
    known, day = as_point(point), _day(now, SETTINGS.of(request).zone)
    id = known.unit_on(day)
    if id is not None:
        return called_on(session, session.get_one(Unit, id), day)
    last = known.last_before(day)
    if last is None:
        raise NoForm("early", 403)
    raise NoForm("unit", 410, going_on(session, point, last, now, SETTINGS.of(request)))


def _described(
    session: Session, point: SurveyPoint, unit: NamedUnit, code: str, path: str
) -> Survey:
    versions = tuple(versions_of(session, point.questionnaire))
    synthetic = is_synthetic(session)
    return Survey(code, path, unit.name_vi, unit.name_en, offered(versions), versions, synthetic)
