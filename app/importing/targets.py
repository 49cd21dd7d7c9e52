"""Which item, option or role a column is likely to mean, by its code and its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from app.importing.folding import code_of, folded
from app.importing.headers import Column, Program
from app.importing.mapping import ColumnMeaning, Role
from surveys.model import (
    CodedItem,
    MultipleChoiceItem,
    Questionnaire,
    RatedItem,
    SingleChoiceItem,
    Text,
    TextItem,
)

T = TypeVar("T")

_ROLES: Mapping[Role, tuple[str, ...]] = {
    Role.ANSWERED_AT: (
        "answered_at", "timestamp", "dấu thời gian", "horodateur", "marca temporal", "zeitstempel",
        "enddate", "end date", "recordeddate", "recorded date", "end", "completed at", "time",
        "ngày trả lời", "ngày", "thời gian", "thời gian gửi", "date", "submission time",
        "completion time", "thời gian hoàn thành", "_submission_time",
    ),
    Role.SUBMITTED_AT: ("submitdate", "date submitted", "abgeschickt am", "date de soumission"),
    Role.STARTED_AT: ("start", "startdate", "start date", "date started", "start time",
                      "thời gian bắt đầu", "started_at"),
    Role.DURATION: ("duration (in seconds)", "interviewtime", "total time", "duration_s",
                    "duration"),
    Role.ID: ("_uuid", "responseid", "response id", "meta/instanceid", "instanceid", "id"),
    Role.POINT: ("point", "point code", "mã điểm", "điểm", "điểm khảo sát", "ma_diem"),
    Role.LANGUAGE: ("startlanguage", "start language", "userlanguage", "user language",
                    "language", "ngôn ngữ"),
    Role.FINISHED: ("finished",),
}  # fmt: skip
_BY_TITLE = {folded(title): role for role, titles in _ROLES.items() for title in titles}
#: Roles of which a file has one column; of several the one that stands first in ``_ROLES`` is it.
_RANK = {folded(title): rank for titles in _ROLES.values() for rank, title in enumerate(titles)}


@dataclass(frozen=True)
class Targets:
    """What columns may mean in one version of a questionnaire."""

    form: Questionnaire

    def roles(self, columns: Iterable[Column], program: Program) -> dict[str, Role]:
        """The roles that titles name, by the columns' names; each role a single time."""
        found: dict[Role, tuple[int, str]] = {}
        for column in columns:
            for title in (folded(column.name), folded(column.text)):
                role = _BY_TITLE.get(title)
                if title in ("end", "_submission_time") and program is not Program.KOBO:
                    continue
                if role is not None:
                    ranked = (_RANK[title], column.name)
                    found[role] = min(found.get(role, ranked), ranked)
                    break
        if Role.SUBMITTED_AT in found:
            found.pop(Role.ANSWERED_AT, None)
        return {name: role for role, (_, name) in found.items()}

    def meaning(self, column: Column, program: Program) -> ColumnMeaning | None:
        """The item or option that a column is likely to mean; None where none is."""
        if program is Program.KOBO:
            *groups, last = column.name.split("/")
            if found := self._item(last, last):
                return ColumnMeaning(item=found)
            asked = self._item(groups[-1], groups[-1]) if groups else None
            option = self._option(asked, last, last) if asked else None
            return ColumnMeaning(item=asked, option=option) if option else None
        # A row of a matrix is a question of its own.
        found = self._item(column.option_code, column.option)
        found = found or self._item(column.name, "") or self._coded(column.option)
        if found:
            return ColumnMeaning(item=found)
        asked = self._item(column.code, column.text) or self._coded(column.text)
        if asked is None:
            return None
        if not (column.option_code or column.option):
            return ColumnMeaning(item=asked)
        option = self._option(asked, column.option_code, column.option)
        return ColumnMeaning(item=asked, option=option) if option else None

    def _item(self, code: str, words: str) -> str | None:
        by_words = self._by_words.get(folded(words)) if words else None
        return (self._by_code.get(code_of(code)) if code else None) or by_words

    def _coded(self, words: str) -> str | None:
        """The item whose code stands before its words: ``A1. Nơi ngồi chờ …``."""
        code, sign, rest = words.partition(" ")
        if not sign or not rest or code[-1:] not in ".):-":
            return None
        return self._by_code.get(code_of(code)) or self._by_words.get(folded(rest))

    def _option(self, item: str, code: str, words: str) -> int | None:
        asked = self.items[item]
        if not isinstance(asked, MultipleChoiceItem):
            return None
        for option in asked.options:
            if folded(words) in wordings(option.text) or code.strip() == str(option.value):
                return option.value
        return None

    @cached_property
    def items(self) -> Mapping[str, CodedItem | TextItem]:
        """All items by code."""
        return {item.code: item for item in self.form.items}

    @cached_property
    def _by_code(self) -> Mapping[str, str]:
        return _unique((code_of(code), code) for code in self.items)

    @cached_property
    def _by_words(self) -> Mapping[str, str]:
        return _unique(
            (wording, item.code) for item in self.form.items for wording in wordings(item.text)
        )


def wordings(said: Text) -> frozenset[str]:
    """A wording of a form in all its languages, folded."""
    return frozenset(folded(str(each)) for each in said.model_dump().values())


def labels(item: CodedItem | TextItem, form: Questionnaire) -> dict[str, int | None]:
    """The folded words by which a form itself calls an item's levels or options.

    None is no opinion. A level "Rất hài lòng hoặc rất tốt" is called by each of its parts, too.
    """
    found: list[tuple[str, int | None]] = []
    if isinstance(item, RatedItem):
        scale = form.scales[item.scale]
        found = [(w, each.value) for each in scale.levels for w in _parts(each.text)]
        none = scale.no_opinion
    elif isinstance(item, SingleChoiceItem | MultipleChoiceItem):
        found = [(w, each.value) for each in item.options for w in wordings(each.text)]
        none = item.no_opinion
    else:
        none = getattr(item, "no_opinion", None)
    if none is not None:
        found += [(w, None) for w in _parts(none.text)]
        if none.value is not None:
            found.append((str(none.value), None))
    return dict(_unique(found))


def _parts(said: Text) -> frozenset[str]:
    parts = {
        folded(part)
        for wording in map(str, said.model_dump().values())
        for part in re.split(r",? (?:hoặc|or) | / ", wording)
    }
    return wordings(said) | parts


def _unique(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    """What each key stands for, without keys that stand for several things."""
    found: dict[str, T] = {}
    doubtful = set()
    for key, value in pairs:
        if not key or (key in found and found[key] != value):
            doubtful.add(key)
        found[key] = value
    return {key: value for key, value in found.items() if key not in doubtful}
