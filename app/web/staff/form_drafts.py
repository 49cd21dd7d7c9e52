"""Pages of drafts: beginning one, a file of another program, its checks, publishing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, UploadFile
from fastapi import Form as FormField
from pydantic import ValidationError

from app.access.callers import Person
from app.access.doors import FORM_LIMITS, FormLimits
from app.dependencies import DATABASE, DatabaseDependency, SettingsDependency
from app.problems import FieldError, InvalidFields, Problem, invalid_fields
from app.registry.form_drafts import (
    Draft,
    DraftTooLarge,
    add_draft,
    discard_draft,
    draft,
    newest_of,
    publish_draft,
    sketch_in,
    yaml_of,
)
from app.registry.form_reasons import unread
from app.registry.questionnaires import version_of
from app.web.pages import EMPTY, Form, Number, Text, go_to, language_of, refused, render
from app.web.staff.form_previews import EDITORS, framing
from app.web.staff.form_words import Check, FormWords
from app.web.staff.questionnaires import handed_out, largest_file, listed
from surveys import load_directory
from surveys.differences import Difference, differences
from surveys.editing import faults
from surveys.formats import Draft as Drafted
from surveys.formats import FormUnreadable, read_form
from surveys.model import Sketch
from surveys.reading import UnreadableError

router = APIRouter(prefix="/questionnaires", include_in_schema=False)

#: Of a questionnaire in YAML that a form carries.
_LONGEST_YAML = 512 * 1024
_WITH_FILE: FormLimits = {**FORM_LIMITS, "max_files": 1}
_WITH_YAML: FormLimits = {**FORM_LIMITS, "max_part_size": _LONGEST_YAML}
YamlText = Annotated[str, FormField(max_length=_LONGEST_YAML)]
Revision = Annotated[int, FormField(ge=0, lt=2**31)]
#: The scale that a new questionnaire begins with.
_FIRST_SCALE = ("sipas-desk", "satisfaction")


@dataclass(frozen=True)
class DraftPage:
    """A draft: its parts, what is wrong with it, and what publishing would change."""

    draft: Draft
    checks: Sequence[Check]
    #: The number of the newest version that is published; 0 for none.
    before: int
    differences: Sequence[Difference]
    say: FormWords
    form: Form = EMPTY

    @property
    def sketch(self) -> Sketch:
        """What it asks."""
        return self.draft.sketch

    @property
    def turning(self) -> bool:
        """Whether something under an old code becomes another thing."""
        return any(each.turning for each in self.differences)


@dataclass(frozen=True)
class UploadPage:
    """What of a file becomes a draft, and what does not; nothing is kept yet."""

    name: str
    not_carried: Sequence[tuple[str, str]]
    #: The draft in YAML; empty where it cannot be kept.
    text: str
    title: str
    items: int
    checks: Sequence[str]


@router.post("/drafts", form_limits=_WITH_YAML)
def begin(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    text: YamlText = "",
    code: Text = "",
    version: Annotated[int, FormField(ge=0, lt=2**31)] = 0,
    title_vi: Text = "",
    title_en: Text = "",
) -> Response:
    """Keep a new draft: of a file that was shown, of a published version, or with a title alone.

    Who: ``questionnaires:edit`` everywhere.
    """
    typed = {"code": code, "title_vi": title_vi, "title_en": title_en}
    try:
        with database.writing(caller.name) as session:
            if text:
                sketch = sketch_in(text.encode("utf-8", "replace"))
            elif version:
                sketch = _copied(version_of(session, code, version).form)
            else:
                sketch = _begun(typed)
            id = add_draft(session, sketch, caller.name)
    except ValidationError as error:
        return listed(request, caller, invalid_fields(error), typed)
    except UnreadableError as error:
        values = {"line": error.mark.line, "said": unread(error.said)}
        wrong = [FieldError("form", "questionnaires.unreadable", values)]
        return listed(request, caller, InvalidFields(errors=wrong, count=1), typed)
    except (InvalidFields, DraftTooLarge) as problem:
        return listed(request, caller, problem, typed)
    return go_to(f"/questionnaires/drafts/{id}", "draft_begun")


@router.post("/read", form_limits=_WITH_FILE)
def read_file(
    request: Request,
    settings: SettingsDependency,
    caller: Annotated[Person, Depends(EDITORS)],
    file: UploadFile,
) -> Response:
    """Show what of a file becomes a draft and what is not carried, keeping nothing.

    Who: ``questionnaires:edit`` everywhere.
    """
    language = language_of(request, caller)
    most = largest_file(settings)
    name, content = (file.filename or "")[:200], file.file.read(most + 1)
    try:
        if len(content) > most:
            raise FormUnreadable("questionnaires.too_large_here", most=most // 1000)
        drafted = _drafted(content, name, settings.odk_validate)
    except FormUnreadable as error:
        said = FormWords.of(language).unreadable(error)
        return listed(request, caller, None, {}, {"file": said})
    say = FormWords.of(language)
    not_carried = [say.not_carried(each) for each in drafted.not_carried]
    try:
        sketch = Sketch.model_validate(drafted.document)
        page = UploadPage(
            name,
            not_carried,
            yaml_of(sketch) if not _is_beyond(drafted) else "",
            sketch.title.in_language(language),
            sum(1 for _ in sketch.items),
            [say.breach(each) for each in faults(sketch)],
        )
    except ValidationError as error:
        wrong = [(each.field, each.detail(language)) for each in invalid_fields(error).errors]
        page = UploadPage(name, [*not_carried, *wrong], "", name, 0, ())
    return render(request, caller, "staff/form_upload.html", page)


@router.get("/drafts/{id}")
def show_draft(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    id: Number,
) -> Response:
    """Show a draft with its checks and differences. Who: ``questionnaires:edit`` everywhere."""
    return _draft(request, caller, id)


@router.get("/drafts/{id}/form.yaml")
def draft_file(
    caller: Annotated[Person, Depends(EDITORS)], database: DatabaseDependency, id: Number
) -> Response:
    """Hand a draft out as YAML. Who: ``questionnaires:edit`` everywhere."""
    with database.reading() as session:
        sketch = draft(session, id).sketch
    return handed_out(yaml_of(sketch).encode(), f"{sketch.code}-draft.yaml")


@router.post("/drafts/{id}/publish")
def publish(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    id: Number,
    revision: Revision = 0,
    before: Revision = 0,
) -> Response:
    """Publish a draft as the next version. Who: ``questionnaires:edit`` everywhere."""
    try:
        with database.writing(caller.name) as session:
            form = publish_draft(session, id, revision, before)
    except Problem as problem:
        if problem.status == 404:
            raise
        return _draft(request, caller, id, problem)
    path = f"/questionnaires/{form.code}/versions/{form.version}"
    return go_to(path, "questionnaire_published")


@router.post("/drafts/{id}/discard")
def discard(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    id: Number,
    revision: Revision = 0,
) -> Response:
    """Throw a draft away. Who: ``questionnaires:edit`` everywhere."""
    with database.writing(caller.name) as session:
        discard_draft(session, id, revision)
    return go_to("/questionnaires", "draft_discarded")


def _copied(form: Sketch) -> Sketch:
    return Sketch.model_validate(form.model_dump(mode="json", by_alias=True))


def _begun(typed: Mapping[str, str]) -> Sketch:
    """A questionnaire with nothing but a title and the usual scale of five levels."""
    code, name = _FIRST_SCALE
    ours = max(
        (form for (each, _), form in load_directory().items() if each == code),
        key=lambda form: form.version,
    )
    title = {"vi": typed["title_vi"], "en": typed["title_en"]}
    try:
        return Sketch.model_validate(
            {
                "code": typed["code"].strip(), "version": 1, "title": title, "source": title,
                "scales": {name: ours.scales[name].model_dump(by_alias=True)},
            }
        )  # fmt: skip
    except ValidationError as error:
        problem = invalid_fields(error)
        names = {"title.vi": "title_vi", "title.en": "title_en"}
        errors = [
            FieldError(names.get(each.field, each.field), each.reason, each.values, each.cause)
            for each in problem.errors
            if not each.field.startswith("source")
        ]
        raise InvalidFields(errors=errors, count=len(errors)) from error


def _drafted(content: bytes, name: str, odk: bool) -> Drafted:
    """A file as a draft: YAML of ours, or a form of another program.

    Raises
    ------
    FormUnreadable
        Where it is neither.
    """
    if not name.lower().endswith((".yaml", ".yml")):
        return read_form(content, name, odk=odk)
    try:
        sketch = sketch_in(content)
    except UnreadableError as error:
        raise FormUnreadable(
            "questionnaires.unreadable", None, line=error.mark.line, said=error.said
        ) from error
    except ValidationError as error:
        (first, *_) = invalid_fields(error).errors
        raise FormUnreadable("questionnaires.unfit", None, field=first.field) from error
    return Drafted(sketch.model_dump(mode="json", by_alias=True), None, ())


def _is_beyond(drafted: Drafted) -> bool:
    return any(each.reason == "formats.beyond" for each in drafted.not_carried)


def _draft(request: Request, caller: Person, id: int, problem: Problem | None = None) -> Response:
    language = language_of(request, caller)
    with DATABASE.of(request).reading() as session:
        found = draft(session, id)
        newest = newest_of(session, found.sketch.code)
    sketch = found.sketch
    say = FormWords.of(language, sketch, *([newest.form] if newest else []))
    page = DraftPage(
        found,
        [say.check(sketch, each) for each in faults(sketch)],
        newest.form.version if newest else 0,
        differences(newest.form, sketch) if newest else [],
        say,
        refused(problem, language) if problem else EMPTY,
    )
    status = problem.status if problem else 200
    return framing(render(request, caller, "staff/form_draft.html", page, status))
