"""Lists that people edit: causes of complaints, and words of misconduct. Each change is a version.

Until somebody sets one, the lists that come with the software are in force, as version 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.cases.misconduct import Finder, words_of
from app.cases.models import CaseList
from app.problems import Problem
from surveys.model import FormCode, ItemCode

_SHIPPED = Path(__file__).parent / "shipped"
#: Signs of a list as it is edited.
LONGEST = 20_000
_MOST_CAUSES, _MOST_PHRASES, _MOST_WORDS = 60, 400, 6


class ListName(StrEnum):
    """Which list."""

    CAUSES = "causes"
    WORDS = "words"


class Cause(BaseModel):
    """Why somebody complained, in both languages, and which factor it is about by questionnaire."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,31}$")]
    vi: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    en: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    factors: dict[FormCode, ItemCode] = {}


_Phrase = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
_CAUSES = TypeAdapter(Annotated[tuple[Cause, ...], Field(min_length=1, max_length=_MOST_CAUSES)])
_WORDS = TypeAdapter(Annotated[tuple[_Phrase, ...], Field(max_length=_MOST_PHRASES)])


class CaseListInvalid(Problem):
    """A list of causes or words is not as it must be; the reason names the place."""

    code, status = "case-list-invalid", 422


@dataclass(frozen=True)
class ListVersion:
    """One version of a list, as it is edited; of version 0 nobody set it."""

    name: ListName
    version: int
    entries: str
    set_by: str | None = None
    set_at: datetime | None = None


def in_force(session: Session, name: ListName) -> ListVersion:
    """The newest version of a list."""
    return history(session, name)[0]


def history(session: Session, name: ListName) -> list[ListVersion]:
    """All versions, the newest first."""
    rows = session.scalars(
        select(CaseList).where(CaseList.name == name).order_by(CaseList.version.desc())
    )
    return [
        *(ListVersion(name, row.version, row.entries, row.set_by, row.set_at) for row in rows),
        ListVersion(name, 0, _shipped(name)),
    ]


def set_list(session: Session, name: ListName, entries: str, by: str) -> ListVersion:
    """Put a new version of a list in force.

    Raises
    ------
    CaseListInvalid
        Where it is no YAML of this list's shape, a code stands twice, or a phrase has no words or
        more than six.
    """
    _check(name, entries)
    made = CaseList(
        name=name, version=in_force(session, name).version + 1, entries=entries, set_by=by[:200],
        set_at=datetime.now(UTC),
    )  # fmt: skip
    session.add(made)
    session.flush()
    record(session, "case.list", name.value, version=made.version)
    return in_force(session, name)


def causes(session: Session) -> Sequence[Cause]:
    """The causes in force, in their order."""
    return _read_causes(in_force(session, ListName.CAUSES).entries)


def finder(session: Session) -> Finder:
    """What finds the words in force."""
    return _finder(in_force(session, ListName.WORDS).entries)


def _check(name: ListName, entries: str) -> None:
    if len(entries) > LONGEST:
        raise CaseListInvalid(field="entries", reason=f"{len(entries)} > {LONGEST}")
    try:
        if name is ListName.CAUSES:
            codes = [cause.code for cause in _read_causes(entries)]
            twice = sorted({code for code in codes if codes.count(code) > 1})
            if twice:
                raise CaseListInvalid(field="entries", reason=", ".join(twice))
        else:
            for phrase in _read_words(entries):
                if not 1 <= len(words_of(phrase)) <= _MOST_WORDS:
                    raise CaseListInvalid(field="entries", reason=phrase)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "YAML"
        raise CaseListInvalid(field="entries", reason=where) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise CaseListInvalid(field="entries", reason=f"{place}: {first['msg']}") from None


@lru_cache(maxsize=8)
def _read_causes(entries: str) -> tuple[Cause, ...]:
    return _CAUSES.validate_python(tuple(_as_list(entries)))


@lru_cache(maxsize=8)
def _read_words(entries: str) -> tuple[str, ...]:
    return _WORDS.validate_python(tuple(_as_list(entries)), strict=True)


def _as_list(entries: str) -> list[object]:
    found = yaml.safe_load(entries)
    if found is None:
        return []
    if not isinstance(found, list):
        raise CaseListInvalid(field="entries", reason=type(found).__name__)
    return found


@lru_cache(maxsize=4)
def _finder(entries: str) -> Finder:
    return Finder(_read_words(entries))


@lru_cache(maxsize=4)
def _shipped(name: ListName) -> str:
    return (_SHIPPED / f"{name.value}.yaml").read_text(encoding="utf-8")
