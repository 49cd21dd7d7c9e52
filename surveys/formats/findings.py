"""What is found while a form is read or written: what is not carried, and what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Place:
    """Where something stands in a file, as its reader would look for it.

    ``part`` is a sheet, or a path in JSON or XML; ``row`` counts from 1, as spreadsheets do.
    """

    part: str = ""
    row: int | None = None
    column: str = ""

    def at(self, column: str) -> Place:
        """The same place, in one of its columns."""
        return Place(self.part, self.row, column)


@dataclass(frozen=True)
class Misfit:
    """What Pydantic says of a part that does not fit the model of a form."""

    detail: Mapping[str, Any]

    def __str__(self) -> str:
        """In Pydantic's words."""
        return str(self.detail["msg"])


@dataclass(frozen=True)
class NotCarried:
    """What was left out, changed or taken for something, and why.

    ``reason`` is a key of the message catalogue, ``values`` what its sentence mentions.
    """

    place: Place
    reason: str
    values: Mapping[str, object] = field(default_factory=dict)


class FormUnreadable(ValueError):  # noqa: N818 - what is wrong with a file, not with us
    """A file is no form that we read; nothing of it is kept."""

    def __init__(self, reason: str, place: Place | None = None, **values: object) -> None:
        self.reason, self.place, self.values = reason, place or Place(), values
        super().__init__(f"{self.place}: {reason} {values}")


class Findings:
    """Gathers what is not carried, each thing a single time, in the order in which it is met."""

    def __init__(self) -> None:
        self._found: dict[tuple[Place, str, str], NotCarried] = {}

    def add(self, place: Place, reason: str, **values: object) -> None:
        """Note one thing that is not carried."""
        key = (place, reason, repr(values))
        self._found.setdefault(key, NotCarried(place, reason, values))

    def all(self) -> tuple[NotCarried, ...]:
        """Everything that was noted."""
        return tuple(self._found.values())
