"""Commands on what is masked in comments."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from app.audit.log import record
from app.commands import Refused, check_there, open_database, operator, progress
from app.intake.remasking import reencrypt, remask, waiting
from app.masking.masker import mask
from app.settings import Settings
from app.text_keys import TextKeys, TextKeysUnusableError

masking = typer.Typer(
    help="What is masked in comments, and the keys of what is not.", no_args_is_help=True
)


@masking.command("run")
def run() -> None:
    """Mask the comments that are stored already; safe to interrupt, and to run again."""
    settings = Settings()
    keys = _usable(settings)
    with open_database(settings) as database:
        with database.reading() as session:
            number = waiting(session)
        with progress() as bar:
            task = bar.add_task("comments", total=number)
            try:
                done = remask(database, keys, operator(), lambda n: bar.advance(task, n))
            except TextKeysUnusableError as error:
                raise Refused(f"stopped, and goes on when it is run again: {error}") from error
        typer.echo(f"{done.texts} comments looked at, {done.changed} masked")
        if not number:
            typer.echo("all that is stored was masked already by the rules of this version")
        if not done.journal_emptied:
            typer.echo(
                "what stood there is still in SQLite's journal, which somebody reads: run it again"
            )
        if not database.locks_whole_database:
            typer.echo(
                "PostgreSQL keeps what stood there until its pages are written anew: "
                "VACUUM FULL response_text, aside_response"
            )


@masking.command("try")
def try_out(
    file: Path = typer.Argument(
        help="A text file; each line is a comment. - reads standard input."
    ),
    staff: bool = typer.Option(False, "--staff", help="As readers of comments see them."),
) -> None:
    """Print what would become of comments; nothing is stored."""
    if str(file) == "-":
        lines = sys.stdin.read().splitlines()
    else:
        check_there(file)
        lines = file.read_text("utf-8", "replace").splitlines()
    for line in lines:
        masked = mask(line)
        typer.echo(masked.with_staff if staff else masked.text)


@masking.command("rotate")
def rotate(
    forget: bool = typer.Option(
        False,
        "--forget",
        help="Forget the older keys: a text sent again is not compared with what came before, and "
        "a paper form without a number that is read again is counted again.",
    ),
) -> None:
    """Make a new key for names of staff in comments, and encrypt by it what older ones did."""
    settings = Settings()
    keys = _usable(settings)
    with open_database(settings) as database:
        try:
            keys.rotate()
            with progress() as bar:
                task = bar.add_task("comments", total=None)
                done = reencrypt(database, keys, operator(), lambda n: bar.advance(task, n))
            forgotten = keys.forget() if forget else 0
        except TextKeysUnusableError as error:
            raise Refused(str(error)) from error
        with database.writing(operator()) as session:
            record(session, "masking.rotate", "comments", texts=done, forgotten=forgotten)
    typer.echo(f"a new key stands in {keys.file}; {done} comments were encrypted by it")
    if forgotten:
        typer.echo(f"{forgotten} older keys were forgotten")


def _usable(settings: Settings) -> TextKeys:
    keys = TextKeys.of(settings)
    try:
        keys.keys()
    except TextKeysUnusableError as error:
        raise Refused(f"the keys of comments cannot be used: {error}") from error
    return keys
