"""Commands on webhooks."""

from __future__ import annotations

import typer
from rich.table import Table
from sqlalchemy import select

from app.commands import Refused, add_row, open_database, operator, out
from app.dead_letter_commands import Queue, add_commands
from app.registry.models import Unit
from app.registry.named_on import ON, unit_named
from app.webhooks import service
from app.webhooks.models import Delivery, Webhook

webhooks = typer.Typer(
    name="webhooks", help="Who is told of answered invitations.", no_args_is_help=True
)


@webhooks.command("add")
def add(
    url: str = typer.Argument(help="Address that is told, https://…"),
    unit: str = typer.Option(None, help="Code of a unit, with all below; else all."),
    on: str = ON,
) -> None:
    """Tell an address of answered invitations, and print the secret that signs it, once."""
    if not url.startswith(("https://", "http://")) or len(url) > 500:
        raise Refused(f"{url} is no address")
    with open_database() as database, database.writing(operator()) as session:
        bound_to = unit_named(session, unit, on) if unit else None
        hook = service.add_webhook(session, url, bound_to)
        typer.echo(hook.secret)


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
            add_row(table, str(hook.id), hook.url, code or "all", f"{hook.made_at:%Y-%m-%d}", ended)
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


add_commands(
    webhooks,
    Queue(
        Delivery,
        one="telling",
        many="tellings",
        to=lambda delivery: f"{delivery.webhook_id}: {delivery.webhook.url}",
        listing="waiting",
        list_help="List what webhooks are still to be told, and what they could not be told.",
        retry_help="Tell a webhook again what it could not be told.",
        drop_help="Give up what a webhook could not be told.",
    ),
)
