"""Puts a set in the database's place: checked before, and made fit to serve before it does."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.audit.signing import WrongKeyError, public_key, record_signed
from app.backup import losses, replaying, sealing, sets, withdrawals
from app.backup.erasures import ErasureFile, of_replaced
from app.backup.losses import Losses
from app.backup.sets import Contents
from app.backup.sqlite import NAME, SqliteBackup, opened
from app.backup.stores import Checked
from app.backup.taking import kind_of, schema_of, store_of, working_folder
from app.commands import Refused, check_there, open_database
from app.db import Database
from app.db.migrate import migrate
from app.db.opening import is_known
from app.intake.models import Response
from app.retention.repeating import Erasures, Repeated
from app.retention.repeating import repeat as repeat_erasures
from app.settings import Settings


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    contents: Contents
    checked: Checked
    #: When the last answer that is there now was received.
    last_response: datetime | None
    #: None where the database that was replaced cannot be asked.
    lost: Losses | None
    #: Why it cannot.
    unknown: str
    #: What had been withdrawn since, and is again; None where nobody knows.
    withdrawn: dict[str, int] | None
    #: What had been erased by then, by rule or by wish, and is again.
    erased: Mapping[Repeated, int]
    #: Whether anybody could say what had been withdrawn by citizens.
    erasures_known: bool
    #: What a person decides about, by kind.
    held: dict[str, int]
    migrated: bool


@contextmanager
def unpacked(
    file: Path, settings: Settings, key: Path | None, tell: Callable[[str], None]
) -> Iterator[tuple[Path, Contents]]:
    """A set's files in a folder of their own, each as it was written, and what they are.

    Raises
    ------
    Refused
        For a file that is none, is damaged, is sealed for another key, or is of another store or a
        newer schema than ours.
    """
    check_there(file)
    with working_folder(settings) as work:
        folder = work / "copy"
        folder.mkdir(mode=0o700)
        try:
            if sets.changed_since_written(file):
                raise Refused(f"{file} is damaged: it is not what was written under this name")
            contents = sets.read_contents(folder, sealing.unseal(file, folder, key))
        except OSError as error:
            raise Refused(f"{file} cannot be unpacked: {error}") from error
        if contents.store != kind_of(settings):
            raise Refused(
                f"{file} is a backup of {contents.store}, and HAILONG_DATABASE_URL names "
                f"{kind_of(settings)}: restore it into its own kind, then hailong move"
            )
        if not is_known(contents.schema):
            raise Refused(
                f"{file} has the schema {contents.schema} of a later version "
                f"({contents.software}): install that one first"
            )
        made_at = contents.made_at.astimezone(settings.zone)
        tell(f"{file.name} is whole, and was made on {made_at:%d/%m/%Y %H:%M:%S}.")
        yield folder, contents


def check_set(
    file: Path, settings: Settings, key: Path | None, tell: Callable[[str], None]
) -> tuple[Contents, Checked]:
    """Restore a set into a store of its own, recount it, and compare with what it says.

    Raises
    ------
    Refused
        Where it is not good.
    """
    with unpacked(file, settings, key, tell) as (folder, contents):
        return contents, _checked(folder, contents, settings, key, tell)


def restore(
    file: Path,
    settings: Settings,
    actor: str,
    *,
    key: Path | None = None,
    until: datetime | None = None,
    replace_it: bool = False,
    start: bool = False,
    tell: Callable[[str], None] = print,
) -> Restored:
    """Put a set in the database's place.

    Raises
    ------
    Refused
        Where the set is not good, a server runs on the database, or it has answers and nobody
        said that they may be set aside. The database is as it was then.
    """
    check_there(file)
    try:
        public_key(settings)  # which signs the entry that explains it
    except WrongKeyError as error:
        raise Refused(str(error)) from error
    _check_may_replace(settings, replace_it)
    with unpacked(file, settings, key, tell) as (folder, contents):
        checked = _checked(folder, contents, settings, key, tell)
        store = store_of(settings, key=key, start=start, tell=tell)
        if isinstance(store, SqliteBackup):
            if until is not None:
                store.put_back(folder, until)  # says why it cannot
            # All is done before it takes the place: a server that is started then finds it ready.
            lost, unknown = _compared(store, folder, settings)
            erasures = _noted_beside(file, contents)
            with opened(folder) as database:
                migrate(database)
            withdrawn = withdrawals.repeat(store.file, folder / NAME) if lost else None
            if lost and withdrawals.is_same(store.file, folder / NAME):
                replaced = of_replaced(store.file)
                erasures = replaced if erasures is None else erasures | replaced
            with opened(folder) as database:
                result = _finish(
                    database, file, settings, actor, contents, checked, lost, withdrawn, erasures
                )
            try:
                with _beside(store.file, folder) as near:
                    store.put_back(near)
            except OSError as error:
                raise Refused(f"the database cannot be put in its place: {error}") from error
        else:
            lost, unknown = None, "what the server had before is kept beside its data"
            store.put_back(folder, until)
            with open_database(settings, migrates=True) as database:
                migrate(database)
                result = _finish(
                    database, file, settings, actor, contents, checked, None, None,
                    _noted_beside(file, contents),
                )  # fmt: skip
    return replace(result, unknown=unknown)


def _checked(
    folder: Path,
    contents: Contents,
    settings: Settings,
    key: Path | None,
    tell: Callable[[str], None],
) -> Checked:
    checked = store_of(settings, key=key, tell=tell).check(folder)
    faults = list(checked.faults)
    for what, found, told in (
        ("responses", checked.responses, contents.responses),
        ("last response", checked.last_response, contents.last_response),
        ("head of the audit log", checked.audit_head, contents.audit_head),
    ):
        if not faults and found != told:
            faults.append(f"its {what} should be {told}, and is {found}")
    if faults:
        raise Refused(f"the backup is not good: {'; '.join(faults)}")
    return checked


def _check_may_replace(settings: Settings, replace_it: bool) -> None:
    if kind_of(settings) != "sqlite":
        data = settings.postgres_data
        if data is not None and data.exists() and any(data.iterdir()) and not replace_it:
            raise Refused(f"{data} holds data: --replace sets them aside, and deletes nothing")
        return
    store = SqliteBackup(settings)
    if not store.file.exists():
        return
    store.check_nobody_has_it()
    if replace_it:
        return
    try:
        answers = losses.answers_in(store.file)
    except Refused as error:
        raise Refused(f"{error}; --replace sets it aside, and deletes nothing") from error
    if answers:
        raise Refused(
            f"{store.file} holds {answers} answers: --replace sets it aside, and deletes nothing"
        )


def _compared(store: SqliteBackup, folder: Path, settings: Settings) -> tuple[Losses | None, str]:
    """What the database that is there has, and the copy has not; or why nobody knows."""
    if not store.file.exists():
        return None, "there was no database in its place to compare it with"
    try:
        return losses.between(store.file, folder / NAME, settings.zone), ""
    except Refused as error:
        return None, str(error)


def _finish(
    database: Database,
    file: Path,
    settings: Settings,
    actor: str,
    contents: Contents,
    checked: Checked,
    lost: Losses | None,
    withdrawn: dict[str, int] | None,
    erasures: Erasures | None,
) -> Restored:
    """Make a restored database fit to serve.

    What was erased goes first, again and again if need be; the rest in one transaction with the
    entry that says so.
    """
    now = datetime.now(UTC)
    erased = repeat_erasures(database, settings, erasures or Erasures(), actor, now)
    with database.writing(actor, unasked=True) as session:
        last_response = session.scalar(select(func.max(Response.received_at)))
        held = replaying.hold_queues(session, now)
        replaying.replay_retention(session, now, settings)
        replaying.end_sessions(session)
        replaying.leave_versions_behind(session, now)
        entry = session.execute(
            select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)
        ).one_or_none()
        record_signed(
            session,
            settings,
            "restore",
            file.name,
            sha256=_sum(file),
            made_at=contents.made_at,
            responses=contents.responses,
            lost=lost.answers if lost else None,
            withdrawn=withdrawn and [f"{what} {number}" for what, number in withdrawn.items()],
            erased=[f"{what} {number}" for what, number in erased.items()],
            head_entry=entry.id if entry else 0,
            head=entry.hash if entry else "",
        )
        migrated = schema_of(session) != contents.schema
    return Restored(
        contents, checked, last_response, lost, "", withdrawn, erased, erasures is not None, held,
        migrated,
    )  # fmt: skip


def _noted_beside(file: Path, contents: Contents) -> Erasures | None:
    """What the file beside a set says was erased from its database."""
    return ErasureFile(file.parent).read(contents.chain)


@contextmanager
def _beside(file: Path, folder: Path) -> Iterator[Path]:
    """The finished copy on the database's own disk, where taking its place is one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_dev == file.parent.stat().st_dev:
        yield folder
        return
    with TemporaryDirectory(prefix=f".{file.name}.restoring-", dir=file.parent) as name:
        near = Path(name)
        shutil.copyfile(folder / NAME, near / NAME)
        (near / NAME).chmod(0o600)
        yield near


def _sum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
