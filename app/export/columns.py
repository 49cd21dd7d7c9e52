"""What the columns of an export are: a pyarrow schema, from which every format is written.

A column's label, its values with theirs and what it is of stand in its field's metadata. So CSV,
Parquet, SPSS, Stata, DDI and CSVW cannot say different things of one column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from pydantic import BaseModel, ConfigDict

from app.export.arrow import pa
from app.export.names import column_name
from app.messages import LANGUAGES, say
from app.registry.questionnaires import Published
from surveys.model import (
    CodedItem,
    LongTextItem,
    MultipleChoiceItem,
    NumberItem,
    PercentItem,
    RatedItem,
    ShortTextItem,
    SingleChoiceItem,
    Text,
    TextItem,
    ZeroToTenItem,
)

#: Key of a field's description in its metadata.
_KEY = b"hailong"


class Role(StrEnum):
    """What a column is for."""

    DESIGN = "design"
    INDEX = "index"
    ITEM = "item"
    OPTION = "option"
    NO_OPINION = "no-opinion"
    TEXT = "text"


class Measure(StrEnum):
    """How a column's values may be compared, in SPSS's words."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    SCALE = "scale"


class Value(BaseModel):
    """A value of a column, and what it says."""

    model_config = ConfigDict(frozen=True)

    value: int
    text: Mapping[str, str]


class Described(BaseModel):
    """What a column says: its label in each language, its values, and of which item it is."""

    model_config = ConfigDict(frozen=True)

    role: Role
    measure: Measure
    label: Mapping[str, str]
    values: tuple[Value, ...] = ()
    #: Code of the item that it is of, and the versions that ask it so; of no item, empty.
    item: str = ""
    versions: tuple[int, ...] = ()
    #: Of a choice of several, the option that it is of.
    option: int | None = None
    #: Unit of a number, in each language.
    unit: Mapping[str, str] = {}
    minimum: float | None = None
    maximum: float | None = None

    def labels(self, language: str) -> dict[int, str]:
        """What its values say in a language."""
        return {each.value: each.text[language] for each in self.values}


def described(column: pa.Field) -> Described:
    """The description in a field's metadata."""
    return _parsed(bytes(column.metadata[_KEY]))


@cache
def _parsed(document: bytes) -> Described:
    return Described.model_validate_json(document)


@dataclass(frozen=True)
class Source:
    """From which item of which versions a column's values are read."""

    role: Role
    item: str
    option: int | None
    versions: frozenset[int]


@dataclass
class Columns:
    """The columns of one questionnaire's export, in order, with where each is read from."""

    schema: pa.Schema
    sources: Mapping[str, Source]
    versions: Sequence[Published]
    with_texts: bool
    #: Whether rows say what became of a response since the cursor.
    with_changes: bool = False


#: Names of the design columns with their types by Arrow's names, in their order.
DESIGN: tuple[tuple[str, str, Measure], ...] = (
    ("response", "string", Measure.NOMINAL),
    ("version", "int16", Measure.NOMINAL),
    ("unit", "string", Measure.NOMINAL),
    ("unit_kind", "string", Measure.NOMINAL),
    ("parent_unit", "string", Measure.NOMINAL),
    ("day", "date32", Measure.SCALE),
    ("weight", "float64", Measure.SCALE),
    ("channel", "string", Measure.NOMINAL),
    ("disposition", "string", Measure.NOMINAL),
    ("aside_rule", "string", Measure.NOMINAL),
    ("language", "string", Measure.NOMINAL),
    ("duration_s", "int32", Measure.SCALE),
    ("partial", "int8", Measure.NOMINAL),
)
INDEX: tuple[tuple[str, str], ...] = (
    ("index_satisfied", "int16"),
    ("index_answers", "int16"),
    ("index_levels", "int32"),
)
#: What became of a row since the cursor (``app.export.cursors``).
CHANGE = "change"
_NO_YES = (0, 1)


@dataclass
class _Making:
    fields: list[pa.Field] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    #: What a column says, by its name, to find one that says the same in another version.
    _said: dict[str, Described] = field(default_factory=dict)

    def add(self, name: str, kind: pa.DataType, what: Described, source: Source | None) -> str:
        """A column under this name, or one like it where it is taken."""
        name = column_name(name, self._said)
        self._said[name] = what
        self.fields.append(with_description(name, kind, what))
        if source is not None:
            self.sources[name] = source
        return name

    def merge(self, wanted: str, kind: pa.DataType, what: Described, source: Source) -> None:
        """The column of an item's version: one that says the same already, or a further one."""
        for name, said in self._said.items():
            known = self.sources.get(name)
            if known is None or (known.role, known.item, known.option) != (
                source.role, source.item, source.option,
            ):  # fmt: skip
                continue
            at = next(i for i, each in enumerate(self.fields) if each.name == name)
            if _meaning(said) == _meaning(what) and self.fields[at].type == kind:
                versions = tuple(sorted({*said.versions, *what.versions}))
                self._said[name] = said.model_copy(update={"versions": versions})
                self.fields[at] = with_description(name, kind, self._said[name])
                self.sources[name] = Source(
                    known.role, known.item, known.option, known.versions | source.versions
                )
                return
        taken = any(s.item == source.item and s.role == source.role and s.option == source.option
                    for s in self.sources.values())  # fmt: skip
        self.add(f"{wanted}_v{what.versions[0]}" if taken else wanted, kind, what, source)


def columns_of(
    versions: Sequence[Published], *, with_texts: bool, with_changes: bool = False
) -> Columns:
    """The columns of all versions of one questionnaire, the newest version's names first.

    An item that another version asks with other answers has a column of its own there, named after
    the version: codes that mean different things are never in one column.
    """
    made = _Making()
    if with_changes:
        made.add(CHANGE, pa.string(), _own(CHANGE, Role.DESIGN, Measure.NOMINAL), None)
    for name, kind, measure in DESIGN:
        yes_no = name == "partial"
        made.add(
            name, pa.type_for_alias(kind), _own(name, Role.DESIGN, measure, yes_no=yes_no), None
        )
    for name, kind in INDEX:
        made.add(name, pa.type_for_alias(kind), _own(name, Role.INDEX, Measure.SCALE), None)
    for version in sorted(versions, key=lambda each: -each.form.version):
        for item in version.form.items:
            for wanted, kind, what, source in _of_item(version, item):
                if source.role is not Role.TEXT or with_texts:
                    made.merge(wanted, kind, what, source)
    schema = pa.schema(made.fields)
    return Columns(schema, made.sources, versions, with_texts, with_changes)


def _of_item(
    version: Published, item: CodedItem | TextItem
) -> Iterator[tuple[str, pa.DataType, Described, Source]]:
    """The columns of one item: its answer, or one an option; and whether there was no opinion."""

    def column(
        role: Role, measure: Measure, label: Mapping[str, str], option: int | None = None,
        values: tuple[Value, ...] = (), **more: object,
    ) -> tuple[Described, Source]:  # fmt: skip
        what = Described(
            role=role, measure=measure, label=label, values=values, item=item.code,
            versions=(version.form.version,), option=option, **more,
        )  # fmt: skip
        return what, Source(role, item.code, option, frozenset({version.id}))

    text = _worded(item.text)
    match item:
        case ShortTextItem() | LongTextItem():
            yield item.code, pa.string(), *column(Role.TEXT, Measure.NOMINAL, text)
            return
        case RatedItem():
            levels = tuple(
                Value(value=each.value, text=_worded(each.text))
                for each in version.form.scales[item.scale].levels
            )
            yield item.code, pa.int16(), *column(Role.ITEM, Measure.ORDINAL, text, values=levels)
        case SingleChoiceItem():
            options = tuple(Value(value=o.value, text=_worded(o.text)) for o in item.options)
            yield item.code, pa.int16(), *column(Role.ITEM, Measure.NOMINAL, text, values=options)
        case MultipleChoiceItem():
            for each in item.options:
                label = {at: f"{text[at]} – {_worded(each.text)[at]}" for at in text}
                yield (
                    f"{item.code}_{each.value}", pa.int8(),
                    *column(Role.OPTION, Measure.NOMINAL, label, each.value, yes_and_no()),
                )  # fmt: skip
        case ZeroToTenItem():
            yield (
                item.code, pa.int16(),
                *column(Role.ITEM, Measure.SCALE, text, minimum=0, maximum=10),
            )  # fmt: skip
        case PercentItem():
            unit: Mapping[str, str] = dict.fromkeys(LANGUAGES, "%")
            yield (
                item.code, pa.int16(),
                *column(Role.ITEM, Measure.SCALE, text, unit=unit, minimum=0,
                        maximum=item.maximum),
            )  # fmt: skip
        case NumberItem():
            kind = pa.float64() if item.decimals else pa.int64()
            unit = _worded(item.unit) if item.unit else {}
            yield (
                item.code, kind,
                *column(Role.ITEM, Measure.SCALE, text, unit=unit, minimum=item.minimum,
                        maximum=item.maximum),
            )  # fmt: skip
    if item.code in version.sheet.with_no_opinion:
        label = {at: say("export.no_opinion_of", at, label=text[at]) for at in text}
        yield (
            f"{item.code}_na", pa.int8(),
            *column(Role.NO_OPINION, Measure.NOMINAL, label, values=yes_and_no()),
        )  # fmt: skip


def yes_and_no() -> tuple[Value, ...]:
    """The values of what is so or is not."""
    return tuple(
        Value(value=each, text={at: say(f"export.yes_no.{each}", at) for at in LANGUAGES})
        for each in _NO_YES
    )


def _own(name: str, role: Role, measure: Measure, *, yes_no: bool = False) -> Described:
    label = {at: say(f"export.column.{name}", at) for at in LANGUAGES}
    return Described(role=role, measure=measure, label=label, values=yes_and_no() if yes_no else ())


def _worded(text: Text) -> dict[str, str]:
    return {at: text.in_language(at) for at in LANGUAGES}


def _meaning(what: Described) -> tuple[object, ...]:
    """What must be alike for two versions' answers to stand in one column: the values.

    That a question was worded better does not part its answers; that a level was does.
    """
    values = tuple((each.value, tuple(sorted(each.text.items()))) for each in what.values)
    return what.role, what.measure, values, what.minimum, what.maximum


def with_description(name: str, kind: pa.DataType, what: Described) -> pa.Field:
    """A column with its description in the metadata."""
    return pa.field(name, kind, metadata={_KEY: what.model_dump_json().encode()})
