"""Reads forms from YAML, names every mistake by file, line and field, guards published versions."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from surveys.consistency import Place, breaches
from surveys.model import Questionnaire
from surveys.reading import MOST_BYTES, Mark, UnreadableError, parsed, text_of

#: The forms that come with the software.
FORMS = Path(__file__).parent / "forms"
_TOP = Mark(1, 1)


@dataclass(frozen=True)
class FormMistake:
    """One mistake in a form: where it stands and what is wrong."""

    file: Path
    mark: Mark
    field: str
    reason: str

    def __str__(self) -> str:
        """``file:line:column: field: reason``, where editors and terminals can jump to."""
        place = f"{self.file}:{self.mark.line}:{self.mark.column}"
        return f"{place}: {self.field or '(form)'}: {self.reason}"


class FormError(ValueError):
    """A form cannot be used; ``mistakes`` lists every reason."""

    def __init__(self, mistakes: list[FormMistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


def load_file(file: Path) -> Questionnaire:
    """Read one form.

    Raises
    ------
    FormError
        With every mistake in the file, by line and field.
    """
    form, mistakes = _read(file)
    if form is None or mistakes:
        raise FormError(mistakes)
    return form


def check_file(file: Path) -> list[FormMistake]:
    """Every mistake in one form, in the order of lines; an empty list for a sound form."""
    return _read(file)[1]


def load_directory(directory: Path = FORMS) -> dict[tuple[str, int], Questionnaire]:
    """Read all forms of a directory, keyed by code and version.

    Raises
    ------
    FormError
        For a mistake in any file, two files with one version, and for a published version
        whose content differs from the hash in the directory's ``published.json``.
    """
    forms: dict[tuple[str, int], Questionnaire] = {}
    mistakes: list[FormMistake] = []
    published = _published(directory)
    for file in sorted(directory.glob("*.yaml")):
        form, found = _read(file)
        mistakes += found
        if form is None:
            continue
        key = (form.code, form.version)
        if key in forms:
            mistakes.append(
                FormMistake(
                    file, _TOP, "version", f"{form.code} version {form.version} stands twice"
                )
            )
        if published.get(f"{form.code}/{form.version}", form.content_hash) != form.content_hash:
            mistakes.append(FormMistake(file, _TOP, "version", changed_reason(form)))
        forms[key] = form
    if mistakes:
        raise FormError(mistakes)
    return forms


def changed_reason(form: Questionnaire) -> str:
    """Why a published version with other content is refused, and what to do."""
    return (
        f"{form.code} version {form.version} is published and its content has changed; "
        f"a published version never changes: make this version {form.version + 1}"
    )


def _published(directory: Path) -> dict[str, str]:
    record = directory / "published.json"
    if not record.exists():
        return {}
    content: dict[str, str] = json.loads(record.read_text(encoding="utf-8"))
    return content


def _read(file: Path) -> tuple[Questionnaire | None, list[FormMistake]]:
    try:
        with file.open("rb") as opened:
            # One byte more than is read tells that there is more.
            text = text_of(opened.read(MOST_BYTES + 1))
        node, document = parsed(text)
    except UnreadableError as error:
        return None, [FormMistake(file, error.mark, _dotted(error.place), error.reason)]
    if node is None:
        return None, [FormMistake(file, _TOP, "", "the file is empty")]
    marks: dict[Place, Mark] = {}
    mistakes = [
        FormMistake(file, mark, _dotted(place), "this key stands twice")
        for place, mark in _repeated_keys(node, marks)
    ]
    try:
        form = Questionnaire.model_validate(document)
    except ValidationError as error:
        placed = [(_without_kinds(e["loc"], document), e) for e in error.errors()]
        around = {place[:length] for place, _ in placed for length in range(len(place))}
        for place, detail in placed:
            # A list whose entries are wrong is reported by Pydantic as too short besides.
            if place not in around:
                mistakes.append(
                    FormMistake(file, _mark(marks, place), _dotted(place), _reason(detail))
                )
        return None, sorted(mistakes, key=_in_order)
    mistakes += [
        FormMistake(file, _mark(marks, place), _dotted(place), reason)
        for place, reason in breaches(form)
    ]
    return form, sorted(mistakes, key=_in_order)


def _in_order(mistake: FormMistake) -> int:
    return mistake.mark.line


def _reason(detail: Any) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return "no such field"
        case "missing":
            return "this field is missing"
        case _:
            return f"{detail['msg']} (found {reprlib.repr(detail['input']):.60})"


def _without_kinds(location: Place, document: Any) -> Place:
    """Drop from Pydantic's location the names that it adds for the member of a union."""
    place: list[str | int] = []
    here: Any = document
    for step in location:
        in_list = isinstance(step, int) and isinstance(here, list) and step < len(here)
        if in_list or (isinstance(here, dict) and step in here):
            here = here[step]
        elif isinstance(here, dict) and here.get("kind", "rated") == step:
            continue
        else:
            here = None
        place.append(step)
    return tuple(place)


def _mark(marks: dict[Place, Mark], place: Place) -> Mark:
    """Where the deepest part of ``place`` that the document has begins."""
    return next(
        marks[place[:length]] for length in range(len(place), -1, -1) if place[:length] in marks
    )


def _repeated_keys(
    node: yaml.Node, marks: dict[Place, Mark], place: Place = ()
) -> Iterator[tuple[Place, Mark]]:
    """Keys that stand twice in a mapping: YAML would silently keep the last one.

    On the way ``marks`` is told where everything begins.
    """
    marks.setdefault(place, Mark.of(node.start_mark))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            inner = (*place, key.value)
            mark = Mark.of(key.start_mark)
            if key.value in seen:
                yield inner, mark
            seen.add(key.value)
            marks.setdefault(inner, mark)
            yield from _repeated_keys(value, marks, inner)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield from _repeated_keys(value, marks, (*place, i))


def _dotted(place: Place) -> str:
    field = ""
    for step in place:
        field += f"[{step}]" if isinstance(step, int) else f".{step}" if field else str(step)
    return field
