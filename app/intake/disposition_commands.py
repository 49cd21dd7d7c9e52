"""Commands that set aside what one device or key sent, or count it again."""

from __future__ import annotations

from datetime import datetime

import typer

from app.commands import Refused, open_database, operator
from app.intake.setting_aside import Together, set_counted
from app.settings import Settings

responses = typer.Typer(
    help="Responses of other programs' files, and what one device or key sent.",
    no_args_is_help=True,
)

_CREDENTIAL = typer.Argument(help="The number of the device's or system's key.")
_SINCE = typer.Option(help="From when on it came, by the server's clock and zone.")
_REASON = typer.Option(help="Why; it stands in the audit log.")


@responses.command("set-aside")
def set_aside(
    credential: int = _CREDENTIAL, since: datetime = _SINCE, reason: str = _REASON
) -> None:
    """Count no longer what a key sent from a moment on, as after a theft; revoke the key first."""
    _set_counted(credential, since, reason, counted=False)


@responses.command("count-again")
def count_again(
    credential: int = _CREDENTIAL, since: datetime = _SINCE, reason: str = _REASON
) -> None:
    """Count again what was set aside of a key from a moment on."""
    _set_counted(credential, since, reason, counted=True)


def _set_counted(credential: int, since: datetime, reason: str, *, counted: bool) -> None:
    settings = Settings()
    moment = since if since.tzinfo else since.replace(tzinfo=settings.zone)
    with open_database(settings) as database, database.writing(operator()) as session:
        try:
            changed = set_counted(
                session, Together.of(settings), credential, moment, reason, counted=counted
            )
        except (LookupError, ValueError) as error:
            raise Refused(str(error)) from error
    typer.echo(f"{changed.moved} responses {'counted again' if counted else 'set aside'}")
    if changed.stayed:
        typer.echo(
            f"{changed.stayed} stay as they were: fewer than {settings.least_respondents} of one "
            "unit, form, channel and month (in the running month: day) would tell what they said"
        )
