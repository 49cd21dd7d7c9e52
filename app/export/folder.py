"""An export in a folder: it may be broken off and goes on, and later brings what is new.

CSV is one file a round (``responses-0001.csv``, then what came, changed and went since), Parquet a
folder of parts a round. What is written is on the disk before the state says so; what a broken run
wrote beyond it is cut off.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from app.access.callers import Caller
from app.audit.log import head
from app.db import Database
from app.export import delimited
from app.export.arrow import pa
from app.export.bundle import companions, log_reading
from app.export.codebook import Codebook
from app.export.cursors import Cursor, Share, begin, read_page, renewed
from app.export.formats import Format
from app.export.rows import AT_ONCE
from app.export.selection import Selection, Wish, select_responses
from app.intake.export_ids import ExportIds
from app.problems import Problem
from app.registry.queries import is_synthetic
from app.settings import Settings
from app.text_keys import TextKeys

STATE, _LOCK = "export.json", ".export.lock"


class FolderOfAnotherExport(Problem):
    """The folder has another export's files: other units, days, or another format."""

    code, status = "folder-of-another-export", 422


class FolderBusy(Problem):
    """Another export writes into the folder at this moment."""

    code, status = "folder-busy", 409


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only one that writes an export into a folder, which is made if it is not there.

    The lock is the kernel's, and goes with the process: one that was killed locks nobody out.

    Raises
    ------
    FolderBusy
        While somebody else does.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(folder / _LOCK, os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderBusy(field="folder", folder=str(folder)) from error
        yield


@dataclass
class _State:
    """How far a folder is: which round, how much of it is written, where to go on."""

    wish: str
    format: str
    cursor: str
    round: int = 1
    #: Bytes of the round's CSV, or parts of its Parquet, that count.
    written: int = 0
    rows: int = 0
    #: The names of its columns.
    columns: list[str] = field(default_factory=list)
    #: Whether the round is over, so that the next run begins one.
    over: bool = False

    def keep(self, folder: Path) -> None:
        """On the disk, whole or not at all."""
        new = folder / f".{STATE}.new"
        with new.open("w", encoding="utf-8") as out:
            json.dump(asdict(self), out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        new.replace(folder / STATE)


@dataclass(frozen=True)
class Done:
    """What a run wrote: the round, and its rows, tombstones among them."""

    round: int
    rows: int
    file: Path


def export_to_folder(
    database: Database,
    settings: Settings,
    caller: Caller,
    wish: Wish,
    form: Format,
    folder: Path,
    language: str,
    now: datetime,
    *,
    tell: Callable[[int, int], None] = lambda rows, of: None,
    page: int = AT_ONCE,
) -> Done:
    """Write a round, or go on with one that was broken off.

    ``tell`` is called after each page with the rows that were written, and of about how many.

    Raises
    ------
    Problem
        Where the wish is wrong, the folder is another export's, or another run writes into it.
    """
    with database.reading() as session:
        selection = select_responses(session, caller, wish, with_changes=True)
    with alone(folder):
        return _export(
            database, settings, caller, selection, form, folder, language, now, tell, page
        )


def _export(
    database: Database,
    settings: Settings,
    caller: Caller,
    selection: Selection,
    form: Format,
    folder: Path,
    language: str,
    now: datetime,
    tell: Callable[[int, int], None],
    page: int,
) -> Done:
    keys, ids, wish = TextKeys.of(settings), ExportIds.of(database), selection.wish
    columns = selection.columns.schema.names
    with database.reading() as session:
        state = _state(folder, selection, form)
        synthetic = is_synthetic(session)
        if state is None:
            cursor = begin(session, selection, now)
            state = _State(wish.mark, form.value, cursor.sealed(keys))
        else:
            cursor = Cursor.opened(state.cursor, keys)
            if state.over:
                cursor = renewed(session, selection, cursor, now)
                state = _State(wish.mark, form.value, cursor.sealed(keys), state.round + 1)
            elif state.columns != columns:
                # A version was published since the round was broken off: its file ends there.
                state = _State(wish.mark, form.value, state.cursor, state.round + 1)
        share = Share.of(session, selection, cursor)
        state.columns = columns
    with database.writing(caller.name) as session:
        log_reading(session, wish, None, form.value)
    files = _Files(folder, form, state, selection.columns.schema)
    made = now.astimezone(settings.zone)
    book = Codebook.of(selection, form, language, made, synthetic=synthetic, file=files.file.name)
    for name, content in companions(book):
        (folder / name).write_bytes(content)
    state.keep(folder)
    more = True
    while more:
        with database.reading() as session:
            found = read_page(session, selection, ids, cursor, now, page)
            entry = head(session)
        state.written = files.append(found.batch)
        state.rows += found.batch.num_rows
        cursor, more = found.cursor.read_at(entry), found.more
        state.cursor, state.over = cursor.sealed(keys), not more
        state.keep(folder)
        tell(state.rows, state.rows if not more else share.total(state.rows, cursor))
    with database.writing(caller.name) as session:
        log_reading(session, wish, state.rows, form.value)
    return Done(state.round, state.rows, files.file)


def _state(folder: Path, selection: Selection, form: Format) -> _State | None:
    file = folder / STATE
    if not file.exists():
        return None
    try:
        state = _State(**json.loads(file.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise FolderOfAnotherExport(field="folder", folder=str(folder)) from error
    if (state.wish, state.format) != (selection.wish.mark, form.value):
        raise FolderOfAnotherExport(field="folder", folder=str(folder))
    return state


class _Files:
    """The files of one round, cut to what counts, and appended to."""

    def __init__(self, folder: Path, form: Format, state: _State, schema: pa.Schema) -> None:
        self._form, self._schema, self._written = form, schema, state.written
        if form is Format.PARQUET:
            self.file = folder / f"responses-{state.round:04}"
            self.file.mkdir(mode=0o700, exist_ok=True)
            for part in self.file.glob("*.parquet*"):
                number = part.name.partition(".")[0]
                if not number.isdigit() or int(number) > state.written:
                    part.unlink()
        else:
            self.file = folder / f"responses-{state.round:04}.csv"
            with suppress(FileNotFoundError), self.file.open("r+b") as cut:
                cut.truncate(state.written)

    def append(self, batch: pa.RecordBatch) -> int:
        """Write a batch so that it stays; how much there is now, in bytes or parts."""
        if self._form is Format.PARQUET:
            if batch.num_rows == 0 and self._written:
                return self._written
            self._written += 1
            part = self.file / f"{self._written:06}.parquet"
            with part.open("wb") as out:
                written = delimited.ParquetWriter(out, self._schema)
                written.write(batch)
                written.close()
            with part.open("rb") as there:
                os.fsync(there.fileno())
            return self._written
        with self.file.open("ab") as out:
            vietnamese = self._form is Format.CSV_VI
            csv = delimited.CsvWriter(
                out, self._schema, vietnamese=vietnamese, appends=self._written > 0
            )
            csv.write(batch)
            csv.close()
        with self.file.open("r+b") as there:
            os.fsync(there.fileno())
        self._written = self.file.stat().st_size
        return self._written
