"""Commands on the audit log."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import typer

from app.audit import log
from app.audit.destinations import kept_here
from app.audit.heads import Head, files_with_heads, present_head, read_heads
from app.audit.leaving import send_now
from app.audit.signing import PREFIX, WrongKeyError, make_key, public_key
from app.audit.verifying import compare
from app.commands import Refused, check_there, open_database, say_beside, say_error
from app.settings import Settings

#: Signs of a chain's name that tell it from all others.
_SHORTEST_NAME = 12
audit = typer.Typer(help="The log of every change.", no_args_is_help=True)


class Form(StrEnum):
    """How entries are written out."""

    CSV = "csv"
    JSONL = "jsonl"


@audit.command("verify")
def verify(
    head: str = typer.Option(None, help="A last hash that was noted earlier."),
    heads: list[Path] = typer.Option(
        [], help="A file or folder with heads, as mail, syslog or a receiver kept them."
    ),
    key: list[str] = typer.Option(
        [], help="A public key, or the file that it stands in; else that of HAILONG_AUDIT_KEY."
    ),
    apart: list[str] = typer.Option(
        [], help="The beginning of a chain's name that is another database's."
    ),
) -> None:
    """Walk the chain and compare it with all heads that are found; exit code 1 where it is not
    what was written.
    """
    settings = Settings()
    if any(len(each) < _SHORTEST_NAME for each in apart):
        raise Refused(f"--apart takes at least {_SHORTEST_NAME} signs of a chain's name")
    try:
        publics = [_public(each) for each in key]
        own = None if publics else public_key(settings)
        found = list(_found(settings, heads))
        with open_database(settings) as database, database.reading() as session:
            seen = compare(session, found, publics or ([own] if own else []), apart=apart,
                           noted=head)  # fmt: skip
    except WrongKeyError as error:
        raise Refused(str(error)) from error
    for sentence in seen.told:
        typer.echo(sentence)
    if own:
        typer.echo("the public key was read from this machine: compare it with the one you noted")
    if seen.wrong:
        raise Refused("; ".join(seen.wrong))
    typer.echo(f"{seen.entries} entries, all in order; the last hash, to be noted elsewhere:")
    typer.echo(seen.head)


@audit.command("key")
def key(
    file: Path = typer.Argument(None, help="Where to; else where HAILONG_AUDIT_KEY says."),
) -> None:
    """Make the key that signs heads, if there is none yet, and print its public half."""
    where = file or Settings().audit_key
    if where is None:
        raise Refused("name a file, and set HAILONG_AUDIT_KEY to it")
    try:
        made = not where.exists()
        public = make_key(where) if made else public_key(Settings(audit_key=where))
    except WrongKeyError as error:
        raise Refused(str(error)) from error
    said = "made" if made else "there already"
    say_beside(f"{where}: {said}. Note the public half where this machine cannot change it:")
    typer.echo(public)


@audit.command("heads")
def heads(
    send: bool = typer.Option(False, help="Have it leave now, and say by which way it did not."),
) -> None:
    """Print the log's head, signed, as it leaves by itself."""
    settings = Settings()
    try:
        with open_database(settings) as database:
            if send:
                present, tried = send_now(database, settings)
            else:
                with database.reading() as session:
                    present, tried = present_head(session, settings), []
    except WrongKeyError as error:
        raise Refused(str(error)) from error
    if present is None:
        raise Refused("the log is empty")
    typer.echo(present.line)
    for each in tried:
        if each.failure is None:
            say_beside(f"{each.name}: left")
        else:
            say_error(f"{each.name}: did not leave: {each.failure}")
    if failed := sum(each.failures for each in tried):
        raise Refused(f"{failed} of {len(tried)} ways failed")


def _found(settings: Settings, places: list[Path]) -> Iterator[Head]:
    """All heads in the files that are named, and in those on this machine."""
    for place in places:
        if not place.exists():
            raise Refused(f"{place}: no such file")
    files = [file for place in places for file in files_with_heads(place)]
    for file in [*files, *(each for each in kept_here(settings) if each.exists())]:
        try:
            yield from read_heads(file.read_text(encoding="utf-8", errors="replace"))
        except OSError as error:
            raise Refused(f"{file} cannot be read: {error.strerror}") from error


def _public(given: str) -> str:
    """A public key as it was given: itself, or the file that it stands in."""
    if given.startswith(PREFIX):
        return given
    check_there(Path(given))
    return Path(given).read_text(encoding="utf-8", errors="replace").strip()


@audit.command("export")
def export(form: Form = typer.Option(Form.CSV, "--format", help="How to write.")) -> None:
    """Write all entries to standard output."""
    columns = ("id", "at", "actor", "action", "subject", "details", "hash")
    writer = csv.writer(sys.stdout)
    if form is Form.CSV:
        writer.writerow(columns)
    with open_database() as database, database.reading() as session:
        for entry in log.entries(session):
            values = {name: getattr(entry, name) for name in columns}
            values["at"] = entry.at.isoformat()
            if form is Form.CSV:
                writer.writerow([_plain(str(value)) for value in values.values()])
            else:
                values["details"] = json.loads(entry.details)
                typer.echo(json.dumps(values, ensure_ascii=False))


def _plain(value: str) -> str:
    """A value that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
