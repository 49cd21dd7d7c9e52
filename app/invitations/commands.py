"""Commands on SMS that wait."""

from __future__ import annotations

from datetime import UTC, datetime

import typer
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.commands import Refused, open_database, operator, out
from app.invitations.models import SmsMessage

sms = typer.Typer(help="SMS that wait, or were never confirmed.", no_args_is_help=True)


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
