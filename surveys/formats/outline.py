"""A form as all formats have it: groups of questions with choices, before it is one of ours.

Every format is read into an outline and written from one, so that what a question becomes is
decided in one place (``drafting``, ``outlining``). What no format has a word for (which levels
count as satisfied, that a number is a likelihood to recommend) is a mark, which each format keeps
where it lets others add something of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from surveys.formats.findings import Place

#: A wording by the code of its language; "" where the file names no language.
Texts = Mapping[str, str]
#: One of some choices, any of them, a number, words.
Kind = Literal["one", "many", "number", "text"]
#: The code under which "no opinion" stands among choices.
NO_OPINION = "na"


class Mark(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a question is with us, where the format has no word for it."""

    kind: str = ""
    scale: str = ""
    #: Its own code, where the format takes no such code, and that of its factor.
    code: str = ""
    factor: str = ""
    #: The number of "no opinion", and its wording where it cannot stand among choices.
    no_opinion_value: int | None = None
    no_opinion: dict[str, str] = {}
    unit: dict[str, str] = {}
    decimals: int = 0


class ScaleMark(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which levels of a scale count as satisfied; the whole scale where no question has it."""

    satisfied: list[int]
    levels: list[dict[str, str]] = []
    no_opinion: dict[str, str] = {}
    no_opinion_value: int | None = None


class FormMark(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a form is with us, where the format has no word for it."""

    code: str = ""
    version: int = 0
    title: dict[str, str] = {}
    source: dict[str, str] = {}
    unverified: list[str] = []
    estimated_minutes: int = 3
    keep_partial: bool = False
    scales: dict[str, ScaleMark] = {}
    index: list[str] = []
    leave_out: list[str] = []
    languages: dict[str, str] = {}


NOWHERE, NO_MARK, NO_FORM_MARK = Place(), Mark(), FormMark()


@dataclass(frozen=True)
class Choice:
    """One choice: its code in the file, and its wording."""

    code: str
    texts: Texts
    place: Place = NOWHERE


@dataclass(frozen=True)
class Clause:
    """A question was answered with one of the codes; or its number passes all tests."""

    question: str
    codes: tuple[str, ...] = ()
    #: Comparisons with a number: ``("<=", 3.0)``.
    tests: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Question:
    """One question; ``conditions`` hold together."""

    code: str
    kind: Kind
    texts: Texts
    place: Place = NOWHERE
    choices: tuple[Choice, ...] = ()
    list_name: str = ""
    required: bool = False
    conditions: tuple[Clause, ...] = ()
    #: The condition as it is written, to be named where it cannot be carried.
    condition_text: str = ""
    condition_place: Place | None = None
    minimum: float | None = None
    maximum: float | None = None
    #: None where the file does not say how many.
    decimals: int | None = 0
    max_length: int | None = None
    #: Words of several lines.
    long: bool = False
    #: The file itself says that the choices are steps of a scale.
    is_scale: bool = False
    mark: Mark = NO_MARK


@dataclass(frozen=True)
class Group:
    """Questions under a heading; without a code, questions under none."""

    code: str
    texts: Texts
    questions: tuple[Question, ...]
    place: Place = NOWHERE


@dataclass(frozen=True)
class Outline:
    """A whole form; ``languages`` has those that the file speaks by code, with their names."""

    code: str
    title: Texts
    groups: tuple[Group, ...]
    version: str = ""
    default_language: str = ""
    languages: Mapping[str, str] = field(default_factory=dict)
    mark: FormMark = NO_FORM_MARK


def mark_of(written: str) -> Mark | None:
    """The mark of a question; None where it is none of ours."""
    try:
        return msgspec.json.decode(written, type=Mark)
    except (msgspec.MsgspecError, UnicodeError):
        return None


def form_mark_of(written: str) -> FormMark | None:
    """The mark of a form; None where it is none of ours."""
    try:
        return msgspec.json.decode(written, type=FormMark)
    except (msgspec.MsgspecError, UnicodeError):
        return None


def written_mark(mark: Mark | FormMark) -> str:
    """A mark as it stands in a file; nothing where it says nothing."""
    written = msgspec.json.encode(mark).decode()
    return "" if written == "{}" else written
