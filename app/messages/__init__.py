"""The message catalogue: every sentence that a person reads, Vietnamese first, then English."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, lru_cache
from math import isfinite
from operator import itemgetter
from pathlib import Path
from typing import Literal, Protocol, get_args, runtime_checkable

import yaml

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@runtime_checkable
class Written(Protocol):
    """A value that every language writes in its own way."""

    def written(self, language: Language) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Sentence:
    """A sentence within a sentence: its key, and what it speaks of."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def written(self, language: Language) -> str:
        """The sentence in a language."""
        return say(self.key, language, **self.values)


#: PyYAML's reader in C, where there is one: the catalogues are read at each start of a process,
#: which takes most of a second otherwise.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Where a further language's sentences stand, in a file of its code; those it lacks are Vietnamese.
FURTHER = Path(__file__).parent / "further"


def house_language(language: str) -> Language:
    """The language in which the service itself speaks to whoever answers in a further one."""
    return "en" if language == "en" else "vi"


@cache
def catalogue(language: str) -> dict[str, str]:
    """All messages of one language by dotted key, from all its files."""
    further = language not in LANGUAGES
    messages: dict[str, str] = dict(catalogue("vi")) if further else {}

    def collect(prefix: str, tree: dict[str, object]) -> None:
        for key, value in tree.items():
            if isinstance(value, dict):
                collect(f"{prefix}{key}.", value)
            else:
                messages[f"{prefix}{key}"] = str(value)

    folder = FURTHER if further else Path(__file__).parent
    for file in sorted(folder.glob(f"{language}.yaml" if further else f"{language}*.yaml")):
        collect("", yaml.load(file.read_text(encoding="utf-8"), _LOADER))
    return messages


def say(key: str, language: str, **values: object) -> str:
    """The sentence under ``key`` with its values put in; days as the language writes them.

    Raises
    ------
    KeyError
        Where the catalogue has no such message: a defect, and a test keeps it from happening.
    """
    house = house_language(language)
    own = {name: _written(value, house) for name, value in values.items()}
    return catalogue(language)[key].format(**own)


def _written(value: object, language: Language) -> object:
    if isinstance(value, Written):
        return value.written(language)
    if isinstance(value, date) and not isinstance(value, datetime):
        return day(value, language)
    return value


def day(value: date, language: Language) -> str:
    """A day: 05/11/2026 in Vietnamese, 5 November 2026 in English."""
    return f"{value:%d/%m/%Y}" if language == "vi" else f"{value.day} {value:%B %Y}"


@lru_cache(maxsize=256)
def preferred(accept_language: str | None) -> Language:
    """The first language of an ``Accept-Language`` header that we speak; Vietnamese otherwise."""
    ranked: list[tuple[float, Language]] = []
    for part in (accept_language or "").split(",")[:20]:
        tag, _, weight = part.partition(";q=")
        primary = tag.strip().lower().split("-")[0]
        for language in LANGUAGES:
            if primary == language:
                with suppress(ValueError):
                    ranked.append((float(weight) if weight else 1.0, language))
    known = [(weight, language) for weight, language in ranked if isfinite(weight)]
    # Of those that are liked alike, the first.
    return max(known, key=itemgetter(0), default=(1.0, "vi"))[1]
