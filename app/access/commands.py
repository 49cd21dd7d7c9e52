"""Commands on accounts and keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import typer
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import accounts as access
from app.access import credentials, management
from app.access.callers import owner
from app.access.models import Account, Credential, Right, RoleGrant, Sector
from app.access.roles import Role
from app.commands import Refused, add_row, open_database, operator, out
from app.problems import Problem
from app.registry.models import Unit
from app.registry.named_on import ON, unit_named
from app.registry.points import find_by_code
from app.settings import Settings

keys = typer.Typer(help="Keys of devices and other systems.", no_args_is_help=True)
accounts = typer.Typer(help="Accounts of people, and their roles.", no_args_is_help=True)

_EMAIL = typer.Argument(help="E-mail address, with which the person signs in.")
_ROLE = typer.Option(help="What the person is to the service.")
_UNIT = typer.Option(None, help="Code of the unit that it is for, with all below; else all.")
_SECTOR = typer.Option(None, help="Field of a department's analyst.")


@accounts.command("add")
def add(
    email: str = _EMAIL,
    name: str = typer.Option(help="The person's name."),
    role: Role = _ROLE,
    unit: str = _UNIT,
    sector: Sector = _SECTOR,
    on: str = ON,
    language: str = typer.Option("vi", help="vi or en."),
) -> None:
    """Make an account and print the link with which the person sets a password.

    The first operator is made in this way; no account ever has a password that others know.
    """
    with _writing() as session:
        account = access.add(session, email, name, language)
        access.grant(session, account, role, _unit(session, unit, on), sector)
        link = _link(access.link_for_password(session, account))
    typer.echo(link)


@accounts.command("reset")
def reset(email: str = _EMAIL) -> None:
    """Take the password away, end all sessions, and print a link to set a new one."""
    with _writing() as session:
        link = _link(access.reset(session, access.find(session, email)))
    typer.echo(link)


@accounts.command("disable")
def disable(email: str = _EMAIL) -> None:
    """End an account: sessions, keys and links no longer open anything."""
    with _writing() as session:
        access.disable(session, access.find(session, email))
    typer.echo(f"{email} is disabled")


@accounts.command("enable")
def enable(email: str = _EMAIL) -> None:
    """Let a disabled account sign in again."""
    with _writing() as session:
        access.enable(session, access.find(session, email))
    typer.echo(f"{email} may sign in")


@accounts.command("grant")
def grant(
    email: str = _EMAIL,
    role: Role = _ROLE,
    unit: str = _UNIT,
    sector: Sector = _SECTOR,
    on: str = ON,
) -> None:
    """Give an account one more role.

    Where that is more than whoever made the account may manage, it is reset: its old link, its
    password, sessions and keys open nothing, and a new link is printed.
    """
    with _writing() as session:
        account = access.find(session, email)
        made = access.grant(session, account, role, _unit(session, unit, on), sector)
        token = management.taken_back_if_widened(session, owner(operator()), account)
        told = _told(made)
    typer.echo(f"{email}: {told}")
    if token is not None:
        typer.echo(f"was made by somebody who may manage less; reset: {_link(token)}")


@accounts.command("revoke")
def revoke_role(
    email: str = _EMAIL,
    role: Role = _ROLE,
    unit: str = _UNIT,
    sector: Sector = _SECTOR,
    on: str = ON,
) -> None:
    """Take a role away."""
    with _writing() as session:
        account = access.find(session, email)
        place = _unit(session, unit, on)
        wanted = (role, place.id if place else None, sector)
        for each in account.grants:
            if (each.role, each.unit_id, each.sector) == wanted:
                access.revoke_grant(session, each)
                break
        else:
            raise Refused(f"{email} has no such role; see: hailong accounts list")
    typer.echo(f"{email}: no longer {role.value}")


@accounts.command("list")
def list_accounts() -> None:
    """List accounts with their roles."""
    table = Table("e-mail", "name", "roles", "password", "state")
    with open_database() as database, database.reading() as session:
        for row in session.scalars(select(Account).order_by(Account.email)):
            add_row(
                table,
                row.email,
                row.name,
                "\n".join(map(_told, row.grants)),
                "set" if row.password_hash else "with provider" if row.oidc_subject else "not set",
                f"disabled {row.disabled_at:%Y-%m-%d}" if row.disabled_at else "active",
            )
    out.print(table)


@keys.command("issue")
def issue(
    name: str = typer.Argument(help="Whom it is for; a device's place, a system's name."),
    right: list[Right] = typer.Option(help="What it may do; may be given several times."),
    point: str = typer.Option(None, help="Public code of the survey point that a device is for."),
    unit: str = typer.Option(None, help="Code of the unit that a system's key is for; else all."),
    days: int = typer.Option(None, min=1, help="Days after which it expires; never if left out."),
    on: str = ON,
) -> None:
    """Make a key and print its secret, once."""
    with _writing() as session:
        place = find_by_code(session, point) if point else None
        if point and place is None:
            raise Refused(f"no survey point has the current code {point}")
        if Right.SUBMIT in right and place is None:
            raise Refused(f"{Right.SUBMIT.value} is a device's right: name its --point")
        expires = datetime.now(UTC) + timedelta(days=days) if days else None
        of = _unit(session, unit, on)
        secret = credentials.issue(session, name, right, place, expires, unit=of)
    typer.echo(secret)


@keys.command("list")
def list_keys() -> None:
    """List keys; secrets are not kept and cannot be shown."""
    table = Table("id", "name", "rights", "for", "issued", "expires", "revoked")
    with open_database() as database, database.reading() as session:
        for row in session.scalars(select(Credential).order_by(Credential.id)):
            add_row(
                table,
                str(row.id),
                row.name,
                row.rights.replace(" ", "\n"),
                _whose(row),
                f"{row.issued_at:%Y-%m-%d}",
                f"{row.expires_at:%Y-%m-%d}" if row.expires_at else "never",
                f"{row.revoked_at:%Y-%m-%d}" if row.revoked_at else "",
            )
    out.print(table)


@keys.command("revoke")
def revoke(id: int = typer.Argument(help="Number as in the list.")) -> None:
    """End a key; it holds everywhere within a few seconds (HAILONG_CACHE_S)."""
    with _writing() as session:
        try:
            credentials.revoke(session, id)
        except KeyError as error:
            raise Refused(f"there is no key {id}") from error
    typer.echo(f"key {id} is revoked")


@contextmanager
def _writing() -> Iterator[Session]:
    """A writing session in the operator's name; a problem becomes a refusal."""
    try:
        with open_database() as database, database.writing(operator()) as session:
            yield session
    except Problem as problem:
        parts = problem.errors or (problem,)
        raise Refused(" ".join(part.detail("en") for part in parts)) from problem


def _unit(session: Session, code: str | None, on: str | None = None) -> Unit | None:
    """The unit with a code of today, or of a day; None without a code."""
    return unit_named(session, code, on) if code else None


def _link(token: str) -> str:
    settings = Settings()
    base = settings.public_url or f"http://{settings.host}:{settings.port}"
    return f"{base.rstrip('/')}/password/{token}"


def _told(grant_: RoleGrant) -> str:
    sector = f" ({grant_.sector})" if grant_.sector else ""
    return f"{grant_.role}{sector} on {grant_.unit.code if grant_.unit else 'everything'}"


def _whose(key: Credential) -> str:
    if key.point is not None:
        return f"point {key.point.name}"
    if key.account is not None:
        return key.account.email
    return f"unit {key.unit.code}" if key.unit else "everything"
