"""The command ``hailong processing-register``."""

from __future__ import annotations

from pathlib import Path

import typer

from app.commands import Refused, open_database
from app.data_protection.register import register_of
from app.data_protection.writing import written
from app.messages import LANGUAGES
from app.settings import Settings


def processing_register(
    language: str = typer.Option("vi", help="vi or en."),
    to: Path | None = typer.Option(None, help="File to write; else it is printed."),
) -> None:
    """Write the register of processing of personal data, from the schema and the settings.

    A draft for the office: what only it knows is left blank, and a lawyer is to look at it.
    """
    if language not in LANGUAGES:
        raise Refused(f"--language is one of {', '.join(LANGUAGES)}")
    settings = Settings()
    with open_database(settings) as database, database.reading() as session:
        text = written(register_of(session, settings), language)
    if to is None:
        typer.echo(text, nl=False)
        return
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"{to} cannot be written: {error.strerror}") from error
    typer.echo(f"written to {to}")
