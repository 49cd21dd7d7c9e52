"""The commands that import files of other programs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table

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
from app.importing.fhir_files import FhirImport, is_fhir
from app.importing.headers import Headed
from app.importing.mapping import Mapping, read_mapping_file
from app.importing.proposing import Proposal
from app.importing.remembering import remembered
from app.importing.service import FileImport, Imported, proposal, version_for
from app.masking.masker import mask
from app.problems import Problem
from app.settings import Settings
from app.tables import WrongTable
from app.text_keys import TextKeysUnusableError

_NOTHING = "nothing was imported"
_FILE = typer.Argument(help="CSV or XLSX of another program, one row a response; or FHIR in JSON.")


def import_file(
    file: Path = _FILE,
    mapping: Path = typer.Option(
        None, help="What the columns mean (YAML); what is remembered of this header if left out."
    ),
    point: str = typer.Option("", help="Public code for rows that name no point."),
    store: bool = typer.Option(False, "--store", help="Store what is right; else only try."),
    same: bool = typer.Option(
        False, "--same", help="Each file holds what earlier ones held: equal rows are one answer."
    ),
    batch: str = typer.Option(
        "", "--batch", help="Name of this file, all of whose rows are others' answers than before."
    ),
) -> None:
    """Import responses of Kobo, LimeSurvey, Qualtrics, Google Forms and others by a mapping.

    FHIR QuestionnaireResponses (JSON, a Bundle, NDJSON) need none.
    Tries the whole file first and stores nothing without --store. Safe to run twice, also after a
    run that was broken off. Rows with mistakes are left out and named in FILE.errors.csv; exit
    code 1 says so. Rows without an id that are equal to rows of earlier files wait for --same or
    --batch, where no moment to the second tells whose they are.
    """
    check_there(file)
    if same and batch:
        raise Refused("--same and --batch say opposite things of equal rows")
    settings = Settings()
    with open_database(settings) as database, _refusing(file):
        given: FileImport | FhirImport
        if is_fhir(file):
            if same or batch:
                raise Refused("--same and --batch are of tables; FHIR has ids of its own")
            given = FhirImport(database, settings, file, point)
        else:
            chosen = read_mapping_file(mapping) if mapping else _remembered(database, file)
            if same:
                chosen = chosen.model_copy(update={"equal_rows": "same"})
            given = FileImport(database, settings, file, chosen, point=point, batch=batch)
        with progress() as bar:
            task = bar.add_task("rows", total=None)
            imported = (
                given.store(operator(), lambda: bar.advance(task))
                if store
                else given.dry_run(tell=lambda: bar.advance(task))
            )
    _report(file, imported)


def propose_mapping(
    file: Path = _FILE,
    questionnaire: str = typer.Option(help="Code of the questionnaire that was answered."),
    version: int = typer.Option(None, help="Its version; the newest if left out."),
    source: str = typer.Option(
        None, help="Name of where the responses come from; ids are made of it. The file's name."
    ),
    point: str = typer.Option("", help="Public code for rows that name no point."),
    out_file: Path = typer.Option(None, "--out", help="Where the mapping goes; else it is shown."),
) -> None:
    """Propose what the columns of a file mean: a mapping to look at, change and import by."""
    check_there(file)
    with open_database() as database, _refusing(file):
        with database.reading() as session:
            chosen = version_for(session, questionnaire, version)
        headed, found = proposal(file, file.name, chosen)
        if not found.meanings:
            raise Refused(f"{file}: no column is like a question of {questionnaire}")
        written = _commented(
            found.mapping(headed, source or file.stem[:100], chosen.sheet, point), headed, found
        )
    if out_file is None:
        typer.echo(written)
        return
    try:
        out_file.write_text(written, encoding="utf-8")
    except OSError as error:
        raise Refused(f"{out_file}: {error.strerror}") from error
    typer.echo(str(out_file))


def _commented(mapping: Mapping, headed: Headed, found: Proposal) -> str:
    """The mapping with what a person has to decide, as comments."""
    lines = [
        f"# {headed.program.value}, header {headed.fingerprint}: {len(headed.columns)} columns,"
        f" {len(mapping.columns)} proposed, {len(mapping.leave_out)} to be left out."
    ]
    if found.undecided:
        lines.append("# Decide about these: an item, a role, or leave_out.")
        lines += [f"#   {name!r}: {mask(', '.join(found.words[name][:3])).text[:80]!r}"
                  for name in found.undecided]  # fmt: skip
    for name, words in found.unknown.items():
        said = mask(", ".join(words[:10])).text[:200]
        lines.append(f"# Say what these words of {name!r} mean: {said!r}")
    return "\n".join([*(line.replace("\n", " ") for line in lines), mapping.as_yaml()])


def _remembered(database: Database, file: Path) -> Mapping:
    with database.reading() as session:
        found = remembered(session, Headed(file).fingerprint)
    if found is None:
        raise Refused(
            f"{file}: no mapping is remembered for this header; "
            "hailong responses mapping proposes one"
        )
    return found


@contextmanager
def _refusing(file: Path) -> Iterator[None]:
    try:
        yield
    except WrongTable as error:
        raise refused_table(error, file, _NOTHING) from error
    except Problem as problem:
        raise Refused(f"{problem.detail('en')} {_NOTHING}") from problem
    except TextKeysUnusableError as error:
        raise Refused(f"the keys of comments cannot be used: {error}") from error


def _report(file: Path, imported: Imported) -> None:
    if not imported.rows:
        raise Refused(f"{file}: the file has no row of data")
    table = Table(
        "row", "day", "point", "answers", "texts", title=f"First rows of {escape(file.name)}"
    )
    for row in imported.shown:
        answers = " ".join(f"{c}={'–' if v is None else v}" for c, v in row.answers.items())
        texts = escape(" | ".join(row.texts))
        table.add_row(str(row.number), row.day, escape(row.point), answers, texts)
    out.print(table)
    typer.echo(", ".join(f"{n} {outcome}" for outcome, n in imported.counts.items()))
    if imported.equal and not imported.stored:
        typer.echo(
            f"{imported.equal} of {imported.rows} rows are equal to rows of earlier files:"
            " the same answers (--same), or other people's (--batch NAME)?"
        )
    if imported.alike:
        typer.echo(
            f"{imported.alike} of {imported.rows} rows are equal to rows of earlier files and are"
            " to be counted once more: is the file none of those, saved anew?"
        )
    errors = file.with_name(file.name + ".errors.csv")
    errors.unlink(missing_ok=True)
    if imported.wrong:
        with errors.open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["row", "cell", "vi", "en"])
            writer.writerows(
                [row.number, error.field, error.detail("vi"), error.detail("en")]
                for row in imported.wrong
                for error in row.errors
            )
        more = f", the first {len(imported.wrong)} of them" if imported.further else ""
        raise Refused(
            f"{imported.counts['wrong']} rows have mistakes; they are named in {errors}{more}"
        )
    if not imported.stored:
        typer.echo("nothing was stored; --store stores what is right")
