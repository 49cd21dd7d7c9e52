"""Commands on SMS that wait."""

from __future__ import annotations

import typer

from app.dead_letter_commands import Queue, add_commands
from app.invitations.models import SmsMessage

sms = typer.Typer(name="sms", help="SMS that wait, or could not be sent.", no_args_is_help=True)
add_commands(
    sms,
    Queue(
        SmsMessage,
        one="SMS",
        many="SMS",
        to=lambda message: f"…{message.phone[-3:]}",
        listing="list",
        list_help="""List SMS that are not sent yet; of a number the last three digits are shown.

        One that is "unconfirmed" was taken by a process to hand it over. If it stays so for some
        minutes, that process died meanwhile: nobody knows whether the citizen has it, so it is not
        sent again unless you say so. The same holds for "unsure": the gateway gave no good answer.
        """,
        retry_help="Send a dead letter again; if unconfirmed or unsure, its citizen may have it "
        "already.",
        drop_help="Give up an SMS that could not be sent, and forget its number.",
    ),
)
