"""Reads a list of themes from YAML, names every mistake by its place, and writes one."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from app.messages import Sentence
from app.problems import FieldError, InvalidFields, invalid_fields
from app.themes.model import OTHER, ThemeList
from app.themes.phrases import MOST_FORMS, forms
from app.themes.spelling import words_of
from surveys.reading import UnreadableError, parsed, text_of

FIRST_LIST = Path(__file__).with_name("first_list.yaml")
#: Words of a phrase, so that a text is gone through in linear time.
LONGEST_PHRASE = 8
#: Words that one spelling may stand for.
LONGEST_MEANING = 4
#: Phrases of a list with all their forms.
MOST_PHRASES = 40_000


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
        said = Sentence(f"form_unread.{wrong.said.rule}", wrong.said.values)
        values = {"line": wrong.mark.line, "reason": said}
        raise _refusal([FieldError("list", "themes.unreadable", values)]) from wrong
    return checked(document)


def checked(document: object) -> ThemeList:
    """A list of themes from what its YAML or a form says.

    Raises
    ------
    InvalidFields
        As ``read_list`` does.
    """
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
    return found + _mistaken_phrases(themes)


def _mistaken_phrases(themes: ThemeList) -> list[FieldError]:
    found: list[FieldError] = []
    count = 0
    for phrase in themes.phrases:
        try:
            lengths = [len(words_of(form)) for form in forms(phrase)]
        except ValueError:
            said = {"phrase": phrase, "most": MOST_FORMS}
            found.append(FieldError("words", "themes.forms", said))
            continue
        count += len(lengths)
        if not all(1 <= length <= LONGEST_PHRASE for length in lengths):
            said = {"phrase": phrase, "most": LONGEST_PHRASE}
            found.append(FieldError("words", "themes.phrase", said))
    if count > MOST_PHRASES:
        found.append(FieldError("words", "themes.phrases", {"count": count, "most": MOST_PHRASES}))
    for meant, written in themes.spellings.items():
        wrong = [each for each in written if len(words_of(each)) != 1]
        if not 1 <= len(words_of(meant)) <= LONGEST_MEANING:
            wrong.append(meant)
        found += [FieldError("spellings", "themes.spelling", {"word": each}) for each in wrong]
    return found
