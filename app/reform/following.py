"""Roles, keys and webhooks of units that end: which follow by themselves, and which are unclear.

Where a unit becomes exactly one new unit that is made of nothing else, or the plan says so, what
it had the new one has as well. A role and a webhook get a second one beside them at once; a key
has one unit, and changes to the new one on its day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.access import accounts
from app.access.credentials import revoke
from app.access.models import Credential, RoleGrant, Sector
from app.access.roles import Role
from app.audit.log import details_of, record
from app.audit.models import AuditEntry
from app.registry.models import Reorganisation, Succession, Unit
from app.registry.reorganisation.changes import Changes
from app.registry.reorganisation.plan import Action
from app.registry.reorganisation.undoing import plan_of
from app.webhooks.models import Delivery, Webhook


class Sort(StrEnum):
    """What somebody or something has at a unit."""

    ROLE = "role"
    KEY = "key"
    WEBHOOK = "webhook"


@dataclass(frozen=True)
class Follower:
    """Somebody or something that has a right on a unit that ends."""

    sort: Sort
    #: An address of a person or of a system, or a key's name.
    who: str
    #: Of a person the role.
    role: str | None
    #: The unit's number and code.
    unit_id: int
    unit: str
    #: The number of the unit where it is right as well; none where nobody said so.
    to_id: int | None


def followers(session: Session, changes: Changes) -> list[Follower]:
    """All that have a right on what ends, and where it leads."""
    ended = {each.unit_id: each.code for each in changes.endings}
    follows = changes.follows()

    def of(sort: Sort, who: str, role: str | None, unit: int | None) -> Iterable[Follower]:
        if unit in ended:
            yield Follower(sort, who, role, unit, ended[unit], follows.get(unit))

    found: list[Follower] = []
    for grant in session.scalars(select(RoleGrant).where(RoleGrant.unit_id.is_not(None))):
        if grant.account.disabled_at is None:
            found += of(Sort.ROLE, grant.account.email, grant.role, grant.unit_id)
    for key in _keys(session):
        found += of(Sort.KEY, key.name, None, key.unit_id)
    for hook in _webhooks(session):
        found += of(Sort.WEBHOOK, hook.url, None, hook.unit_id)
    return sorted(found, key=lambda each: (each.sort, each.unit, each.who))


def carry_over(session: Session, changes: Changes) -> int:
    """Give roles and webhooks of what ends on what follows; how many."""
    count = 0
    follows = changes.follows()
    # Of 10,000 units that end few have any: the others are not looked at.
    having = {hook.unit_id for hook in _webhooks(session)}
    having |= set(session.scalars(select(RoleGrant.unit_id)))
    # In the order of days: what a later day of the plan ends again passes on what it got.
    for ending in sorted(changes.endings, key=lambda each: each.last_day):
        if ending.unit_id not in having or ending.unit_id not in follows:
            continue
        to = session.get_one(Unit, follows[ending.unit_id])
        having.add(to.id)
        for grant in session.scalars(
            select(RoleGrant).where(RoleGrant.unit_id == ending.unit_id)
        ).all():
            count += _grant_also(session, grant, to)
        for hook in _webhooks(session):
            if hook.unit_id == ending.unit_id:
                made_at = datetime.now(UTC)
                also = Webhook(unit_id=to.id, url=hook.url, secret=hook.secret, made_at=made_at)
                session.add(also)
                session.flush()
                record(session, "webhook.add", also.id, url=also.url, unit=to.code)
                count += 1
    return count


def take_back(session: Session, changes: Changes) -> None:
    """Take back what was given on units that were never valid now.

    A key that came from another unit goes back there; one that was made for such a unit ends: its
    number may become another plan's. What a webhook is still to be told, the one tells that it was
    made beside.
    """
    founded = changes.founded
    for grant in session.scalars(select(RoleGrant).where(RoleGrant.unit_id.is_not(None))).all():
        if grant.unit_id in founded:
            accounts.revoke_grant(session, grant)
    hooks = _webhooks(session)
    beside = {(each.url, each.secret): each for each in hooks if each.unit_id not in founded}
    for hook in hooks:
        if hook.unit_id not in founded:
            continue
        if (first := beside.get((hook.url, hook.secret))) is not None:
            session.execute(
                update(Delivery)
                .where(Delivery.webhook_id == hook.id)
                .values(webhook_id=first.id)
                .execution_options(synchronize_session=False)
            )
        hook.ended_at = datetime.now(UTC)
        record(session, "webhook.end", hook.id, url=hook.url)
    for key in _keys(session):
        while key.unit_id in founded:
            before = _moved_from(session, key)
            if before is None:
                revoke(session, key.id)
                break
            _move(session, key, before, back=True)


def bring_keys(session: Session, today: date) -> int:
    """Keys of units that have ended change to what these became; how many. Safe to repeat."""
    count = 0
    for key in _keys(session):
        seen: set[int] = set()
        while key.unit_id is not None and key.unit_id not in seen:
            seen.add(key.unit_id)
            unit = session.get_one(Unit, key.unit_id)
            if unit.valid_to is None or unit.valid_to >= today or unit.valid_to < unit.valid_from:
                break
            to = _successor(session, unit)
            if to is None:
                break
            _move(session, key, to)
            count += 1
    return count


def _successor(session: Session, unit: Unit) -> Unit | None:
    """What a unit became, where that is clear or its plan says so."""
    steps = _valid(session, Succession.from_id == unit.id)
    if len(steps) != 1:
        return None
    step = steps[0]
    joined = list(session.scalars(select(Succession).where(Succession.to_id == step.to_id)))
    if len(joined) == 1 or _told(session, step, unit.code):
        return session.get(Unit, step.to_id)
    return None


def _valid(session: Session, condition: object) -> list[Succession]:
    """Successions to what was not undone."""
    query = select(Succession).join(Unit, Unit.id == Succession.to_id)
    query = query.where(
        condition,  # type: ignore[arg-type]
        Unit.valid_to.is_(None) | (Unit.valid_to >= Unit.valid_from),
    )
    return list(session.scalars(query))


def _told(session: Session, step: Succession, code: str) -> bool:
    row = session.get(Reorganisation, step.reorganisation_id or 0)
    return row is not None and any(
        (line.action, line.code, line.day, line.accounts) == (Action.MERGE, code, step.day, True)
        for line in plan_of(row).lines
    )


def _keys(session: Session) -> list[Credential]:
    query = select(Credential).where(
        Credential.unit_id.is_not(None), Credential.revoked_at.is_(None)
    )
    return list(session.scalars(query.order_by(Credential.id)))


def _webhooks(session: Session) -> list[Webhook]:
    query = select(Webhook).where(Webhook.unit_id.is_not(None), Webhook.ended_at.is_(None))
    return list(session.scalars(query.order_by(Webhook.id)))


def _grant_also(session: Session, grant: RoleGrant, to: Unit) -> bool:
    account = grant.account
    has = {(each.role, each.unit_id, each.sector) for each in account.grants}
    if (grant.role, to.id, grant.sector) in has:
        return False
    sector = Sector(grant.sector) if grant.sector else None
    accounts.grant(session, account, Role(grant.role), to, sector)
    session.flush()
    return True


def _move(session: Session, key: Credential, to: Unit, *, back: bool = False) -> None:
    before = key.unit_id
    key.unit = to
    session.flush()
    record(session, "key.move", key.id, unit=to.code, unit_id=to.id, unit_before=before, back=back)


def _moved_from(session: Session, key: Credential) -> Unit | None:
    """The unit that a key had before it changed to its present one."""
    query = select(AuditEntry).where(
        AuditEntry.action == "key.move", AuditEntry.subject == str(key.id)
    )
    for entry in session.scalars(query.order_by(AuditEntry.id.desc())):
        told = details_of(entry)
        # Where it was moved back to is no place that it came from.
        if told.get("back") or told.get("unit_id") != key.unit_id:
            continue
        if isinstance(told.get("unit_before"), int):
            return session.get(Unit, told["unit_before"])
    return None
