"""Reads a list of themes from YAML, names every mistake by its place, and writes one."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from app.problems import FieldError, InvalidFields, invalid_fields
from app.themes.model import OTHER, ThemeList
from app.themes.spelling import words_of
from surveys.reading import UnreadableError, parsed, text_of

FIRST_LIST = Path(__file__).with_name("first_list.yaml")
#: Words of a phrase, so that a text is gone through in linear time.
LONGEST_PHRASE = 8


@cache
def first_list() -> ThemeList:
    """The list that comes with the software."""
    return read_list(FIRST_LIST.read_bytes())


def read_list(content: bytes) -> ThemeList:
    """A list of themes, from the YAML of somebody who may be careless or hostile.

    Raises
    ------
    InvalidFields
        With every mistake, each at its place in the list (``themes.3.words.0``).
    """
    try:
        _, document = parsed(text_of(content))
    except UnreadableError as wrong:
        values = {"line": wrong.mark.line, "reason": wrong.reason}
        raise _refusal([FieldError("list", "themes.unreadable", values)]) from wrong
    try:
        found = ThemeList.model_validate(document)
    except ValidationError as error:
        raise invalid_fields(error) from error
    if mistakes := _mistakes(found):
        raise _refusal(mistakes)
    return found


def written(themes: ThemeList) -> str:
    """A list as YAML that ``read_list`` takes again."""
    document = themes.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(
        document, allow_unicode=True, sort_keys=False, width=3000, default_flow_style=None
    )


def _refusal(errors: list[FieldError]) -> InvalidFields:
    return InvalidFields(errors=errors, count=len(errors))


def _mistakes(themes: ThemeList) -> list[FieldError]:
    """What a list says that cannot be, though each part of it is well formed."""
    found: list[FieldError] = []
    for field, codes in (
        ("questions", [each.code for each in themes.questions]),
        ("themes", [each.code for each in themes.themes]),
    ):
        twice = [code for code, times in Counter(codes).items() if times > 1]
        found += [FieldError(field, "themes.twice", {"code": code}) for code in twice]
    known = {each.code for each in themes.questions}
    for number, theme in enumerate(themes.themes):
        if theme.code == OTHER:
            found.append(FieldError(f"themes.{number}.code", "themes.reserved", {"code": OTHER}))
        for question in sorted((set(theme.tones) | set(theme.at)) - known):
            values = {"question": question}
            found.append(FieldError(f"themes.{number}", "themes.no_question", values))
    if not any("*" in each.items for each in themes.questions):
        found.append(FieldError("questions", "themes.no_rest"))
    for phrase in themes.phrases:
        if not 1 <= len(words_of(phrase)) <= LONGEST_PHRASE:
            said = {"phrase": phrase, "most": LONGEST_PHRASE}
            found.append(FieldError("words", "themes.phrase", said))
    return found
