"""Commands on the audit log."""

from __future__ import annotations

import csv
import json
import sys
from enum import StrEnum

import typer

from app.audit import log
from app.commands import Refused, open_database

audit = typer.Typer(help="The log of every change.", no_args_is_help=True)


class Form(StrEnum):
    """How entries are written out."""

    CSV = "csv"
    JSONL = "jsonl"


@audit.command("verify")
def verify(
    head: str = typer.Option(None, help="A last hash that was noted earlier."),
) -> None:
    """Walk the chain; exit code 1 where an entry was changed, removed or cut off."""
    with open_database() as database, database.reading() as session:
        verdict = log.verify(session, head)
    if verdict.breach is not None:
        raise Refused(f"the log breaks at entry {verdict.breach.entry}: {verdict.breach.reason}")
    typer.echo(f"{verdict.entries} entries, all in order; the last hash, to be noted elsewhere:")
    typer.echo(verdict.head)


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
