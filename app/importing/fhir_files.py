"""Imports a file of FHIR: a QuestionnaireResponse, a Bundle, or one a line (NDJSON)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from app.db import Database
from app.importing import journal
from app.importing.fhir_bundles import Entry, of_file
from app.importing.fhir_reading import FhirReader, Ready, placed
from app.importing.files import check
from app.importing.journal import FileMark
from app.importing.service import SHOWN, Imported, ShownRow, WrongRow, shown_row
from app.intake.history import History, Known
from app.intake.prepared import Outcome, Prepared
from app.intake.refusals import ConflictingResponse, DayDeleted
from app.problems import FieldError, Problem
from app.settings import Settings
from app.text_keys import TextKeys

_GROUP = 500
_SOURCE = "FHIR"
_BEGINS = (b"{", b"\xef\xbb\xbf{")


def is_fhir(file: Path) -> bool:
    """Whether a file holds documents of JSON."""
    with file.open("rb") as stream:
        return stream.read(4096).lstrip().startswith(_BEGINS)


class FhirImport:
    """One file; each run reads it anew. ``point`` is the code of what names none.

    Raises
    ------
    WrongTable
        For a file that is too large.
    """

    def __init__(self, database: Database, settings: Settings, file: Path, point: str) -> None:
        check(file, file.name)
        self._database, self._settings, self._file, self._point = database, settings, file, point
        self._keys = TextKeys.of(settings)
        self._keys.keys()

    def dry_run(self, tell: Callable[[], None] = lambda: None) -> Imported:
        """What would become of the responses; nothing is stored.

        Raises
        ------
        Problem
            Where the file cannot be read to its end.
        """
        return self._run(tell, store=False)

    def store(self, actor: str, tell: Callable[[], None] = lambda: None) -> Imported:
        """Store what is right, after all of the file was tried; logged.

        Raises
        ------
        Problem
            Where the file cannot be read to its end: then nothing is stored.
        """
        self.dry_run()
        mark = FileMark.of(self._file, self._keys, _SOURCE, self._file.name)
        with self._database.writing(actor) as session:
            begun = journal.begin(session, mark, actor, source=_SOURCE)
        imported = self._run(tell, store=True)
        with self._database.writing(actor) as session:
            journal.end(session, begun, mark, source=_SOURCE, **imported.counts)
        return imported

    def _run(self, tell: Callable[[], None], *, store: bool) -> Imported:
        run = _Run(self._database, self._settings, self._keys, store=store)
        group: list[tuple[int, Entry, Ready, Prepared]] = []
        for n, entry in enumerate(of_file(self._file.read_bytes()), start=1):
            if found := run.prepare(n, entry, self._point):
                group.append(found)
            if len(group) == _GROUP:
                run.settle(group)
                group = []
            tell()
        run.settle(group)
        return run.imported()


class _Run:
    """One reading of a file, and what becomes of what is in it."""

    def __init__(
        self, database: Database, settings: Settings, keys: TextKeys, *, store: bool
    ) -> None:
        self._reader = FhirReader(database, keys, settings.zone)
        self._history, self._store = History(database, settings, keys), store
        self._counts: Counter[str] = Counter()
        self._wrong: list[WrongRow] = []
        self._shown: list[ShownRow] = []

    def prepare(
        self, n: int, entry: Entry, point: str
    ) -> tuple[int, Entry, Ready, Prepared] | None:
        """A resource through the checks; None where something is wrong, which is noted."""
        if not entry.is_response and entry.path.startswith("Bundle"):
            self._counts["left"] += 1
            return None
        ready = None
        try:
            ready = self._reader.read(entry, point)
            prepared = self._history.prepare(ready.body, ready.read.version)
        except Problem as problem:
            self._note(n, entry, problem, ready)
            return None
        if len(self._shown) < SHOWN:
            masked = self._history.store.masked([prepared])[0]
            self._shown.append(shown_row(n, masked, str(ready.body["point"]), ready.read.version))
        return n, entry, ready, prepared

    def settle(self, group: list[tuple[int, Entry, Ready, Prepared]]) -> None:
        """Store a group, or foresee what would become of it."""
        known = [Known(prepared, ready.former_ids) for _, _, ready, prepared in group]
        settled = self._history.settle(known, store=self._store)
        for (n, entry, ready, _), (prepared, outcome) in zip(group, settled, strict=True):
            if outcome is Outcome.CONFLICT:
                self._note(n, entry, ConflictingResponse(id=prepared.row.id, field="id"), ready)
            elif outcome is Outcome.DAY_DELETED:
                self._note(n, entry, DayDeleted(field="answered_at"), ready)
            elif outcome is Outcome.ACCEPTED:
                self._counts["accepted" if self._store else "right"] += 1
            else:
                self._counts[outcome.value] += 1

    def imported(self) -> Imported:
        """What became of everything."""
        wrong = sorted(self._wrong, key=lambda each: each.number)
        return Imported(dict(self._counts), wrong, self._shown, self._store)

    def _note(self, n: int, entry: Entry, problem: Problem, ready: Ready | None) -> None:
        self._counts["wrong"] += 1
        errors = []
        for error in placed(problem, ready.read.paths if ready else {}):
            inside = error.field.removeprefix("QuestionnaireResponse").lstrip(".")
            path = f"{entry.path}.resource" if entry.path.startswith("Bundle") else entry.path
            path = f"{path}.{inside}" if inside else path
            errors.append(FieldError(path, "importing.at", {"path": path, "said": error}))
        self._wrong.append(WrongRow(n, tuple(errors)))
