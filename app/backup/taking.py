"""Makes a set: copied, restored elsewhere and recounted, packed, sealed, and read again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import func, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from app import RELEASE
from app.audit.models import AuditEntry
from app.backup import sealing, sets
from app.backup.durable import sync
from app.backup.erasures import ErasureFile, chain_of
from app.backup.postgres import Origin, PostgresBackup
from app.backup.sets import CONTENTS, FORMAT, Contents, Notes
from app.backup.sqlite import SqliteBackup
from app.backup.stores import Checked, StoreBackup
from app.backup.thinning import read_rule, superfluous
from app.backup.wal import WalArchive
from app.commands import Refused, check_there, open_database
from app.db import Base
from app.invitations.models import Invitation
from app.rollups.version import version
from app.settings import Settings

#: What changes by itself, or is not worth a backup: who is signed in, what is counted for limits.
_FLEETING = {
    "access_token", "account_session", "clock_note", "daily_salt", "device_status", "pairing_code",
    "password_link", "rate_bucket", "rate_count", "retention_note", "rollup_version",
    "sign_in_attempt",
}  # fmt: skip
_PARTIAL, _WORK = ".part-", "hailong-backup-"
_CHECKED = (
    "restored into a fresh store", "every page read", "cells equal a recount of all responses",
    "the audit log follows from its beginning",
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """What came of an attempt."""

    #: The new set, or the newest one where nothing had changed since.
    file: Path
    contents: Contents
    is_new: bool
    #: Sets that went by the rule.
    gone: tuple[Path, ...] = ()


def store_of(
    settings: Settings,
    *,
    key: Path | None = None,
    start: bool = False,
    tell: Callable[[str], None] = print,
) -> StoreBackup:
    """How the store of the settings is copied."""
    if kind_of(settings) == "sqlite":
        return SqliteBackup(settings, tell=tell)
    return PostgresBackup(settings, key=key, start=start, tell=tell)


def kind_of(settings: Settings) -> str:
    """``sqlite`` or ``postgresql``."""
    return make_url(settings.database_url).get_backend_name()


def make_set(settings: Settings, folder: Path, tell: Callable[[str], None] = print) -> Made:
    """Make a set of the live database, unless nothing changed since the newest one.

    Raises
    ------
    Refused
        Where it cannot be made: nothing of it is left then, and older sets are as they were.
    """
    check_keys(settings)
    read_rule(settings.backup_keep)
    with sets.alone(folder):
        try:
            return _make(settings, folder, tell)
        except (Refused, OSError) as error:
            failure = (
                str(error)
                if isinstance(error, Refused)
                else f"the backup cannot be made: {error}; no half of one is left"
            )
            with suppress(OSError):  # the disk that is full cannot hold this either
                notes = Notes.read(folder)
                notes.failed_at, notes.failure = datetime.now(UTC), failure
                notes.write(folder)
            raise Refused(failure) from error


def _make(settings: Settings, folder: Path, tell: Callable[[str], None]) -> Made:
    for left in folder.glob(f"{_PARTIAL}*"):
        left.unlink()
    made_at = datetime.now(UTC)
    store = store_of(settings, tell=tell)
    state, chain, schema = _look_at(settings)
    newest = next(iter(sets.sets_in(folder)), None)
    if newest and newest.contents and newest.contents.state == state and newest.is_whole():
        notes = Notes.read(folder)
        notes.good_at = made_at
        notes.write(folder)
        return Made(newest.file, newest.contents, is_new=False)
    _keep_erasures(settings, folder)
    with working_folder(settings) as work:
        copy = work / "copy"
        copy.mkdir(mode=0o700)
        store.take(copy)
        if isinstance(store, PostgresBackup):
            # By this moment the archive of the journal knows the copy.
            made_at = Origin.read(copy).began_at
        checked = store.check(copy)
        if checked.faults:
            raise Refused(
                f"the copy is not good, so it is not kept: {'; '.join(checked.faults)}. Look into "
                "the database itself: hailong rollups verify, hailong audit verify"
            )
        contents = _contents(settings, checked, made_at, schema, chain, state, sets.sums_of(copy))
        written = json.dumps(contents.written(), indent=1, ensure_ascii=False)
        (copy / CONTENTS).write_text(written, encoding="utf-8")
        file = _sealed(copy, [CONTENTS, *contents.files], folder, contents, settings)
    _note(folder, file, contents)
    try:
        gone = _thin(settings, folder, contents)
    except OSError as error:
        raise Refused(f"{file} is made, and good; but older ones cannot go: {error}") from error
    return Made(file, contents, is_new=True, gone=gone)


def _keep_erasures(settings: Settings, folder: Path) -> None:
    """Note beside the sets what was erased by now, so that no older set brings it back."""
    with open_database(settings, migrates=True) as database, database.reading() as session:
        if "erased_response" in inspect(session.connection()).get_table_names():
            ErasureFile(folder).keep(session)


def _look_at(settings: Settings) -> tuple[str, str, str]:
    """The live database's state, the name of its audit log and its schema."""
    file = make_url(settings.database_url).database
    if kind_of(settings) == "sqlite":
        check_there(Path(file or ""))  # whoever opens one that is not there makes it
    try:
        # One of an older version is best backed up before it is migrated.
        with (
            open_database(settings, migrates=True) as database,
            database.reading() as session,
        ):
            state = state_of(session, settings.backup_keys)
            return state, chain_of(session), schema_of(session)
    except DatabaseError as error:
        raise Refused(f"the database cannot be read: {error.orig}") from error


def state_of(session: Session, keys: Sequence[str]) -> str:
    """A sum over all that a backup is for, and for whom: the same one means that nothing changed.

    Every change of a response or cell raises the figures' version, every change by people and
    keys is an entry of the audit log; of what else there is, rows are counted.
    """
    there = set(inspect(session.connection()).get_table_names())
    counts = {
        name: session.scalar(select(func.count()).select_from(table))
        for name, table in sorted(Base.metadata.tables.items())
        if name in there and name not in _FLEETING
    }
    head = session.scalar(select(AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1))
    answered = session.scalar(
        select(func.count()).select_from(Invitation).where(Invitation.answered)
    )
    # Whoever names another key, or the first one, wants what that one opens.
    known = [counts, head, answered, version(session), schema_of(session), sorted(keys)]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def on_one_disk(settings: Settings, folder: Path) -> bool:
    """Whether backups lie where a SQLite database does, as under a disk that is not mounted."""
    file = make_url(settings.database_url).database
    if kind_of(settings) != "sqlite" or not file or not folder.exists():
        return False
    return Path(file).exists() and Path(file).stat().st_dev == folder.stat().st_dev


@contextmanager
def working_folder(settings: Settings) -> Iterator[Path]:
    """A folder for what is not sealed yet, or not any more; it goes with all that is in it.

    It lies beside the database, or where the settings say, and not among the sets: these may be
    on a disk that others get to see.
    """
    place = settings.backup_work
    file = make_url(settings.database_url).database
    if place is None and kind_of(settings) == "sqlite" and file:
        place = Path(file).resolve().parent
    try:
        if place is not None:
            place.mkdir(parents=True, exist_ok=True)
            _remove_left(place)
        work = Path(mkdtemp(prefix=f"{_WORK}{os.getpid()}-", dir=place))
    except OSError as error:
        raise Refused(f"there is no place to work in: {error}") from error
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _remove_left(place: Path) -> None:
    """Remove what killed processes left: it is not sealed."""
    for left in place.glob(f"{_WORK}*-*"):
        owner = left.name.removeprefix(_WORK).partition("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(left, ignore_errors=True)


def check_keys(settings: Settings) -> None:
    """Raise ``Refused`` where there is nobody to seal for, and nobody said that this is meant."""
    sealing.recipients_of(settings.backup_keys)
    if not settings.backup_keys and not settings.backup_unsealed:
        raise Refused(
            "there is no key to seal the backup for: make a pair (hailong backup key), and name "
            "its public half in HAILONG_BACKUP_KEYS. Or set HAILONG_BACKUP_UNSEALED=true: then "
            "whoever gets the file reads every answer"
        )


def _contents(
    settings: Settings, checked: Checked, made_at: datetime, schema: str, chain: str, state: str,
    files: dict[str, str],
) -> Contents:  # fmt: skip
    return Contents(
        FORMAT, kind_of(settings), RELEASE, schema, made_at, checked.responses,
        checked.last_response, checked.audit_entries, checked.audit_head, chain, state, files,
        _CHECKED,
    )  # fmt: skip


def _sealed(
    copy: Path, names: list[str], folder: Path, contents: Contents, settings: Settings
) -> Path:
    """Write the set under another name, durably, read it again, and only then name it."""
    part = folder / f"{_PARTIAL}{os.getpid()}"
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            digest = sealing.seal(copy, names, stream, settings.backup_keys)
            stream.flush()
            os.fsync(stream.fileno())
        if sealing.sum_of(part) != digest:
            raise Refused("the disk gives back other bytes than were written: do not trust it")
        sealed = bool(settings.backup_keys)
        file = folder / sets.name_of(contents.made_at, digest, sealed=sealed)
        part.rename(file)
        sync(folder)
    finally:
        part.unlink(missing_ok=True)
    return file


def _note(folder: Path, file: Path, contents: Contents) -> None:
    notes = Notes.read(folder)
    there = {each.file.name for each in sets.sets_in(folder)}
    notes.contents = {name: told for name, told in notes.contents.items() if name in there}
    notes.contents[file.name] = contents.written()
    notes.good_at, notes.failed_at, notes.failure = contents.made_at, None, ""
    notes.write(folder)


def _thin(settings: Settings, folder: Path, contents: Contents) -> tuple[Path, ...]:
    """Remove what the rule does not keep, of this database alone.

    Where a database was lost and begun anew, its sets are the only ones: the new one's do not
    count instead of them.
    """
    ours = [
        each for each in sets.sets_in(folder)
        if each.contents is not None and each.contents.chain == contents.chain
    ]  # fmt: skip
    going = superfluous(ours, read_rule(settings.backup_keep), settings.zone)
    for each in going:
        each.file.unlink()
    if going:
        sync(folder)
    if going and contents.store == "postgresql" and settings.wal_folder is not None:
        oldest = min(each.made_at for each in set(ours) - set(going))
        WalArchive(settings).tidy(oldest)
    return tuple(each.file for each in going)


def schema_of(session: Session) -> str:
    """The version of a database's schema."""
    return str(session.scalar(text("SELECT version_num FROM alembic_version")) or "")
