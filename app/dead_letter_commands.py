"""The commands on a queue of items that wait: list, send again, drop; one shape for all queues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic

import typer
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import dead_letters
from app.commands import Refused, add_row, open_database, operator, out
from app.dead_letters import I
from app.problems import NotFound


@dataclass(frozen=True)
class Queue(Generic[I]):
    """Items that wait, and what commands call them."""

    table: type[I]
    one: str
    many: str
    #: To whom an item is, as far as a list may show it.
    to: Callable[[I], str]
    #: The command that lists them, and what each command says of itself.
    listing: str
    list_help: str
    retry_help: str
    drop_help: str


def add_commands(group: typer.Typer, queue: Queue[I]) -> None:
    """Give a group of commands those of its queue."""
    number = f"Number as in the list: hailong {group.info.name} {queue.listing}."

    @group.command(queue.listing, help=queue.list_help)
    def list_items() -> None:
        table = Table("id", "to", "tries", "due", "reason")
        with open_database() as database, database.reading() as session:
            for item in session.scalars(select(queue.table).order_by(queue.table.id)):
                due = f"{item.due_at:%Y-%m-%d %H:%M}" if item.due_at else item.fate or ""
                row = (str(item.id), queue.to(item), str(item.tries), due, item.reason or "")
                add_row(table, *row)
        out.print(table)

    @group.command("retry", help=queue.retry_help)
    def retry(
        id: int = typer.Argument(None, help=f"{number} None with --all."),
        every: bool = typer.Option(False, "--all", help="All that surely never arrived."),
    ) -> None:
        if (id is None) != every:
            raise Refused(f"name one {queue.one} by its number, or all by --all")
        with _writing(queue, id) as session:
            if every:
                what = f"{dead_letters.retry_all(session, queue.table)} {queue.many} are"
            else:
                dead_letters.retry(session, queue.table, id)
                what = f"{queue.one} {id} is"
        typer.echo(f"{what} due now")

    @group.command("drop", help=queue.drop_help)
    def drop(id: int = typer.Argument(help=number)) -> None:
        with _writing(queue, id) as session:
            dead_letters.drop(session, queue.table, id)
        typer.echo(f"{queue.one} {id} is dropped")


@contextmanager
def _writing(queue: Queue[Any], id: int | None) -> Iterator[Session]:
    try:
        with open_database() as database, database.writing(operator()) as session:
            yield session
    except NotFound as problem:
        raise Refused(f"there is no dead letter {id} among {queue.many}") from problem
