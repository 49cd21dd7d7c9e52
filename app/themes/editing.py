"""Changes of a list of themes by parts, and what two lists differ in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.problems import InvalidFields, Problem
from app.themes.model import Theme, ThemeList, ThemeWords
from app.themes.reading import checked

#: Lists of phrases of a theme, as they are edited.
KINDS = ("words", "mentions", "praise", "blame")
#: Lists of phrases of no theme.
GENERAL = (
    "good", "bad", "middling", "negations", "spared", "conditions", "wishes", "already", "asking",
    "adversatives", "fillers",
)  # fmt: skip
#: All kinds of places in which two lists may differ.
PLACES = (*KINDS, *GENERAL, "name", "whole", "tone", "spellings", "questions", "order")
_LONGEST_CODE = 32


class NoSuchTheme(Problem):
    """The list in force has no theme of this code."""

    code, status = "no-such-theme", 404


@dataclass(frozen=True)
class Difference:
    """What one place of two lists differs in: a theme's words under a question, say."""

    #: Code of the theme; empty for what belongs to none.
    theme: str
    #: Code of the sort of question; empty for all.
    question: str
    #: One of ``PLACES``.
    kind: str
    added: Sequence[str]
    removed: Sequence[str]


def theme_of(themes: ThemeList, code: str) -> Theme:
    """A theme of a list.

    Raises
    ------
    NoSuchTheme
        Where there is none of the code.
    """
    found = next((each for each in themes.themes if each.code == code), None)
    if found is None:
        raise NoSuchTheme(theme=code)
    return found


def with_theme(themes: ThemeList, theme: Mapping[str, Any], instead_of: str = "") -> ThemeList:
    """A list with a theme, as a form says it, in the place of another; at the end, of none.

    A theme without a code gets one from its English name.

    Raises
    ------
    InvalidFields
        With mistakes named by the theme's own fields (``name.vi``, ``at.best.words.3``).
    NoSuchTheme
        Where the other one is not there.
    """
    document = themes.model_dump(mode="json")
    given = dict(theme)
    given["code"] = given.get("code") or _code_of(given["name"]["en"])
    if instead_of:
        place = themes.themes.index(theme_of(themes, instead_of))
        document["themes"][place] = given
    else:
        place = len(themes.themes)
        document["themes"].append(given)
    try:
        return checked(document)
    except InvalidFields as problem:
        raise _within(problem, f"themes.{place}.") from problem


def without_theme(themes: ThemeList, code: str) -> ThemeList:
    """A list without one of its themes.

    Raises
    ------
    InvalidFields
        Where it was the last one.
    NoSuchTheme
        Where it is not there.
    """
    theme_of(themes, code)
    left = tuple(each for each in themes.themes if each.code != code)
    return checked(themes.model_copy(update={"themes": left}).model_dump(mode="json"))


def with_general(themes: ThemeList, phrases: Mapping[str, Sequence[str]]) -> ThemeList:
    """A list with other words of no theme, by kinds of ``GENERAL``.

    Raises
    ------
    InvalidFields
        With every mistake.
    """
    given = {kind: list(phrases[kind]) for kind in GENERAL if kind in phrases}
    return checked(themes.model_dump(mode="json") | given)


def differences(before: ThemeList, after: ThemeList) -> list[Difference]:
    """What two lists differ in, place by place, in the order of the later one."""
    old, new = _places(before), _places(after)
    found = []
    for place in dict.fromkeys([*new, *old]):
        was, now = old.get(place, ()), new.get(place, ())
        added = [each for each in now if each not in set(was)]
        removed = [each for each in was if each not in set(now)]
        if added or removed:
            found.append(Difference(*place, added, removed))
    if not found and before != after:
        found.append(Difference("", "", "order", [], []))
    return found


def _within(problem: InvalidFields, prefix: str) -> InvalidFields:
    """The same mistakes, those of one theme named by its own fields."""
    errors = [replace(each, field=each.field.removeprefix(prefix)) for each in problem.errors]
    return InvalidFields(errors=errors, count=len(errors))


def _code_of(name: str) -> str:
    plain = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-0123456789")[:_LONGEST_CODE].strip("-")


def _places(themes: ThemeList) -> Mapping[tuple[str, str, str], Sequence[str]]:
    """All that a list says, by theme, question and kind."""
    found: dict[tuple[str, str, str], Sequence[str]] = {}
    for theme in themes.themes:
        found[theme.code, "", "name"] = (f"{theme.name.vi} / {theme.name.en}",)
        if theme.whole:
            found[theme.code, "", "whole"] = ("✓",)
        _add(found, theme.code, "", theme)
        for question, words in theme.at.items():
            _add(found, theme.code, question, words)
        for question, tone in theme.tones.items():
            found[theme.code, question, "tone"] = (tone.value,)
    found["", "", "spellings"] = [
        f"{meant}: {', '.join(written)}" for meant, written in themes.spellings.items()
    ]
    found["", "", "questions"] = [
        f"{each.code}: {', '.join(each.items)} ({each.tone})" for each in themes.questions
    ]
    for kind in GENERAL:
        found["", "", kind] = getattr(themes, kind)
    return found


def _add(
    found: dict[tuple[str, str, str], Sequence[str]], code: str, question: str, words: ThemeWords
) -> None:
    for kind in KINDS:
        if phrases := getattr(words, kind):
            found[code, question, kind] = phrases
