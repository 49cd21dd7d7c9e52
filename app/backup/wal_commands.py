"""What PostgreSQL itself calls: the archive of its journal.

It calls once for each file. ``python -m app.backup.wal_commands`` has these two commands alone and
starts in an eighth of the time that ``hailong``, which has them too, takes to load all rooms: no
library of a database or a server is among what it imports, and a test holds that.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from app.backup.wal import AbsentError, DamagedError, WalArchive
from app.commands import Refused, say_error
from app.settings import Settings

#: What tells PostgreSQL that the archive has no such file. Python itself ends with 1, and the shell
#: with 2, where a program cannot even be loaded; those must not be taken for the journal's end.
ABSENT = 44
#: Above 125 PostgreSQL gives the recovery up; any less, and it takes the journal to end here.
GIVE_UP = 200

_FILE = typer.Argument(help="Path of the file, as the server gives it by %p.")
_NAME = typer.Argument(help="Name of the file, as the server gives it by %f.")
_DESTINATION = typer.Argument(help="Where the server wants it, as it gives it by %p.")
_KEY = typer.Option(None, help="File of the private key, where the archive is sealed.")


def keep_wal(file: Path = _FILE) -> None:
    """Keep a file of PostgreSQL's journal in the archive (its archive_command)."""
    WalArchive(Settings()).keep(file)


def fetch_wal(name: str = _NAME, destination: Path = _DESTINATION, key: Path | None = _KEY) -> None:
    """Give a file of the journal back to PostgreSQL (its restore_command)."""
    try:
        WalArchive(Settings()).fetch(name, destination, key)
    except AbsentError as error:
        say_error(str(error))
        sys.exit(ABSENT)
    except DamagedError as error:
        say_error(str(error))
        sys.exit(GIVE_UP)


def main() -> None:
    """Run one of the two; a refusal is a sentence and exit code 1."""
    commands = typer.Typer(pretty_exceptions_enable=False)
    commands.command("keep-wal")(keep_wal)
    commands.command("fetch-wal")(fetch_wal)
    try:
        commands()
    except Refused as refused:
        say_error(str(refused))
        sys.exit(1)


if __name__ == "__main__":
    main()
