"""What is kept beside the database, and leaves this machine: keys, backups, journal, heads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

from sqlalchemy.engine import make_url

from app.audit.destinations import destinations, kept_here
from app.audit.heads import files_with_heads, read_heads
from app.audit.signing import WrongKeyError, public_key
from app.audit.verifying import compare
from app.backup.schedule import backup_state
from app.backup.wal import archive_lag
from app.commands import Refused
from app.db import Database
from app.doctor.findings import Finding, look, well, wrong
from app.intake.remasking import unreadable, waiting
from app.private_files import open_to_others
from app.settings import Settings
from app.text_keys import TextKeys, TextKeysUnusableError

#: So many full segments of the journal may wait before somebody should look.
_MANY_SEGMENTS = 8


def text_keys(settings: Settings) -> Iterator[Finding]:
    """Whether the keys of comments are there, their owner's alone, and those of what is stored."""
    keys = TextKeys.of(settings)
    if not keys.file.exists():
        yield look(
            "keys of comments", f"{keys.file} is not there",
            "Put it back from where you keep it apart, or start the server, which makes another: "
            "names of staff in comments of before stay masked then.",
        )  # fmt: skip
        return
    if open_to_others(keys.file):
        yield wrong(
            "keys of comments", f"others may read {keys.file}", f"chmod 600 {keys.file}"
        )  # fmt: skip
    try:
        keys.keys(make=False)
    except TextKeysUnusableError as error:
        yield wrong(
            "keys of comments", str(error),
            "Mend its owner, or put the file back: names of staff in new comments are lost "
            "meanwhile, and no answer is.",
        )  # fmt: skip
        return
    with closing(Database(settings.database_url)) as database, database.reading() as session:
        strange = unreadable(session, keys)
        old = waiting(session)
    if strange:
        yield look(
            "keys of comments", f"{strange} comments were encrypted by keys that are not there",
            f"Put the file of keys that they were encrypted by in the place of {keys.file}; else "
            "names of staff in them stay masked.",
        )  # fmt: skip
    elif old:
        yield look(
            "keys of comments", f"{old} comments are stored as an older version took them",
            "hailong masking run",
        )  # fmt: skip
    else:
        yield well("keys of comments", f"{keys.file} has them")


def journal(settings: Settings) -> Iterator[Finding]:
    """Whether PostgreSQL's journal leaves this machine while it is written."""
    if make_url(settings.database_url).get_backend_name() == "sqlite":
        return
    lag = archive_lag(settings)
    if not lag.archives:
        yield look(
            "journal", "PostgreSQL archives none: what came since the last backup can be lost",
            "Set archive_mode and archive_command: docs/backup.md, PostgreSQL",
        )  # fmt: skip
    elif lag.failing:
        yield wrong(
            "journal", f"{lag.last_failed} could not be archived, {lag.waiting} wait",
            "Read PostgreSQL's log; its disk fills up meanwhile.",
        )  # fmt: skip
    elif lag.waiting > _MANY_SEGMENTS:
        yield look(
            "journal", f"{lag.waiting} segments wait to be archived",
            "Look whether the archive's disk is slow or gone.",
        )  # fmt: skip
    else:
        yield well("journal", f"archived up to {lag.last_archived}")


def backups(settings: Settings) -> Iterator[Finding]:
    """Whether backups are made, and the last good one is young enough."""
    if settings.backup_folder is None:
        yield look(
            "backups", "none are made: what is lost with this machine is lost",
            "Set HAILONG_BACKUP_FOLDER and HAILONG_BACKUP_AT: docs/backup.md",
        )  # fmt: skip
        return
    try:
        state = backup_state(settings, datetime.now(UTC))
    except Refused as refused:
        yield wrong("backups", str(refused), "Bring the folder back: docs/backup.md")
        return
    assert state is not None
    good = "none" if state.last_good is None else f"{state.last_good:%Y-%m-%d %H:%M} UTC"
    if state.failed_at is not None:
        yield wrong(
            "backups", f"the last one failed: {state.failure}; the last good one: {good}",
            "Mend what it says, then: hailong backup",
        )  # fmt: skip
    elif state.too_old:
        yield wrong(
            "backups", f"the last good one is too old: {good}",
            "Make one now (hailong backup), and set HAILONG_BACKUP_AT.",
        )  # fmt: skip
    else:
        yield well("backups", f"the last good one: {good}")


def heads(settings: Settings) -> Iterator[Finding]:
    """Whether heads of the audit log leave this machine, and the log agrees with those at hand."""
    if not destinations(settings):
        yield look(
            "audit log", "no head of it leaves: who writes to the database can rewrite it",
            "Set HAILONG_AUDIT_HEADS and HAILONG_AUDIT_KEY.",
        )  # fmt: skip
        return
    try:
        public = public_key(settings)
    except WrongKeyError as error:
        yield wrong("audit log", str(error), "Mend HAILONG_AUDIT_KEY: heads do not leave.")
        return
    if public is None:
        yield look(
            "audit log", "heads leave unsigned", "Make a key (hailong audit key), and name it."
        )
    known = [
        head
        for place in kept_here(settings)
        if place.exists()
        for file in files_with_heads(place)
        for head in read_heads(file.read_text("utf-8"))
    ]
    with closing(Database(settings.database_url)) as database, database.reading() as session:
        found = compare(session, known, [public] if public else [])
    for sentence in found.wrong:
        yield wrong("audit log", sentence, "hailong audit verify")
    if not found.wrong:
        yield well("audit log", f"confirmed by heads up to entry {found.confirmed}")
