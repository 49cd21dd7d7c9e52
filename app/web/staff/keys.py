"""Pages of keys: a person's own for scripts, and those of systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Form as FormField
from sqlalchemy.orm import Session

from app.access import credentials, management, scope
from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Account, Credential, Right
from app.access.roles import OF_KEYS
from app.dependencies import DatabaseDependency
from app.problems import FieldError, InvalidFields
from app.registry.models import Unit
from app.web.pages import EMPTY, Form, Number, Text, go_to, language_of, refused, render

router = APIRouter(prefix="/keys", include_in_schema=False)

MEMBERS = PageDoor(anyone_signed_in=True)
MEMBERS_OF_LATE = PageDoor(anyone_signed_in=True, recent=True)
#: For how long a key may be made on a page; for ever only by a command.
DAYS = (30, 90, 365)


@dataclass(frozen=True)
class KeysPage:
    """Keys, those that work first; ``ends`` are the numbers of those the caller may end."""

    keys: Sequence[Credential]
    ends: frozenset[int]
    now: datetime


@dataclass(frozen=True)
class NewKeyPage:
    """The form for a new key: what it may open, and whether it may be a system's."""

    form: Form
    rights: Sequence[Right]
    chosen: Sequence[str]
    may_be_systems: bool
    days: Sequence[int] = DAYS


@dataclass(frozen=True)
class MadeKeyPage:
    """A key's secret, which is shown once."""

    name: str
    number: int
    secret: str


@router.get("")
def list_keys(
    request: Request, caller: Annotated[Person, Depends(MEMBERS)], database: DatabaseDependency
) -> Response:
    """List one's own keys and those that one oversees. Who: whoever has signed in."""
    with database.reading() as session:
        found = management.keys(session, caller)
        manages = Right.MANAGE_ACCESS in caller.rights
        ends = frozenset(k.id for k in found if manages or k.account_id == caller.account_id)
        return render(request, caller, "staff/keys.html", KeysPage(found, ends, datetime.now(UTC)))


@router.get("/new")
def new_key_form(request: Request, caller: Annotated[Person, Depends(MEMBERS_OF_LATE)]) -> Response:
    """Show the form for a new key. Who: whoever gave the password lately."""
    return render(request, caller, "staff/key_new.html", _new_key_page(caller, EMPTY, []))


@router.post("/new")
def issue(
    request: Request,
    caller: Annotated[Person, Depends(MEMBERS_OF_LATE)],
    database: DatabaseDependency,
    name: Text = "",
    days: Text = "90",
    system: Text = "",
    unit: Text = "",
    right: Annotated[list[str], FormField()] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Make a key and show its secret once. Who: whoever gave the password lately.

    A person's key never opens more than the person may; a system's is ``access:manage``'s to
    make, for a unit that it is held on.
    """
    try:
        with database.writing(caller.name) as session:
            secret = _issue(session, caller, name, days, system == "yes", unit, right)
            number = session.scalars(
                Credential.__table__.select()
                .with_only_columns(Credential.id)
                .order_by(Credential.id.desc())
            ).first()
            page = MadeKeyPage(name, number or 0, secret)
            return render(request, caller, "staff/key_made.html", page, 201)
    except InvalidFields as problem:
        form = refused(
            problem,
            language_of(request, caller),
            {"name": name, "days": days, "system": system, "unit": unit},
        )
        return render(
            request, caller, "staff/key_new.html", _new_key_page(caller, form, right), 422
        )


@router.post("/{id}/revoke")
def revoke(
    caller: Annotated[Person, Depends(MEMBERS)], database: DatabaseDependency, id: Number
) -> Response:
    """End a key. Who: its owner, and ``access:manage`` on its unit."""
    with database.writing(caller.name) as session:
        credentials.revoke(session, management.key_to_end(session, caller, id).id)
    return go_to("/keys", "key_revoked")


def _issue(
    session: Session,
    caller: Person,
    name: str,
    days: str,
    system: bool,
    unit: str,
    rights: Sequence[str],
) -> str:
    name = " ".join(name.split())
    offered = {right.value: right for right in _offered(caller)}
    errors = []
    if not 1 <= len(name) <= 200:
        errors.append(FieldError("name", "key.no_name"))
    if days not in {str(each) for each in DAYS}:
        errors.append(FieldError("days", "key.no_days"))
    if not system:
        offered = {name: right for name, right in offered.items() if right in caller.rights}
    if not rights or not set(rights) <= offered.keys():
        errors.append(FieldError("right", "key.no_rights"))
    bound_to = None
    if system:
        if Right.MANAGE_ACCESS not in caller.rights:
            errors.append(FieldError("system", "key.not_systems"))
        if unit.strip():
            code = unit.strip().split(" ")[0]
            node = scope.units(session, caller, Right.MANAGE_ACCESS).by_code.get(code)
            if node is None:
                errors.append(FieldError("unit", "role.unknown_unit", {"code": code}))
            else:
                bound_to = session.get_one(Unit, node.id)
        elif not caller.has_everywhere(Right.MANAGE_ACCESS):
            errors.append(FieldError("unit", "role.needs_unit"))
    if errors:
        raise InvalidFields(errors=errors, count=len(errors))
    return credentials.issue(
        session,
        name,
        [offered[each] for each in rights],
        expires_at=datetime.now(UTC) + timedelta(days=int(days)),
        unit=bound_to,
        account=None if system else session.get_one(Account, caller.account_id),
    )


def _offered(caller: Person) -> list[Right]:
    """What a key may open that this person makes: what they may, or for systems they run, all."""
    if Right.MANAGE_ACCESS in caller.rights:
        return sorted(OF_KEYS)
    return sorted(OF_KEYS & caller.rights)


def _new_key_page(caller: Person, form: Form, chosen: Sequence[str]) -> NewKeyPage:
    return NewKeyPage(form, _offered(caller), chosen, Right.MANAGE_ACCESS in caller.rights)
