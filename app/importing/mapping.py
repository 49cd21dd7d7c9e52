"""A mapping: what each column of a file of responses means, as a person has decided it.

It is written as YAML or JSON, and remembered by the header's fingerprint. Every column is named by
its title; the second of two titles that are the same is called "title (2)".
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic import ValidationError as PydanticError
from pydantic_core import PydanticCustomError

from app.problems import FieldError, InvalidFields, invalid_fields
from surveys.model import FormCode, ItemCode

#: Most columns of a file, and words of a column.
MOST_COLUMNS, MOST_WORDS = 1000, 300
#: What a word may mean beside a level, an option or a code.
NO_OPINION, NO_ANSWER = "no-opinion", "no-answer"
Title = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Role(StrEnum):
    """What a column says that is no answer."""

    #: When it was answered.
    ANSWERED_AT = "answered_at"
    #: The same; where it is empty, the respondent never sent it off.
    SUBMITTED_AT = "submitted_at"
    #: When the respondent began.
    STARTED_AT = "started_at"
    #: Seconds that it took.
    DURATION = "duration"
    #: What tells a response from all others of its source.
    ID = "id"
    #: The survey point's public code, or words for it.
    POINT = "point"
    #: In which language it was answered.
    LANGUAGE = "language"
    #: Whether the respondent came to the end.
    FINISHED = "finished"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _as_words(given: object) -> object:
    """YAML reads the word 5 as a number."""
    if not isinstance(given, dict):
        return given
    return {str(key) if type(key) in (int, float) else key: value for key, value in given.items()}


Words = Annotated[dict[str, int | str], BeforeValidator(_as_words), Field(max_length=MOST_WORDS)]


class ColumnMeaning(_Part):
    """What one column means: the answers to an item, or to one option of it, or a role."""

    item: ItemCode | None = None
    #: Of an item with several options: the one that this column ticks.
    option: Annotated[int, Field(ge=1, le=254)] | None = None
    role: Role | None = None
    #: What words mean: a level or option, ``no-opinion``, ``no-answer``; of points, their codes.
    words: Words = {}
    #: The numbers run the other way: 1 is the best.
    reversed: bool = False

    @model_validator(mode="after")
    def _means_one_thing(self) -> ColumnMeaning:
        if (self.item is None) == (self.role is None):
            raise PydanticCustomError("meaning", "a column has an item or a role")
        if self.option is not None and self.item is None:
            raise PydanticCustomError("meaning", "an option belongs to an item")
        return self


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PydanticCustomError("zone", "no time zone has this name") from error
    return name


class Mapping(_Part):
    """What the columns of a sort of file mean.

    ``source`` names where the responses come from: ids are made of it, so the same response of
    the same source is known again, in whichever file it comes.
    """

    source: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    questionnaire: FormCode
    #: The newest if left out.
    version: Annotated[int, Field(ge=1, le=32767)] | None = None
    #: Public code for rows that name no point.
    point: Annotated[str, StringConstraints(max_length=16)] | None = None
    #: How 3/4/2026 is read; none where no such date occurs.
    dates: Literal["day-first", "month-first"] | None = None
    #: Of moments without an offset; the service's if left out.
    zone: Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)] | None = (
        None
    )
    #: How numbers are written: 1.234,5 (vi) or 1,234.5 (en).
    numbers: Literal["vi", "en"] = "vi"
    #: Language of rows that name none.
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "vi"
    #: What stands for no answer besides an empty cell.
    missing: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    #: Whether what was never finished is taken, and marked so; else it is left out and counted.
    unfinished: Literal["leave-out", "take"] = "leave-out"
    #: Of rows without an id that are equal to rows of earlier files: whether a person is asked, or
    #: they are the same, since each file holds what the earlier ones held.
    equal_rows: Literal["ask", "same"] = "ask"
    columns: Annotated[dict[Title, ColumnMeaning], Field(min_length=1, max_length=MOST_COLUMNS)]
    #: Columns that are not read, by choice.
    leave_out: Annotated[tuple[Title, ...], Field(max_length=MOST_COLUMNS)] = ()

    @property
    def has_ids(self) -> bool:
        """Whether the rows have ids of their own."""
        return any(meaning.role is Role.ID for meaning in self.columns.values())

    def as_yaml(self) -> str:
        """The mapping as a person may read and change it."""
        document = self.model_dump(mode="json", exclude_defaults=True)
        return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)


def read_mapping(written: str) -> Mapping:
    """A mapping from YAML or JSON.

    Raises
    ------
    InvalidFields
        With every field that is wrong.
    """
    try:
        return Mapping.model_validate(yaml.safe_load(written))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _no_yaml(mark.line + 1 if mark else 1) from error
    except PydanticError as error:
        raise invalid_fields(error) from error
    except RecursionError as error:
        raise _no_yaml(1) from error


def read_mapping_file(file: Path) -> Mapping:
    """The same from a file.

    Raises
    ------
    InvalidFields
        With every field that is wrong.
    """
    try:
        return read_mapping(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _no_yaml(file.read_bytes().count(b"\n", 0, error.start) + 1) from error


def _no_yaml(line: int) -> InvalidFields:
    return InvalidFields(errors=[FieldError("", "importing.not_yaml", {"line": line})], count=1)
