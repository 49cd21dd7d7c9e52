"""Commands on the server's clock."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from app.audit.log import record
from app.clock import confirm, last_noted
from app.commands import open_database, operator

clock = typer.Typer(help="The server's clock, when it is in doubt.", no_args_is_help=True)


@clock.command("show")
def show() -> None:
    """Say what the clock shows, and when a server was last sure of the time."""
    with open_database() as database, database.reading() as session:
        last = last_noted(session)
    typer.echo(f"now {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    typer.echo(f"last sure {last:%Y-%m-%d %H:%M:%S} UTC" if last else "no server was sure yet")


@clock.command("confirm")
def confirm_time() -> None:
    """Say that the clock is right as it is; servers that doubt it go on within seconds."""
    now = datetime.now(UTC)
    with open_database() as database, database.writing(operator()) as session:
        before = last_noted(session)
        confirm(session, now)
        record(session, "clock.confirm", "clock", now=now, last_sure=before)
    typer.echo(f"{now:%Y-%m-%d %H:%M:%S} UTC is confirmed")
