"""Reports written into a folder: what is there already is not made again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from app.access.callers import Caller
from app.db import Database
from app.messages import Language
from app.problems import Problem
from app.reports.documents.contents import Report, gather
from app.reports.documents.pdf import pdf
from app.reports.documents.workbook import workbook
from app.reports.views.context import Chosen
from app.settings import Settings


class Kind(StrEnum):
    """As what a report is written."""

    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"

    @property
    def media(self) -> str:
        """Its media type."""
        return _MEDIA[self]

    def write(self, report: Report) -> bytes:
        """A report as a file of this kind."""
        return _WRITERS[self](report)


def _editable(report: Report) -> bytes:
    # What writes DOCX takes 16 MB of each process that has loaded it: those that write none do not.
    from app.reports.documents.editable import editable

    return editable(report)


_OFFICE = "application/vnd.openxmlformats-officedocument"
_MEDIA = {
    Kind.PDF: "application/pdf",
    Kind.DOCX: f"{_OFFICE}.wordprocessingml.document",
    Kind.XLSX: f"{_OFFICE}.spreadsheetml.sheet",
}
_WRITERS: dict[Kind, Callable[[Report], bytes]] = {
    Kind.PDF: pdf, Kind.DOCX: _editable, Kind.XLSX: workbook
}  # fmt: skip


@dataclass(frozen=True)
class Order:
    """One report that is wanted: about which unit, and as what."""

    unit: str
    questionnaire: str
    period: str
    kinds: Sequence[Kind]
    language: Language = "vi"

    def file(self, folder: Path, kind: Kind) -> Path:
        """Where it is written; its name says all that it was ordered by."""
        name = f"{self.unit}-{self.questionnaire}-{self.period}-{self.language}.{kind.value}"
        return folder / self.period / name.replace("..", "_")


@dataclass(frozen=True)
class Outcome:
    """What came of an order: its files, those of them that are new, or why there are none.

    A ``problem`` is why there is nothing to report on; an ``error`` is a fault of this one report,
    or of the disk.
    """

    order: Order
    files: Sequence[Path]
    new: Sequence[Path]
    problem: Problem | None = None
    error: Exception | None = None


def make(
    database: Database,
    caller: Caller,
    settings: Settings,
    orders: Sequence[Order],
    folder: Path,
    tell: Callable[[Outcome], None] = lambda outcome: None,
) -> Iterator[Outcome]:
    """Write what was ordered and is not there yet; a file stands there whole or not at all."""
    for order in orders:
        files = [order.file(folder, kind) for kind in order.kinds]
        missing = [
            (kind, file) for kind, file in zip(order.kinds, files, strict=True) if not file.exists()
        ]
        outcome = Outcome(order, files, [])
        if missing:
            chosen = Chosen(order.unit, order.questionnaire, order.period)
            try:
                with database.reading() as session:
                    report = gather(session, caller, settings, chosen, order.language)
                for kind, file in missing:
                    _write(file, kind.write(report))
                outcome = Outcome(order, files, [file for _, file in missing])
            except Problem as problem:
                outcome = Outcome(order, [], [], problem)
            except SQLAlchemyError:
                raise
            except Exception as error:  # noqa: BLE001 - the others are made, whatever it is
                outcome = Outcome(order, [], [], error=error)
        tell(outcome)
        yield outcome


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(file.suffix + f".{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    except OSError:  # on a full disk a part of a file takes what room there is
        part.unlink(missing_ok=True)
        raise
