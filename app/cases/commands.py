"""Commands on citizens' cases: ``hailong cases``."""

from __future__ import annotations

from pathlib import Path

import typer
from sqlalchemy import func, select

from app.cases.lists import ListName, history, in_force, set_list
from app.cases.models import Case, CaseState
from app.cases.opening import open_wishes
from app.cases.schedule import see_to
from app.clock import local_today
from app.commands import Refused, check_there, open_database, operator
from app.problems import Problem
from app.settings import Settings

cases = typer.Typer(
    help="Citizens' cases: opening what is due, lists of causes and words.", no_args_is_help=True
)
_WHICH = typer.Argument(help="causes, or words of misconduct.")


@cases.command("list")
def show_list(which: ListName = _WHICH) -> None:
    """Print a list as it is in force, in the form that 'hailong cases set' takes."""
    with open_database() as database, database.reading() as session:
        typer.echo(in_force(session, which).entries.rstrip())
        for each in history(session, which):
            by = f"{each.set_at:%Y-%m-%d} by {each.set_by}" if each.set_at else "with the software"
            typer.echo(f"# version {each.version}, {by}")


@cases.command("set")
def set_from(
    which: ListName = _WHICH, file: Path = typer.Argument(help="YAML, as 'list' prints it.")
) -> None:
    """Put a new version of a list in force."""
    with open_database() as database, database.writing(operator()) as session:
        check_there(file)
        try:
            done = set_list(session, which, file.read_text(encoding="utf-8"), operator())
        except UnicodeDecodeError:
            raise Refused(f"{file}: this is no text in UTF-8") from None
        except Problem as problem:
            raise Refused(problem.detail("en")) from problem
    typer.echo(f"{which}: version {done.version}")


@cases.command("open")
def open_due() -> None:
    """Open the cases that are due and hand on what is overdue; a server does it by itself."""
    settings = Settings()
    with open_database(settings) as database:
        today = local_today(settings.zone)
        wishes = open_wishes(database, settings, today)
        misconduct, batches, handed_on, mails = see_to(database, settings, today)
        with database.reading() as session:
            waiting = session.scalar(
                select(func.count()).select_from(Case).where(Case.state != CaseState.CLOSED)
            )
    typer.echo(
        f"opened: {wishes} of wishes, {misconduct} of misconduct, {batches} of low marks; "
        f"{handed_on} handed on, {mails} mails; {waiting} not closed"
    )
