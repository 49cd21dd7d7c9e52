"""Pages that change the list of themes: a form for each theme, and what a change would do.

Nothing is put in force here: every way leads to the same page, which shows the difference and what
becomes of comments, and hands the whole list on to ``POST /themes``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response, UploadFile
from fastapi import Form as FormField

from app.access.callers import Person
from app.access.doors import FormLimits
from app.dependencies import DATABASE, SETTINGS, DatabaseDependency
from app.figures.release import ReleaseRule
from app.figures.theme_preview import Effect, Example, Preview, preview
from app.messages.words import Words
from app.problems import InvalidFields
from app.text_keys import TextKeys
from app.themes.editing import (
    GENERAL,
    KINDS,
    Difference,
    differences,
    theme_of,
    with_general,
    with_theme,
    without_theme,
)
from app.themes.model import Name, Theme, ThemeList, ThemeWords, Tone
from app.themes.reading import read_list, written
from app.themes.versions import in_force, version
from app.web.pages import EMPTY, Form, QueryText, Text, language_of, render, typed_fields
from app.web.staff import themes as themes_of
from app.web.staff.themes import EDITORS, LONGEST_LIST, ListText, list_refused

router = APIRouter(prefix="/themes", include_in_schema=False)

_LIMITS: FormLimits = {"max_files": 1, "max_fields": 400, "max_part_size": 2 * LONGEST_LIST}
#: What separates phrases in a form: no phrase has a comma.
_BETWEEN = re.compile(r"[\n,]")
#: What is edited: a theme, or the words of no theme.
Part = Literal["theme", "general"]
_NEW = Theme.model_construct(code="", name=Name.model_construct(vi="", en=""))


Fields = Annotated[Mapping[str, str], Depends(typed_fields(_LIMITS))]


@dataclass(frozen=True)
class Area:
    """A list of phrases to be edited: the field's name, its label, what stands there."""

    field: str
    kind: str
    text: str

    @property
    def rows(self) -> int:
        """Lines that it is high."""
        return min(max(3, self.text.count("\n") + 2), 14)


@dataclass(frozen=True)
class EditPage:
    """A theme, or the words of no theme, to be changed."""

    part: Part
    #: Code of the theme that is changed; empty for a new one.
    code: str
    theme: Theme
    areas: Sequence[Area]
    #: By sort of question: how it is called, the tone chosen, the phrases that hold there alone.
    at: Sequence[tuple[str, str, Tone | None, Sequence[Area]]]
    say: themes_of.ThemeWords
    form: Form = EMPTY
    tones: Sequence[Tone] = tuple(Tone)

    @property
    def whole(self) -> bool:
        """Whether the box stands ticked."""
        return "whole" in self.form.values if self.form.values else self.theme.whole


@dataclass(frozen=True)
class PreviewPage:
    """What a list would change, before it is put in force."""

    before: int
    text: str
    differences: Sequence[Difference]
    found: Preview
    say: themes_of.ThemeWords

    @property
    def effects(self) -> Sequence[Effect]:
        """The themes of which anything changes."""
        return [each for each in self.found.effects if each.gained or each.lost or each.turned]

    @property
    def others(self) -> Sequence[Effect]:
        """The themes of which nothing changes."""
        return [each for each in self.found.effects if not (each.gained + each.lost + each.turned)]

    def months(self) -> str:
        """The months whose comments were gone through."""
        words, first, last = self.say.words, self.found.first, self.found.last
        if first == last:
            return words.period(first)
        return words("comments.months", first=words.period(first), last=words.period(last))

    def examples(self, effect: Effect) -> Sequence[tuple[str, Sequence[Example]]]:
        """Comments of a theme by what changes, each sort with its heading."""
        words = self.say.words
        sorts = (
            (words("themes.gained"), effect.examples_gained),
            (words("themes.lost"), effect.examples_lost),
            (words("themes.turned"), effect.examples_turned),
        )
        return [(heading, found) for heading, found in sorts if found]


@router.get("/edit")
def edit(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    code: QueryText = "",
    part: Part = "theme",
) -> Response:
    """Show the form of a theme, or of the words of none. Who: ``themes:edit`` everywhere."""
    with database.reading() as session:
        now = in_force(session)
    return _edit(request, caller, now.themes, part, code)


@router.post("/edit", form_limits=_LIMITS)
def edited(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    fields: Fields,
    part: Annotated[Part, FormField()] = "theme",
    instead_of: Text = "",
    act: Text = "",
) -> Response:
    """Show what a change of one theme would do. Who: ``themes:edit`` everywhere."""
    with database.reading() as session:
        now = in_force(session)
    try:
        if act == "remove":
            made = without_theme(now.themes, instead_of)
        elif part == "general":
            said = {kind: _phrases(fields.get(kind, "")) for kind in GENERAL}
            made = with_general(now.themes, said)
        else:
            made = with_theme(now.themes, _theme(fields, now.themes), instead_of)
    except InvalidFields as problem:
        language = language_of(request, caller)
        errors: dict[str, str] = {}
        for error in problem.errors:
            errors.setdefault(_field(error.field), error.detail(language))
        form = Form(fields, errors)
        return _edit(request, caller, now.themes, part, instead_of, form, problem.status)
    return _preview(request, caller, made)


@router.post("/preview", form_limits=_LIMITS)
def preview_list(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    text: ListText = "",
    number: Annotated[int | None, FormField(alias="version", ge=0, lt=2**31)] = None,
    file: UploadFile | None = None,
) -> Response:
    """Show what a list would do: one typed, a file, or a version before.

    Who: ``themes:edit`` everywhere.
    """
    if number is not None:
        with database.reading() as session:
            return _preview(request, caller, version(session, number))
    content = text.encode("utf-8", "replace")
    if file is not None and file.size:
        content = file.file.read(2 * LONGEST_LIST)
    try:
        return _preview(request, caller, read_list(content))
    except InvalidFields as problem:
        return list_refused(request, caller, problem, content.decode("utf-8", "replace"))


def _preview(request: Request, caller: Person, made: ThemeList) -> Response:
    database, settings = DATABASE.of(request), SETTINGS.of(request)
    with database.reading() as session:
        now = in_force(session)
    rule, keys = ReleaseRule.of(settings), TextKeys.of(settings)
    page = PreviewPage(
        now.number,
        written(made),
        differences(now.themes, made),
        preview(database, caller, made, release_rule=rule, keys=keys),
        themes_of.ThemeWords(Words(language_of(request, caller)), (made, now.themes)),
    )
    return render(request, caller, "staff/theme_preview.html", page)


def _edit(
    request: Request,
    caller: Person,
    themes: ThemeList,
    part: Part,
    code: str,
    form: Form = EMPTY,
    status: int = 200,
) -> Response:
    say = themes_of.ThemeWords(Words(language_of(request, caller)), (themes,))
    theme = theme_of(themes, code) if code else _NEW

    def areas(of: ThemeWords | ThemeList, kinds: Sequence[str], before: str = "") -> list[Area]:
        return [
            Area(
                f"{before}{kind}", kind, form.value(f"{before}{kind}", "\n".join(getattr(of, kind)))
            )
            for kind in kinds
        ]

    page = EditPage(
        part,
        code,
        theme,
        areas(themes, GENERAL) if part == "general" else areas(theme, KINDS),
        [
            (
                each.code,
                say.question(each.code),
                _tone(form, each.code, theme.tones.get(each.code)),
                areas(theme.at.get(each.code, ThemeWords()), KINDS, f"at.{each.code}."),
            )
            for each in themes.questions
            if part == "theme"
        ],
        say,
        form,
    )
    return render(request, caller, "staff/theme.html", page, status)


def _tone(form: Form, question: str, tone: Tone | None) -> Tone | None:
    typed = form.value(f"tone.{question}", tone or "")
    return Tone(typed) if typed in tuple(Tone) else None


def _theme(fields: Mapping[str, str], themes: ThemeList) -> dict[str, Any]:
    """A theme as its form says it, to be checked."""

    def words(before: str = "") -> dict[str, list[str]]:
        return {kind: _phrases(fields.get(f"{before}{kind}", "")) for kind in KINDS}

    at = {each.code: words(f"at.{each.code}.") for each in themes.questions}
    tones = {each.code: fields.get(f"tone.{each.code}", "") for each in themes.questions}
    return {
        "code": fields.get("code", "").strip(),
        "name": {"vi": fields.get("name.vi", ""), "en": fields.get("name.en", "")},
        "whole": "whole" in fields,
        **words(),
        "at": {question: said for question, said in at.items() if any(said.values())},
        "tones": {question: tone for question, tone in tones.items() if tone},
    }


def _phrases(text: str) -> list[str]:
    """Phrases a line each, or with commas between; each stands there once."""
    return list(dict.fromkeys(part for each in _BETWEEN.split(text) if (part := each.strip())))


def _field(path: str) -> str:
    """The field of the form that a place of a theme is typed into."""
    parts = path.split(".")
    while parts and parts[-1].isdigit():
        parts.pop()
    at = len(parts) == 3 and parts[0] == "at"
    if at or parts in (["name", "vi"], ["name", "en"]) or parts[0] in (*KINDS, *GENERAL):
        return ".".join(parts)
    # A code that stands twice was made from the name, unless it was typed.
    return "name.en" if parts in (["code"], ["themes"]) else "form"
