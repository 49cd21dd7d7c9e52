"""Which accounts and keys a caller may see and change: those of the units that are theirs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from app.access import scope
from app.access.accounts import UnknownAccount, take_back
from app.access.callers import Caller, grants_of
from app.access.models import Account, Credential, Right, RoleGrant
from app.audit.log import SYSTEM
from app.audit.models import AuditEntry
from app.commands import COMMAND
from app.problems import FieldError, InvalidFields, Problem
from app.registry.models import SurveyPoint

PAGE = 100


class UnknownKey(Problem):
    """The caller has no such key to end."""

    code, status = "unknown-key", 404


def accounts(session: Session, caller: Caller, q: str = "", after: str = "") -> Sequence[Account]:
    """Accounts with a role on units where the caller may see access, by address after ``after``.

    ``q`` is part of a name or an address. One more than ``PAGE`` at most, to tell of a next page.
    """
    statement = select(Account).order_by(Account.email).limit(PAGE + 1)
    among = scope.ids(caller.grants, Right.READ_ACCESS)
    if among is not None:
        statement = statement.where(_has_grant(RoleGrant.unit_id.in_(among)))
    if q:
        part = "%" + q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        statement = statement.where(
            or_(Account.email.ilike(part, escape="\\"), Account.name.ilike(part, escape="\\"))
        )
    if after:
        statement = statement.where(Account.email > after)
    return session.scalars(statement).all()


def account(session: Session, caller: Caller, id: int) -> Account:
    """An account that the caller may see.

    Raises
    ------
    UnknownAccount
        Where there is none: what is not the caller's is not told from what is not there.
    """
    statement = select(Account).where(Account.id == id)
    among = scope.ids(caller.grants, Right.READ_ACCESS)
    if among is not None:
        statement = statement.where(_has_grant(RoleGrant.unit_id.in_(among)))
    found = session.scalar(statement)
    if found is None:
        raise UnknownAccount(email=f"№ {id}")
    return found


def may_manage(session: Session, caller: Caller, account: Account) -> bool:
    """Whether all that the account may do lies within what the caller manages.

    Or else whoever manages one unit could take over, by a new password, an account that has
    more than that unit.
    """
    if caller.has_everywhere(Right.MANAGE_ACCESS):
        return True
    among = scope.ids(caller.grants, Right.MANAGE_ACCESS)
    if among is None or not account.grants:
        return among is None
    outside = or_(RoleGrant.unit_id.is_(None), RoleGrant.unit_id.not_in(among))
    return (
        session.scalar(
            select(RoleGrant.id).where(RoleGrant.account_id == account.id, outside).limit(1)
        )
        is None
    )


def taken_back_if_widened(session: Session, caller: Caller, account: Account) -> str | None:
    """Reset an account that has more, after a grant, than whoever had its link may manage.

    They may have the link still, or have set the password by it before its person did. Returns
    the token of a new link, which is the caller's alone to hand over; None if nothing was reset.
    """
    session.flush()
    if account.id == caller.account_id or _maker_may_manage(session, account):
        return None
    return take_back(session, account)


def _maker_may_manage(session: Session, account: Account) -> bool:
    """Whether whoever made the account's last link manages all that the account has now."""
    maker = session.scalar(
        select(AuditEntry.actor)
        .where(AuditEntry.action == "account.link", AuditEntry.subject == account.email)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    if maker is None or maker == SYSTEM or maker.startswith(COMMAND):
        return True  # whoever has the machine has everything
    found = session.scalar(select(Account).where(Account.email == maker))
    return found is not None and may_manage(session, Caller(maker, grants_of(found)), account)


def managed_account(session: Session, caller: Caller, id: int) -> Account:
    """An account that the caller may change.

    Raises
    ------
    UnknownAccount
        Where there is none.
    """
    found = account(session, caller, id)
    if not may_manage(session, caller, found):
        raise UnknownAccount(email=f"№ {id}")
    return found


def not_oneself(caller: Caller, account: Account) -> None:
    """Refuse to lock oneself out.

    Raises
    ------
    InvalidFields
        Where the account is the caller's own.
    """
    if account.id == caller.account_id:
        raise InvalidFields(errors=[FieldError("form", "account.own")], count=1)


def keys(session: Session, caller: Caller) -> Sequence[Credential]:
    """Keys that are no device's: the caller's own, and those that the caller oversees.

    Those that work stand first, the newest first.
    """
    mine = Credential.account_id == caller.account_id
    return session.scalars(
        select(Credential)
        .where(Credential.point_id.is_(None), or_(mine, _oversees(caller, Right.READ_ACCESS)))
        .order_by(Credential.revoked_at.is_not(None), Credential.id.desc())
        .limit(500)
    ).all()


def key_to_end(session: Session, caller: Caller, id: int) -> Credential:
    """A key that the caller may end: an own one, one that is overseen, or a device's.

    Raises
    ------
    UnknownKey
        Where there is none.
    """
    statement = select(Credential).where(Credential.id == id)
    devices = (
        select(Credential.id)
        .join(Credential.point)
        .where(scope.within(SurveyPoint.unit_id, caller, Right.MANAGE_POINTS))
    )
    mine = and_(Credential.account_id == caller.account_id, Credential.account_id.is_not(None))
    found = session.scalar(
        statement.where(
            or_(
                mine,
                and_(Credential.point_id.is_(None), _oversees(caller, Right.MANAGE_ACCESS)),
                Credential.id.in_(devices),
            )
        )
    )
    if found is None:
        raise UnknownKey(id=id)
    return found


def _oversees(caller: Caller, right: Right) -> ColumnElement[bool]:
    """Keys of systems on the caller's units, and of people whom the caller oversees."""
    among = scope.ids(caller.grants, right)
    if among is None:
        return Credential.id.is_not(None)
    people = select(RoleGrant.account_id).where(RoleGrant.unit_id.in_(among))
    return or_(Credential.unit_id.in_(among), Credential.account_id.in_(people))


def _has_grant(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(RoleGrant.account_id == Account.id, condition)
