"""Issuing and burning invitations.

The same system asking again for the same case, because the answer to its first call was lost,
gets the same link again: the link's secret is computed from the key that the system calls with
and from the case, and kept nowhere. Any other asks in vain: no case is invited twice.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import case as sql_case
from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access import scope
from app.access.callers import Caller
from app.access.models import Right
from app.access.tokens import hash_of
from app.invitations.models import Invitation, SmsMessage
from app.messages import say
from app.problems import Problem
from app.registry.models import Channel, PointState, Succession, SurveyPoint, Unit
from app.registry.places import check_open, nearest_unit
from app.registry.points import Point, as_point, find_by_code
from app.registry.queries import UnknownUnit
from app.settings import Settings
from app.webhooks import service as webhooks

_PHONE = re.compile(r"(?:\+84|84|0)([1-9][0-9]{8})")
#: Channels whose points can be reached by a link.
LINKED = (Channel.WEB, Channel.QR, Channel.SMS)


class AlreadyInvited(Problem):
    """This case was invited before, by another key; no case is invited twice."""

    code, status = "already-invited", 409


class NoPointToInviteTo(Problem):
    """The unit has no open survey point that a link can lead to, or several: name one."""

    code, status = "no-point-to-invite-to", 422


class NotAPhone(Problem):
    """The number is no mobile number of Vietnam."""

    code, status = "not-a-phone", 422


class FinishedTooLongAgo(Problem):
    """The case was finished too long ago, or is not finished yet."""

    code, status = "finished-too-long-ago", 422


class InvitationGone(Problem):
    """The invitation was used, or is too old, or never was."""

    code, status = "invitation-gone", 410


@dataclass(frozen=True)
class Case:
    """A finished case as the issuing system describes it."""

    code: str
    unit: str
    finished_at: datetime
    procedure: str | None = None
    point: str | None = None
    phone: str | None = None
    language: str = "vi"


@dataclass(frozen=True)
class Issued:
    """An invitation with the token of its link; ``again`` if it had been issued before."""

    number: str
    token: str
    expires_at: datetime
    again: bool


def issue(session: Session, caller: Caller, secret: str, case: Case, settings: Settings) -> Issued:
    """An invitation for a case; its SMS, if it has a number, waits to be sent.

    Raises
    ------
    UnknownUnit, UnitClosed, NoPointToInviteTo, NotAPhone, FinishedTooLongAgo, AlreadyInvited
        See there.
    """
    now = datetime.now(UTC)
    today = now.astimezone(settings.zone).date()
    unit = nearest_unit(session, case.unit, today)
    if not scope.covers(session, caller, Right.INVITE, unit.id):
        raise UnknownUnit(code=case.unit, field="unit")
    check_open(session, unit, today)
    phone = _phone(case.phone) if case.phone else None
    age = now - case.finished_at
    if age > timedelta(days=settings.invitation_days) or age < -timedelta(days=1):
        raise FinishedTooLongAgo(field="finished_at", days=settings.invitation_days)
    point = _point(session, unit.id, case.point)
    token = _token(secret, unit.code, case.code)
    expires_at = case.finished_at + timedelta(days=settings.invitation_days)
    earlier = _earlier(session, unit, case.code)
    if earlier is not None:
        there, code = earlier
        token = _token(secret, code, case.code)
        if there.token_hash != hash_of(token):
            raise AlreadyInvited(field="case")
        return Issued(there.number, token, there.expires_at, True)
    invitation = Invitation(
        number=f"inv_{secrets.token_hex(8)}",
        token_hash=hash_of(token),
        unit_id=unit.id,
        point_id=point.id,
        case_hash=_case_hash(unit.code, case.code),
        procedure=case.procedure,
        finished_on=case.finished_at.astimezone(settings.zone).date(),
        expires_at=expires_at,
    )
    session.add(invitation)
    if phone is not None:
        link = link_of(token, settings)
        body = say("sms.invitation", "en" if case.language == "en" else "vi", link=link)
        session.add(SmsMessage(phone=phone, body=body, due_at=now))
    try:
        session.flush()
    except IntegrityError:  # another process has just invited this case
        raise AlreadyInvited(field="case") from None
    return Issued(invitation.number, token, expires_at, False)


def _token(secret: str, unit: str, case: str) -> str:
    return _letters(hmac.new(secret.encode(), f"{unit}\0{case}".encode(), "sha256").digest())


def _case_hash(unit: str, case: str) -> str:
    return hashlib.sha256(f"{unit}\0{case}".encode()).hexdigest()


def _earlier(session: Session, unit: Unit, case: str) -> tuple[Invitation, str] | None:
    """The invitation that a case has, and the code of the unit that it was issued for.

    That may be one of which the unit was made: no case is invited anew by a reform.
    """
    before = select(Succession.from_id).where(Succession.to_id == unit.id)
    for each in session.scalars(select(Unit).where(or_(Unit.id == unit.id, Unit.id.in_(before)))):
        there = session.scalar(
            select(Invitation).where(
                Invitation.unit_id == each.id,
                Invitation.case_hash == _case_hash(each.code, case),
            )
        )
        if there is not None:
            return there, each.code
    return None


def link_of(token: str, settings: Settings) -> str:
    """The address that an invitation is answered at."""
    base = settings.public_url or f"http://{settings.host}:{settings.port}"
    return f"{base.rstrip('/')}/i/{token}"


def find(session: Session, token: str, now: datetime) -> tuple[Invitation, SurveyPoint]:
    """The invitation behind a link that was not used, and its survey point.

    Raises
    ------
    InvitationGone
        Where there is none.
    """
    invitation = session.scalar(
        select(Invitation).where(Invitation.token_hash == hash_of(token.upper()))
    )
    if invitation is None:
        raise InvitationGone(reason="unknown")
    if invitation.answered:
        raise InvitationGone(reason="used", point_id=invitation.point_id)
    if invitation.expires_at <= now:
        raise InvitationGone(reason="expired")
    return invitation, session.get_one(SurveyPoint, invitation.point_id)


def burn(session: Session, token_hash: str, now: datetime, delay_s: int) -> bool:
    """Use an invitation up, in the transaction that stores its answer; whether it was unused.

    Webhooks are told of it some minutes later, by chance how many: a moment would tell which
    response it was.
    """
    burnt = session.execute(
        update(Invitation)
        .where(
            Invitation.token_hash == token_hash,
            Invitation.answered.is_(False),
            Invitation.expires_at > now,
        )
        .values(answered=True)
        .returning(Invitation.number, Invitation.unit_id, Invitation.finished_on)
    ).one_or_none()
    if burnt is None:
        return False
    body = json.dumps({"type": "invitation.answered", "invitation": burnt.number})
    webhooks.tell_later(session, burnt.unit_id, body, now, delay_s)
    return True


def months(
    session: Session, units: set[int], first: date, last: date, questionnaire: str | None = None
) -> list[tuple[int, str, int, int]]:
    """Invitations issued and answered, by unit and month in which the case was finished.

    Those to one questionnaire, or to all.
    """
    query = (
        select(
            Invitation.unit_id,
            Invitation.finished_on,
            func.count(),
            func.sum(sql_case((Invitation.answered, 1), else_=0)),
        )
        .where(Invitation.finished_on.between(first, last))
        .group_by(Invitation.finished_on, Invitation.unit_id)  # in the order of the index
    )
    if questionnaire is not None:
        query = query.join(SurveyPoint, SurveyPoint.id == Invitation.point_id).where(
            SurveyPoint.questionnaire == questionnaire
        )
    counted: dict[tuple[int, str], list[int]] = {}
    for unit_id, day, issued, answered in session.execute(query):
        if unit_id in units:
            cell = counted.setdefault((unit_id, f"{day:%Y-%m}"), [0, 0])
            cell[0] += issued
            cell[1] += int(answered)
    return [(unit, month, n, k) for (unit, month), (n, k) in sorted(counted.items())]


def by_questionnaire(session: Session) -> list[tuple[int, str, date, int]]:
    """All invitations, by unit, questionnaire and the first day of the month of the case."""
    # Points are looked up afterwards, and days added up to months: the index tells the rest.
    columns = (Invitation.finished_on, Invitation.unit_id, Invitation.point_id)
    found = session.execute(select(SurveyPoint.id, SurveyPoint.questionnaire))
    points = {id: questionnaire for id, questionnaire in found}  # noqa: C416 - rows are no pairs to mypy
    counted: Counter[tuple[int, str, date]] = Counter()
    for day, unit, point, n in session.execute(select(*columns, func.count()).group_by(*columns)):
        counted[unit, points[point], day.replace(day=1)] += n
    return [(unit, questionnaire, month, n) for (unit, questionnaire, month), n in counted.items()]


def _point(session: Session, unit_id: int, code: str | None) -> Point:
    if code is not None:
        named = find_by_code(session, code.upper())
        found = [named] if named is not None and named.unit_id == unit_id else []
    else:
        found = list(
            session.scalars(
                select(SurveyPoint).where(
                    SurveyPoint.unit_id == unit_id, SurveyPoint.channel.in_(LINKED)
                )
            )
        )
    found = [point for point in found if point.state == PointState.ACTIVE]
    if len(found) != 1:
        raise NoPointToInviteTo(field="point", count=len(found))
    return as_point(found[0])


def _phone(text: str) -> str:
    found = _PHONE.fullmatch(re.sub(r"[\s.\-()]", "", text))
    if found is None:
        raise NotAPhone(field="phone")
    return f"+84{found[1]}"


def _letters(digest: bytes) -> str:
    """Sixteen letters and digits that can be typed from a slip: 78 bits, none alike another."""
    alphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
    number, made = int.from_bytes(digest, "big"), ""
    for _ in range(16):
        number, place = divmod(number, len(alphabet))
        made += alphabet[place]
    return made
