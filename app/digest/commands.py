"""Commands on the digest: ``hailong digest``."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime

import typer
from sqlalchemy import select

from app.access.models import Account
from app.clock import local_today
from app.commands import Refused, open_database
from app.digest.contents import gather, head_of, month_over
from app.digest.sending import reader, send_due
from app.digest.writing import subject, text
from app.figures import periods
from app.messages import house_language
from app.messages.words import Words
from app.problems import Problem
from app.settings import Settings

digest = typer.Typer(
    help="The mail that heads have of the month that is over: showing it, sending what is due.",
    invoke_without_command=True,
)


@digest.callback()
def look(
    context: typer.Context,
    preview: str = typer.Option(
        None, help="Code of a unit, as its head would have it, or an account's e-mail address."
    ),
    month: str = typer.Option(None, help="As 2026-10; else the last one that is over."),
    language: str = typer.Option(None, help="vi or en; else the account's, or vi."),
) -> None:
    """Print the digest of a unit or an account; nothing is sent, nor noted."""
    if context.invoked_subcommand is not None:
        return
    if preview is None:
        raise Refused("whose? name a unit or an e-mail address with --preview, or say 'send'")
    if language not in (None, "vi", "en"):
        raise Refused(f"no such language: {language}")
    settings = Settings()
    with open_database(settings) as database, database.reading() as session:
        try:
            over = month_over(local_today(settings.zone))
            first = periods.span(month).first.replace(day=1) if month else over
            if first > over:
                raise Refused(f"{month} is not over: a digest is of a month that is")
            if "@" in preview:
                account = session.scalar(
                    select(Account).where(Account.email == preview.strip().lower())
                )
                if account is None:
                    raise Refused(f"no account has the address {preview}")
                whose = reader(session, settings, account)
                if language:
                    whose = replace(whose, words=Words(house_language(language)))
            else:
                whose = head_of(session, preview, Words(house_language(language or "vi")))
            found = gather(session, settings, whose, first)
        except Problem as problem:
            raise Refused(problem.detail("en")) from problem
    if not found.sections:
        raise Refused("there is nothing to tell: no unit that is headed or watched has figures")
    typer.echo(f"Subject: {subject(found)}\n")
    typer.echo(text(settings, found).rstrip())
    _tell_of_links(settings)


@digest.command("send")
def send(gently: bool = typer.Option(False, "--gently", hidden=True)) -> None:
    """Mail the digests that are due now; a server does it by itself."""
    if gently:
        os.nice(10)
    settings = Settings()
    with open_database(settings) as database:
        if not settings.mail_server:
            raise Refused("no mail server is set: HAILONG_MAIL_SERVER")
        _tell_of_links(settings)
        done = send_due(database, settings, datetime.now(UTC))
    typer.echo(f"{done.taken} digests mailed, {done.refused} refused")
    if done.away:
        raise Refused("the mail server is away; the others are mailed when it is back")
    if done.refused:
        raise Refused(f"{done.refused} were refused; they are tried again by themselves")


def _tell_of_links(settings: Settings) -> None:
    if not settings.public_url:
        typer.echo("HAILONG_PUBLIC_URL is not set: the links lead nowhere from a mail", err=True)
