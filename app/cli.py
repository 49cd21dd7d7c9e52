"""The command ``hailong``: wires the commands of the rooms together.

Exit codes: 0 done, 1 refused with the reason on standard error, 2 wrong usage.
"""

from __future__ import annotations

import gc
import logging.config
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from app.commands import Refused, open_database, say_error
from app.private_files import make_private
from app.settings import Settings

#: What the rooms have, single commands first, in the order of the help.
_OF_ROOMS = (
    "restore", "move", "demo", "doctor", "rates", "qr", "report", "export", "docs",
    "processing-register",
    "import", "questionnaires", "forms", "points", "reform", "accounts", "keys", "webhooks", "sms",
    "rollups", "responses", "retention", "aside", "masking", "integrity", "cases", "digest",
    "themes", "clock", "audit", "backup",
)  # fmt: skip
#: What copies a database, or counts what is in it.
_OF_ALL_TABLES = {"backup", "restore", "move", "doctor"}


@contextmanager
def _loading() -> Iterator[None]:
    """Load without a search for cycles: what is imported stays.

    A command ends a second sooner, too, if the interpreter need not look for them in it at its end.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@cache
def _loaded(name: str) -> typer.Typer | Callable[..., None]:
    """A group of commands, or one command, of the room that has it.

    To load all rooms takes longer than most commands do their work.
    """
    with _loading():
        return _found(name)


def _found(name: str) -> typer.Typer | Callable[..., None]:
    found: typer.Typer | Callable[..., None]
    if name in _OF_ALL_TABLES:
        # Whichever room has them: only the whole service knows every one.
        import app.main  # noqa: F401
    match name:
        case "import":
            found = _imports()
        case "questionnaires":
            from app.registry.commands import questionnaires as found
        case "forms":
            from app.registry.form_commands import forms as found
        case "points":
            from app.registry.commands import points as found
        case "reform":
            from app.reform.commands import reform as found
        case "accounts":
            from app.access.commands import accounts as found
        case "keys":
            from app.access.commands import keys as found
        case "webhooks":
            from app.webhooks.commands import webhooks as found
        case "sms":
            from app.invitations.commands import sms as found
        case "rollups":
            from app.intake.commands import rollups as found
        case "responses":
            found = _responses()
        case "retention":
            from app.retention.commands import retention as found
        case "aside":
            from app.intake.aside_commands import aside as found
        case "masking":
            from app.intake.masking_commands import masking as found
        case "cases":
            from app.cases.commands import cases as found
        case "digest":
            from app.digest.commands import digest as found
        case "integrity":
            from app.integrity.commands import integrity as found
        case "themes":
            from app.themes.commands import themes as found
        case "clock":
            from app.intake.clock_commands import clock as found
        case "audit":
            from app.audit.commands import audit as found
        case "backup":
            from app.backup.commands import backup as found
        case "restore":
            from app.backup.commands import restore as found
        case "move":
            from app.backup.moving_commands import move as found
        case "demo":
            from app.demonstration.commands import demo as found
        case "doctor":
            from app.doctor.commands import doctor as found
        case "rates":
            from app.figures.commands import rates as found
        case "qr":
            from app.posters.commands import qr as found
        case "report":
            from app.reports.documents.commands import report as found
        case "export":
            from app.export.commands import export as found
        case "docs":
            from app.web.commands import docs as found
        case "processing-register":
            from app.data_protection.commands import processing_register as found
        case _:
            raise KeyError(name)
    return found


def _imports() -> typer.Typer:
    from app.intake.commands import import_responses, paper_template
    from app.registry.commands import import_units, import_volumes

    imports = typer.Typer(
        help="Read units, volumes or paper forms from a file.", no_args_is_help=True
    )
    imports.command("units")(import_units)
    imports.command("volumes")(import_volumes)
    imports.command("responses")(import_responses)
    imports.command("template")(paper_template)
    return imports


def _responses() -> typer.Typer:
    from app.importing.commands import import_file, propose_mapping
    from app.intake.disposition_commands import responses

    responses.command("import")(import_file)
    responses.command("mapping")(propose_mapping)
    return responses


class _Commands(MutableMapping[str, Any]):
    """Commands by name; one of a room is loaded when it is asked for."""

    def __init__(self, own: MutableMapping[str, Any]) -> None:
        self._made = own
        self._names = dict.fromkeys((*own, *_OF_ROOMS))

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._made:
            found, holder = _loaded(name), typer.Typer()
            if isinstance(found, typer.Typer):
                holder.add_typer(found, name=name)
            else:
                holder.command(name)(found)
            self._made[name] = typer.main.get_group(holder).commands[name]
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._names[name] = None
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._names[name]
        self._made.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class _Rooms(TyperGroup):
    """The commands of this module and of all rooms."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = _Commands(self.commands)


cli = typer.Typer(
    name="hailong",
    cls=_Rooms,
    help="Hài Lòng: citizen-satisfaction surveys with honest statistics.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@cli.command()
def migrate() -> None:
    """Bring the database to the newest schema and publish new questionnaires."""
    with _loading():
        from app.setup import prepare

    settings = Settings()
    with open_database(settings, migrates=True) as database:
        prepare(database, settings)
    typer.echo(f"The database is up to date: {database.url.render_as_string()}")


@cli.command()
def serve(
    host: str = typer.Option(None, help="Address to listen on."),
    port: int = typer.Option(None, help="Port to listen on."),
    workers: int = typer.Option(None, help="Server processes."),
) -> None:
    """Serve HTTP until stopped; the database is migrated first.

    A database that is away is waited for, so that two machines may start in any order.
    """
    settings = Settings()
    workers = workers or settings.workers
    with _loading():
        import uvicorn

        from app.logs import lines as logs
        from app.serving.files import raise_limit
        from app.serving.protocol import BoundedProtocol
        from app.setup import prepare

        if workers == 1:  # more of them are processes of their own, which load it themselves
            import app.main  # noqa: F401

    log_config = logs.config(settings.log_format, settings.log_level)
    logging.config.dictConfig(log_config)
    patience_s = settings.database_wait_s
    with open_database(settings, migrates=True, patience_s=patience_s) as database:
        prepare(database, settings)
    raise_limit()
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=host or settings.host,
        port=settings.port if port is None else port,
        workers=workers,
        access_log=False,
        log_level=logs.at_least_info(settings.log_level),
        log_config=log_config,
        http=BoundedProtocol,
        # Nothing here speaks by WebSockets: whoever asks for one is answered by plain HTTP.
        ws="none",
        timeout_keep_alive=settings.idle_s,
        # Streams never end by themselves.
        timeout_graceful_shutdown=settings.end_s,
    )


def main() -> None:
    """Run the command line; a refusal is a sentence and exit code 1, never a traceback."""
    make_private()
    try:
        cli()
    except Refused as refused:
        say_error(str(refused))
        sys.exit(1)
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        for wrong in error.errors():
            name = "_".join(map(str, wrong["loc"])).upper()
            say_error(f"HAILONG_{name}: {wrong['msg'].removeprefix('Value error, ')}")
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        say_error(f"{error.filename}: {error.strerror}")
        sys.exit(1)


if __name__ == "__main__":
    main()
