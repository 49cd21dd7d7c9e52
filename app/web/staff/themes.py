"""The page of themes of comments: the list in force, its versions, trying a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Form as FormField
from sqlalchemy.orm import Session

from app.access.callers import Person
from app.access.doors import FORM_LIMITS, FormLimits, PageDoor
from app.access.models import Right
from app.dependencies import DATABASE, DatabaseDependency
from app.messages import catalogue
from app.messages.words import Words
from app.problems import InvalidFields, Problem
from app.themes.editing import KINDS, Difference, differences
from app.themes.finding import Finding
from app.themes.model import OTHER, Theme, ThemeList
from app.themes.reading import read_list, written
from app.themes.versions import (
    Sorter,
    ThemeListChanged,
    Version,
    history,
    in_force,
    set_list,
    version,
)
from app.web.pages import EMPTY, PRIVATE, Form, Text, go_to, language_of, refused, render

router = APIRouter(prefix="/themes", include_in_schema=False)

READERS = PageDoor(Right.READ_COMMENTS)
#: The list is one for the whole service.
EDITORS = PageDoor(Right.EDIT_THEMES, everywhere=True)
#: Of a list in a form, in bytes: as much as is read.
LONGEST_LIST = 256 * 1024
#: A list as it stands in a form.
ListText = Annotated[str, FormField(alias="list", max_length=LONGEST_LIST)]
VersionNumber = Annotated[int | None, Query(alias="version", ge=0, lt=2**31)]
_WITH_LIST: FormLimits = {**FORM_LIMITS, "max_part_size": 2 * LONGEST_LIST}
#: Phrases of a theme that are shown before all of them are unfolded.
_SHOWN = 8


@dataclass(frozen=True)
class ThemeWords:
    """Says what codes of themes and places of a list mean, in one language."""

    words: Words
    lists: Sequence[ThemeList]

    def name(self, code: str) -> str:
        """What a theme is called."""
        if code == OTHER:
            return self.words("comments.other")
        named = (themes.names().get(code) for themes in self.lists)
        return self.words.name(next((each for each in named if each), None), code)

    def question(self, code: str) -> str:
        """A sort of question by the items that ask it."""
        for themes in self.lists:
            for each in themes.questions:
                if each.code == code:
                    rest = self.words("themes.all_others")
                    items = ", ".join(rest if item == "*" else item for item in each.items)
                    return f"{self.kind_of_question(code)} ({items})"
        return code

    def kind_of_question(self, code: str) -> str:
        """What a sort of question is called; those that staff thought of have their code alone."""
        key = f"themes.question.{code}"
        return self.words(key) if key in catalogue(self.words.language) else code

    def place(self, each: Difference) -> str:
        """Where two lists differ."""
        parts = [self.words(f"themes.kind.{each.kind}")]
        if each.theme:
            parts.insert(0, self.name(each.theme))
        if each.question:
            parts.append(self.words("themes.under", question=self.kind_of_question(each.question)))
        return " · ".join(parts)

    def found(self, finding: Finding) -> str:
        """What was found in a text."""
        found = ", ".join(
            f"{self.name(each.theme)} ({self.words(f'tone.{each.tone}')})"
            for each in finding.themes
        )
        return self.words("themes.try_found", found=found, tone=self.words(f"tone.{finding.tone}"))


@dataclass(frozen=True)
class ThemesPage:
    """The list that is shown, the versions, and what was tried."""

    number: int
    in_force: int
    themes: ThemeList
    text: str
    versions: Sequence[Version]
    may_edit: bool
    say: ThemeWords
    #: What the list in force has otherwise, where another version is shown.
    differences: Sequence[Difference]
    form: Form = EMPTY
    tried: Finding | None = None
    most: int = _SHOWN

    def some(self, theme: Theme, *kinds: str) -> list[str]:
        """The phrases of a theme of some kinds."""
        return list(dict.fromkeys(phrase for kind in kinds for phrase in getattr(theme, kind)))

    def elsewhere(self, theme: Theme) -> list[tuple[str, list[str]]]:
        """What means the theme, or means it otherwise, under one sort of question alone."""
        found: dict[str, list[str]] = {}
        for question, tone in theme.tones.items():
            found.setdefault(question, []).append(self.say.words(f"tone.{tone}"))
        for question, words in theme.at.items():
            phrases = [phrase for kind in KINDS for phrase in getattr(words, kind)]
            found.setdefault(question, []).extend(phrases)
        return [(self.say.kind_of_question(code), said) for code, said in found.items()]


@router.get("")
def show_themes(
    request: Request,
    caller: Annotated[Person, Depends(READERS)],
    number: VersionNumber = None,
) -> Response:
    """Show the list of themes, or a version before. Who: ``comments:read`` anywhere."""
    with DATABASE.of(request).reading() as session:
        page = themes_page(request, caller, session, number)
    return render(request, caller, "staff/themes.html", page)


@router.get("/list.yaml")
def download(
    request: Request,
    caller: Annotated[Person, Depends(READERS)],
    number: VersionNumber = None,
) -> Response:
    """Hand the list out as YAML, or a version before. Who: ``comments:read`` anywhere."""
    with DATABASE.of(request).reading() as session:
        now = in_force(session)
        themes = now.themes if number is None else version(session, number)
    name = f"themes-{now.number if number is None else number}.yaml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **PRIVATE}
    return Response(written(themes), media_type="application/yaml", headers=headers)


@router.post("", form_limits=_WITH_LIST)
def set_themes(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    text: ListText = "",
    before: Annotated[int, FormField(ge=0, lt=2**31)] = 0,
) -> Response:
    """Put a list in force. Who: ``themes:edit`` everywhere."""
    try:
        themes = read_list(text.encode("utf-8", "replace"))
        with database.writing(caller.name) as session:
            set_list(session, themes, caller.name, before)
    except (InvalidFields, ThemeListChanged) as problem:
        return list_refused(request, caller, problem, text)
    return go_to("/themes", "themes_set")


@router.post("/try")
def try_sentence(
    request: Request,
    caller: Annotated[Person, Depends(READERS)],
    database: DatabaseDependency,
    sentence: Text = "",
    item: Text = "",
) -> Response:
    """Show which themes the list finds in a sentence; it is kept nowhere.

    Who: ``comments:read`` anywhere.
    """
    form = Form({"sentence": sentence, "item": item}, {})
    with database.reading() as session:
        questionnaire, _, code = item.strip().rpartition("/")
        tried = in_force(session).find(questionnaire, code, sentence)
        page = themes_page(request, caller, session, None, form=form, tried=tried)
    return render(request, caller, "staff/themes.html", page)


def list_refused(request: Request, caller: Person, problem: Problem, text: str) -> Response:
    """The page again with a list that cannot be put in force, and why."""
    language = language_of(request, caller)
    form = refused(problem, language, {"list": text})
    if isinstance(problem, InvalidFields):
        form = Form(form.values, {"list": problem.detail(language)})
    with DATABASE.of(request).reading() as session:
        page = themes_page(request, caller, session, None, form=form)
    return render(request, caller, "staff/themes.html", page, problem.status)


def themes_page(
    request: Request,
    caller: Person,
    session: Session,
    number: int | None,
    form: Form = EMPTY,
    tried: Finding | None = None,
) -> ThemesPage:
    """What the page shows of a version, or of the list in force."""
    now: Sorter = in_force(session)
    shown = now.number if number is None else number
    themes = now.themes if number is None else version(session, number)
    return ThemesPage(
        shown,
        now.number,
        themes,
        form.value("list") or written(themes),
        history(session),
        caller.has_everywhere(Right.EDIT_THEMES),
        ThemeWords(Words(language_of(request, caller)), (themes, now.themes)),
        differences(now.themes, themes) if shown != now.number else [],
        form,
        tried,
    )
