"""Pages of accounts and their roles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from app.access import accounts, management, scope
from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Account, Right, RoleGrant, Sector
from app.access.roles import RIGHTS, Role
from app.dependencies import DATABASE, SETTINGS, DatabaseDependency
from app.messages import Language
from app.problems import FieldError, InvalidFields
from app.registry.models import Unit
from app.registry.queries import UnitNode
from app.web.pages import EMPTY, Form, Number, QueryText, Text, go_to, language_of, refused, render

router = APIRouter(prefix="/accounts", include_in_schema=False)

READERS = PageDoor(Right.READ_ACCESS)
MANAGERS = PageDoor(Right.MANAGE_ACCESS, recent=True)
#: More units than this are not offered in a list; their code is typed.
_OFFERED_UNITS = 500


@dataclass(frozen=True)
class AccountsPage:
    """Accounts by address, what was searched for, and where the next page begins."""

    accounts: Sequence[Account]
    q: str
    next: str | None
    may_add: bool


@dataclass(frozen=True)
class RoleChoice:
    """What a role's form offers: roles, sectors, and units unless they are too many."""

    roles: Sequence[Role]
    sectors: Sequence[Sector]
    units: Sequence[UnitNode]


@dataclass(frozen=True)
class NewAccountPage:
    """The form for a new account."""

    form: Form
    choice: RoleChoice


@dataclass(frozen=True)
class AccountPage:
    """An account with its roles; ``choice`` where the caller may change it."""

    account: Account
    own: bool
    form: Form
    choice: RoleChoice | None


@dataclass(frozen=True)
class LinkPage:
    """A link that is shown once, to be handed to its person."""

    account: Account
    link: str
    days: int = accounts.LINK_DAYS
    #: Whether it was reset because it has more now than its maker may manage.
    widened: bool = False


@router.get("")
def list_accounts(
    request: Request,
    caller: Annotated[Person, Depends(READERS)],
    database: DatabaseDependency,
    q: QueryText = "",
    after: QueryText = "",
) -> Response:
    """List the accounts of the caller's units. Who: ``access:read``."""
    with database.reading() as session:
        found = management.accounts(session, caller, q.strip(), after)
        page = AccountsPage(
            found[: management.PAGE],
            q.strip(),
            found[management.PAGE - 1].email if len(found) > management.PAGE else None,
            Right.MANAGE_ACCESS in caller.rights,
        )
        return render(request, caller, "staff/accounts.html", page)


@router.get("/new")
def new_account_form(
    request: Request, caller: Annotated[Person, Depends(MANAGERS)], database: DatabaseDependency
) -> Response:
    """Show the form for a new account. Who: ``access:manage``, after a recent password."""
    with database.reading() as session:
        page = NewAccountPage(EMPTY, _choice(session, caller))
        return render(request, caller, "staff/account_new.html", page)


@router.post("/new")
def add_account(
    request: Request,
    caller: Annotated[Person, Depends(MANAGERS)],
    database: DatabaseDependency,
    email: Text = "",
    name: Text = "",
    language: Text = "vi",
    role: Text = "",
    unit: Text = "",
    sector: Text = "",
) -> Response:
    """Make an account with its first role, and show its link once. Who: ``access:manage``."""
    try:
        with database.writing(caller.name) as session:
            made = accounts.add(session, email, name, language)
            _grant(session, caller, made, role, unit, sector)
            link = _link(request, accounts.link_for_password(session, made))
            return render(request, caller, "staff/account_link.html", LinkPage(made, link), 201)
    except InvalidFields as problem:
        typed = {"email": email, "name": name, "language": language}
        typed |= {"role": role, "unit": unit, "sector": sector}
        form = refused(problem, language_of(request, caller), typed)
    with database.reading() as session:
        page = NewAccountPage(form, _choice(session, caller))
        return render(request, caller, "staff/account_new.html", page, 422)


@router.get("/{id}")
def show_account(
    request: Request, caller: Annotated[Person, Depends(READERS)], id: Number
) -> Response:
    """Show an account with its roles. Who: ``access:read`` on a unit where it has a role."""
    return _show(request, caller, id)


@router.post("/{id}/grants")
def grant(
    request: Request,
    caller: Annotated[Person, Depends(MANAGERS)],
    database: DatabaseDependency,
    id: Number,
    role: Text = "",
    unit: Text = "",
    sector: Text = "",
) -> Response:
    """Give an account one more role; with more than its maker manages, it is reset.

    Who: ``access:manage`` on all the account's units.
    """
    try:
        with database.writing(caller.name) as session:
            account = management.managed_account(session, caller, id)
            _grant(session, caller, account, role, unit, sector)
            token = management.taken_back_if_widened(session, caller, account)
            if token is not None:
                page = LinkPage(account, _link(request, token), widened=True)
                return render(request, caller, "staff/account_link.html", page)
    except InvalidFields as problem:
        form = refused(
            problem, language_of(request, caller), {"role": role, "unit": unit, "sector": sector}
        )
        return _show(request, caller, id, form, 422)
    return go_to(f"/accounts/{id}", "role_granted")


@router.post("/{id}/grants/{grant_id}/revoke")
def revoke(
    request: Request,
    caller: Annotated[Person, Depends(MANAGERS)],
    id: Number,
    grant_id: Number,
) -> Response:
    """Take a role away. Who: ``access:manage`` on all the account's units."""
    return _change(
        request,
        caller,
        id,
        lambda session, account: accounts.revoke_grant(session, _grant_of(account, grant_id)),
        "role_revoked",
    )


@router.post("/{id}/disable")
def disable(request: Request, caller: Annotated[Person, Depends(MANAGERS)], id: Number) -> Response:
    """End an account. Who: ``access:manage`` on all the account's units."""
    return _change(request, caller, id, accounts.disable, "account_disabled")


@router.post("/{id}/enable")
def enable(request: Request, caller: Annotated[Person, Depends(MANAGERS)], id: Number) -> Response:
    """Let a disabled account sign in again. Who: ``access:manage`` on all its units."""
    return _change(request, caller, id, accounts.enable, "account_enabled")


@router.post("/{id}/reset")
def reset(
    request: Request,
    caller: Annotated[Person, Depends(MANAGERS)],
    database: DatabaseDependency,
    id: Number,
) -> Response:
    """Take the password away and show a link for a new one. Who: ``access:manage`` there."""
    try:
        with database.writing(caller.name) as session:
            account = management.managed_account(session, caller, id)
            management.not_oneself(caller, account)
            link = _link(request, accounts.reset(session, account))
            return render(request, caller, "staff/account_link.html", LinkPage(account, link))
    except InvalidFields as problem:
        return _show(request, caller, id, refused(problem, language_of(request, caller)), 422)


def _change(
    request: Request,
    caller: Person,
    id: int,
    change: Callable[[Session, Account], None],
    done: str,
) -> Response:
    """Change somebody's account, never one's own: nobody is to lock oneself out."""
    database = DATABASE.of(request)
    try:
        with database.writing(caller.name) as session:
            account = management.managed_account(session, caller, id)
            management.not_oneself(caller, account)
            change(session, account)
    except InvalidFields as problem:
        return _show(request, caller, id, refused(problem, language_of(request, caller)), 422)
    return go_to(f"/accounts/{id}", done)


def _grant_of(account: Account, grant_id: int) -> RoleGrant:
    found = next((each for each in account.grants if each.id == grant_id), None)
    if found is None:
        raise InvalidFields(errors=[FieldError("form", "role.gone")], count=1)
    return found


def _grant(
    session: Session, caller: Person, account: Account, role: str, unit: str, sector: str
) -> RoleGrant:
    """Give a role within what the caller manages.

    Raises
    ------
    InvalidFields
        Where a field names nothing, or the caller does not manage that unit.
    """
    if role not in set(Role):
        raise InvalidFields(errors=[FieldError("role", "role.unknown")], count=1)
    if sector and sector not in set(Sector):
        raise InvalidFields(errors=[FieldError("sector", "role.unknown_sector")], count=1)
    bound_to = None
    if unit.strip():
        # The list offers "code – name"; a code alone may be typed.
        code = unit.strip().split(" ")[0]
        node = scope.units(session, caller, Right.MANAGE_ACCESS).by_code.get(code)
        if node is None:
            error = FieldError("unit", "role.unknown_unit", {"code": code})
            raise InvalidFields(errors=[error], count=1)
        bound_to = session.get_one(Unit, node.id)
    elif not caller.has_everywhere(Right.MANAGE_ACCESS):
        raise InvalidFields(errors=[FieldError("unit", "role.needs_unit")], count=1)
    return accounts.grant(
        session, account, Role(role), bound_to, Sector(sector) if sector else None
    )


def _choice(session: Session, caller: Person) -> RoleChoice:
    nodes = list(scope.units(session, caller, Right.MANAGE_ACCESS).nodes.values())
    return RoleChoice(list(RIGHTS), list(Sector), nodes if len(nodes) <= _OFFERED_UNITS else [])


def _show(
    request: Request, caller: Person, id: int, form: Form = EMPTY, status: int = 200
) -> Response:
    database = DATABASE.of(request)
    with database.reading() as session:
        account = management.account(session, caller, id)
        may_change = Right.MANAGE_ACCESS in caller.rights and management.may_manage(
            session, caller, account
        )
        choice = _choice(session, caller) if may_change else None
        page = AccountPage(account, account.id == caller.account_id, form, choice)
        return render(request, caller, "staff/account.html", page, status)


def _link(request: Request, token: str) -> str:
    settings = SETTINGS.of(request)
    base = settings.public_url or str(request.base_url)
    return f"{base.rstrip('/')}/password/{token}"


def name_of(node: UnitNode, language: Language) -> str:
    """A unit's name in a language."""
    return node.name_vi if language == "vi" else node.name_en
