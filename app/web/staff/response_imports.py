"""The page that imports responses of other programs: a file, what its columns mean, the result.

The file goes back to the browser in the form, and is kept nowhere: what people wrote is stored
masked or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, UploadFile
from fastapi import Form as FormField
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from app.access.callers import Person
from app.access.doors import FORM_LIMITS, FormLimits, PageDoor
from app.access.models import Right
from app.db import Database
from app.dependencies import SETTINGS, DatabaseDependency, SettingsDependency
from app.importing.headers import Headed
from app.importing.journal import (
    LONGEST_BATCH,
    BatchCameBefore,
    BatchTaken,
    EqualRows,
    FileCameBefore,
    SourceInBatches,
    not_ended,
)
from app.importing.mapping import Mapping
from app.importing.models import ResponseImport, ResponseMapping
from app.importing.proposing import LOOKED_AT, Proposal, propose
from app.importing.remembering import forget, in_force, remembered
from app.importing.service import FileImport, Imported, version_for
from app.messages import say
from app.problems import InvalidFields, Problem
from app.registry import questionnaires
from app.registry.questionnaires import Published
from app.settings import Settings
from app.tables import WrongTable
from app.web.pages import (
    EMPTY,
    Form,
    Number,
    Text,
    go_to,
    language_of,
    refused,
    render,
    whole_number,
)
from app.web.staff.mapping_form import ColumnField, Options, columns_of, read_form, targets
from app.web.staff.sent_file import (
    LONGEST_TEXT,
    Sent,
    largest_file,
    packed,
    sent_file,
    wrong_file,
)
from surveys import model

router = APIRouter(prefix="/response-imports", include_in_schema=False)

#: History is taken of any time and point: whoever may do so, may so everywhere.
IMPORTERS = PageDoor(Right.IMPORT_HISTORY, everywhere=True)
#: Most rows of a file on this page; the command takes more.
MOST_ROWS = 5000
#: Bytes that a workbook may unpack to, here.
MOST_UNPACKED = 64 * 2**20
#: Rows that are tried, and named with their mistakes.
TRIED, MOST_NAMED = 200, 50
#: What counts are called, where not by their own names.
_COUNTED = {"wrong": "wrong_rows"}
#: What may be said of rows that are equal to rows of earlier files.
EQUAL_ROWS = ("same", "others")
_ASKED = EqualRows, SourceInBatches, FileCameBefore, BatchTaken, BatchCameBefore
Kept = Annotated[str, FormField(max_length=LONGEST_TEXT)]
_LIMITS: FormLimits = {
    **FORM_LIMITS, "max_files": 1, "max_fields": 6000, "max_part_size": LONGEST_TEXT,
}  # fmt: skip


async def _typed(request: Request) -> FormData:
    """All fields of the form, which FastAPI has read already."""
    return await request.form()


@dataclass(frozen=True)
class ImportsPage:
    """What is remembered, and the form for a file."""

    mappings: Sequence[ResponseMapping]
    #: What began and did not end: under way, or broken off.
    not_ended: Sequence[ResponseImport]
    questionnaires: Options
    #: Of a file that is taken here, in kilobytes; and its rows.
    most_kb: int
    titles: dict[str, model.Text]
    form: Form = EMPTY
    mistakes: Sequence[str] = ()


@dataclass(frozen=True)
class RowsShown:
    """What became of rows, in words."""

    counts: Sequence[tuple[str, int]]
    imported: Imported
    mistakes: Sequence[str]
    further: int


@dataclass(frozen=True)
class CheckPage:
    """The columns with their meanings, and what would become of the first rows."""

    name: str
    content: str
    program: str
    version: Published
    columns: Sequence[ColumnField]
    targets: Sequence[tuple[str, Options]]
    mapping: Mapping | None
    proposal: Proposal
    source: str
    point: str
    #: What was said of rows that are equal to rows of earlier files, and the file's own name then.
    equal_rows: str
    batch: str
    is_remembered: bool
    undecided: int
    told: RowsShown | None
    form: Form = EMPTY
    mistakes: Sequence[str] = ()


@dataclass(frozen=True)
class DonePage:
    """What was imported."""

    name: str
    told: RowsShown


@router.get("")
def list_mappings(
    request: Request, caller: Annotated[Person, Depends(IMPORTERS)], database: DatabaseDependency
) -> Response:
    """List what is remembered. Who: ``responses:import`` everywhere."""
    with database.reading() as session:
        return render(
            request, caller, "staff/response_imports.html", _listed(request, caller, session)
        )


@router.post("/check", form_limits=_LIMITS)
def check(
    request: Request,
    caller: Annotated[Person, Depends(IMPORTERS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    typed: Annotated[FormData, Depends(_typed)],
    file: UploadFile | None = None,
    content: Kept = "",
    name: Text = "",
    questionnaire: Text = "",
    point: Text = "",
) -> Response:
    """Show what columns mean and try the first rows. Who: ``responses:import`` everywhere."""
    try:
        with sent_file(settings, file, content, name) as file_sent:
            work = _Work(database, settings, file_sent, questionnaire, point)
            form = EMPTY
            if content:
                try:
                    work.mapping, work.is_remembered = work.read(typed), False
                except InvalidFields as wrong:
                    form = refused(wrong, language_of(request, caller))
            return _checked(request, caller, work, form)
    except Problem as problem:
        return _refused(request, caller, database, problem)


@router.post("", form_limits=_LIMITS)
def import_responses(
    request: Request,
    caller: Annotated[Person, Depends(IMPORTERS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    typed: Annotated[FormData, Depends(_typed)],
    content: Kept = "",
    name: Text = "",
    questionnaire: Text = "",
    point: Text = "",
) -> Response:
    """Store what is right, and remember the mapping. Who: ``responses:import`` everywhere."""
    language = language_of(request, caller)
    try:
        with sent_file(settings, None, content, name) as file_sent:
            work = _Work(database, settings, file_sent, questionnaire, point)
            try:
                work.mapping, work.is_remembered = work.read(typed), False
                given = work.given()
            except InvalidFields as wrong:
                return _checked(request, caller, work, refused(wrong, language))
            except WrongTable:
                return _checked(request, caller, work, EMPTY)
            try:
                imported = given.store(caller.name)
            except _ASKED as problem:
                return _checked(request, caller, work, refused(problem, language), problem.status)
            page = DonePage(file_sent.name, _told(imported, language))
            return render(request, caller, "staff/response_import_done.html", page)
    except Problem as problem:
        return _refused(request, caller, database, problem)


@router.post("/{id}/forget")
def forget_mapping(
    caller: Annotated[Person, Depends(IMPORTERS)], database: DatabaseDependency, id: Number
) -> Response:
    """Forget a mapping. Who: ``responses:import`` everywhere."""
    with database.writing(caller.name) as session:
        forget(session, id, caller.name)
    return go_to("/response-imports", "mapping_forgotten")


class _Work:
    """A file with its questionnaire, and the mapping so far."""

    def __init__(
        self, database: Database, settings: Settings, file: Sent, questionnaire: str, point: str
    ) -> None:
        self.file, self.point = file, point.strip().upper()
        self._database, self._settings = database, settings
        code, _, number = questionnaire.partition(":")
        self.headed = Headed(file.path, file.name, most_unpacked=MOST_UNPACKED)
        rows = list(islice(self.headed, MOST_ROWS + 1))
        if len(rows) > MOST_ROWS:
            raise wrong_file(file.name, "importing.many_rows", most=MOST_ROWS)
        with database.reading() as session:
            # A number that is none is that of no version, not of the newest.
            self.version = version_for(
                session, code, (whole_number(number) or 0) if number else None
            )
            known = remembered(session, self.headed.fingerprint)
        self.is_remembered = known is not None and known.questionnaire == code
        self.mapping = known if self.is_remembered else None
        self.equal_rows, self.batch = "", ""
        if self.mapping is not None:
            given: dict[str, object] = {"version": self.version.form.version}
            if self.point:
                given["point"] = self.point
            self.mapping = self.mapping.model_copy(update=given)
            self.equal_rows = "same" if self.mapping.equal_rows == "same" else ""
        self.proposal = propose(self.headed, rows[:LOOKED_AT], self.version.sheet)

    def read(self, typed: FormData) -> Mapping:
        """The mapping as it was decided in the form, and what was said of equal rows."""
        said, batch = typed.get("equal_rows"), typed.get("batch")
        self.equal_rows = said if isinstance(said, str) and said in EQUAL_ROWS else ""
        self.batch = " ".join(batch.split())[:LONGEST_BATCH] if isinstance(batch, str) else ""
        return read_form(typed, self.headed, self.version.sheet)

    def given(self) -> FileImport:
        """The file with its mapping, if they fit."""
        assert self.mapping is not None
        batch = ""
        if self.equal_rows == "others" and not self.mapping.has_ids:
            batch = self.batch or self.file.name
        return FileImport(
            self._database, self._settings, self.file.path, self.mapping, name=self.file.name,
            batch=batch,
        )  # fmt: skip


def _checked(
    request: Request, caller: Person, work: _Work, form: Form, status: int = 422
) -> Response:
    language = language_of(request, caller)

    def said(key: str, **values: object) -> str:
        return say(key, language, **values)

    sheet = work.version.sheet
    columns = columns_of(work.headed, work.mapping, work.proposal, sheet, language, said)
    undecided = sum(not column.meaning for column in columns)
    told, mistakes = None, []
    # Where it was the rows that were refused, the mapping is sound: they can be tried and sent.
    is_sound = not form.errors or status == HTTPStatus.CONFLICT
    if work.mapping is not None and is_sound and not undecided:
        try:
            told = _told(work.given().dry_run(TRIED), language)
        except WrongTable as wrong:
            mistakes = [error.detail(language) for error in wrong.errors[:MOST_NAMED]]
    page = CheckPage(
        name=work.file.name,
        content=packed(work.file.path.read_bytes()),
        program=work.headed.program.value,
        version=work.version,
        columns=columns,
        targets=targets(sheet, language, said),
        mapping=work.mapping,
        proposal=work.proposal,
        source=PurePath(work.file.name).stem[:100],
        point=work.point,
        equal_rows=work.equal_rows,
        batch=work.batch or PurePath(work.file.name).stem[:LONGEST_BATCH],
        is_remembered=work.is_remembered,
        undecided=undecided,
        told=told,
        form=form,
        mistakes=mistakes,
    )
    status = status if form.errors or mistakes else 200
    return render(request, caller, "staff/response_import_check.html", page, status)


def _told(imported: Imported, language: str) -> RowsShown:
    mistakes = [e.detail(language) for row in imported.wrong for e in row.errors]
    counts = [
        (say(f"page.imports_{_COUNTED.get(key, key)}", language), n)
        for key, n in imported.counts.items()
    ]
    return RowsShown(counts, imported, mistakes[:MOST_NAMED], max(0, len(mistakes) - MOST_NAMED))


def _listed(
    request: Request,
    caller: Person,
    session: Session,
    form: Form = EMPTY,
    mistakes: Sequence[str] = (),
) -> ImportsPage:
    language = language_of(request, caller)
    versions = questionnaires.published(session)
    options = [
        (f"{v.form.code}:{v.form.version}",
         say("page.version_of", language, name=v.form.title.in_language(language),
             number=v.form.version))
        for v in sorted(versions, key=lambda v: (v.form.code, -v.form.version))
    ]  # fmt: skip
    return ImportsPage(
        in_force(session),
        not_ended(session),
        options,
        largest_file(SETTINGS.of(request)) // 1000,
        questionnaires.titles(session),
        form,
        mistakes,
    )


def _refused(
    request: Request,
    caller: Person,
    database: Database,
    problem: Problem,
) -> Response:
    language = language_of(request, caller)
    told = [error.detail(language) for error in problem.errors[:MOST_NAMED]]
    form = refused(problem, language)
    with database.reading() as session:
        page = _listed(request, caller, session, form, told)
    return render(request, caller, "staff/response_imports.html", page, problem.status)
