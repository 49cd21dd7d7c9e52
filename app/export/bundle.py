"""An export as one ZIP: the responses, the codebook three times over, and scripts.

It leaves as it is made. CSV and Parquet need the memory of one batch, XLSX a file on the disk, SPSS
and Stata a frame whose memory is reckoned before (``app.export.labelled``).
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.audit.log import head, record
from app.db import Database
from app.export import delimited
from app.export.arrow import pa
from app.export.codebook import Codebook
from app.export.codebook_page import codebook_page
from app.export.csvw import csvw
from app.export.ddi import ddi
from app.export.formats import Format
from app.export.labelled import check_memory, write_labelled
from app.export.reading import batches
from app.export.rows import count
from app.export.scripts import python_script, r_script
from app.export.selection import Selection, Wish, select_responses
from app.export.workbook import write_workbook
from app.intake.export_ids import ExportIds
from app.registry.queries import is_synthetic
from app.settings import Settings

_PIECE = 1 << 16
_TO_COMPRESS = frozenset({Format.CSV, Format.CSV_VI, Format.SPSS, Format.STATA})


@dataclass(frozen=True)
class Prepared:
    """An export that may be made: what it is of, and its codebook."""

    selection: Selection
    book: Codebook


def prepare(
    database: Database,
    settings: Settings,
    caller: Caller,
    wish: Wish,
    form: Format,
    language: str,
    now: datetime | None = None,
) -> Prepared:
    """Look at a wish, and put into the audit log that these responses are read.

    Raises
    ------
    Problem
        Where the wish is wrong, or the format takes more memory than it is given.
    """
    with database.reading() as session:
        selection = select_responses(session, caller, wish)
        rows = count(session, selection)
        synthetic = is_synthetic(session)
    check_memory(form, rows, len(selection.columns.schema), settings.export_memory_mb)
    with database.writing(caller.name) as session:
        log_reading(session, wish, rows, form.value)
    made = now or datetime.now(UTC)
    book = Codebook.of(
        selection, form, language, made.astimezone(settings.zone), synthetic=synthetic,
        # Of very many units others' rows are counted, too.
        rows=None if selection.wanted is not None else rows,
    )  # fmt: skip
    return Prepared(selection, book)


def log_reading(session: Session, wish: Wish, rows: int | None, form: str) -> tuple[int, str]:
    """Put into the audit log which responses somebody reads: the whole wish, and in which format.

    How many is not known yet where they stream. Returns the entry's number and hash.
    """
    record(
        session,
        "responses.export",
        wish.questionnaire,
        format=form,
        version=wish.version,
        units=sorted(wish.units) or None,
        first_day=wish.first,
        last_day=wish.last,
        channels=sorted(wish.channels) or None,
        aside=wish.aside,
        responses=rows,
        texts=wish.texts,
    )
    return head(session)


def companions(book: Codebook) -> Iterator[tuple[str, bytes]]:
    """What goes with the responses, by the names of the files."""
    yield "codebook.html", codebook_page(book)
    yield "codebook.xml", ddi(book)
    yield f"{book.file}-metadata.json", csvw(book)
    yield "analysis.R", r_script(book)
    yield "analysis.py", python_script(book)


def write_whole(
    file: Path, book: Codebook, rows: Iterable[pa.RecordBatch], *, sheet_rows: int | None = None
) -> None:
    """Write a file of a format that does not stream."""
    if book.format is Format.XLSX:
        more = {} if sheet_rows is None else {"sheet_rows": sheet_rows}
        write_workbook(file, book.schema, rows, book.language, **more)
    else:
        title = book.title[book.language]
        write_labelled(book.format, file, book.schema, rows, book.language, title)


class _Outlet(io.RawIOBase):
    """Takes what a ZIP writes, to be handed on piece by piece; nothing can be sought in it."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._waiting += piece
        return len(piece)

    def taken(self) -> bytes:
        piece = bytes(self._waiting)
        self._waiting.clear()
        return piece


def stream(
    database: Database, prepared: Prepared, made: Callable[[], None] = lambda: None
) -> Iterator[bytes]:
    """The ZIP in pieces, as its responses are read.

    ``made`` is called once a file that does not stream is made, and its memory is free again.
    """
    rows = batches(database, prepared.selection, ExportIds.of(database))
    yield from packed(prepared.book, rows, made)


def packed(
    book: Codebook, rows: Iterable[pa.RecordBatch], made: Callable[[], None] = lambda: None
) -> Iterator[bytes]:
    """The ZIP of some rows in pieces; ``made`` as ``stream`` has it."""
    outlet = _Outlet()
    # Of level 1, since nobody waits for a smaller file; Parquet and XLSX are compressed themselves.
    way = zipfile.ZIP_DEFLATED if book.format in _TO_COMPRESS else zipfile.ZIP_STORED
    with zipfile.ZipFile(outlet, "w", way, compresslevel=1) as archive:
        for name, content in companions(book):
            archive.writestr(name, content)
            yield outlet.taken()
        if book.format.streams:
            # Its size is not known, so room is made for a large one.
            with archive.open(book.format.file_name, "w", force_zip64=True) as out:
                written = delimited.writer(book.format, _Sink(out), book.schema)
                for each in rows:
                    written.write(each)
                    yield outlet.taken()
                written.close()
        else:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / book.format.file_name
                write_whole(file, book, rows)
                made()
                with (
                    file.open("rb") as read,
                    archive.open(file.name, "w", force_zip64=True) as out,
                ):
                    while piece := read.read(_PIECE):
                        out.write(piece)
                        yield outlet.taken()
    yield outlet.taken()


class _Sink(io.RawIOBase):
    """A file within a ZIP that pyarrow may close as it likes, and whose place it may ask."""

    def __init__(self, out: object) -> None:
        self._out, self._at = out, 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        written: int = self._out.write(data)  # type: ignore[attr-defined]
        self._at += written
        return written

    def tell(self) -> int:
        return self._at
