"""Imports one file by a mapping: first all of it is tried, then what is right is stored.

Nothing is stored of a file that cannot be read to its end. That an import begins is noted before
its first group, and that it ended after its last (``app.importing.journal``). Rows with mistakes
are named, and the others are taken, as of paper forms. Every response takes the one intake's way:
the same checks, times and limits as history has, and its comments are masked before they are
stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy.orm import Session

from app.db import Database
from app.importing import journal
from app.importing.headers import Column, Headed
from app.importing.journal import BatchWithIds, EqualRows, FileMark, SourceInBatches
from app.importing.mapping import Mapping
from app.importing.proposing import LOOKED_AT, Proposal, propose
from app.importing.reading import Reader, RowRead
from app.importing.remembering import remember
from app.intake.history import History, Known, field_errors
from app.intake.prepared import Outcome, Prepared
from app.intake.refusals import DayDeleted, UnknownQuestionnaireVersion
from app.problems import FieldError, Problem
from app.registry.points import codes_by_current
from app.registry.questionnaires import Published, versions_of
from app.settings import Settings
from app.tables import Row, WrongTable
from app.text_keys import TextKeys

#: Rows that are stored in one transaction.
_GROUP = 500
#: So often a file is tried while other files of its source begin and end.
_LOOKS = 3
#: So many rows that are equal to earlier ones are no chance where they are most of a file.
_MANY = 10
#: Rows that are shown, and rows with mistakes that are kept to be named.
SHOWN, MOST_WRONG = 5, 2000


@dataclass(frozen=True)
class ShownRow:
    """A row as it would be stored: its number, day, point, answers, and its texts masked."""

    number: int
    day: str
    point: str
    answers: AnyMapping[str, object]
    texts: Sequence[str]


@dataclass(frozen=True)
class WrongRow:
    """A row that was left out, and why."""

    number: int
    errors: tuple[FieldError, ...]


@dataclass(frozen=True)
class Imported:
    """What became of a file's rows, or would become: how many of each outcome.

    ``counts`` has accepted (or right, where nothing was stored), duplicate, wrong and unfinished.
    """

    counts: AnyMapping[str, int]
    wrong: Sequence[WrongRow]
    shown: Sequence[ShownRow]
    stored: bool
    #: Of the duplicates, by number, those that may as well be other people's answers: rows without
    #: an id, and without a moment to the second, that are equal to rows of earlier files.
    equal_rows: frozenset[int] = frozenset()
    #: Whether the file's moments tell people apart.
    to_the_second: bool = False
    #: How many rows are there that are known by what stands in them.
    kept: int = 0
    #: Of a file of others' answers: how many rows are equal to rows of earlier files all the same.
    alike: int = 0

    @property
    def rows(self) -> int:
        """How many rows the file has."""
        return sum(self.counts.values())

    @property
    def equal(self) -> int:
        """How many rows may as well be other people's answers."""
        return len(self.equal_rows)

    @property
    def further(self) -> int:
        """How many wrong rows are counted and not named."""
        return self.counts.get("wrong", 0) - len(self.wrong)


def version_for(session: Session, questionnaire: str, number: int | None) -> Published:
    """A published version of a questionnaire, the newest where no number is given.

    Raises
    ------
    UnknownQuestionnaire, UnknownQuestionnaireVersion
        Where it is not published.
    """
    versions = versions_of(session, questionnaire)
    if number is None:
        return versions[-1]
    for version in versions:
        if version.form.version == number:
            return version
    raise UnknownQuestionnaireVersion(field="version", questionnaire=questionnaire, version=number)


def proposal(file: Path, name: str, version: Published) -> tuple[Headed, Proposal]:
    """What the columns of a file may mean.

    Raises
    ------
    WrongTable
        Where it cannot be read.
    """
    headed = Headed(file, name)
    rows = list(islice(headed, LOOKED_AT))
    return headed, propose(headed, rows, version.sheet)


class FileImport:
    """One file with its mapping; each run reads it anew.

    ``batch`` names a file that holds others' answers than all earlier files of its source.

    Raises
    ------
    WrongTable
        Where file, mapping and questionnaire do not fit.
    BatchWithIds
        Where a batch is named for rows that have ids of their own.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        file: Path,
        mapping: Mapping,
        *,
        name: str = "",
        point: str = "",
        batch: str = "",
    ) -> None:
        self._database, self._settings = database, settings
        self._file, self._name, self.mapping = file, name or file.name, mapping
        self._point, self._batch = point, " ".join(batch.split())[: journal.LONGEST_BATCH]
        if self._batch and mapping.has_ids:
            raise BatchWithIds(field="batch")
        self._keys = TextKeys.of(settings)
        # Without them no row would be known when it is read again.
        self._keys.keys()
        self._mark = FileMark.of(file, self._keys, mapping.source, self._name, self._batch)
        with database.reading() as session:
            self.version = version_for(session, mapping.questionnaire, mapping.version)
            self._codes = codes_by_current(session)
            self._batches = journal.batches_of(session, mapping.source)
        self._foreseen: frozenset[int] | None = None
        headed, _ = self._opened()
        self.fingerprint, self.program = headed.fingerprint, headed.program

    def _opened(self) -> tuple[Headed, Reader]:
        headed = Headed(self._file, self._name)
        reader = Reader(
            headed,
            self.mapping,
            self.version.sheet,
            self._settings.zone,
            self._keys,
            self._codes,
            self._point,
            self._batch,
            self._batches,
        )
        return headed, reader

    def dry_run(
        self, most_rows: int | None = None, tell: Callable[[], None] = lambda: None
    ) -> Imported:
        """What would become of the rows; nothing is stored.

        Raises
        ------
        WrongTable
            Where the file cannot be read to its end.
        """
        return self._run(None, most_rows, tell)

    def store(self, actor: str, tell: Callable[[], None] = lambda: None) -> Imported:
        """Store what is right, after all of the file was tried; remember the mapping; logged.

        Raises
        ------
        WrongTable
            Where the file cannot be read to its end: then nothing is stored.
        EqualRows, SourceInBatches
            Where rows are equal to rows of earlier files, and nobody has said whose they are.
        FileCameBefore, BatchTaken, BatchCameBefore
            Where the file was imported as another batch, or another file as this one.
        """
        of_what: dict[str, object] = {
            "source": self.mapping.source,
            "program": self.program.value,
            "questionnaire": self.version.form.code,
            "version": self.version.form.version,
        }
        for look in range(_LOOKS):
            with self._database.reading() as session:
                journal.check(session, self._mark)
                seen = journal.standing(session, self.mapping.source)
                self._batches = journal.batches_of(session, self.mapping.source)
            tried = self.dry_run()
            if not tried.rows:
                raise WrongTable(self._name, [FieldError("", "table.no_rows")])
            self._check_equal(tried)
            # Where others go on beginning, what they bring of its rows is named below.
            compared = None if look + 1 == _LOOKS else seen
            try:
                with self._database.writing(actor) as session:
                    begun = journal.begin(session, self._mark, actor, compared, **of_what)
                break
            except journal.OthersBeganError:
                continue
        self._foreseen = None if tried.to_the_second else tried.equal_rows
        imported = self._run(actor, None, tell)
        with self._database.writing(actor) as session:
            if imported.counts.keys() & {"accepted", "duplicate"}:  # else it may be a mistake
                remember(session, self.fingerprint, self.mapping, actor)
            journal.end(session, begun, self._mark, imported.kept, **of_what, **imported.counts)
        return imported

    def _check_equal(self, tried: Imported) -> None:
        """Refuse rows that may be the same answers or another person's, until somebody says."""
        # A file that was saved anew has other bytes and the same rows.
        if tried.alike >= _MANY and 2 * tried.alike > tried.rows:
            raise journal.BatchCameBefore(
                field="batch", equal=tried.alike, rows=tried.rows, source=self.mapping.source
            )
        if not tried.equal:
            return
        with self._database.reading() as session:
            if journal.is_known(session, self._mark, tried.equal):
                return
        # Of a source in batches nobody knows in which of them an equal row would stand that the
        # file contains.
        refusal = SourceInBatches if self._batches else EqualRows
        if self._batches or self.mapping.equal_rows == "ask":
            raise refusal(
                field="equal_rows", equal=tried.equal, rows=tried.rows, source=self.mapping.source
            )

    def _run(self, actor: str | None, most_rows: int | None, tell: Callable[[], None]) -> Imported:
        headed, reader = self._opened()
        foreseen = None if actor is None else self._foreseen
        run = _Run(self._database, self._settings, self._keys, self.version, reader, foreseen)
        rows: Iterator[Row] = islice(headed, most_rows)
        group: list[tuple[RowRead, Prepared]] = []
        for row in rows:
            read = reader.read(row)
            prepared = run.prepare(read)
            if prepared is not None:
                group.append((read, prepared))
            if len(group) == _GROUP:
                run.settle(group, store=actor is not None)
                group = []
            tell()
        run.settle(group, store=actor is not None)
        return run.imported(stored=actor is not None)


class _Run:
    """One reading of a file, and what becomes of its rows.

    ``foreseen`` are the rows, by number, of which it was seen before that they are equal to others.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        keys: TextKeys,
        version: Published,
        reader: Reader,
        foreseen: frozenset[int] | None,
    ) -> None:
        self._foreseen = foreseen
        self._history = History(database, settings, keys)
        self._version, self._reader, self._zone = version, reader, settings.zone
        self._counts: Counter[str] = Counter()
        self._equal: set[int] = set()
        self._kept = self._alike = 0
        self._wrong: list[WrongRow] = []
        self._shown: list[ShownRow] = []

    def prepare(self, read: RowRead) -> Prepared | None:
        """A row through the checks; None where something is wrong, which is noted."""
        if read.unfinished:
            self._counts["unfinished"] += 1
            return None
        errors = list(read.errors)
        if read.body is not None:
            try:
                prepared = self._history.prepare(read.body, self._version)
            except Problem as problem:
                errors += [self._placed(read.row, error) for error in field_errors(problem)]
            else:
                if len(self._shown) < SHOWN:
                    self._show(read, prepared)
                return prepared
        self._note(read.row, errors)
        return None

    def settle(self, group: Sequence[tuple[RowRead, Prepared]], *, store: bool) -> None:
        """Store a group, or foresee what would become of it."""
        known = [Known(prepared, read.former_ids) for read, prepared in group]
        elsewhere = [] if store else [id for read, _ in group for id in read.elsewhere]
        there = self._history.store.contents(elsewhere).keys()
        settled = self._history.settle(known, store=store)
        for (read, _), (prepared, outcome) in zip(group, settled, strict=True):
            if outcome is Outcome.CONFLICT:
                earlier = self._history.standing(prepared.row.id)
                day = f"{earlier.claimed_at.astimezone(self._zone):%d/%m/%Y}"
                column = self._reader.columns.get("id")
                self._note(
                    read.row,
                    [self._reader.mistake(read.row, column, "importing.taken", day=day)],
                )
            elif outcome is Outcome.DAY_DELETED:
                problem = DayDeleted(field="answered_at")
                self._note(read.row, [self._placed(read.row, problem.as_field_error())])
            elif outcome is Outcome.ACCEPTED:
                self._counts["accepted" if store else "right"] += 1
                self._kept += read.by_content
                self._alike += not there.isdisjoint(read.elsewhere)
            elif read.by_content and self._is_of_others(read.row.number):
                error = self._reader.mistake(read.row, None, "importing.equal_meanwhile")
                self._note(read.row, [error])
            else:
                self._counts[outcome.value] += 1
                if read.by_content:
                    self._equal.add(read.row.number)
                    self._kept += 1

    def _is_of_others(self, number: int) -> bool:
        """Whether a row's equal came with another import while this one was under way."""
        return self._foreseen is not None and number not in self._foreseen

    def imported(self, *, stored: bool) -> Imported:
        """What became of all rows."""
        wrong = sorted(self._wrong, key=lambda each: each.number)
        apart, counts = self._reader.to_the_second, dict(self._counts)
        equal = frozenset(() if apart else self._equal)
        return Imported(counts, wrong, self._shown, stored, equal, apart, self._kept, self._alike)

    def _note(self, row: Row, errors: Sequence[FieldError]) -> None:
        self._counts["wrong"] += 1
        if len(self._wrong) < MOST_WRONG:
            self._wrong.append(WrongRow(row.number, tuple(errors)))

    def _placed(self, row: Row, error: FieldError) -> FieldError:
        """What the intake says of a field, with the row and the column of the file."""
        column: Column | None = self._reader.columns.get(error.field)
        of = error.field.removeprefix("answers.")
        reason = "importing.said_of" if column is None and of else "importing.said"
        return self._reader.mistake(row, column, reason, said=error, of=of)

    def _show(self, read: RowRead, prepared: Prepared) -> None:
        # What stands on a screen is masked, as what is stored.
        masked = self._history.store.masked([prepared])[0]
        assert read.body is not None
        row = shown_row(read.row.number, masked, str(read.body["point"]), self._version)
        self._shown.append(row)


def shown_row(number: int, masked: Prepared, point: str, version: Published) -> ShownRow:
    """A response as it is shown, its texts masked."""
    return ShownRow(
        number,
        f"{masked.row.day:%d/%m/%Y}",
        point,
        version.sheet.unpack(masked.row.packed),
        [text.body for text in masked.stored_texts or ()],
    )
