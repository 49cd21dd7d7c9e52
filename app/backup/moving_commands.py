"""The command ``hailong move``."""

from __future__ import annotations

from pathlib import Path

import typer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.backup import moving
from app.commands import Refused, check_there, open_database, operator, progress
from app.settings import Settings
from app.text_keys import key_file

_TO = typer.Argument(metavar="URL", help="An empty database: postgresql://user@host/name.")


def move(to: str = _TO) -> None:
    """Move everything from the SQLite database of the settings into an empty PostgreSQL one."""
    settings = Settings()
    with open_database(settings):  # whatever is wrong with it is told first
        origin = make_url(settings.database_url)
    if origin.get_backend_name() != "sqlite" or not origin.database:
        raise Refused("HAILONG_DATABASE_URL names no SQLite database to be moved")
    try:
        target = make_url(to)
    except ArgumentError as error:
        raise Refused(f"{to} is no address like postgresql://user@host/name") from error
    if target.get_backend_name() != "postgresql":
        raise Refused("a database is moved to PostgreSQL only: postgresql://user@host/name")
    target = target.set(drivername="postgresql+psycopg")
    file = Path(origin.database).resolve()
    check_there(file)
    there = settings.model_copy(
        update={"database_url": target.render_as_string(hide_password=False)}
    )
    with (
        open_database(there, migrates=True) as database,
        moving.alone(file) as source,
        progress() as bar,
    ):
        task = bar.add_task("rows", total=2 * moving.count(source))
        moved = moving.move(
            source, str(file), database, operator(), lambda _, rows: bar.advance(task, rows)
        )
    total = sum(moved.rows.values())
    typer.echo(
        f"{total} rows of {len(moved.rows)} tables moved, {moved.rows['response']} responses among "
        "them; all equal, cells equal their recount, the audit log is whole."
    )
    if moved.unreadable:
        typer.echo(
            f"{moved.unreadable} texts had a NUL, which PostgreSQL cannot keep; \ufffd is there."
        )
    typer.echo(f"{file} is left as it was; let no server write to it any more. From now on set:")
    typer.echo(f"HAILONG_DATABASE_URL={target.render_as_string(hide_password=True)}")
    typer.echo(f"HAILONG_TEXT_KEY_FILE={key_file(settings).absolute()}")
