"""Pages of questionnaires: what is published, drafts, files of other programs, publishing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response

from app.access.callers import Person
from app.dependencies import DATABASE, SETTINGS, DatabaseDependency
from app.problems import Problem
from app.registry.form_drafts import DraftEntry, all_drafts, yaml_of
from app.registry.questionnaires import (
    Published,
    StillAnswered,
    offer_again,
    offered,
    published,
    version_of,
    versions_of,
    withdraw,
)
from app.settings import Settings
from app.web.pages import (
    EMPTY,
    FORM_BYTES,
    PRIVATE,
    Form,
    Number,
    go_to,
    language_of,
    refused,
    render,
)
from app.web.staff.form_previews import EDITORS, framing
from surveys.formats import MOST_BYTES, Format, write_form
from surveys.model import Sketch

router = APIRouter(prefix="/questionnaires", include_in_schema=False)

#: What a version can be had as.
FileFormat = Literal["yaml", "xlsform", "limesurvey", "fhir-r4", "fhir-r5", "surveyjs"]


@dataclass(frozen=True)
class Row:
    """A questionnaire with its versions, the newest first; which of them is asked."""

    versions: Sequence[Published]
    asked: Published | None


@dataclass(frozen=True)
class QuestionnairesPage:
    """All questionnaires and all drafts, and the forms that begin another one."""

    rows: Sequence[Row]
    drafts: Sequence[DraftEntry]
    #: Of a file that is read here, in kilobytes.
    most_kb: int
    form: Form = EMPTY


@dataclass(frozen=True)
class VersionPage:
    """A published version: what it asks, and what may be done with it."""

    version: Published
    is_asked: bool
    newest: int
    formats: Sequence[str]
    form: Form = EMPTY

    @property
    def sketch(self) -> Sketch:
        """What it asks."""
        return self.version.form


@router.get("")
def show_questionnaires(request: Request, caller: Annotated[Person, Depends(EDITORS)]) -> Response:
    """List questionnaires and drafts. Who: ``questionnaires:edit`` everywhere."""
    return listed(request, caller)


@router.get("/{code}/versions/{version}")
def show_version(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    code: str,
    version: Number,
) -> Response:
    """Show a published version. Who: ``questionnaires:edit`` everywhere."""
    return _version(request, caller, code, version)


@router.get("/{code}/versions/{version}/file")
def download_version(
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    code: str,
    version: Number,
    file_format: Annotated[FileFormat, Query(alias="format")] = "yaml",
) -> Response:
    """Hand a version out as YAML or for another program.

    Who: ``questionnaires:edit`` everywhere.
    """
    with database.reading() as session:
        form = version_of(session, code, version).form
    name = f"{code}-{version}"
    if file_format == "yaml":
        return handed_out(yaml_of(form).encode(), f"{name}.yaml")
    written_as = Format(file_format)
    return handed_out(write_form(form, written_as).content, f"{name}{written_as.suffix}")


@router.post("/{code}/versions/{version}/{act}")
def withdraw_version(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    code: str,
    version: Number,
    act: Literal["withdraw", "offer"],
) -> Response:
    """Ask a version no more, or again. Who: ``questionnaires:edit`` everywhere."""
    try:
        with database.writing(caller.name) as session:
            (withdraw if act == "withdraw" else offer_again)(session, code, version)
    except StillAnswered as problem:
        return _version(request, caller, code, version, problem)
    done = "version_withdrawn" if act == "withdraw" else "version_offered"
    return go_to(f"/questionnaires/{quote(code)}/versions/{version}", done)


def largest_file(settings: Settings) -> int:
    """Bytes of a file that the page reads: what the readers take, and a request may bring."""
    return min(MOST_BYTES, settings.body_limit - FORM_BYTES)


def handed_out(content: bytes, name: str) -> Response:
    """A file that a browser saves."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **PRIVATE}
    kind = "application/yaml" if name.endswith(".yaml") else "application/octet-stream"
    return Response(content, media_type=kind, headers=headers)


def listed(
    request: Request,
    caller: Person,
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    """The list again, with what was typed into its forms and why it was refused."""
    form = Form(typed or {}, errors or {})
    if problem is not None:
        form = refused(problem, language_of(request, caller), typed)
    with DATABASE.of(request).reading() as session:
        found: dict[str, list[Published]] = {}
        for each in published(session):
            found.setdefault(each.form.code, []).append(each)
        page = QuestionnairesPage(
            [Row(versions[::-1], _asked(versions)) for versions in found.values()],
            all_drafts(session),
            largest_file(SETTINGS.of(request)) // 1000,
            form,
        )
    status = problem.status if problem else 422 if errors else 200
    return render(request, caller, "staff/questionnaires.html", page, status)


def _asked(versions: Sequence[Published]) -> Published | None:
    found = offered(versions)
    return found if found.withdrawn_at is None else None


def _version(
    request: Request, caller: Person, code: str, number: int, problem: Problem | None = None
) -> Response:
    language = language_of(request, caller)
    with DATABASE.of(request).reading() as session:
        version, versions = version_of(session, code, number), versions_of(session, code)
    page = VersionPage(
        version,
        _asked(versions) is version,
        max(each.form.version for each in versions),
        list(Format),
        refused(problem, language) if problem else EMPTY,
    )
    status = problem.status if problem else 200
    return framing(render(request, caller, "staff/questionnaire.html", page, status))
