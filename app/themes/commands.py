"""Commands on the list of themes: ``hailong themes``."""

from __future__ import annotations

from pathlib import Path

import typer

from app.commands import Refused, check_there, open_database, operator, out
from app.problems import InvalidFields
from app.themes.reading import read_list, written
from app.themes.versions import NoSuchThemeList, history, in_force, set_list, version

themes = typer.Typer(
    help="Themes of comments: the list of words by which they are found.", no_args_is_help=True
)


@themes.command("list")
def list_versions() -> None:
    """List the versions of the list, the one in force first."""
    with open_database() as database, database.reading() as session:
        for each in history(session):
            since = f"{each.set_at:%Y-%m-%d %H:%M} UTC by {each.set_by}" if each.set_at else "–"
            typer.echo(f"version {each.number}: {since}")


@themes.command("export")
def export(
    out_file: Path = typer.Argument(help="The YAML file to write; none that is there."),
    number: int = typer.Option(None, "--version", help="A version before; else the one in force."),
) -> None:
    """Write the list as YAML that 'hailong themes import' takes again."""
    with open_database() as database, database.reading() as session:
        try:
            found = in_force(session).themes if number is None else version(session, number)
        except NoSuchThemeList as unknown:
            raise Refused(unknown.detail("en")) from unknown
    try:
        with out_file.open("x", encoding="utf-8") as stream:
            stream.write(written(found))
    except OSError as error:
        raise Refused(f"{out_file} cannot be written: {error.strerror}") from error
    out.print(f"{len(found.themes)} themes, {len(found.phrases)} words and phrases")


@themes.command("import")
def import_list(
    file: Path = typer.Argument(help="YAML, as 'hailong themes export' has it."),
) -> None:
    """Put a list in force, for the comments of all months; versions before are kept."""
    with open_database() as database:
        check_there(file)
        try:
            found = read_list(file.read_bytes())
        except InvalidFields as wrong:
            said = "\n".join(f"{each.field}: {each.detail('en')}" for each in wrong.errors)
            raise Refused(f"{file} is no list of themes:\n{said}") from wrong
        with database.writing(operator()) as session:
            number = set_list(session, found, operator())
    out.print(f"version {number} is in force")
