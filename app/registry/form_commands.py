"""Commands that read forms of other programs as drafts, and write published ones for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import typer

from app.commands import Refused, check_there, open_database, say_beside
from app.messages import LANGUAGES, say
from app.registry.form_reasons import worded
from app.registry.questionnaires import versions_of
from app.settings import Settings
from surveys.formats import (
    Format,
    FormUnreadable,
    NotCarried,
    Place,
    as_yaml,
    read_form,
    write_form,
)

forms = typer.Typer(
    help="Read forms of XLSForm, LimeSurvey, FHIR and SurveyJS, and write ours as one.",
    no_args_is_help=True,
)


@forms.command("import")
def import_form(
    file: Path = typer.Argument(
        help="XLSForm (XLSX, XLS, CSV, Kobo's JSON), .lss, FHIR, SurveyJS."
    ),
    form_code: str = typer.Option("", "--as", help="The form's code; otherwise that of the file."),
    out_file: Path | None = typer.Option(
        None, "--out", help="Where the YAML goes; otherwise to standard output."
    ),
    language: str = typer.Option("en", help="In which language is said what is not carried."),
) -> None:
    """Draft a form in YAML from a file of another program, and say what is not carried.

    Nothing is published: look through the draft, then questionnaires check and publish.
    """
    check_there(file)
    _check(language, out_file)
    try:
        draft = read_form(file.read_bytes(), file.name, form_code, odk=Settings().odk_validate)
    except FormUnreadable as error:
        said = sentence(file.name, error.place, error.reason, error.values, language)
        raise Refused(f"{said} Nothing was written.") from error
    _say(file.name, draft.not_carried, language)
    written = as_yaml(draft.document)
    if out_file is None:
        typer.echo(written, nl=False)
    else:
        out_file.write_text(written, encoding="utf-8")
    state = "a sound form" if draft.form else "a draft that is no form yet"
    place = out_file or "standard output"
    say_beside(f"{len(draft.not_carried)} things not carried as they were; {place} has {state}")


@forms.command("export")
def export_form(
    code: str = typer.Argument(help="The code of a published questionnaire."),
    version: int = typer.Argument(help="Its version."),
    written_as: Format = typer.Option(Format.XLSFORM, "--format", help="What it is written as."),
    out_file: Path | None = typer.Option(None, "--out", help="Otherwise CODE-VERSION beside you."),
    language: str = typer.Option("en", help="In which language is said what is not carried."),
) -> None:
    """Write a published questionnaire for another program, and say what that will not show."""
    out_file = out_file or Path(f"{code}-{version}{written_as.suffix}")
    _check(language, out_file)
    with open_database() as database, database.reading() as session:
        found = [each.form for each in versions_of(session, code) if each.form.version == version]
    if not found:
        raise Refused(f"there is no published version {version} of {code}")
    written = write_form(found[0], written_as)
    _say(code, written.not_carried, language)
    out_file.write_bytes(written.content)
    typer.echo(f"{out_file} written")


def sentence(
    file: str, place: Place, reason: str, values: Mapping[str, object], language: str
) -> str:
    """``file, sheet, row 12, column C: sentence``, as far as the place is known."""
    parts = [file, place.part]
    if place.row is not None:
        parts.append(say("formats.place_row", language, row=place.row))
    if place.column:
        parts.append(say("formats.place_column", language, column=place.column))
    return f"{', '.join(filter(None, parts))}: {say(reason, language, **worded(values))}"


def _check(language: str, out_file: Path | None) -> None:
    if language not in LANGUAGES:
        raise Refused(f"--language is one of {', '.join(LANGUAGES)}")
    if out_file is not None and out_file.exists():
        raise Refused(f"{out_file} is there already; nothing was written over it")


def _say(file: str, not_carried: Iterable[NotCarried], language: str) -> None:
    for each in not_carried:
        say_beside(sentence(file, each.place, each.reason, each.values, language))
