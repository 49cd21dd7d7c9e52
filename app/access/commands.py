"""Commands on credentials."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import typer
from rich.table import Table
from sqlalchemy import select

from app.access import credentials as access
from app.access.models import Credential, Right
from app.commands import Refused, open_database, operator, out
from app.registry.points import find_by_code

credentials = typer.Typer(help="Credentials of devices and other systems.", no_args_is_help=True)


@credentials.command("issue")
def issue(
    name: str = typer.Argument(help="Whom it is for; a device's place, a system's name."),
    right: list[Right] = typer.Option(help="What it may do; may be given several times."),
    point: str = typer.Option(None, help="Public code of the survey point that a device is for."),
    days: int = typer.Option(None, help="Days after which it expires; never if left out."),
) -> None:
    """Make a credential and print its secret, once."""
    with open_database() as database, database.writing(operator()) as session:
        place = find_by_code(session, point) if point else None
        if point and place is None:
            raise Refused(f"no survey point has the current code {point}")
        if Right.SUBMIT in right and place is None:
            raise Refused(f"{Right.SUBMIT.value} is a device's right: name its --point")
        expires = datetime.now(UTC) + timedelta(days=days) if days else None
        typer.echo(access.issue(session, name, right, place, expires))


@credentials.command("list")
def list_credentials() -> None:
    """List credentials; secrets are not kept and cannot be shown."""
    table = Table("id", "name", "rights", "issued", "expires", "revoked")
    with open_database() as database, database.reading() as session:
        for row in session.scalars(select(Credential).order_by(Credential.id)):
            table.add_row(
                str(row.id),
                row.name,
                row.rights,
                f"{row.issued_at:%Y-%m-%d}",
                f"{row.expires_at:%Y-%m-%d}" if row.expires_at else "never",
                f"{row.revoked_at:%Y-%m-%d}" if row.revoked_at else "",
            )
    out.print(table)


@credentials.command("revoke")
def revoke(id: int = typer.Argument(help="Number as in the list.")) -> None:
    """End a credential; it holds everywhere within a few seconds (HAILONG_CACHE_S)."""
    with open_database() as database, database.writing(operator()) as session:
        try:
            access.revoke(session, id)
        except KeyError as error:
            raise Refused(f"there is no credential {id}") from error
    typer.echo(f"credential {id} is revoked")
