"""The columns of anonymised responses, and which of them others may know of a respondent.

What a respondent chose or counted (sex, age, insurance, trips) others may know, and by it find her;
what she thinks (levels, marks from 0 to 10, per cents) they do not. So every choice and every
number is a quasi-identifier, but for those that the settings name as opinions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.anonymity import MISSING, REST
from app.export.arrow import pa
from app.export.columns import (
    INDEX,
    Described,
    Measure,
    Role,
    Source,
    Value,
    columns_of,
    described,
    with_description,
)
from app.messages import LANGUAGES, say
from app.registry.questionnaires import Published
from surveys.model import (
    CodedItem,
    MultipleChoiceItem,
    NumberItem,
    SingleChoiceItem,
    TextItem,
)
from surveys.numbers import plain

#: Names of the design columns with their types; those that others may know are marked.
DESIGN: tuple[tuple[str, str, bool], ...] = (
    ("unit", "string", True),
    ("unit_extent", "string", True),
    ("unit_kind", "string", True),
    ("parent_unit", "string", True),
    ("quarter", "string", True),
    ("channel", "string", True),
    ("version", "int16", True),
    ("weight", "float64", False),
)
#: What stands where too few are alike: of values with labels, and of texts.
WITHHELD, WITHHELD_TEXT = -1, "*"
_YEARS = (0, 15, 25, 35, 45, 55, 65, 75)


@dataclass(frozen=True)
class Fact:
    """What a respondent said of herself, in one or, of several choices, some columns."""

    item: str
    #: Names of its columns, with the option that each is of.
    columns: tuple[tuple[str, int | None], ...]
    #: Of a number, where its classes begin.
    bounds: tuple[float, ...] = ()

    def classes(self, numbers: NDArray[np.float64]) -> NDArray[np.int64]:
        """The class of each number, ``MISSING`` for NaN."""
        place = np.searchsorted(self.bounds, numbers, side="right") - 1
        return np.where(np.isnan(numbers), MISSING, np.maximum(place, 0)).astype(np.int64)

    def text(self, low: int, high: int) -> str | None:
        """What a run of classes is called: ``25-44``, ``75+``; nothing where there is no number."""
        if low == REST:
            return WITHHELD_TEXT
        if low == MISSING:
            return None
        begin = plain(self.bounds[low])
        if high + 1 >= len(self.bounds):
            return f"{begin}+"
        end = plain(self.bounds[high + 1] - 1)
        return begin if begin == end else f"{begin}-{end}"


@dataclass(frozen=True)
class AnonymousColumns:
    """The columns in order, where each is read from, and what others may know."""

    schema: pa.Schema
    sources: Mapping[str, Source]
    facts: Mapping[str, Fact]

    @property
    def quasi_identifiers(self) -> list[str]:
        """Names of the columns in which at least k are alike."""
        known = [name for name, _, is_known in DESIGN if is_known]
        return known + [name for fact in self.facts.values() for name, _ in fact.columns]


def anonymous_columns(versions: Sequence[Published], opinions: Collection[str]) -> AnonymousColumns:
    """The columns of all versions of one questionnaire.

    ``opinions`` are choices and numbers that nobody else knows, as ``questionnaire:item``.
    """
    whole = columns_of(versions, with_texts=False)
    fields: list[pa.Field] = [_own(name, pa.type_for_alias(kind)) for name, kind, _ in DESIGN]
    fields += [whole.schema.field(name) for name, _ in INDEX]
    sources: dict[str, Source] = {}
    facts: dict[str, Fact] = {}
    for name, source in whole.sources.items():
        column, item = whole.schema.field(name), _item(versions, source)
        is_fact = isinstance(item, SingleChoiceItem | MultipleChoiceItem | NumberItem) and (
            f"{versions[0].form.code}:{item.code}" not in opinions
        )
        if not is_fact:
            fields.append(column)
            sources[name] = source
            continue
        if source.role is Role.NO_OPINION:
            continue  # who gave none is among those without an answer
        sources[name] = source
        # Options of one question are of one fact.
        first = next(
            (each for each in facts if source.option is not None and each != name
             and sources[each].item == source.item and sources[each].versions == source.versions),
            name,
        )  # fmt: skip
        columns = (*(facts[first].columns if first in facts else ()), (name, source.option))
        facts[first] = Fact(item.code, columns, tuple(_bounds(item)))
        fields.append(_withheld(column, numeric=isinstance(item, NumberItem)))
    return AnonymousColumns(pa.schema(fields), sources, facts)


def conditions(versions: Sequence[Published]) -> Iterator[tuple[str, str]]:
    """Pairs of an item and the earlier one on whose answer it depends, in the forms' order."""
    for version in versions:
        for item in version.form.items:
            if item.shown_if is not None:
                yield item.code, item.shown_if.item


def _item(versions: Sequence[Published], source: Source) -> CodedItem | TextItem:
    return next(
        item for version in versions if version.id in source.versions
        for item in version.form.items if item.code == source.item
    )  # fmt: skip


def _bounds(item: CodedItem | TextItem) -> Iterator[float]:
    """Ages by ten years, as statistics have them; of other numbers each class is twice as wide."""
    if not isinstance(item, NumberItem):
        return
    if item.unit is not None and item.unit.en == "years":
        yield from (year for year in _YEARS if year <= item.maximum)
        return
    width, at = 1, item.minimum
    while at <= item.maximum:
        yield at
        at += width
        width = width * 2 if at > item.minimum + 1 else 1


def _own(name: str, kind: pa.DataType) -> pa.Field:
    key = f"export.anonymous_column.{name}"
    measure = Measure.SCALE if name == "weight" else Measure.NOMINAL
    label = {at: say(key, at) for at in LANGUAGES}
    what = Described(role=Role.DESIGN, measure=measure, label=label)
    return with_description(name, kind, what)


def _withheld(column: pa.Field, *, numeric: bool) -> pa.Field:
    """A fact's column, whose values may be withheld; a number's are classes."""
    what = described(column)
    if numeric:
        label = {at: say("export.classes_of", at, label=what.label[at]) for at in LANGUAGES}
        changed = what.model_copy(
            update={"label": label, "measure": Measure.ORDINAL, "minimum": None, "maximum": None}
        )
        return with_description(column.name, pa.string(), changed)
    none = Value(value=WITHHELD, text={at: say("export.withheld", at) for at in LANGUAGES})
    changed = what.model_copy(update={"values": (none, *what.values)})
    return with_description(column.name, column.type, changed)
