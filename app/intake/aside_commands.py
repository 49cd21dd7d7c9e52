"""Commands on responses that are set aside."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from app.access.callers import owner
from app.commands import Refused, open_database, operator
from app.intake.aside import counts, export

aside = typer.Typer(help="Responses that devices were refused for good.", no_args_is_help=True)


@aside.command("list")
def list_rules() -> None:
    """Say by unit and rule how many are set aside, and how many are counted at receipt."""
    with open_database() as database, database.reading() as session:
        for each in counts(session, owner(operator())):
            what = "counted at receipt" if each.counted else "set aside"
            typer.echo(
                f"{each.unit.code} {each.rule}: {each.responses} {what}, "
                f"the last {each.last:%Y-%m-%d %H:%M} UTC"
            )


@aside.command("export")
def write(file: Path = typer.Argument(help="JSON Lines to write: one response a line.")) -> None:
    """Write what is set aside to a file, as it was sent; the audit log says so."""
    if file.exists():
        raise Refused(f"{file} is there already")
    with open_database() as database, database.writing(operator()) as session:
        found = list(export(session, owner(operator())))
        file.write_text(
            "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in found), "utf-8"
        )
    typer.echo(f"{len(found)} responses written to {file}")
