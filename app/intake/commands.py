"""Commands on responses and cells."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy.orm import Session

from app.audit.log import record
from app.commands import (
    Refused,
    check_there,
    open_database,
    operator,
    out,
    progress,
    refused_table,
)
from app.db import Database
from app.intake import rollup_rebuild as replay
from app.intake.history import History, Known, field_errors
from app.intake.paper import PaperRow, read_rows
from app.intake.paper_template import template
from app.intake.prepared import Outcome, Prepared
from app.intake.refusals import DayDeleted
from app.messages import LANGUAGES
from app.problems import FieldError, Problem
from app.registry.points import codes_by_current
from app.registry.questionnaires import Published, offered, versions_of
from app.settings import Settings
from app.tables import WrongTable
from app.text_keys import TextKeys, TextKeysUnusableError

rollups = typer.Typer(help="The cells that figures are read from.", no_args_is_help=True)

_REST = "what stands below was not read: mend the file and run it again"
_GROUP = 1000
_SHOWN = 5


@rollups.command("rebuild")
def rebuild() -> None:
    """Make all cells anew from the stored responses."""
    with open_database() as database, progress() as bar:
        with database.reading() as session:
            task = bar.add_task("responses", total=replay.count_responses(session))
        cells = replay.rebuild(database, lambda n: bar.advance(task, n), operator())
    typer.echo(f"{cells} cells rebuilt")


@rollups.command("verify")
def verify() -> None:
    """Recount all responses; exit code 1 and a line for every cell that differs."""
    with open_database() as database, progress() as bar:
        with database.reading() as session:
            task = bar.add_task("responses", total=replay.count_responses(session))
        differences = replay.verify(database, lambda n: bar.advance(task, n))
    for difference in differences[:100]:
        day, unit, version, channel = difference.key
        typer.echo(
            f"{day} unit {unit} version {version} {channel}: "
            f"{difference.kept_respondents} respondents kept, "
            f"{difference.recounted_respondents} recounted"
        )
    if differences:
        raise Refused(f"{len(differences)} cells differ; hailong rollups rebuild mends them")
    typer.echo("all cells equal their recount")


def import_responses(
    file: Path = typer.Argument(help="CSV or XLSX: one row a respondent, a column an item code."),
    questionnaire: str = typer.Option(help="Code of the questionnaire that was on paper."),
    version: int = typer.Option(None, help="Its version; the newest if left out."),
    point: str = typer.Option(None, help="Public code for rows that name no point."),
    round: str = typer.Option(
        "", help="Round of the survey, where forms are numbered anew in each; for rows without one."
    ),
    preview: bool = typer.Option(False, "--preview", help="Check and show; store nothing."),
) -> None:
    """Read paper forms through the same checks as every other response. Safe to run twice.

    Rows with mistakes are left out and named in FILE.errors.csv; exit code 1 says so.
    """
    check_there(file)
    settings = Settings()
    with open_database(settings) as database:
        with database.reading() as session:
            chosen = _version(session, questionnaire, version)
        try:
            PaperImport(database, settings, file, chosen, point, round).run(store=not preview)
        except WrongTable as error:
            raise refused_table(error, file, "nothing was imported") from error


def paper_template(
    questionnaire: str = typer.Argument(help="Code of the questionnaire that is on paper."),
    out_file: Path = typer.Option(..., "--out", help="Where the workbook goes."),
    version: int = typer.Option(None, help="Its version; the newest if left out."),
    point: str = typer.Option(None, help="Public code, where all forms are of one point."),
    language: str = typer.Option("vi", help="vi or en."),
) -> None:
    """Write the workbook into which paper forms are typed, with what is typed for which answer."""
    if language not in LANGUAGES:
        raise Refused(f"the language {language} is not one of {', '.join(LANGUAGES)}")
    with open_database() as database, database.reading() as session:
        chosen = _version(session, questionnaire, version)
    try:
        out_file.write_bytes(template(chosen.sheet, language, point or ""))
    except OSError as error:
        raise Refused(f"{out_file}: {error.strerror}") from error
    typer.echo(str(out_file))


def _version(session: Session, questionnaire: str, number: int | None) -> Published:
    """A published version, the one that is asked where no number is given.

    Raises
    ------
    Refused
        Where it is not published.
    """
    try:
        versions = versions_of(session, questionnaire)
    except Problem as error:
        raise Refused(f"no questionnaire {questionnaire} is published") from error
    if number is None:
        return offered(versions)
    for version in versions:
        if version.form.version == number:
            return version
    raise Refused(f"{questionnaire} version {number} is not published")


class PaperImport:
    """One run of the import."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        file: Path,
        version: Published,
        point: str | None,
        round: str,
    ) -> None:
        self._file, self._version = file, version
        self._point, self._round = point, round
        self._database = database
        self._keys = TextKeys.of(settings)
        try:
            self._keys.keys()
        except TextKeysUnusableError as error:
            # Without them no form that has no number would be known when it is read again.
            raise Refused(f"the keys of comments cannot be used: {error}") from error
        self._history = History(database, settings, self._keys)
        self._settings = settings
        self._wrong: list[tuple[PaperRow, FieldError]] = []
        self._outcomes: Counter[str] = Counter()
        self._first: list[tuple[str, Prepared]] = []
        #: Duplicates without a number: the same forms again, or other people's.
        self._equal = 0
        #: Whether the audit log says that something of it is stored.
        self._is_noted = False
        #: Why the file cannot be read to its end.
        self._broken: WrongTable | None = None

    def run(self, *, store: bool) -> None:
        """Check every row and, if asked, store those that are right."""
        began = time.monotonic()
        with progress() as bar:
            task = bar.add_task("rows", total=None)
            try:
                self._read(store, lambda: bar.advance(task))
            except WrongTable as broken:
                if not self._outcomes and not self._wrong:
                    raise
                # What stands above the damage was taken, and is told of.
                self._broken = broken
        if store:
            with self._database.writing(operator()) as session:
                record(
                    session,
                    "responses.import",
                    self._file.name,
                    questionnaire=self._version.form.code,
                    version=self._version.form.version,
                    wrong=self._rows_wrong(),
                    **self._outcomes,
                )
        self._report(store, time.monotonic() - began)

    def _read(self, store: bool, tell: Callable[[], None]) -> None:
        with self._database.reading() as session:
            codes = codes_by_current(session)
        rows = read_rows(
            self._file,
            self._version.sheet,
            self._point,
            self._settings.zone,
            self._keys,
            self._round,
            codes,
        )
        group: list[tuple[PaperRow, Prepared]] = []
        try:
            for row in rows:
                prepared = self._prepare(row)
                if prepared is not None:
                    group.append((row, prepared))
                    if len(self._first) < _SHOWN and row.body is not None:
                        shown = self._history.store.masked([prepared])[
                            0
                        ]  # what stands on a screen stays
                        self._first.append((row.body["point"], shown))
                if len(group) == _GROUP:
                    self._finish(group, store)
                    group = []
                tell()
        except WrongTable:
            self._finish(group, store)
            raise
        self._finish(group, store)

    def _prepare(self, row: PaperRow) -> Prepared | None:
        errors = list(row.errors)
        if row.body is not None:
            try:
                return self._history.prepare(row.body, self._version)
            except Problem as problem:
                errors += field_errors(problem)
        self._wrong += [(row, error) for error in errors]
        return None

    def _note_begin(self) -> None:
        """Say in the audit log that forms come, before the first: a run may be broken off."""
        with self._database.writing(operator()) as session:
            record(
                session,
                "responses.import_begin",
                self._file.name,
                questionnaire=self._version.form.code,
                version=self._version.form.version,
            )
        self._is_noted = True

    def _finish(self, group: list[tuple[PaperRow, Prepared]], store: bool) -> None:
        if store and group and not self._is_noted:
            self._note_begin()
        known = [Known(prepared, row.former_ids, bool(row.round)) for row, prepared in group]
        settled = self._history.settle(known, store=store)
        for (row, _), (prepared, outcome) in zip(group, settled, strict=True):
            told = "right" if outcome is Outcome.ACCEPTED and not store else outcome.value
            self._outcomes[told] += 1
            self._equal += outcome is Outcome.DUPLICATE and not row.form_no
            if outcome is Outcome.CONFLICT:
                self._wrong.append((row, self._taken(row, prepared)))
            elif outcome is Outcome.DAY_DELETED:
                self._wrong.append((row, DayDeleted(field="answered_at").as_field_error()))

    def _taken(self, row: PaperRow, prepared: Prepared) -> FieldError:
        """That another form has this number; which one, so that the clerk finds it."""
        earlier = self._history.standing(prepared.row.id)
        values = {
            "number": row.form_no,
            "point": row.body["point"] if row.body else "",
            "day": f"{earlier.claimed_at.astimezone(self._settings.zone):%d/%m/%Y}",
            "round": row.round,
        }
        cause = "import.named_round" if row.round else "import.no_round"
        return FieldError("form_no", "import.form_taken", values, cause)

    def _rows_wrong(self) -> int:
        return len({row.number for row, _ in self._wrong})

    def _report(self, store: bool, seconds: float) -> None:
        table = Table(
            "day", "point", "answers", "texts", title=f"First rows of {escape(self._file.name)}"
        )
        for point, prepared in self._first:
            answers = self._version.sheet.unpack(prepared.row.packed)
            shown = " ".join(f"{code}={'–' if v is None else v}" for code, v in answers.items())
            texts = escape(" | ".join(text.body for text in prepared.stored_texts or ()))
            table.add_row(str(prepared.row.day), escape(point), shown, texts)
        out.print(table)
        wrong_rows = self._rows_wrong()
        if not self._outcomes and not wrong_rows:
            raise Refused(f"{self._file}: the file has no row of data")
        counts = ", ".join(f"{n} {outcome}" for outcome, n in self._outcomes.items() if n)
        typer.echo(f"{counts or 'none right'}, {wrong_rows} rows wrong ({seconds:.1f} s)")
        if self._equal:
            typer.echo(
                f"without a number and equal to forms that came before: {self._equal}."
                " The same forms again? If they are other people's, number the sheets."
            )
        errors = self._file.with_name(self._file.name + ".errors.csv")
        errors.unlink(missing_ok=True)
        if self._wrong:
            with errors.open("w", encoding="utf-8-sig", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(["row", "column", "vi", "en"])
                for row, error in sorted(self._wrong, key=lambda wrong: wrong[0].number):
                    sentences = (error.detail("vi"), error.detail("en"))
                    writer.writerow([row.number, _column(row, error), *sentences])
        if self._broken:
            raise refused_table(self._broken, self._file, _REST)
        if self._wrong:
            raise Refused(f"{wrong_rows} rows have mistakes; they are named in {errors}")
        if not store:
            typer.echo("nothing was stored (--preview)")


def _column(row: PaperRow, error: FieldError) -> str:
    """What the file calls the column that is wrong."""
    column = error.field.removeprefix("answers.")
    column = "date" if column == "answered_at" else column
    return row.titles.get(column, column)
