"""The command ``hailong``: wires the commands of the rooms together.

Exit codes: 0 done, 1 refused with the reason on standard error, 2 wrong usage.
"""

from __future__ import annotations

import gc
import sys

import typer
import uvicorn
from pydantic import ValidationError

from app.access.commands import accounts, keys
from app.audit.commands import audit
from app.commands import Refused, open_database, say_error
from app.demonstration.commands import demo
from app.figures.commands import rates
from app.intake.aside_commands import aside
from app.intake.clock_commands import clock
from app.intake.commands import import_responses, paper_template, responses, rollups
from app.invitations.commands import sms
from app.posters.commands import qr
from app.registry.commands import import_units, import_volumes, points, questionnaires
from app.reports.documents.commands import report
from app.settings import Settings
from app.setup import prepare
from app.web.commands import docs
from app.webhooks.commands import webhooks

# A command ends a second sooner if the interpreter need not look for cycles in what it imported.
gc.freeze()
cli = typer.Typer(
    name="hailong",
    help="Hài Lòng: citizen-satisfaction surveys with honest statistics.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
imports = typer.Typer(help="Read units, volumes or paper forms from a file.", no_args_is_help=True)
imports.command("units")(import_units)
imports.command("volumes")(import_volumes)
imports.command("responses")(import_responses)
imports.command("template")(paper_template)

cli.add_typer(imports, name="import")
cli.add_typer(questionnaires, name="questionnaires")
cli.add_typer(points, name="points")
cli.add_typer(accounts, name="accounts")
cli.add_typer(keys, name="keys")
cli.add_typer(webhooks, name="webhooks")
cli.add_typer(sms, name="sms")
cli.add_typer(rollups, name="rollups")
cli.add_typer(responses, name="responses")
cli.add_typer(aside, name="aside")
cli.add_typer(clock, name="clock")
cli.add_typer(audit, name="audit")
cli.command()(demo)
cli.command()(rates)
cli.command()(qr)
cli.command()(report)
cli.command()(docs)


@cli.command()
def migrate() -> None:
    """Bring the database to the newest schema and publish new questionnaires."""
    settings = Settings()
    with open_database(settings) as database:
        prepare(database, settings)
    typer.echo(f"The database is up to date: {database.url.render_as_string()}")


@cli.command()
def serve(
    host: str = typer.Option(None, help="Address to listen on."),
    port: int = typer.Option(None, help="Port to listen on."),
    workers: int = typer.Option(None, help="Server processes."),
) -> None:
    """Serve HTTP until stopped; the database is migrated first."""
    settings = Settings()
    with open_database(settings) as database:
        prepare(database, settings)
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=host or settings.host,
        port=settings.port if port is None else port,
        workers=workers or settings.workers,
        access_log=False,
        log_level="info",
        # A slow client holds its connection, not the others' answers.
        timeout_keep_alive=75,
        # Streams never end by themselves.
        timeout_graceful_shutdown=15,
    )


def main() -> None:
    """Run the command line; a refusal is a sentence and exit code 1, never a traceback."""
    try:
        cli()
    except Refused as refused:
        say_error(str(refused))
        sys.exit(1)
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        for wrong in error.errors():
            name = "_".join(map(str, wrong["loc"])).upper()
            say_error(f"HAILONG_{name}: {wrong['msg'].removeprefix('Value error, ')}")
        sys.exit(1)


if __name__ == "__main__":
    main()
