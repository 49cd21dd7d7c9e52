"""The command ``hailong export``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import typer

from app.access.callers import owner
from app.commands import Refused, open_database, operator, progress
from app.export import delimited
from app.export.anonymous import AnonymousWish, prepare_anonymous
from app.export.arrow import pa
from app.export.bundle import Prepared, companions, prepare, write_whole
from app.export.codebook import Codebook
from app.export.folder import alone, export_to_folder
from app.export.formats import Format
from app.export.reading import batches
from app.export.selection import Wish
from app.intake.export_ids import ExportIds
from app.messages import LANGUAGES
from app.problems import Problem
from app.registry.models import Channel
from app.settings import Settings


def export(
    questionnaire: str = typer.Argument(help="Code of the questionnaire."),
    folder: Path = typer.Option(..., "--folder", help="Where the files go; made if not there."),
    file_format: Format = typer.Option(Format.PARQUET, "--format", help="Of the responses."),
    version: int = typer.Option(None, help="One version of it; all if left out."),
    unit: list[str] = typer.Option([], help="Code of a unit, with all below; all if none."),
    first: str = typer.Option(None, "--from", help="First day, like 2026-01-01."),
    last: str = typer.Option(None, "--to", help="Last day."),
    channel: list[Channel] = typer.Option([], help="Only these channels."),
    aside: bool = typer.Option(False, "--aside", help="With what is set aside."),
    texts: bool = typer.Option(False, "--texts", help="With what citizens wrote, masked."),
    anonymous: bool = typer.Option(
        False, "--anonymous", help="Anonymised responses of quarters that are over."
    ),
    language: str = typer.Option("vi", help="Of labels: vi or en."),
) -> None:
    """Write single responses with their codebook and scripts; the audit log says so.

    CSV and Parquet go on where they were broken off, and run again bring what came, changed and
    went since. SPSS and Stata need all responses in memory (HAILONG_EXPORT_MEMORY_MB).
    """
    if language not in LANGUAGES:
        raise Refused(f"the language {language} is not one of {', '.join(LANGUAGES)}")
    if anonymous and (version or channel or aside or texts):
        raise Refused(
            "anonymised responses are of all versions and channels, without what is set aside and "
            "without texts: leave out --version, --channel, --aside and --texts"
        )
    try:
        wish = Wish(
            questionnaire, version, tuple(unit),
            date.fromisoformat(first) if first else None,
            date.fromisoformat(last) if last else None,
            tuple(each.value for each in channel), aside, texts,
        )  # fmt: skip
    except ValueError as error:
        raise Refused(f"not a day: {error}") from error
    caller, settings = owner(operator()), Settings()
    with open_database(settings) as database, progress() as bar:
        task = bar.add_task("responses", total=None)
        try:
            if anonymous:
                with alone(folder):
                    found = prepare_anonymous(
                        database, settings, caller,
                        AnonymousWish(questionnaire, tuple(unit), wish.first, wish.last),
                        file_format, language, datetime.now(UTC),
                    )  # fmt: skip
                    rows = found.book.rows
                    file = _write(folder, found.book, found.table.to_batches())
            elif file_format.streams:
                done = export_to_folder(
                    database, settings, caller, wish, file_format, folder, language,
                    datetime.now(UTC),
                    tell=lambda rows, of: bar.update(task, completed=rows, total=of or None),
                )  # fmt: skip
                rows, file = done.rows, done.file
            else:
                rows = 0

                def told(prepared: Prepared) -> Iterator[pa.RecordBatch]:
                    nonlocal rows
                    for each in batches(database, prepared.selection, ExportIds.of(database)):
                        rows += each.num_rows
                        bar.update(task, completed=rows, total=prepared.book.rows)
                        yield each

                with alone(folder):
                    prepared = prepare(database, settings, caller, wish, file_format, language)
                    file = _write(folder, prepared.book, told(prepared))
        except Problem as problem:
            raise Refused(problem.detail("en")) from problem
    typer.echo(f"{file}: {rows} rows")


def _write(folder: Path, book: Codebook, rows: Iterable[pa.RecordBatch]) -> Path:
    """The file of an export that does not go on, and what belongs to it; over what was there."""
    for name, content in companions(book):
        (folder / name).write_bytes(content)
    file = folder / book.format.file_name
    if not book.format.streams:
        write_whole(file, book, rows)
        return file
    with file.open("wb") as out:
        written = delimited.writer(book.format, out, book.schema)
        for each in rows:
            written.write(each)
        written.close()
    return file
