"""The commands ``hailong backup`` and ``hailong restore``."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from app.backup import sealing, sets
from app.backup.losses import Losses
from app.backup.restoring import Restored, check_set
from app.backup.restoring import restore as restore_set
from app.backup.taking import make_set, on_one_disk
from app.backup.wal_commands import fetch_wal, keep_wal
from app.commands import Refused, check_there, operator, say_beside
from app.retention.repeating import Repeated
from app.settings import Settings
from app.text_keys import key_file

#: Of lost answers, how many lines are told.
_MOST_LINES = 30
#: What was withdrawn again, in words.
_WITHDRAWN = {
    "keys": "keys revoked",
    "accounts": "accounts ended",
    "passwords": "passwords taken away that are others now (hailong accounts reset)",
    "roles": "roles taken away",
    "codes": "codes of points replaced",
    "points": "points revoked",
    "webhooks": "webhooks ended",
    "sms": "SMS sent or dropped",
    "deliveries": "tellings of webhooks made or dropped",
}


#: What was erased again, in words.
_ERASED = {
    Repeated.WITHDRAWN: "responses that their citizens had withdrawn",
    Repeated.TEXTS_WITHDRAWN: "responses' texts that their citizens had withdrawn",
    Repeated.RESPONSES: "responses kept no longer",
    Repeated.TEXTS: "texts kept no longer",
}


class _TakeByDefault(TyperGroup):
    """``hailong backup`` and ``hailong backup FOLDER`` make one: no more to type than by ``cp``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name where none stands."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["take", *args]
        return super().parse_args(ctx, args)


backup = typer.Typer(
    cls=_TakeByDefault,
    help="Make a backup: hailong backup [FOLDER]. Further commands look after backups.",
)

_FOLDER = typer.Argument(None, help="Where backups go; else HAILONG_BACKUP_FOLDER.")
_GENTLY = typer.Option(False, "--gently", hidden=True)
_FILE = typer.Argument(help="A file that hailong backup made.")
_KEY = typer.Option(None, help="File with the private key, as hailong backup key printed it.")
_UNTIL = typer.Option(
    None, help="PostgreSQL with an archive of its journal: the moment to go back to."
)
_REPLACE = typer.Option(False, "--replace", help="Set aside the database that is there.")
_START = typer.Option(False, "--start", help="PostgreSQL: start the server, too.")


@backup.command("take")
def take(folder: Path | None = _FOLDER, gently: bool = _GENTLY) -> None:
    """Make a backup: copied, restored elsewhere and recounted, then packed and sealed."""
    settings = Settings()
    place = _folder(folder, settings)
    if gently:
        os.nice(15)
    made = make_set(settings, place, tell=say_beside)
    held = made.contents
    when = _local(held.made_at, settings)
    if not made.is_new:
        typer.echo(f"Nothing has changed since {made.file.name} of {when}; no new one was made.")
        return
    typer.echo(
        f"{made.file} ({made.file.stat().st_size / 1e6:.1f} MB): {held.responses} responses, the "
        f"last of {_local(held.last_response, settings)}; restored, recounted, all right."
    )
    for gone in made.gone:
        typer.echo(f"{gone.name} went by HAILONG_BACKUP_KEEP.")
    if on_one_disk(settings, place):
        say_beside(
            "It lies on the disk of the database: one fault takes both. Is another disk meant to "
            "be mounted there?"
        )
    if not settings.backup_keys:
        say_beside("It is NOT SEALED: whoever gets this file reads every answer.")


@backup.command("key")
def key() -> None:
    """Make a pair of keys, and print the private one this once: on paper, into a safe."""
    public, private = sealing.make_key()
    typer.echo(f"# Hài Lòng, backups, {datetime.now(UTC):%Y-%m-%d}")
    typer.echo(f"# public key: {public}")
    typer.echo(private)
    say_beside(
        f"Set HAILONG_BACKUP_KEYS={public} (several, separated by commas). Keep the three lines "
        "above on paper or another machine, never on this one: they are not shown again, and "
        "without them no backup can be opened."
    )


@backup.command("list")
def list_sets(folder: Path | None = _FOLDER) -> None:
    """List backups, the newest first, and whether each file is still what was written."""
    settings = Settings()
    for each in sets.sets_in(_folder(folder, settings)):
        held = each.contents
        holds = (
            f"{held.responses} responses to {_local(held.last_response, settings)}"
            if held
            else "what it holds is not noted"
        )
        typer.echo(
            f"{each.file.name}  {_local(each.made_at, settings)}  {holds}  "
            f"{each.file.stat().st_size / 1e6:.1f} MB  {'sealed' if each.sealed else 'NOT SEALED'}"
            f"  {'whole' if each.is_whole() else 'DAMAGED'}"
        )


@backup.command("check")
def check(file: Path = _FILE, key: Path | None = _KEY) -> None:
    """Restore a backup into a store of its own and recount it; the database is not touched."""
    settings = Settings()
    check_there(file)
    if key is None and sealing.is_sealed(file):
        if sets.changed_since_written(file):
            raise Refused(f"{file} is damaged: it is not what was written under this name")
        raise Refused(
            f"{file} is what was written, as far as its bytes tell; what it holds is sealed: name "
            "the file of the private key with --key"
        )
    held, checked = check_set(file, settings, key, say_beside)
    typer.echo(
        f"{file.name} is good: {checked.responses} responses, the last of "
        f"{_local(held.last_response, settings)}; cells equal a recount, {checked.audit_entries} "
        "entries of the audit log follow from one another."
    )


backup.command("keep-wal")(keep_wal)
backup.command("fetch-wal")(fetch_wal)


def restore(
    file: Path = _FILE,
    key: Path | None = _KEY,
    until: datetime | None = _UNTIL,
    replace: bool = _REPLACE,
    start: bool = _START,
) -> None:
    """Put a backup in the database's place; what is there is set aside, never deleted."""
    settings = Settings()
    done = restore_set(
        file, settings, operator(), key=key, until=until, replace_it=replace, start=start,
        tell=typer.echo,
    )  # fmt: skip
    _tell_of(done, settings)


def _tell_of(done: Restored, settings: Settings) -> None:
    last = _local(done.last_response, settings)
    typer.echo(f"Restored: the last answer is of {last}. It can be served now (hailong serve).")
    if done.migrated:
        typer.echo("It was brought to the schema of this software.")
    if done.lost is None:
        typer.echo(
            f"Lost is everything after {last}; how much that is, nobody can say here "
            f"({done.unknown})."
        )
    else:
        _tell_losses(done.lost, settings)
    if done.withdrawn is None:
        typer.echo(
            "Keys, accounts, roles and codes that were revoked since the backup are good again: "
            "look at hailong keys list, hailong accounts list and hailong points list."
        )
    elif done.withdrawn:
        told = ", ".join(f"{number} {_WITHDRAWN[it]}" for it, number in done.withdrawn.items())
        typer.echo(f"Withdrawn again, as since the backup: {told}.")
    if done.erased:
        told = ", ".join(f"{number} {_ERASED[it]}" for it, number in done.erased.items())
        typer.echo(f"Erased again, as by now: {told}.")
    if not done.erasures_known:
        typer.echo(
            "What citizens withdrew since the backup is there again: nobody knows here what it was."
        )
    for name, number in done.held.items():
        if number:
            typer.echo(
                f"{number} {name} that waited may have been sent since, so they wait for you: "
                "see hailong sms list, hailong webhooks waiting."
            )
    keys = key_file(settings)
    typer.echo(
        "Keys of comments are in no backup: "
        + (
            f"{keys} is here, and names of staff in comments are read by it if it was theirs."
            if keys.exists()
            else f"{keys} is not here. Put it back, or names of staff in comments stay masked; "
            "nothing else is missing without it."
        )
    )
    typer.echo("Everybody signs in anew; devices send again what they kept.")
    age = datetime.now(UTC) - done.contents.made_at
    if age.days >= settings.clock_gap_days:
        typer.echo(
            "The backup is older than HAILONG_CLOCK_GAP_DAYS: the server will doubt its clock "
            "until you say hailong clock confirm."
        )


def _tell_losses(lost: Losses, settings: Settings) -> None:
    if not lost.hours:
        typer.echo("No answer is lost: the database that was there had none besides.")
    else:
        typer.echo(f"Lost are {lost.answers} answers that the database set aside still has:")
        for each in lost.hours[:_MOST_LINES]:
            typer.echo(f"  {each.hour:%d/%m/%Y %H:00}  {each.unit}, {each.point}: {each.answers}")
        if len(lost.hours) > _MOST_LINES:
            typer.echo(f"  and {len(lost.hours) - _MOST_LINES} more lines")
    if lost.changes:
        made = ", ".join(f"{action} {number}" for action, number in lost.changes.items())
        typer.echo(f"Lost are these changes, to be made again where they still hold: {made}")


def _folder(given: Path | None, settings: Settings) -> Path:
    folder = given or settings.backup_folder
    if folder is None:
        raise Refused("name a folder, or set HAILONG_BACKUP_FOLDER")
    return folder


def _local(moment: datetime | None, settings: Settings) -> str:
    return f"{moment.astimezone(settings.zone):%d/%m/%Y %H:%M:%S}" if moment else "–"
