"""What the commands of all rooms share: the database at hand, refusing, reporting progress.

PostgreSQL calls a command for each file of its journal, and that one has no use for a database of
ours: what is needed to open one is loaded where one is opened.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from app.settings import Settings

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.table import Table

    from app.db import Database
    from app.tables import WrongTable

#: How many mistakes of a file are named.
_MOST_NAMED = 50
#: How often a database that is away is looked for.
_TRY_EVERY_S = 1.0
#: Seconds for which a server that starts looks for damage of its file, and any other command.
_LOOK_S, _LOOK_SHORTLY_S = 10.0, 2.0

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class Refused(Exception):  # noqa: N818 - what the command line does, not a defect
    """A command cannot do what it was asked; the message says why, to a person."""


def say_error(message: str) -> None:
    """One refusal on standard error; what stands in a file is no markup."""
    err.print(f"[bold red]hailong:[/] {escape(message)}", soft_wrap=True)


def say_beside(message: str) -> None:
    """One line on standard error, beside what the command prints; a name in it is no markup."""
    err.print(message, soft_wrap=True, markup=False)


def add_row(table: Table, *cells: str) -> None:
    """Add a row to a table that is printed; what stands in the database is no markup."""
    table.add_row(*map(escape, cells))


def refused_table(wrong: WrongTable, file: Path, ending: str) -> Refused:
    """Name a file's mistakes, one a line, of many the first ones; ``ending`` says what follows."""
    for mistake in wrong.errors[:_MOST_NAMED]:
        say_error(f"{file}: {mistake.detail('en')}")
    more = len(wrong.errors) - _MOST_NAMED
    return Refused((f"and {more} more mistakes; " if more > 0 else "") + ending)


@contextmanager
def open_database(
    settings: Settings | None = None, *, migrates: bool = False, patience_s: float = 0
) -> Iterator[Database]:
    """The database of the settings, with the schema of this version.

    Whoever ``migrates`` may find an empty one, or one of an older version. One that is away, and
    may come back, is waited for with patience.

    Raises
    ------
    Refused
        Where it cannot be used; the reason is one sentence.
    """
    from sqlalchemy.exc import DBAPIError

    from app.db.damage import DatabaseDamaged, last_good_backup
    from app.db.opening import explained
    from app.private_files import keep_private

    settings = settings or Settings()
    for file in keep_private(settings):
        say_error(f"others may read {file}, and this user cannot change that: chmod go= {file}")
    database = _opened(settings, migrates, time.monotonic() + patience_s)
    try:
        yield database
    except DatabaseDamaged as damaged:
        database.damage.last_good = last_good_backup(settings)
        raise Refused(database.damage.sentence("the database is damaged")) from damaged
    except DBAPIError as error:
        known = explained(error, database.url)
        if known is None:
            raise
        raise Refused(str(known)) from error
    finally:
        database.close()


def _opened(settings: Settings, migrates: bool, until: float) -> Database:
    from app.db.damage import last_good_backup
    from app.db.opening import DatabaseUnusableError, opened

    told = False
    while True:
        try:
            look_s = _LOOK_S if migrates else _LOOK_SHORTLY_S
            return opened(settings.database_url, migrates=migrates, look_s=look_s)
        except DatabaseUnusableError as error:
            if error.damaged:
                copy = last_good_backup(settings)
                raise Refused(
                    f"{error}: put the last good copy{f', {copy},' if copy else ''} back"
                ) from error
            if not error.passing or time.monotonic() + _TRY_EVERY_S > until:
                raise Refused(str(error)) from error
            if not told:
                say_error(f"{error}; trying again for {until - time.monotonic():.0f} s")
                told = True
        time.sleep(_TRY_EVERY_S)


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


def operator_or_schedule(*, scheduled: bool) -> str:
    """The same of a command that a server begins by itself, in which nobody's hand is."""
    return "schedule" if scheduled else operator()


def progress() -> Progress:
    """A progress bar for long work; on a pipe it prints nothing but its last state."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=False,
    )
