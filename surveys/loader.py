"""Reads forms from YAML, names every mistake by file, line and field, guards published versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from surveys.consistency import Place, breaches
from surveys.model import Questionnaire

#: The forms that come with the software.
FORMS = Path(__file__).parent / "forms"


@dataclass(frozen=True)
class FormMistake:
    """One mistake in a form: where it stands and what is wrong."""

    file: Path
    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        """``file:line: field: reason``, the shape that editors and terminals can jump to."""
        return f"{self.file}:{self.line}: {self.field or '(form)'}: {self.reason}"


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
                FormMistake(file, 1, "version", f"{form.code} version {form.version} stands twice")
            )
        if published.get(f"{form.code}/{form.version}", form.content_hash) != form.content_hash:
            mistakes.append(FormMistake(file, 1, "version", changed_reason(form)))
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
        text = file.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        return None, [FormMistake(file, 1, "", f"not UTF-8 text: {error.reason}")]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [FormMistake(file, line, "", f"not YAML: {error.problem}")]
    except yaml.YAMLError as error:
        return None, [FormMistake(file, 1, "", f"not YAML: {error}")]
    if node is None:
        return None, [FormMistake(file, 1, "", "the file is empty")]
    mistakes = [
        FormMistake(file, line, field, "this key stands twice")
        for line, field in _repeated_keys(node)
    ]
    try:
        form = Questionnaire.model_validate(document)
    except ValidationError as error:
        placed = [(_without_kinds(e["loc"], document), e) for e in error.errors()]
        for place, detail in placed:
            # A list whose entries are wrong is reported by Pydantic as too short besides.
            if any(other[: len(place)] == place and other != place for other, _ in placed):
                continue
            mistakes.append(
                FormMistake(file, _line(node, place), _dotted(place), _reason(detail, document))
            )
        return None, sorted(mistakes, key=lambda mistake: mistake.line)
    mistakes += [
        FormMistake(file, _line(node, place), _dotted(place), reason)
        for place, reason in breaches(form)
    ]
    return form, sorted(mistakes, key=lambda mistake: mistake.line)


def _reason(detail: Any, document: Any) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return "no such field"
        case "missing":
            return "this field is missing"
        case _:
            return f"{detail['msg']} (found {detail['input']!r:.60})"


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


def _line(node: yaml.Node, place: Place) -> int:
    """The line (from 1) of the deepest part of ``place`` that the document has."""
    line = node.start_mark.line + 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == step), None)
            if found is None:
                break
            key, node = found
            line = key.start_mark.line + 1
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value)
        ):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _repeated_keys(node: yaml.Node, place: Place = ()) -> Iterator[tuple[int, str]]:
    """Keys that stand twice in a mapping: YAML would silently keep the last one."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.start_mark.line + 1, _dotted((*place, key.value))
            seen.add(key.value)
            yield from _repeated_keys(value, (*place, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield from _repeated_keys(value, (*place, i))


def _dotted(place: Place) -> str:
    field = ""
    for step in place:
        field += f"[{step}]" if isinstance(step, int) else f".{step}" if field else str(step)
    return field
