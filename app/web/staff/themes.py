"""The page of themes of comments: the list of words in force, changing it, trying a sentence."""

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
from app.messages.words import Words
from app.problems import InvalidFields
from app.themes.finding import Finding
from app.themes.model import OTHER, Theme, ThemeList
from app.themes.reading import read_list, written
from app.themes.versions import ThemeListChanged, Version, history, in_force, set_list, version
from app.web.pages import EMPTY, Form, Text, go_to, language_of, refused, render

router = APIRouter(prefix="/themes", include_in_schema=False)

READERS = PageDoor(Right.READ_COMMENTS)
#: The list is one for the whole service.
EDITORS = PageDoor(Right.EDIT_THEMES, everywhere=True)
#: Of a list in a form, in bytes: as much as is read.
LONGEST_LIST = 256 * 1024
#: A list as it stands in a form.
ListText = Annotated[str, FormField(alias="list", max_length=LONGEST_LIST)]
_WITH_LIST: FormLimits = {**FORM_LIMITS, "max_part_size": 2 * LONGEST_LIST}


@dataclass(frozen=True)
class ThemesPage:
    """The list that is shown, the versions, and what was tried."""

    number: int
    in_force: int
    themes: ThemeList
    text: str
    versions: Sequence[Version]
    may_edit: bool
    words: Words
    form: Form = EMPTY
    tried: Finding | None = None

    def name(self, code: str) -> str:
        """What a theme is called."""
        if code == OTHER:
            return self.words("comments.other")
        return self.words.name(self.themes.names().get(code), code)

    def some(self, theme: Theme, kind: str) -> str:
        """The words of a theme of one kind, those of single questions too."""
        parts = [theme, *theme.at.values()]
        found = [phrase for part in parts for phrase in getattr(part, kind)]
        return ", ".join(dict.fromkeys(found))

    def said(self) -> str:
        """What was found in a sentence that was tried."""
        if self.tried is None:
            return ""
        found = ", ".join(
            f"{self.name(each.theme)} ({self.words(f'tone.{each.tone}')})"
            for each in self.tried.themes
        )
        return self.words(
            "themes.try_found", found=found, tone=self.words(f"tone.{self.tried.tone}")
        )


@router.get("")
def show_themes(
    request: Request,
    caller: Annotated[Person, Depends(READERS)],
    number: Annotated[int | None, Query(alias="version", ge=0, lt=2**31)] = None,
) -> Response:
    """Show the list of themes, or a version before. Who: ``comments:read`` anywhere."""
    with DATABASE.of(request).reading() as session:
        page = _page(request, caller, session, number)
    return render(request, caller, "staff/themes.html", page)


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
        language = language_of(request, caller)
        form = refused(problem, language, {"list": text})
        if isinstance(problem, InvalidFields):
            form = Form(form.values, {"list": problem.detail(language)})
        with database.reading() as session:
            page = _page(request, caller, session, None, form=form)
        return render(request, caller, "staff/themes.html", page, problem.status)
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
        page = _page(request, caller, session, None, form=form, tried=tried)
    return render(request, caller, "staff/themes.html", page)


def _page(
    request: Request,
    caller: Person,
    session: Session,
    number: int | None,
    form: Form = EMPTY,
    tried: Finding | None = None,
) -> ThemesPage:
    now = in_force(session)
    shown = now.number if number is None else number
    themes = now.themes if number is None else version(session, number)
    return ThemesPage(
        shown,
        now.number,
        themes,
        form.value("list") or written(themes),
        history(session),
        caller.has_everywhere(Right.EDIT_THEMES),
        Words(language_of(request, caller)),
        form,
        tried,
    )
