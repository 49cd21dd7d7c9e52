"""Says in the reader's language what rooms below the catalogue say of a form that is not sound."""

from __future__ import annotations

from collections.abc import Mapping

from app.messages import Sentence
from app.problems import field_error
from surveys.consistency import Breach
from surveys.formats.findings import Misfit
from surveys.reading import Unread


def unread(said: Unread) -> Sentence:
    """Why a text is not read."""
    return Sentence(f"form_unread.{said.rule}", said.values)


def breach(broken: Breach) -> Sentence:
    """A rule between parts of a form that is broken."""
    values = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in broken.values.items()
    }
    return Sentence(f"form_rule.{broken.rule}", values)


def worded(values: Mapping[str, object]) -> dict[str, object]:
    """The values of a sentence, those of them that are sentences in any language."""
    return {name: _worded(value) for name, value in values.items()}


def _worded(value: object) -> object:
    match value:
        case Unread():
            return unread(value)
        case Breach():
            return breach(value)
        case Misfit():
            return field_error(value.detail)
        case _:
            return value
