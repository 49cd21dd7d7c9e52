"""Commands on webhooks, and on SMS that wait."""

from __future__ import annotations

from datetime import UTC, datetime

import typer
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.commands import Refused, open_database, operator, out
from app.invitations import service
from app.invitations.models import SmsMessage, Webhook
from app.problems import Problem
from app.registry.models import Unit
from app.registry.queries import find_unit

sms = typer.Typer(help="SMS that wait, or were never confirmed.", no_args_is_help=True)
webhooks = typer.Typer(help="Who is told of answered invitations.", no_args_is_help=True)


@webhooks.command("add")
def add(
    url: str = typer.Argument(help="Address that is told, https://…"),
    unit: str = typer.Option(None, help="Code of a unit, with all below; else all."),
) -> None:
    """Tell an address of answered invitations, and print the secret that signs it, once."""
    if not url.startswith(("https://", "http://")) or len(url) > 500:
        raise Refused(f"{url} is no address")
    try:
        with open_database() as database, database.writing(operator()) as session:
            place = find_unit(session, unit) if unit else None
            hook = service.add_webhook(session, url, place)
            typer.echo(hook.secret)
    except Problem as problem:
        raise Refused(f"no unit has the code {unit}") from problem


@webhooks.command("list")
def list_webhooks() -> None:
    """List webhooks; secrets are not shown."""
    table = Table("id", "address", "unit", "since", "ended")
    with open_database() as database, database.reading() as session:
        rows = session.execute(
            select(Webhook, Unit.code)
            .outerjoin(Unit, Unit.id == Webhook.unit_id)
            .order_by(Webhook.id)
        )
        for hook, code in rows:
            ended = f"{hook.ended_at:%Y-%m-%d}" if hook.ended_at else ""
            table.add_row(str(hook.id), hook.url, code or "all", f"{hook.made_at:%Y-%m-%d}", ended)
    out.print(table)


@webhooks.command("end")
def end(id: int = typer.Argument(help="Number as in the list.")) -> None:
    """Tell an address no more."""
    try:
        with open_database() as database, database.writing(operator()) as session:
            service.end_webhook(session, id)
    except KeyError as error:
        raise Refused(f"there is no webhook {id}") from error
    typer.echo(f"webhook {id} has ended")


@sms.command("list")
def list_sms() -> None:
    """List SMS that are not sent yet; of a number the last three digits are shown.

    One that is "unconfirmed" was taken by a process to hand it over. If it stays so for a minute,
    that process died meanwhile: nobody knows whether the citizen has it, so it is not sent again
    unless you say so.
    """
    table = Table("id", "to", "tries", "due")
    with open_database() as database, database.reading() as session:
        for message in session.scalars(select(SmsMessage).order_by(SmsMessage.id)):
            due = f"{message.due_at:%Y-%m-%d %H:%M}" if message.due_at else "unconfirmed"
            table.add_row(str(message.id), f"…{message.phone[-3:]}", str(message.tries), due)
    out.print(table)


@sms.command("retry")
def retry_sms(id: int = typer.Argument(help="Number as in the list.")) -> None:
    """Send an unconfirmed SMS again, though its citizen may have it already."""
    with open_database() as database, database.writing(operator()) as session:
        _unconfirmed(session, id).due_at = datetime.now(UTC)
    typer.echo(f"SMS {id} is due now")


@sms.command("drop")
def drop_sms(id: int = typer.Argument(help="Number as in the list.")) -> None:
    """Give an unconfirmed SMS up, and forget its number."""
    with open_database() as database, database.writing(operator()) as session:
        session.delete(_unconfirmed(session, id))
    typer.echo(f"SMS {id} is dropped")


def _unconfirmed(session: Session, id: int) -> SmsMessage:
    message = session.get(SmsMessage, id)
    if message is None or message.due_at is not None:
        raise Refused(f"there is no unconfirmed SMS {id}")
    return message
