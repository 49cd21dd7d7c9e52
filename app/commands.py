"""What the commands of all rooms share: the database at hand, refusing, reporting progress."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from sqlalchemy.exc import OperationalError

from app.db import Database
from app.settings import Settings
from app.tables import WrongTable

#: How many mistakes of a file are named.
_MOST_NAMED = 50

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class Refused(Exception):  # noqa: N818 - what the command line does, not a defect
    """A command cannot do what it was asked; the message says why, to a person."""


def say_error(message: str) -> None:
    """One refusal on standard error; what stands in a file is no markup."""
    err.print(f"[bold red]hailong:[/] {escape(message)}", soft_wrap=True)


def refused_table(wrong: WrongTable, file: Path, ending: str) -> Refused:
    """Name a file's mistakes, one a line, of many the first ones; ``ending`` says what follows."""
    for mistake in wrong.errors[:_MOST_NAMED]:
        say_error(f"{file}: {mistake.detail('en')}")
    more = len(wrong.errors) - _MOST_NAMED
    return Refused((f"and {more} more mistakes; " if more > 0 else "") + ending)


@contextmanager
def open_database(settings: Settings | None = None) -> Iterator[Database]:
    """The database of the settings.

    Raises
    ------
    Refused
        Where it cannot be reached.
    """
    settings = settings or Settings()
    try:
        database = Database(settings.database_url)
    except OSError as error:
        raise Refused(f"the database's folder cannot be made: {error}") from error
    try:
        yield database
    except OperationalError as error:
        raise Refused(f"the database does not answer: {error.orig}") from error
    finally:
        database.close()


def check_there(file: Path) -> None:
    """Raise ``Refused`` where no file has this name."""
    try:
        there = file.is_file()
    except OSError:  # longer than any name, say
        there = False
    if not there:
        raise Refused(f"{file}: no such file")


#: How the audit log begins the name of whoever runs a command.
COMMAND = "command:"


def operator() -> str:
    """Who runs this command, as the audit log names them."""
    return f"{COMMAND}{getpass.getuser()}"


def progress() -> Progress:
    """A progress bar for long work; on a pipe it prints nothing but its last state."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=False,
    )
