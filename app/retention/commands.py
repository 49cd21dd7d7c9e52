"""Commands on what is kept no longer: ``hailong retention``."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import typer

from app.clock import ServerClock
from app.commands import Refused, open_database, operator_or_schedule, progress
from app.db import Database
from app.retention.deleting import preview, run, undecided_batches
from app.retention.limits import Limits, Sort
from app.settings import Settings

retention = typer.Typer(
    help="Delete what is kept no longer, by the settings; sums and figures stay.",
    no_args_is_help=True,
)
#: Each sort in words, and the setting that says how long it is kept.
_WORDS = {
    Sort.TEXTS: ("texts", "HAILONG_KEEP_TEXTS_MONTHS"),
    Sort.RESPONSES: ("single responses", "HAILONG_KEEP_RESPONSES_MONTHS"),
    Sort.ASIDE: ("bodies that devices were refused", "HAILONG_KEEP_ASIDE_MONTHS"),
    Sort.INVITATIONS: ("invitations to be traced no more", "HAILONG_KEEP_INVITATIONS_MONTHS"),
    Sort.DEAD_LETTERS: ("dead letters", "HAILONG_DEAD_LETTER_DAYS"),
}


@retention.callback()
def _retention() -> None:
    """Delete what is kept no longer, by the settings; sums and figures stay."""


@retention.command("run")
def run_now(
    only_preview: bool = typer.Option(
        False, "--preview", help="Say how many of what would go, and change nothing."
    ),
    gently: bool = typer.Option(False, "--gently", hidden=True),
) -> None:
    """Delete what is kept no longer. Safe beside answers, and to be run again after any end."""
    if gently:
        os.nice(15)
    settings = Settings()
    limits = Limits.of(settings, datetime.now(UTC))
    with open_database(settings) as database:
        with database.reading() as session:
            due = preview(session, limits)
            undecided = undecided_batches(session, limits)
        if only_preview:
            for each in due:
                words, setting = _WORDS[each.sort]
                found = f"{each.number} before {each.first}" if each.first else "kept for good"
                typer.echo(f"{words}: {found} ({setting})")
            if undecided:
                typer.echo(
                    f"{undecided} batches of these months are set aside and not decided on: their "
                    "responses would stay set aside for ever (hailong integrity batches)"
                )
            typer.echo("nothing was deleted (--preview)")
            return
        _check_clock(database, settings)
        with progress() as bar:
            tasks = {
                each.sort: bar.add_task(_WORDS[each.sort][0], total=each.number)
                for each in due
                if each.number
            }

            def tell(sort: Sort, number: int) -> None:
                if sort in tasks:
                    bar.advance(tasks[sort], number)

            done = run(database, settings, operator_or_schedule(scheduled=gently), tell=tell)
    gone = [f"{n} {_WORDS[sort][0]}" for sort, n in done.numbers.items() if n]
    typer.echo(f"deleted: {', '.join(gone)}" if gone else "nothing was kept too long")
    if done.left_figures:
        typer.echo(f"{done.left_figures} responses withdrawn before left the figures together")
    if done.partitions:
        typer.echo(f"empty partitions dropped: {', '.join(done.partitions)}")


def _check_clock(database: Database, settings: Settings) -> None:
    """Raise ``Refused`` where the calendar cannot be believed: what is deleted by it is gone."""
    clock = ServerClock(database, settings.clock_tolerance_s, settings.clock_gap_days)
    clock.begin()
    if clock.look() is not None:
        raise Refused(
            "nothing is deleted, for the clock is in doubt: see hailong clock show; where it is "
            "right, hailong clock confirm"
        )
